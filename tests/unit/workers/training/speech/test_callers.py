"""The split of the voices: training uses no unseen voice."""

import random

import pytest

from workers.training.questions.catalogue import Split, questions
from workers.training.questions.question_families import Language
from workers.training.speech import callers
from workers.training.stages import checks

UNSEEN = {
    *callers.UNSEEN_ESPEAK,
    *callers.UNSEEN_FLITE,
    *callers.UNSEEN_FESTIVAL,
    *callers.UNSEEN_SPANISH,
    *callers.UNSEEN_FESTIVAL_SPANISH,
}
TRAINED = [voice for group in callers.VOICE_GROUPS for voice in group.voices]


def test_the_groups_of_voices_share_no_voice() -> None:
    trained = {voice for kind in callers.VOICE_GROUPS for voice in kind.voices}
    assert trained == {*callers.TRAINED_ESPEAK, *callers.TRAINED_FLITE}
    assert not trained & UNSEEN
    variants = {voice.name.split("+")[1] for voice in callers.TRAINED_ESPEAK}
    assert not variants & {voice.name.split("+")[1] for voice in callers.UNSEEN_ESPEAK}
    assert {voice.engine for voice in trained}.isdisjoint(v.engine for v in callers.UNSEEN_FESTIVAL)


def test_training_uses_no_spanish_voice_of_the_evaluation() -> None:
    trained = {voice for kind in callers.SPANISH_VOICE_GROUPS for voice in kind.voices}
    assert trained == set(callers.TRAINED_SPANISH)
    assert not trained & UNSEEN
    # A speaker of espeak-ng is a variant, whatever language it speaks.
    variants = {v.name.split("+")[1] for v in callers.TRAINED_SPANISH + callers.TRAINED_ESPEAK}
    assert not variants & {voice.name.split("+")[1] for voice in callers.UNSEEN_SPANISH}
    assert {v.language for v in (*trained, *callers.UNSEEN_SPANISH)} == {Language.SPANISH}
    assert {v.engine for v in trained}.isdisjoint(v.engine for v in callers.UNSEEN_FESTIVAL_SPANISH)


def test_training_uses_no_voice_of_the_evaluation() -> None:
    assert not set(TRAINED) & UNSEEN
    assert sum(group.share for group in callers.VOICE_GROUPS) == pytest.approx(1.0)


def test_a_job_varies_within_the_range_of_its_engine() -> None:
    rng = random.Random(1)
    made = [callers.varied(voice, "a", rng) for voice in rng.choices(TRAINED, k=500)]
    assert all(0.8 <= job.size <= 1.25 and 0.6 <= job.pitch <= 1.5 for job in made)
    assert len({(job.rate, job.pitch) for job in made}) == 500


@pytest.mark.parametrize("condition", sorted(checks.CONDITIONS))
def test_checks_keep_to_their_split(condition: str) -> None:
    voices, split = checks.CONDITIONS[condition]
    spoken = checks.jobs(condition)
    assert 40 <= len(spoken) <= checks.CHECKED
    assert {job.voice for job in spoken} <= set(voices)
    assert condition == "seen" or set(voices) <= UNSEEN
    if condition != "then":
        language = voices[0].language
        assert {job.text for job in spoken} <= {q.text for q in questions(split, language)}
    if split is not Split.TRAIN:
        assert not {job.text for job in spoken} & {q.text for q in questions(Split.TRAIN)}


def test_checks_of_one_family_ask_that_family() -> None:
    asked = checks.asked("seen", ("capital",))
    assert {question.family for question in asked} == {"capital"}
    assert len(asked) == checks.A_FAMILY
    assert checks.asked("combination", ("capital",)) == []
