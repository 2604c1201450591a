"""A session's past on its way into the engine, in pieces between its neighbours' steps."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from workers.engines.base import Engine, Opening
from workers.runtime.slots import Seat

# What a turn of the loop may spend on a past: a piece at least, and more while nobody waits for it.
# A whole chunk is 80 ms; alone, the loop must still come round to beat, and to see who arrives.
BUSY_S: Final = 0.010
ALONE_S: Final = 0.100


class Replay:
    """One opening, gone through by the engine's thread."""

    def __init__(
        self, seat: Seat, opening: Opening, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seat = seat
        self.opening = opening
        self._clock = clock
        self._pieces: Iterator[None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether its seat still waits for it."""
        return self.seat.opening is self.opening

    def advance(self, engine: Engine, budget_s: float) -> bool:
        """Go on for a piece, and more while the time lasts; whether the slot is whole.

        Raises whatever the engine does.
        """
        until = self._clock() + budget_s
        if self._pieces is None:
            engine.open(self.seat.slot, replace(self.opening, history=()))
            self._pieces = engine.replay(self.seat.slot, self.opening.history)
        # At the first piece that ends too late the rest stays where it is, for the next call.
        return all(self._clock() < until for _ in self._pieces)
