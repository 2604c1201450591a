"""What a session remembers of its last answered turn: its steps, until the next turn's answer.

Only logged steps count, so a worker that takes the session over remembers the same.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from workers.engines.base import Past

# Steps of 80 ms or more each after which a turn no longer continues the last one: 40 s or more.
MEMORY_STEPS: Final = 500
MIN_STEPS: Final = 2  # of a reply that was cut off; the training shows nothing shorter


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """Where an answered turn lies in the log."""

    first: int  # the step with which it began
    last: int  # the last one that the caller heard


@dataclass(slots=True)
class Memory:
    """The steps of the last answered turn and of the present one."""

    answered: AnsweredTurn | None = None
    steps: deque[tuple[int, Past]] = field(default_factory=deque)

    def note(self, step: int, past: Past) -> None:
        """Remember a step of the present turn that was written."""
        self.steps.append((step, past))

    def set_answered(self, first: int, last: int) -> None:
        """The turn that began with step `first` has its answer, up to step `last`."""
        self.answered = AnsweredTurn(first=first, last=last)

    def cut(self, last: int) -> None:
        """Of the answer the caller has heard no more than up to step `last`."""
        if self.answered is not None:
            self.answered = replace(self.answered, last=min(last, self.answered.last))

    def forget(self) -> None:
        """The next turn begins without an earlier one."""
        self.answered = None

    def fade(self, step: int) -> None:
        """Forget a turn that lies too far before `step`, the session's present one."""
        if self.answered is not None and step - self.answered.last > MEMORY_STEPS:
            self.answered = None

    def recall(self) -> tuple[Past, ...]:
        """The answered turn as far as the caller heard its answer; () if they hardly did."""
        if self.answered is None:
            return ()
        first, last = self.answered.first, self.answered.last
        turn = [past for step, past in self.steps if first <= step <= last]
        began = next((at for at, past in enumerate(turn) if past.began), len(turn))
        spoken = sum(past.said is not None for past in turn[began:])
        return tuple(turn) if spoken >= MIN_STEPS else ()

    def trim(self, present: int | None) -> int | None:
        """Drop steps older than the answered turn, or than `present`; return the first kept."""
        first = self.answered.first if self.answered else present
        while self.steps and (first is None or self.steps[0][0] < first):
            self.steps.popleft()
        return first
