"""Replays a session's history into the engine in pieces, between other sessions' steps."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from workers.engines.base import Engine, Opening
from workers.runtime.slots import HeldSession

# What a turn of the loop may spend on a replay while no other session waits for it. Even then the
# loop must complete its turns, to beat and to take arrivals.
ALONE_S: Final = 0.100


class Replay:
    """One opening that the engine replays, in the engine's thread."""

    def __init__(
        self, session: HeldSession, opening: Opening, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.session = session
        self.opening = opening
        self._clock = clock
        self._pieces: Iterator[None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether its session still waits for it."""
        return self.session.opening is self.opening

    def advance(self, engine: Engine, budget_s: float) -> bool:
        """Replay one piece, and more within the budget; return whether the slot is whole.

        Raises whatever the engine does.
        """
        until = self._clock() + budget_s
        if self._pieces is None:
            engine.open(self.session.slot, replace(self.opening, history=()))
            self._pieces = engine.replay(self.session.slot, self.opening.history)
        # After the first piece that ends too late, the rest waits for the next call.
        return all(self._clock() < until for _ in self._pieces)
