"""Hands a leaving worker's sessions to the other workers, so that no caller notices.

First the current turn of the loop ends. Then the worker hands sessions back in small groups, each
after the other workers have claimed the previous one. Meanwhile it still steps the rest. After that
it hands back all remaining sessions at once. The whole handover takes at most 1.6 s, whatever Redis
and the engine do, because supervisors kill a process that takes longer.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from workers.runtime.ownership.claims import Ownership
from workers.runtime.scheduler import TICK_MIN_S
from workers.runtime.slots import HeldSession, Slots

TURN_WITHIN_S: Final = 0.5
CANCELLED_WITHIN_S: Final = 0.1
DRAIN_S: Final = 0.4  # then no further group goes one by one
DRAIN_WITHIN_S: Final = 0.6
REST_WITHIN_S: Final = 0.4
AT_ONCE: Final = 4

log = logging.getLogger(__name__)


class Handover:
    """One worker's leaving.

    `turn`: one turn of the worker's loop; returns whether more work is ready at once.
    `release`: frees a session's slot.
    """

    def __init__(
        self,
        slots: Slots,
        ownership: Ownership,
        *,
        turn: Callable[[], Awaitable[bool]],
        release: Callable[[HeldSession], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.slots = slots
        self.ownership = ownership
        self._turn = turn
        self._release = release
        self._clock = clock

    async def run(self, turning: "asyncio.Task[None]", claiming: "asyncio.Task[None]") -> None:
        """Hand everything over once these two tasks, which are stopping, have ended.

        Raises the error of either task; TimeoutError when a step of the engine does not end.
        """
        late = await _ended({turning, claiming})
        failed = late or turning.exception() or claiming.exception()
        drained = not failed and await _in_time(self._drain(), DRAIN_WITHIN_S)
        await _in_time(self._rest(), REST_WITHIN_S)
        if turning in late or not (failed or drained):
            raise TimeoutError("Expected the loop's turn to end, got none: something hangs")
        for task in (turning, claiming):
            if task not in late:
                task.result()

    async def _drain(self) -> None:
        until = self._clock() + DRAIN_S
        sessions = self.slots.sessions
        while sessions and self._clock() < until:
            if not await self.ownership.registry.queued():
                group = [s for s in sessions.values() if not s.pending][:AT_ONCE]
                await self._hand_back({session.sid: session.owner for session in group})
                for session in group:
                    self._release(session)
            if not await self._turn():
                await asyncio.sleep(TICK_MIN_S)

    async def _rest(self) -> None:
        await self._hand_back(self.slots.owners())
        await self.ownership.leave()

    async def _hand_back(self, owned: Mapping[str, str]) -> None:
        """Hand back these sessions, and arrivals that have no slot yet."""
        arrivals = {arrival.sid: arrival.owner for arrival in self.ownership.arrivals}
        await self.ownership.hand_back({**owned, **arrivals})
        self.ownership.arrivals = []  # not before: the call may be broken off and made again


async def _ended(tasks: set["asyncio.Task[None]"]) -> set["asyncio.Task[None]"]:
    """Wait for these tasks; cancel and return those that did not end in time."""
    _, late = await asyncio.wait(tasks, timeout=TURN_WITHIN_S)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=CANCELLED_WITHIN_S)
    return late


async def _in_time(part: Coroutine[Any, Any, None], within_s: float) -> bool:
    """Run a part of the handover; False when it had to be broken off.

    If Redis does not take the sessions back, the other workers wait for the lease.
    """
    try:
        async with asyncio.timeout(within_s):
            await part
    except (RedisError, OSError) as error:
        log.warning("sessions are not handed back: %r", error)
        return not isinstance(error, TimeoutError)
    return True
