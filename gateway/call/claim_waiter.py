"""Waits until a worker claims a new session."""

import asyncio
from collections.abc import Callable

from shared.log.session_log import SessionLog


class ClaimWaiter:
    """Looks once a tick, with one pipeline, at all sessions that no worker has claimed yet."""

    def __init__(self, log: SessionLog, wake: Callable[[], None]) -> None:
        self._log = log
        self._wake = wake  # starts a tick of the exchange
        self._unclaimed: dict[str, asyncio.Future[bool]] = {}

    def __len__(self) -> int:
        return len(self._unclaimed)

    async def wait(self, sid: str) -> bool:
        """Wait until a worker owns the session; False when its log is gone."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._unclaimed[sid] = future
        self._wake()
        try:
            return await future
        finally:
            del self._unclaimed[sid]

    async def look(self) -> None:
        """Wake the waiter of a session that has an owner now, or no log. Raises RedisError."""
        if not self._unclaimed:
            return
        sids = list(self._unclaimed)
        for sid, meta in zip(sids, await self._log.metas(sids), strict=True):
            future = self._unclaimed.get(sid)
            if future and not future.done() and (meta is None or meta.owner):
                future.set_result(meta is not None)
