"""Draws training conversations: a turn and its reply, or two turns, the second often a follow-up.

In service a context holds the previous turn and the present one, without what an interruption cut
off. Pairs of unrelated turns teach the model to let the first one go.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from shared.audio import Floats
from workers.models.speech_to_speech.hybrid_s2s import S2SConfig
from workers.training.questions import follow_ups, spanish
from workers.training.questions.catalogue import Question
from workers.training.questions.small_talk import NO_REPLY
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import (
    GO_AFTER,
    GO_LATE,
    TURN_TAIL,
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
TWO_TURNS: Final = 0.35  # share of samples
FOLLOW_UP: Final = 0.65  # share of second turns that are a follow-up to the first
INTERRUPTED: Final = 0.25  # share of the other second turns after a first reply that was cut off
STREAM_SHARE: Final = 0.3
# Share of single turns that get any reply, with its text given; turns of shuffled words always do.
# Only this teaches the sound to follow the text. Where the sound may also follow the question, the
# reply says a similar name from the question although its text has the right one.
READ_OUT: Final = 0.1
LONGEST: Final = 250  # positions in the model's window

NO_CONTEXT_REPLIES: Final = (follow_ups.NO_CONTEXT_REPLY, spanish.NO_CONTEXT_REPLY)


class TurnSource(Protocol):
    """Where turns come from: speech (`spoken_turns.TurnPool`) or text (`text_turns.TextTurns`)."""

    def first(self, rng: random.Random) -> EncodedTurn:
        """A turn that needs no earlier turn."""

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A follow-up, or None if the source has none of this text."""


class MixedTurns:
    """Draws turns from two sources, a `share` of them from the first."""

    def __init__(self, one: TurnSource, other: TurnSource, share: float) -> None:
        self._one, self._other, self._share = one, other, share

    def _source(self, rng: random.Random) -> TurnSource:
        return self._one if rng.random() < self._share else self._other

    def first(self, rng: random.Random) -> EncodedTurn:
        """A turn that needs no earlier turn."""
        return self._source(rng).first(rng)

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A follow-up, or None if the chosen source has none of this text."""
        return self._source(rng).second(question, rng)


class ConversationSampler:
    """Endless batches of disturbed samples."""

    def __init__(
        self,
        turns: TurnSource,
        replies: Mapping[str, TargetReply],
        config: S2SConfig,
        *,
        spread: Floats,
        seed: int,
        vocabulary: CallerVocabulary,
        read_out: float = READ_OUT,
    ) -> None:
        """`spread` is the standard deviation of the listener's states, (W,)."""
        self._vocabulary, self._reads_out = vocabulary, read_out
        self._turns, self._replies, self._config, self._spread = turns, replies, config, spread
        self._texts = [text for text in replies if text != NO_REPLY]
        self._rng, self._draws = np.random.default_rng(seed), random.Random(seed)

    def _placed(self, turn: EncodedTurn, text: str, stream: bool) -> Sample:
        """One turn and a reply on the model's positions."""
        reply, said = self._replies[text], turn.said
        states = turn.states.astype(np.float32)
        speech, after = stumbled(states[: turn.end], self._rng), states[turn.end :]
        words = self._vocabulary.encode(said.text)
        if stream and said.text:
            whole = np.concatenate([speech, after])
            go = len(speech) + (GO_LATE if said.unfinished else GO_AFTER)
            return stream_sample(whole, go, reply, self._config, words)
        tail = int(self._rng.integers(*TURN_TAIL))
        return turn_sample(np.concatenate([speech, after[:tail]]), reply, self._config, words)

    def sample(self) -> Sample:
        """One conversation."""
        first = self._turns.first(self._draws)
        stream = self._draws.random() < STREAM_SHARE
        two = not first.said.shuffled and self._draws.random() < TWO_TURNS
        if first.said.shuffled or (not two and self._draws.random() < self._reads_out):
            sample = self._read_out(first, stream)
        else:
            sample = self._placed(first, first.said.question.reply, stream)
        if two:
            second = self._second(first, sample, stream)
            if len(second.text) <= LONGEST:
                sample = second
        return disturbed(sample, self._config, self._spread, self._rng)

    def _read_out(self, turn: EncodedTurn, stream: bool) -> Sample:
        """A turn and any reply. The reply's text is given and has no loss."""
        sample = self._placed(turn, self._draws.choice(self._texts), stream)
        return replace(sample, text_weight=np.zeros_like(sample.text_weight))

    def _second(self, first: EncodedTurn, sample: Sample, stream: bool) -> Sample:
        if self._draws.random() < FOLLOW_UP and first.said.question.content:
            question = follow_ups.trained_follow_up(first.said.question, self._draws)
            turn = self._turns.second(question, self._draws)
            if turn is not None:
                return joined(sample, self._placed(turn, question.reply, stream))
        if self._draws.random() < INTERRUPTED:
            sample = interrupted(sample, self._rng)
        other = self._turns.first(self._draws)
        # After a first turn, a follow-up would have a context.
        while other.said.shuffled or other.said.question.reply in NO_CONTEXT_REPLIES:
            other = self._turns.first(self._draws)
        return joined(sample, self._placed(other, other.said.question.reply, stream))

    def batches(self, rows: int) -> Iterator[SampleBatch]:
        """Endless batches of samples of similar length."""
        while True:
            samples = [self.sample() for _ in range(rows * POOL)]
            samples.sort(key=lambda sample: len(sample.text))
            for i in self._rng.permutation(POOL):
                yield collate(samples[i * rows : (i + 1) * rows])
