"""A worker that dies after any turn: the next one, with the log alone, says the same."""

import random

import pytest

from shared.audio import Pcm16
from shared.log.records import Cancel, Commit, InputRecord, Mode, Options, Played
from shared.modes import ReplyMode, VadName
from tests.sounds import noise, silence, voice
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal, same
from workers.runtime.conversation.tuning import Tuning

Line = list[InputRecord | Pcm16]


def call_of(seed: int) -> Line:
    """A call with everything in it, some 250 chunks long, made from a seed."""
    rng = random.Random(seed)
    parts: list[Line] = [
        [*voice(12), *silence(9)],
        [*voice(30), *silence(9), Played(60)],
        [*silence(5), *voice(5, pitch_hz=190), *silence(9)],
        [*noise(20, seed)],
        [Mode("stream"), *noise(15, seed + 1)],
        [Mode("turn"), *voice(6), Commit()],
        [Cancel(), *silence(10)],
        [Options(manual=True), *voice(9), Commit(), Options(manual=False)],
        [Played(10_000)],
    ]
    return [item for _ in range(12) for item in rng.choice(parts)]


@pytest.mark.parametrize(
    ("seed", "vad"), [*((seed, VadName.ENERGY) for seed in range(6)), (6, VadName.SILERO)]
)
def test_a_death_after_any_turn_changes_nothing(seed: int, vad: VadName) -> None:
    rng = random.Random(seed)
    line = call_of(seed)
    steady, mortal = (Rehearsal(ReplyMode.TURN, tuning=Tuning(vad=vad)) for _ in range(2))
    for rehearsal in (steady, mortal):
        rehearsal.say(*line)
    counts = [rng.randrange(1, 9) for _ in range(5_000)]
    deaths = 0
    for count in counts:
        busy = steady.turn(count)
        assert mortal.turn(count) == busy
        if not busy:
            break
        if rng.random() < 0.3:
            mortal.die()
            deaths += 1
    assert deaths > 10
    assert same(mortal.outputs, steady.outputs)
    assert same(mortal.steps, steady.steps)


def test_the_kept_log_is_bounded() -> None:
    rehearsal = Rehearsal(ReplyMode.STREAM)
    rehearsal.run(*noise(1_000))
    last = rehearsal.writes[-1]
    assert last.cursor - last.keep_inputs < 260
    assert len(rehearsal.steps) - last.keep_steps < 260
    assert len(rehearsal.outputs) - last.keep_outputs < 260
