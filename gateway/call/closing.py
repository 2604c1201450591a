"""How a session ends on this gateway: its caller hangs up, or loses the socket."""

import asyncio
import logging
from typing import Final

from redis.exceptions import RedisError

from gateway.call.log_exchange import LogExchange
from gateway.call.session import Session
from gateway.waiting import wait_until
from shared.log.records import Detach, End, InputRecord
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer

logger = logging.getLogger(__name__)

FLUSH_WITHIN_S: Final = 1.0  # for the last records to reach the log
ENDED_WITHIN_S: Final = 1.0  # for the worker to delete an ended session
LOOK_EVERY_S: Final = 0.05


class SessionCloser:
    """Writes a session's last records and stops serving it."""

    def __init__(self, log: SessionLog, registry: Registry, exchange: LogExchange) -> None:
        self._log = log
        self._registry = registry
        self._exchange = exchange

    async def close(self, session: Session, *, over: bool) -> None:
        """The socket is gone. `over`: the call has ended; else the caller may resume it."""
        session.start_leaving()
        try:
            if session.log_lost:
                return
            if over:
                await self._end(session)
            else:
                await self._flush(session, Detach())
        except (RedisError, OSError) as error:
            logger.warning("session %s expires by its TTL: %s", session.sid, error)
        finally:
            self._exchange.stop_serving(session)

    async def _end(self, session: Session) -> None:
        """Let the worker delete the session; delete it here if that does not happen soon."""
        if await self._flush(session, End()):
            for _ in range(round(ENDED_WITHIN_S / LOOK_EVERY_S)):
                if session.log_lost or (await self._log.metas([session.sid]))[0] is None:
                    break
                await asyncio.sleep(LOOK_EVERY_S)
        await delete_session(self._log, self._registry, session.sid, session.conn)

    async def _flush(self, session: Session, record: InputRecord) -> bool:
        """Write a last record to the log; whether it got there."""
        if not session.push_last(record):
            return False
        self._exchange.writer.notify(session)
        return await wait_until(lambda: session.log_lost or not session.unwritten, FLUSH_WITHIN_S)


async def delete_session(log: SessionLog, registry: Registry, sid: str, conn: str) -> None:
    """Delete every key of the session, unless a newer connection has it. Raises RedisError."""
    if await log.end(sid, "conn", conn) is not Answer.FENCED:
        await registry.forget([sid])
