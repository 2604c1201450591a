"""What a session remembers of its last turn that was answered: its steps, until the next one's.

Only steps of the log count, so a worker that takes the session over remembers the same.
"""

from collections import deque
from typing import Final, NamedTuple

from workers.engines.base import Past

# Steps, of 80 ms or more each, after which nobody goes on from an answer: 40 s.
MEMORY_STEPS: Final = 500
MIN_STEPS: Final = 2  # of a reply that was cut off; of less the training shows nothing


class Extent(NamedTuple):
    """Where an answered turn lies in the log."""

    first: int  # the step with which it began
    last: int  # the last one that the caller heard


class Memory:
    """The steps of the last answered turn and of the present one."""

    def __init__(self) -> None:
        self.extent: Extent | None = None
        self._steps: deque[tuple[int, Past]] = deque()

    def note(self, step: int, past: Past) -> None:
        """A step of the present turn was written."""
        self._steps.append((step, past))

    def answered(self, first: int, last: int) -> None:
        """The turn that began with step `first` has its answer, up to step `last`."""
        self.extent = Extent(first, last)

    def cut(self, last: int) -> None:
        """Of the answer the caller has heard no more than up to step `last`."""
        if self.extent is not None:
            self.extent = Extent(self.extent.first, min(last, self.extent.last))

    def forget(self) -> None:
        """The next turn stands for itself."""
        self.extent = None

    def fade(self, step: int) -> None:
        """The session is at this step: what was said long ago is forgotten."""
        if self.extent is not None and step - self.extent.last > MEMORY_STEPS:
            self.extent = None

    def recall(self) -> tuple[Past, ...]:
        """The turn before, as far as its answer was heard; nothing when it hardly was."""
        if self.extent is None:
            return ()
        first, last = self.extent
        turn = [past for step, past in self._steps if first <= step <= last]
        began = next((at for at, past in enumerate(turn) if past.began), len(turn))
        heard = sum(past.said is not None for past in turn[began:])
        return tuple(turn) if heard >= MIN_STEPS else ()

    def trim(self, present: int | None) -> int | None:
        """Keep what is remembered and what comes from step `present` on; the first step kept."""
        first = self.extent.first if self.extent else present
        while self._steps and (first is None or self._steps[0][0] < first):
            self._steps.popleft()
        return first
