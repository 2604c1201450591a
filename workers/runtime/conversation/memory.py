"""What a session remembers of its earlier turns.

An engine that folds gets all of them, folded into bytes when the next turn begins. Other engines
get the last answered turn's steps, until the next turn has its answer. Only logged steps count, so
a worker that takes the session over remembers the same.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from workers.engines.base import Past

# Steps of 80 ms or more each after which a turn no longer continues the last one: 40 s or more.
MEMORY_STEPS: Final = 500
MIN_STEPS: Final = 2  # of a reply that was cut off; the training shows nothing shorter
MAX_FOLDED_BYTES: Final = 16_384

Fold = Callable[[bytes, Sequence[Past], int | None], bytes]  # Engine.fold


def no_fold(memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
    """Fold nothing: for engines without `Traits.folds`."""
    return b""


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """Where an answered turn lies in the log, and what of its answer the caller heard."""

    first: int  # the step with which it began
    last: int  # the last step of its answer
    kept: int  # the last step whose every frame was played
    frames: int | None  # of the answer that were played; None: all


@dataclass(slots=True)
class Memory:
    """The steps of the last answered turn and of the present one, and the folded earlier turns."""

    answered: AnsweredTurn | None = None  # not folded yet
    base_record: int = 0  # the step record that holds `folded`; 0: none yet
    folded: bytes = b""
    steps: deque[tuple[int, Past]] = field(default_factory=deque)

    def note(self, step: int, past: Past) -> None:
        """Remember a step of the present turn that was written."""
        self.steps.append((step, past))

    def set_answered(self, first: int, last: int) -> None:
        """The turn that began with step `first` has its answer, up to step `last`."""
        self.answered = AnsweredTurn(first=first, last=last, kept=last, frames=None)

    def cut(self, kept: int, frames: int) -> None:
        """The caller has heard no more of the answer than `frames` frames, up to step `kept`."""
        if self.answered is not None:
            kept = min(kept, self.answered.kept)
            self.answered = replace(self.answered, kept=kept, frames=frames)

    def forget(self) -> None:
        """The next turn begins without an earlier one."""
        self.answered = None

    def fade(self, step: int) -> None:
        """Forget a turn that lies too far before `step`, the session's present one."""
        if self.answered is not None and step - self.answered.kept > MEMORY_STEPS:
            self.answered = None

    def recall(self) -> tuple[Past, ...]:
        """The answered turn as far as the caller heard its answer; () if they hardly did."""
        if self.answered is None:
            return ()
        turn = self._between(self.answered.first, self.answered.kept)
        began = next((at for at, past in enumerate(turn) if past.began), len(turn))
        spoken = sum(past.said is not None for past in turn[began:])
        return turn if spoken >= MIN_STEPS else ()

    def fold(self, fold: Fold, base_record: int) -> bytes:
        """Fold the answered turn into the earlier ones, for the base record of that number."""
        if self.answered is not None:
            turn = self._between(self.answered.first, self.answered.last)
            self.folded = fold(self.folded, turn, self.answered.frames)
            self.answered = None
        if len(self.folded) > MAX_FOLDED_BYTES:
            raise ValueError(
                f"Expected a memory of at most {MAX_FOLDED_BYTES} bytes, got {len(self.folded)}"
            )
        self.base_record = base_record
        return self.folded

    def trim(self, present: int | None) -> int | None:
        """Drop steps older than the answered turn, or than `present`; return the first kept."""
        first = self.answered.first if self.answered else present
        while self.steps and (first is None or self.steps[0][0] < first):
            self.steps.popleft()
        return first

    def _between(self, first: int, last: int) -> tuple[Past, ...]:
        return tuple(past for step, past in self.steps if first <= step <= last)
