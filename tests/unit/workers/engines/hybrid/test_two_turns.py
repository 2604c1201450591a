"""The streaming engine gives the model the turn before as training's samples do.

The engine's model reads a second turn step by step. Offline, the same model reads the sample that
training would make of both turns. Both must give the same.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES
from tests.unit.workers.engines.hybrid.test_engine import (
    CALLERS,
    CONFIG,
    chunks,
    made_engine,
    past,
    stream,
    turn,
)
from workers.engines.base import Opening, Output, Past, Speak, Work
from workers.engines.hybrid import context
from workers.engines.hybrid import engine as hybrid
from workers.engines.hybrid.context import GeneratedStep, SlotContext, remembered
from workers.engines.hybrid.engine import HybridEngine
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.speech_to_speech.sampling import TokenChoice
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD
from workers.training.samples import conversation_sampler, sequences
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import Sample, collate, joined, stream_sample, turn_sample

REPLY = [31, PAD, 32, PAD, 33, EOS]  # the texts of a reply, one a step
HEARS = 14  # chunks before a stream's model says GO, and that step's own
WITHIN = 1e-4  # float32: one whole against pieces
TURN = turn(1, len(REPLY))
OTHER = turn(2, len(REPLY))
STREAM = stream(3, HEARS - 4 + len(REPLY))
OTHER_STREAM = stream(4, HEARS - 4 + len(REPLY))
CUE = [*[PAD] * (HEARS - 5), GO]


class ForcedReplies:
    """An engine of one slot with forced texts, which keeps the logits of each."""

    def __init__(self) -> None:
        self.engine: HybridEngine = made_engine(slots=1)
        self.logits: list[Tensor] = []
        self.read: list[int] = []  # positions that each call of the model took
        self._texts: list[int] = []
        generator = self.engine._generator
        generator._choice = self._telling  # type: ignore[method-assign]
        inputs = generator._inputs

        def counting(rows: Sequence[Sequence[context.Position]]) -> Inputs:
            self.read.append(max(map(len, rows)))
            return inputs(rows)

        generator._inputs = counting  # type: ignore[method-assign]

    def _telling(self, contexts: Sequence[SlotContext]) -> TokenChoice:
        del contexts

        def choose(logits: Tensor, part: int) -> Tensor:
            if part:
                return logits.argmax(-1)
            self.logits.append(logits[0].clone())
            return torch.tensor([self._texts.pop(0)])

        return choose

    def hold(
        self, works: Sequence[Work], texts: Sequence[int], earlier: Sequence[Past] = ()
    ) -> list[Past]:
        """Step one turn after the `earlier` one. Returns the turn as logged."""
        self._texts = list(texts)
        self.logits.clear()
        self.read.clear()
        self.engine.open(0, Opening(7, earlier=earlier))
        return [past(work, self.engine.step([work])[0]) for work in works]

    def offline(self, sample: Sample) -> Tensor:
        """The text logits of every position of a sample, (T, texts)."""
        model = self.engine._generator._model
        with torch.no_grad():
            return model.text_logits(model(collate([sample]).inputs))[0]


def states(turn: Sequence[Past]) -> np.ndarray:
    return np.stack([np.frombuffer(h, "<f2") for p in turn for h in p.heard]).astype(np.float32)


def reply(turn: Sequence[Past]) -> TargetReply:
    """The steps from the reply's first one on."""
    began = next(at for at, p in enumerate(turn) if p.began)
    said = [GeneratedStep.from_bytes(p.said) for p in turn[began:] if p.said is not None]
    codes = np.array([s.codes for s in said if s.text != EOS])
    return TargetReply("", np.array([s.text for s in said]), codes)


def in_turn(turn: Sequence[Past]) -> Sample:
    return turn_sample(states(turn), reply(turn), CONFIG)


def in_stream(turn: Sequence[Past]) -> Sample:
    return stream_sample(states(turn), HEARS - 1, reply(turn), CONFIG)


def check(live: Sequence[Tensor], offline: Tensor) -> None:
    """Compare logits. The live engine masks the tokens that a step must not choose."""
    assert len(live) == len(offline)
    for ours, theirs in zip(live, offline, strict=True):
        may = torch.isfinite(ours)
        torch.testing.assert_close(ours[may], theirs[may], atol=WITHIN, rtol=0)


def test_what_is_said_of_training_is_so() -> None:
    assert context.LONGEST == conversation_sampler.LONGEST
    assert context.AFTER_REPLY == sequences.AFTER_REPLY


def test_a_second_turn_is_read_behind_the_first_as_in_training() -> None:
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    check(forced.logits, forced.offline(in_turn(first))[9:])
    second = forced.hold(OTHER, REPLY, first)
    both = joined(in_turn(first), in_turn(second))
    alone = forced.offline(in_turn(second))[9:]
    check(forced.logits, forced.offline(both)[-len(REPLY) :])
    assert (forced.logits[1] - alone[1])[torch.isfinite(forced.logits[1])].abs().max() > 10 * WITHIN


def test_a_stream_s_second_turn_is_read_behind_the_first_as_in_training() -> None:
    forced = ForcedReplies()
    first = forced.hold(STREAM, [*CUE, *REPLY])
    second = forced.hold(OTHER_STREAM, [*CUE, *REPLY], first)
    both = forced.offline(joined(in_stream(first), in_stream(second)))
    # The first step reads five positions and generates from the last.
    start = len(in_stream(first).text) + 4
    check(forced.logits, both[start : -sequences.AFTER_REPLY])


@pytest.mark.parametrize("heard", [2, 4])
def test_what_an_interruption_cut_off_is_not_remembered(heard: int) -> None:
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    kept = first[: -len(REPLY) + heard]
    second = forced.hold(OTHER, REPLY, kept)
    whole = in_turn(first)
    cut = Sample(**{name: getattr(whole, name)[: 9 + heard] for name in Sample.__slots__})
    check(forced.logits, forced.offline(joined(cut, in_turn(second)))[-len(REPLY) :])
    assert sum(forced.read) == len(second[0].heard) + 4 + len(REPLY)  # nothing was read again


def test_the_turn_before_the_last_is_forgotten() -> None:
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    second = forced.hold(OTHER, REPLY, first)
    third = forced.hold(turn(5, len(REPLY)), REPLY, second)
    both = joined(in_turn(second), in_turn(third))
    check(forced.logits, forced.offline(both)[-len(REPLY) :])


def test_a_turn_is_read_history_in_pieces_while_the_next_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hybrid, "READ_PIECE", 6)
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    second = forced.hold(OTHER, REPLY, first)
    third = forced.hold(turn(5, len(REPLY)), REPLY, second)
    # 15 positions of the second turn, which was read after the first, then the third's own.
    assert forced.read == [6, 6, 6, 7, *[1] * (len(REPLY) - 1)]
    both = joined(in_turn(second), in_turn(third))
    check(forced.logits, forced.offline(both)[-len(REPLY) :])


def test_a_turn_that_leaves_no_room_is_forgotten_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "ROOM_REPLY", 250 - 9 - 15 + 1)
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    second = forced.hold(OTHER, REPLY, first)
    check(forced.logits, forced.offline(in_turn(second))[9:])


def test_a_model_that_was_trained_with_one_turn_remembers_none() -> None:
    forced = ForcedReplies()
    first = forced.hold(TURN, REPLY)
    forced.engine._generator.remembers = False
    second = forced.hold(OTHER, REPLY, first)
    check(forced.logits, forced.offline(in_turn(second))[9:])


def test_a_rebuilt_second_turn_goes_on_as_the_one_that_never_died() -> None:
    forced, other = ForcedReplies(), ForcedReplies()
    first = forced.hold(TURN, REPLY)
    second = forced.hold(OTHER, REPLY, first)
    for died_after in (0, 3, 9, len(OTHER) - 1):
        other._texts = REPLY[max(0, died_after - 8) :]
        other.logits.clear()
        other.engine.open(0, Opening(7, second[:died_after], first))
        for work in OTHER[died_after:]:
            other.engine.step([work])
        check(other.logits, torch.stack(forced.logits[-len(other.logits) :]))


def test_what_is_remembered_of_a_stream_ends_in_silence() -> None:
    turn = ForcedReplies().hold(STREAM, [*CUE, *REPLY])
    positions = remembered(turn, (CONFIG.quiet,) * 2)
    assert [p.text for p in positions[-5:]] == [33, EOS, PAD, PAD, PAD]
    assert [p.heard for p in positions[-4:]] == [p.heard for p in positions[HEARS - 1 :][:4]]


def test_letters_are_heard_the_same_in_any_parts() -> None:
    engine = made_engine(slots=1)
    engine.open(0, Opening(7))
    outputs: list[Output] = [engine.step([work])[0] for work in TURN]
    whole, _ = engine._spelling.read([h for output in outputs for h in output.heard])
    assert whole
    assert "".join(output.rough for output in outputs) == whole
    assert all(not o.rough for o, w in zip(outputs, TURN, strict=True) if w.speak is Speak.CONTINUE)


def words_of(model: HybridS2S, sample: Sample, since: int = 0, until: int | None = None) -> str:
    """The words that the model's lower half gives offline at the positions from `since` on."""
    batch = collate([sample])
    layers = model.layered(batch.inputs)
    best = model.caller_logits(layers[CONFIG.middle]).argmax(-1) * batch.inputs.hears
    found = [number for number, _ in groupby(best[0, since:until].tolist()) if number]
    return " ".join(CALLERS[number - 1] for number in found)


@pytest.mark.parametrize("ahead", [2, 3, 8, 99])
def test_a_turn_s_words_are_those_of_training_whatever_was_read_when(
    ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hybrid, "AHEAD", ahead)
    forced = ForcedReplies()
    model = forced.engine._generator._model
    first = forced.hold(TURN, REPLY)
    second = forced.hold(OTHER, REPLY, first)
    sample = in_turn(first)
    both = joined(sample, in_turn(second))
    for earlier, works, held, expected in (
        ((), TURN, first, words_of(model, sample)),
        (first, OTHER, second, words_of(model, both, len(sample.text))),
    ):
        assert expected  # a random model hears something
        for died_after in (0, 2, 4):
            forced._texts = list(REPLY)
            forced.engine.open(0, Opening(7, held[:died_after], earlier))
            outputs = [forced.engine.step([work])[0] for work in works[died_after:]]
            ends = [work.speak is Speak.BEGIN for work in works[died_after:]]
            assert [o.words for o in outputs] == [expected if end else "" for end in ends]


def eager(engine: HybridEngine) -> HybridEngine:
    """Make the model give two sounds two words: a random listener's states are all alike."""
    mix = torch.randn(CHUNK_SAMPLES, CONFIG.heard_width, generator=torch.manual_seed(1))

    def hear(samples: Tensor, rows: Tensor | Sequence[int]) -> Tensor:
        return samples.view(len(rows), -1, CHUNK_SAMPLES) @ mix

    engine._listener.hear = hear  # type: ignore[method-assign]
    return engine


@pytest.mark.parametrize("died_after", [0, 1, 6])
def test_a_stream_s_words_are_told_as_they_are_heard(died_after: int) -> None:
    forced = ForcedReplies()
    eager(forced.engine)
    first = forced.hold(STREAM, [*CUE, *REPLY])
    second = forced.hold(OTHER_STREAM, [*CUE, *REPLY], first)
    model, before = forced.engine._generator._model, len(in_stream(first).text)
    both = joined(in_stream(first), in_stream(second))
    forced._texts = [*CUE, *REPLY][died_after:]
    forced.engine.open(0, Opening(7, second[:died_after], first))
    found = [forced.engine.step([work])[0].words for work in OTHER_STREAM[died_after:]]
    listening = [
        words_of(model, both, before, before + 5 + at) for at in range(died_after, len(CUE))
    ]
    assert len(set(listening)) > 1
    assert found == listening + [""] * len(REPLY)


def test_words_are_each_caller_s_own_and_those_of_the_turn_that_ends() -> None:
    """A batch of turns of unlike length, with reused slots and one turn that is too long."""
    engine = eager(made_engine(3))
    alone = {}
    for seed, heard in ((1, 5), (2, 9), (3, 14), (4, 170)):
        one = eager(made_engine(1))
        one.open(0, Opening(7))
        for chunk in chunks(heard, seed):
            one.step([Work(0, (chunk,))])
        alone[seed] = one.step([Work(0, (), Speak.BEGIN)])[0].words
    assert len({*alone.values()}) == 4
    assert alone[4] == ""
    for turns in ((1, 2, 3), (3, 1, 2)):
        lengths = {1: 5, 2: 9, 3: 14}
        parts = [chunks(lengths[seed], seed) for seed in turns]
        for slot in range(3):
            engine.open(slot, Opening(7))
        for at in range(14):
            engine.step([Work(s, (part[at],)) for s, part in enumerate(parts) if at < len(part)])
        outputs = engine.step([Work(slot, (), Speak.BEGIN) for slot in range(3)])
        assert [output.words for output in outputs] == [alone[seed] for seed in turns]


def test_a_turn_that_was_there_before_is_answered_all_the_same() -> None:
    """A slot repeats a turn, so only the position that gives the answer remains to be read."""
    engine = made_engine(slots=1)
    found = []
    for _ in range(2):
        engine.open(0, Opening(7))
        found.append(engine.step([Work(0, tuple(chunks(4, 1)), Speak.BEGIN)])[0])
    assert found[0].said == found[1].said is not None
    assert found[0].words == found[1].words
