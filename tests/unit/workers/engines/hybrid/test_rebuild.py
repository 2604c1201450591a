"""A session that is rebuilt from its log, with the hybrid engine in float32 and greedy decoding.

Two callers say the same: the steady one's worker lives, and the other one's dies after every turn
of its loop. So each step of the conversation is once the first of a rebuilt one. The log must come
to hold the same decisions and codes, and the logits of every step must agree.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.audio import Pcm16
from shared.log.records import Clear, InputRecord, Mode, Played, ReplyDone, Speech, Step, Truncate
from shared.modes import ReplyMode
from tests.sounds import silence, voice
from tests.unit.workers.engines.hybrid.test_engine import made_engine, past, turn
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Opening, Past
from workers.engines.hybrid.context import SlotContext
from workers.engines.hybrid.engine import HybridEngine
from workers.models.speech_to_speech.sampling import TokenChoice, greedy
from workers.models.speech_to_speech.vocabulary import EOS

Line = list[InputRecord | Pcm16]

# float32, logits of up to 3.5: whole pieces sum in another order than single steps (2e-6). So a
# heard state that lies between two float16 values may be logged as the other one.
LOGITS_WITHIN = 1e-4
HEARD_WITHIN = 2e-3  # one step of float16 at 2 to 4
SAMPLES_WITHIN = 2  # of 32,768

QUESTION: Line = [*silence(2), *voice(6), *silence(9)]
INTERRUPTED: Line = [*QUESTION, Played(9), *silence(2), *voice(11, pitch_hz=190), *silence(9)]
SWITCHED: Line = [
    *QUESTION,
    Mode("stream"),
    *voice(12, pitch_hz=170),
    *silence(4),
    Mode("turn"),
    *silence(3),
    *voice(5),
    *silence(9),
]
LINES = {"question": QUESTION, "interrupted": INTERRUPTED, "switched": SWITCHED}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


class Call(Rehearsal):
    """A rehearsal that keeps the logits of every choice."""

    def __init__(self, mode: ReplyMode = ReplyMode.TURN, longest: int = 128) -> None:
        engine = made_engine(slots=1, go_bias=1.0, eos_bias=-3.0)
        super().__init__(mode, engine)
        self.longest = longest  # steps of a reply
        self.logits: list[Tensor] = []
        engine._generator._choice = self._noting  # type: ignore[method-assign]

    def _noting(self, contexts: Sequence[SlotContext]) -> TokenChoice:
        def choose(logits: Tensor, part: int) -> Tensor:
            self.logits.append(logits.clone())
            if part == 0 and contexts[0].replying and contexts[0].spoken >= self.longest:
                return torch.tensor([EOS])
            return greedy(logits, part)

        return choose

    def send_line(self, line: Line, each_turn: Callable[[], None] = lambda: None) -> None:
        """Send a line record by record, as a caller does, while the session makes its reply."""
        for record in line:
            self.say(record)
            for _ in range(8):
                if not self.turn(1):
                    break
                each_turn()


def decisions(call: Call) -> list[object]:
    """All step records, without the fields that depend on precision."""
    return [
        (r.cursor, r.generation, r.hear, r.said, r.speak, r.began, r.ended)
        if isinstance(r, Step)
        else r
        for _, r in call.steps
    ]


def heard(call: Call) -> np.ndarray:
    """All logged states, (N, W)."""
    states = [h for _, r in call.steps if isinstance(r, Step) for h in r.heard]
    return np.stack([np.frombuffer(state, "<f2") for state in states]).astype(np.float32)


@pytest.mark.parametrize("mode", ReplyMode)
@pytest.mark.parametrize("line", LINES)
def test_a_rebuild_at_every_step_changes_nothing(line: str, mode: ReplyMode) -> None:
    steady, mortal = Call(mode), Call(mode)
    steady.send_line(LINES[line])
    mortal.send_line(LINES[line], mortal.die)
    assert len(steady.writes) == len(mortal.writes) >= len(LINES[line])
    check_same(mortal, steady)


@pytest.mark.parametrize("mode", ReplyMode)
def test_a_rebuild_remembers_the_turn_before(mode: ReplyMode) -> None:
    """Three turns, so that one is dropped. Replies are short and played whole."""
    heard: list[InputRecord | Pcm16] = [Played(10_000), *silence(2)]
    line = [*QUESTION, *silence(9), *heard, *voice(9, pitch_hz=190), *silence(15), *heard]
    line += QUESTION
    steady, mortal = Call(mode, longest=5), Call(mode, longest=5)
    contexts = steady.engine._contexts  # type: ignore[attr-defined]
    remembered: set[tuple[object, ...]] = set()
    steady.send_line(line, lambda: remembered.add(contexts[0].earlier))
    mortal.send_line(line, mortal.die)
    assert len(remembered) == 3  # nothing, the first turn, the second
    check_same(mortal, steady)


def check_same(mortal: Call, steady: Call) -> None:
    assert decisions(mortal) == decisions(steady)
    assert np.abs(heard(mortal) - heard(steady)).max() <= HEARD_WITHIN
    assert len(mortal.logits) == len(steady.logits) > 20
    for ours, theirs in zip(mortal.logits, steady.logits, strict=True):
        torch.testing.assert_close(ours, theirs, atol=LOGITS_WITHIN, rtol=0)
    assert mortal.events == steady.events
    sounds = zip(mortal.speech, steady.speech, strict=True)
    assert all(same_sound(one, other) for one, other in sounds)


def same_sound(one: Speech, other: Speech) -> bool:
    left, right = (np.frombuffer(s.pcm, "<i2").astype(int) for s in (one, other))
    assert (one.frame, one.generation) == (other.frame, other.generation)
    return bool(np.abs(left - right).max() <= SAMPLES_WITHIN)


def test_the_lines_hold_what_they_are_named_after() -> None:
    interrupted, switched = Call(), Call()
    interrupted.send_line(INTERRUPTED)
    assert len(interrupted.of(Clear)) == 1
    assert [type(r) for _, r in interrupted.steps].count(Truncate) == 1
    assert interrupted.conversation.state.generation == 2
    switched.send_line(SWITCHED)
    assert switched.of(Clear, ReplyDone)
    assert {turn.mode for turn in switched.writes} == set(ReplyMode)


@pytest.mark.parametrize("cut", [(0, 14), (3, 4), (5, 8), (8, 9), (9, 10), (9, 12), (11, 13)])
def test_a_history_may_be_replayed_in_any_parts(cut: tuple[int, int]) -> None:
    """`cut`: where the parts meet. The session received nine chunks, then generated six steps."""
    works = turn(3, 8)
    engine = made_engine(slots=2)
    engine.open(0, Opening(7))
    outputs = [engine.step([work])[0] for work in works]
    pasts = [past(work, output) for work, output in zip(works[:-2], outputs, strict=False)]
    rebuilt = replayed(pasts[: cut[0]], pasts[cut[0] : cut[1]], pasts[cut[1] :])
    for work, expected in zip(works[-2:], outputs[-2:], strict=True):
        (got,) = rebuilt.step([work])
        assert got.said == expected.said
        assert got.pcm is not None
        assert expected.pcm is not None
        assert np.abs(got.pcm - expected.pcm).max() < 1e-4


def replayed(*parts: Sequence[Past]) -> HybridEngine:
    engine = made_engine(slots=1)
    engine.open(0, Opening(7))
    for part in parts:
        for _ in engine.replay(0, part):
            pass
    return engine
