"""How a worker leaves: what it holds goes to the others, and nobody hears it.

The turn in hand may end; then the sessions go in small groups, each when the one before was taken,
and who is still here is stepped meanwhile; whoever is left then goes at once. All of it is over
in 1.6 s, whatever Redis and the engine do: a supervisor that waited longer would kill.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from workers.runtime.scheduler import TICK_MIN_S

if TYPE_CHECKING:
    from workers.runtime.loop import WorkerLoop

TURN_WITHIN_S: Final = 0.5
CANCELLED_WITHIN_S: Final = 0.1
DRAIN_S: Final = 0.4  # then no further group is given away one by one
DRAIN_WITHIN_S: Final = 0.6
REST_WITHIN_S: Final = 0.4
AT_ONCE: Final = 4

log = logging.getLogger(__name__)


class Departure:
    """One worker's leaving."""

    def __init__(self, loop: "WorkerLoop", clock: Callable[[], float]) -> None:
        self.loop = loop
        self.ownership = loop.ownership
        self._clock = clock

    async def leave(self, turning: "asyncio.Task[None]", claiming: "asyncio.Task[None]") -> None:
        """Hand everything over, once these two, which were told to stop, have ended.

        Raises what ended one of them; TimeoutError when the engine is in a step that goes on.
        """
        late = await _ended({turning, claiming})
        failed = late or turning.exception() or claiming.exception()
        drained = not failed and await _in_time(self._drain(), DRAIN_WITHIN_S)
        await _in_time(self._rest(), REST_WITHIN_S)
        if turning in late or not (failed or drained):
            raise TimeoutError("Expected the turn in hand to end, got none: something hangs")
        for task in (turning, claiming):
            if task not in late:
                task.result()

    async def _drain(self) -> None:
        until = self._clock() + DRAIN_S
        slots = self.loop.slots
        while slots.seats and self._clock() < until:
            if not await self.ownership.control.queued():
                group = [seat for seat in slots.seats.values() if not seat.pending][:AT_ONCE]
                await self._hand_back({seat.sid: seat.owner for seat in group})
                for seat in group:
                    self.loop.leave(seat)
            if not await self.loop.turn():
                await asyncio.sleep(TICK_MIN_S)

    async def _rest(self) -> None:
        await self._hand_back(self.loop.held())
        await self.ownership.leave()

    async def _hand_back(self, owned: Mapping[str, str]) -> None:
        """These, and who has come and has no seat yet."""
        arrivals, self.ownership.arrivals = self.ownership.arrivals, []
        await self.ownership.hand_back({**owned, **{a.sid: a.owner for a in arrivals}})


async def _ended(tasks: set["asyncio.Task[None]"]) -> set["asyncio.Task[None]"]:
    """Wait for these; those that did not end in time, and are cancelled."""
    _, late = await asyncio.wait(tasks, timeout=TURN_WITHIN_S)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=CANCELLED_WITHIN_S)
    return late


async def _in_time(part: Coroutine[Any, Any, None], within_s: float) -> bool:
    """A part of leaving; False when it had to be broken off.

    Where Redis does not take the sessions back the others wait for the lease.
    """
    try:
        async with asyncio.timeout(within_s):
            await part
    except (RedisError, OSError) as error:
        log.warning("sessions are not handed back: %r", error)
        return not isinstance(error, TimeoutError)
    return True
