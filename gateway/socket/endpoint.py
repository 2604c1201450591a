"""The WebSocket /ws/stream: lets clients in, serves each until its socket ends, shuts down."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.exceptions import OutOfMemoryError, RedisError
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.call.closing import SessionCloser
from gateway.call.log_exchange import LogExchange
from gateway.call.opening import OpenedSession, SessionOpener, SessionResumer
from gateway.call.outbox import Close
from gateway.call.session import Session
from gateway.edge.connection_limits import ConnectionLimits, counted_address
from gateway.edge.page_origins import PageOrigins
from gateway.protocol.client_messages import SUBPROTOCOL, Resume
from gateway.protocol.errors import (
    ABNORMAL_CLOSE_CODE,
    GOAWAY_CLOSE_CODE,
    RETRY_AFTER_MS,
    CallError,
    ErrorCode,
    NoCapacity,
)
from gateway.protocol.server_messages import Error, Goaway
from gateway.socket.handshake import (
    first_message,
    plain_start,
    ready_message,
    receive,
)
from gateway.socket.uvicorn_adapter import CLOSE_WITHIN_S, connection_of
from gateway.telemetry import metrics
from gateway.waiting import wait_until
from shared.errors import SchemaError

logger = logging.getLogger(__name__)

# On shutdown callers are sent away one by one, so that other gateways do not get them all at once.
GOAWAY_EVERY_S: Final = 0.004
GOAWAY_SPREAD_S: Final = 0.8
RETRY_ELSEWHERE_MS: Final = 200  # another gateway takes the call at once
RETRY_FULL_REDIS_MS: Final = 10_000  # until calls have ended, or their logs have expired
DETACH_WITHIN_S: Final = 0.5  # for the last caller's log to hold that the socket is gone


class WebSocketEndpoint:
    """Serves every socket of one gateway; while `draining` it refuses new ones."""

    def __init__(
        self,
        opener: SessionOpener,
        resumer: SessionResumer,
        closer: SessionCloser,
        exchange: LogExchange,
        limits: ConnectionLimits,
        *,
        origins: tuple[str, ...],
        resume_s: float,
    ) -> None:
        self.draining = False
        self._origins = PageOrigins(origins)
        self._resume_s = resume_s  # how long a lost call can be resumed
        self._opener = opener
        self._resumer = resumer
        self._closer = closer
        self._exchange = exchange
        self._limits = limits

    async def __call__(self, websocket: WebSocket) -> None:
        """Serve one client, from the upgrade to the end."""
        if not self._origins.allow(websocket.headers):
            if refusal := self._origins.refusal(websocket.headers, time.monotonic()):
                logger.warning(refusal)
            await websocket.close()  # before the accept: HTTP 403
            return
        native = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(subprotocol=SUBPROTOCOL if native else None)
        address = counted_address(websocket.client.host if websocket.client else None)
        try:
            self._limits.add_socket(address)
        except CallError as error:
            await _refuse(websocket, error)
            return
        try:
            session = await self._serve_client(websocket, address, native=native)
        finally:
            # Before the session is closed: who hangs up may call again at once.
            self._limits.remove_socket(address)
        if session is not None:
            await self._closer.close(session, over=is_over(session))

    async def shut_down(self) -> None:
        """Ask every caller to resume elsewhere, then close their sockets one after the other.

        Returns when their logs hold that the sockets are gone.
        """
        self.draining = True
        sessions = self._exchange.sessions
        leaving = list(sessions)
        every_s = min(GOAWAY_EVERY_S, GOAWAY_SPREAD_S / max(1, len(leaving)))
        for number, session in enumerate(leaving):
            _send_goaway(session, number * every_s)
        for session in leaving:
            session.close(GOAWAY_CLOSE_CODE)
            await asyncio.sleep(every_s)
        await wait_until(lambda: not sessions, DETACH_WITHIN_S)

    async def _serve_client(
        self, websocket: WebSocket, address: str, *, native: bool
    ) -> Session | None:
        """Serve a client until its socket is gone; the session, if one began."""
        try:
            opened = await self._open(websocket, address, native=native)
        except WebSocketDisconnect:
            return None
        except CallError as error:
            await _refuse(websocket, error)
            return None
        metrics.OUTCOMES.labels(opened.outcome).inc()
        self._begin_serving(opened)
        session = opened.session
        code = await self._serve(websocket, session)
        if session.error is not None:
            metrics.REFUSALS.labels(session.error.code).inc()
        logger.info("session %s: socket closed with code %s", session.sid, code)
        if not is_over(session) and not session.log_lost:
            self._limits.reserve(session.sid, address, time.monotonic() + self._resume_s)
        return session

    async def _open(self, websocket: WebSocket, address: str, *, native: bool) -> OpenedSession:
        """Begin or resume the client's session. Raises CallError, WebSocketDisconnect."""
        if self.draining:
            raise NoCapacity("This gateway is closing", RETRY_ELSEWHERE_MS)
        try:
            start = await first_message(websocket) if native else plain_start(websocket)
            if isinstance(start, Resume):
                return await self._resumer.resume(start)
            self._limits.check_new_call(address, time.monotonic())
            return await self._opener.open(start, native=native)
        except OutOfMemoryError as error:
            logger.warning("no session could begin: %s", error)
            raise NoCapacity("No room for a call: Redis is full", RETRY_FULL_REDIS_MS) from error
        except (RedisError, OSError) as error:
            logger.warning("no session could begin: %s", error)
            raise CallError(
                ErrorCode.INTERNAL, "Redis does not answer; try again later", RETRY_AFTER_MS
            ) from error
        except SchemaError as error:
            logger.warning("a session could not be resumed: %s", error)
            raise CallError(ErrorCode.INTERNAL, "The session's log cannot be read") from error

    def _begin_serving(self, opened: OpenedSession) -> None:
        session, now = opened.session, time.monotonic()
        self._limits.release(session.sid)
        session.send(ready_message(opened))
        session.replay(opened.missed, opened.position, now)
        self._exchange.serve(session, now)
        if self.draining:  # it came while the others were sent away
            _send_goaway(session, 0)
            session.close(GOAWAY_CLOSE_CODE)

    async def _serve(self, websocket: WebSocket, session: Session) -> int:
        """Receive and send until either ends; the close code."""
        connection = connection_of(websocket)
        session.attach(connection)
        connection.attach(self._receiver(session))
        receiving = asyncio.create_task(_wait_for_disconnect(websocket))
        sending = asyncio.create_task(_send(websocket, session))
        closed = asyncio.create_task(session.closed())
        await asyncio.wait({receiving, sending, closed}, return_when=asyncio.FIRST_COMPLETED)
        # A client that does not read holds the sender up, and one that is gone may have sent `end`
        # before: the task that still has work gets this time, and no more.
        last = sending if session.closing else receiving
        await asyncio.wait({last}, timeout=CLOSE_WITHIN_S)
        for task in (receiving, sending, closed):
            task.cancel()
        await asyncio.gather(closed, return_exceptions=True)
        codes = await asyncio.gather(receiving, sending, return_exceptions=True)
        return next((code for code in codes if isinstance(code, int)), ABNORMAL_CLOSE_CODE)

    def _receiver(self, session: Session) -> Callable[[bytes | str], None]:
        """The callback for the client's messages, until the session closes."""

        def take(data: bytes | str) -> None:
            if session.closing:
                return
            with session.contain_faults("The message could not be taken"):
                session.receive(data, time.monotonic())
                self._exchange.writer.notify(session)

        return take


def is_over(session: Session) -> bool:
    """Whether a session whose socket is gone ends with it; else its caller may resume it."""
    if session.ended or not session.native:  # a plain client has no token to resume with
        return True
    # The client left before it sent anything: its slot is worth more to another.
    return session.silent and not session.closing


def _send_goaway(session: Session, in_s: float) -> None:
    """Report when the socket is going to be closed; the call can go on elsewhere."""
    with suppress(CallError):  # the client reads too slowly
        session.send(Goaway(resume_in_ms=round(1_000 * in_s)))


async def _wait_for_disconnect(websocket: WebSocket) -> int:
    """Wait until the client has left; the close code."""
    try:
        while True:
            await receive(websocket)
    except WebSocketDisconnect as gone:
        return gone.code


async def _send(websocket: WebSocket, session: Session) -> int:
    """Send the session's messages until it closes; the close code."""
    connection = connection_of(websocket)
    while True:
        message = await session.next_message()
        if isinstance(message, Close):
            await websocket.close(message.code, message.reason)
            return message.code
        await connection.write([message, *session.more_messages()])


async def _refuse(websocket: WebSocket, error: CallError) -> None:
    """Send the error and close."""
    metrics.REFUSALS.labels(error.code).inc()
    try:
        await websocket.send_text(Error.of(error).to_json())
        await websocket.close(error.code.close_code, error.close_reason)
    except WebSocketDisconnect:
        logger.debug("a refused client was gone already")
