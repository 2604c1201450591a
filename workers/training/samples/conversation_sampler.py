"""Training samples: a turn and its reply, or two turns, the second of which may lean on the first.

A conversation's context in service is the turn before and the present one; what was cut off by an
interruption is not in it. Two turns of unlike matter teach the model to let the first go.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from workers.models.s2s import S2SConfig
from workers.training.questions import follow_ups, spanish
from workers.training.questions.catalogue import Question
from workers.training.questions.chat import NO_REPLY
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import (
    GO_AFTER,
    GO_LATE,
    TURN_TAIL,
    Floats,
    Sample,
    SampleBatch,
    collate,
    disturbed,
    interrupted,
    joined,
    stream_sample,
    stumbled,
    turn_sample,
)
from workers.training.samples.spoken_turns import EncodedTurn
from workers.training.stages.caller_words import CallerVocabulary

POOL: Final = 16  # batches drawn together and sorted by length
TWO: Final = 0.35  # share of samples with two turns
LEANING: Final = 0.65  # ... whose second goes on from the first
INTERRUPTED: Final = 0.25  # ... of the others: the first reply was cut off
STREAM_SHARE: Final = 0.3
# Share of single turns behind which any reply is said, its text given, as behind words in no order:
# only so does the sound learn to follow the text. Where it may also follow the question, the name
# that was nearly said is heard behind the text of the right one.
READ_OUT: Final = 0.1
LONGEST: Final = 250  # positions: what the model's window holds


COLD_REPLIES: Final = (follow_ups.NO_CONTEXT_REPLY, spanish.NO_CONTEXT_REPLY)


class TurnSource(Protocol):
    """Where turns come from: speech (`turns.Memory`) or text alone (`reading.Reader`)."""

    def first(self, rng: random.Random) -> EncodedTurn:
        """Any turn that stands for itself."""

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A second question as it is said, if it was said."""


class MixedTurns:
    """Turns from either of two sources: `share` of them from `one`."""

    def __init__(self, one: TurnSource, other: TurnSource, share: float) -> None:
        self._one, self._other, self._share = one, other, share

    def _source(self, rng: random.Random) -> TurnSource:
        return self._one if rng.random() < self._share else self._other

    def first(self, rng: random.Random) -> EncodedTurn:
        """Any turn that stands for itself."""
        return self._source(rng).first(rng)

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A second question as it is said, if it was said."""
        return self._source(rng).second(question, rng)


class ConversationSampler:
    """Endless batches of samples, disturbed."""

    def __init__(
        self,
        turns: TurnSource,
        replies: Mapping[str, TargetReply],
        config: S2SConfig,
        spread: Floats,
        seed: int,
        asked: CallerVocabulary,
        read_out: float = READ_OUT,
    ) -> None:
        self._asked, self._reads_out = asked, read_out
        self._turns, self._replies, self._config, self._spread = turns, replies, config, spread
        self._texts = [text for text in replies if text != NO_REPLY]
        self._rng, self._draws = np.random.default_rng(seed), random.Random(seed)

    def _placed(self, turn: EncodedTurn, text: str, stream: bool) -> Sample:
        """One turn and a reply on the model's positions."""
        reply = self._replies[text]
        states = turn.states.astype(np.float32)
        speech, after = stumbled(states[: turn.end], self._rng), states[turn.end :]
        asked = self._asked.encode(turn.ask.text)
        if stream and turn.ask.text:
            whole = np.concatenate([speech, after])
            go = len(speech) + (GO_LATE if turn.ask.unfinished else GO_AFTER)
            return stream_sample(whole, go, reply, self._config, asked)
        tail = int(self._rng.integers(*TURN_TAIL))
        return turn_sample(np.concatenate([speech, after[:tail]]), reply, self._config, asked)

    def sample(self) -> Sample:
        """One conversation."""
        first = self._turns.first(self._draws)
        stream = self._draws.random() < STREAM_SHARE
        two = not first.ask.loose and self._draws.random() < TWO
        if first.ask.loose or (not two and self._draws.random() < self._reads_out):
            sample = self._read_out(first, stream)
        else:
            sample = self._placed(first, first.ask.question.reply, stream)
        if two:
            second = self._second(first, sample, stream)
            if len(second.text) <= LONGEST:
                sample = second
        return disturbed(sample, self._config, self._spread, self._rng)

    def _read_out(self, turn: EncodedTurn, stream: bool) -> Sample:
        """A turn, and any reply whose text is given: what it says is not to be learned."""
        sample = self._placed(turn, self._draws.choice(self._texts), stream)
        return replace(sample, weight=np.zeros_like(sample.weight))

    def _second(self, first: EncodedTurn, sample: Sample, stream: bool) -> Sample:
        if self._draws.random() < LEANING and first.ask.question.content:
            question = follow_ups.trained_follow_up(first.ask.question, self._draws)
            turn = self._turns.second(question, self._draws)
            if turn is not None:
                return joined(sample, self._placed(turn, question.reply, stream))
        if self._draws.random() < INTERRUPTED:
            sample = interrupted(sample, self._rng)
        other = self._turns.first(self._draws)
        while other.ask.loose or other.ask.question.reply in COLD_REPLIES:
            other = self._turns.first(self._draws)  # behind a first question that would be warm
        return joined(sample, self._placed(other, other.ask.question.reply, stream))

    def batches(self, rows: int) -> Iterator[SampleBatch]:
        """Endless batches of samples of similar length."""
        while True:
            samples = [self.sample() for _ in range(rows * POOL)]
            samples.sort(key=lambda sample: len(sample.text))
            for i in self._rng.permutation(POOL):
                yield collate(samples[i * rows : (i + 1) * rows])
