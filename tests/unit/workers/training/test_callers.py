"""The split of the voices: what is reported as unheard is in no training."""

import random

from workers.training import callers


def test_the_groups_of_voices_share_no_voice() -> None:
    trained = {*callers.TRAINED_ESPEAK, *callers.TRAINED_FLITE}
    unseen = {*callers.UNSEEN_ESPEAK, *callers.UNSEEN_FLITE, *callers.NEVER_HEARD}
    assert not trained & unseen
    variants = {voice.name.split("+")[1] for voice in callers.TRAINED_ESPEAK}
    assert not variants & {voice.name.split("+")[1] for voice in callers.UNSEEN_ESPEAK}
    assert {voice.engine for voice in trained}.isdisjoint(v.engine for v in callers.NEVER_HEARD)


def test_training_draws_only_trained_voices_in_the_stated_mix() -> None:
    rng = random.Random(0)
    drawn = [callers.trained_voice(rng) for _ in range(3000)]
    assert set(drawn) <= {*callers.TRAINED_ESPEAK, *callers.TRAINED_FLITE}
    share = sum(voice.engine == "flite" for voice in drawn) / len(drawn)
    assert abs(share - callers.FLITE_SHARE) < 0.04


def test_a_shard_is_a_function_of_its_number() -> None:
    assert callers.training_jobs(3) == callers.training_jobs(3)
    assert callers.training_jobs(3) != callers.training_jobs(4)
