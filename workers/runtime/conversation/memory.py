"""Remembers a session's earlier turns.

An engine that folds gets all of them, folded into bytes when the next turn begins. Other engines
get the last answered turn's steps, until the next turn has its answer. Only logged steps count, so
a worker that takes the session over remembers the same.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from msgspec import structs

from shared.audio import Pcm16
from workers.engines.base import Output, Past, Speak

# Steps of 80 ms or more each after which a turn no longer continues the last one: 40 s or more.
MEMORY_STEPS: Final = 500
MIN_STEPS: Final = 2  # of a reply that was cut off; the training shows nothing shorter
MAX_FOLDED_BYTES: Final = 16_384

Fold = Callable[[bytes, Sequence[Past], int | None], bytes]  # Engine.fold


def no_fold(memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
    """Fold nothing: for engines without `Traits.folds`."""
    return b""


def past_of(hear: tuple[Pcm16, ...], speak: Speak, output: Output) -> Past:
    """A step as the memory keeps it."""
    return Past(
        hear=hear,
        heard=output.heard,
        said=output.said,
        speak=speak,
        began=output.began,
        ended=output.ended,
    )


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """Where an answered turn is in the log, and how much of its answer the caller heard."""

    first: int  # the step with which it began
    last: int  # the last step of its answer
    kept: int  # the last step with every frame played
    frames: int | None  # of the answer that were played; None: all
    generation: int = 0  # the answer's number


class NotedStep(NamedTuple):
    """A step that was written."""

    step: int
    past: Past
    numbers: tuple[int, ...]  # the input records of the audio that a rebuild must hear


@dataclass(slots=True)
class Memory:
    """The steps of the last answered turn and of the current one, and the folded earlier turns."""

    answered: AnsweredTurn | None = None  # not folded yet
    before: AnsweredTurn | None = None  # what the current turn was opened with, not folded
    base_record: int = 0  # the step record that holds `folded`; 0: none yet
    folded: bytes = b""
    covered: int = 0  # `folded` was replaced, and holds all turns up to this reply
    steps: deque[NotedStep] = field(default_factory=deque)  # the current turn's with audio

    def note(self, step: int, past: Past, numbers: tuple[int, ...]) -> None:
        """Remember a step of the current turn that was written."""
        self.steps.append(NotedStep(step, past, numbers))

    def settle(self, base: int, count: int) -> int:
        """Forget the audio of the oldest `count` chunks of the turn that began with step `base`.

        Returns the input record of the oldest chunk that is left; 0: none is.
        """
        for at, (step, past, numbers) in enumerate(self.steps):
            if step < base or not numbers:
                continue
            if not count:
                return numbers[0]
            cut = min(count, len(numbers))
            count -= cut
            left = structs.replace(past, hear=past.hear[cut:])
            self.steps[at] = NotedStep(step, left, numbers[cut:])
            if numbers[cut:]:
                return numbers[cut]
        return 0

    def close_turn(self) -> None:
        """The current turn cannot continue: its audio is not needed again."""
        self.before = None
        self.drop_audio()

    def drop_audio(self) -> None:
        """Keep of each step only what was heard and said in it."""
        self.steps = deque(
            NotedStep(k, structs.replace(p, hear=()) if p.hear else p, ()) for k, p, _ in self.steps
        )

    def reopen(self, base: int, before: int) -> tuple[Past, ...]:
        """Withdraw the reply of the turn that began with step `base`; return the turn's steps.

        `before`: the last step before the reply's own.
        """
        self.answered = self.before
        steps = ((k, listening_only(p) if k > before else p, n) for k, p, n in self.steps)
        self.steps = deque(NotedStep(k, past, n) for k, past, n in steps if past is not None)
        return self.since(base)

    def since(self, base: int) -> tuple[Past, ...]:
        """The steps of the turn that began with step `base`."""
        return tuple(past for k, past, _ in self.steps if k >= base)

    def until(self, base: int) -> tuple[Past, ...]:
        """The steps before step `base`."""
        return tuple(past for k, past, _ in self.steps if k < base)

    def newest(self, count: int) -> int:
        """The number of the first of the newest `count` steps. Raises IndexError without any."""
        return self.steps[-min(count, len(self.steps))][0]

    def set_answered(self, first: int, last: int, generation: int) -> None:
        """The turn that began with step `first` has its answer, up to step `last`."""
        if generation > self.covered:
            self.answered = AnsweredTurn(
                first=first, last=last, kept=last, frames=None, generation=generation
            )

    def set_folded(self, folded: bytes, generation: int) -> None:
        """Replace the memory of all turns up to reply `generation` by this one."""
        self.folded, self.covered = folded, generation
        if self.answered is not None and self.answered.generation <= generation:
            self.answered = None

    def cut(self, kept: int, frames: int) -> None:
        """The caller heard only `frames` frames of the answer, up to step `kept`."""
        if self.answered is not None:
            kept = min(kept, self.answered.kept)
            self.answered = replace(self.answered, kept=kept, frames=frames)

    def forget(self) -> None:
        """The next turn begins without an earlier one."""
        self.answered = None

    def fade(self, step: int) -> None:
        """Forget a turn that is too far before `step`, the session's current one."""
        if self.answered is not None and step - self.answered.kept > MEMORY_STEPS:
            self.answered = None

    def open_turn(self) -> tuple[Past, ...]:
        """Begin a turn after the answered one; return the same as `recall`."""
        self.before = self.answered
        return self.recall()

    def recall(self) -> tuple[Past, ...]:
        """What the current turn was opened with: the previous turn, as far as the caller heard it.

        Nothing if the caller heard hardly any of its answer.
        """
        if self.before is None:
            return ()
        turn = self._between(self.before.first, self.before.kept)
        began = next((at for at, past in enumerate(turn) if past.began), len(turn))
        spoken = sum(past.said is not None for past in turn[began:])
        return turn if spoken >= MIN_STEPS else ()

    def fold(self, fold: Fold, base_record: int) -> bytes:
        """Fold the answered turn into the earlier ones, for the base record of that number."""
        if self.answered is not None:
            turn = self._between(self.answered.first, self.answered.last)
            self.folded = fold(self.folded, turn, self.answered.frames)
            self.answered = None
        self.before = None
        if len(self.folded) > MAX_FOLDED_BYTES:
            raise ValueError(
                f"Expected a memory of at most {MAX_FOLDED_BYTES} bytes, got {len(self.folded)}"
            )
        self.base_record = base_record
        return self.folded

    def trim(self, present: int | None) -> int | None:
        """Drop steps older than all remembered turns; return the first kept.

        `present`: the step with which the current turn began.
        """
        first = present
        for turn in (self.before, self.answered):
            if turn is not None and (first is None or turn.first < first):
                first = turn.first
        while self.steps and (first is None or self.steps[0][0] < first):
            self.steps.popleft()
        return first

    def _between(self, first: int, last: int) -> tuple[Past, ...]:
        """The turn's steps, without the audio that they heard."""
        found = (past for step, past, _ in self.steps if first <= step <= last)
        return tuple(structs.replace(past, hear=()) if past.hear else past for past in found)


def listening_only(past: Past) -> Past | None:
    """A step as if nothing had been said in it; None when nothing is left."""
    return Past(hear=past.hear, heard=past.heard) if past.hear or past.heard else None
