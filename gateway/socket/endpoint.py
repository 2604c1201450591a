"""The WebSocket /ws/stream: lets clients in, serves each until its socket ends, shuts down."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError
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
from gateway.socket.uvicorn_adapter import CLOSE_WITHIN_S, WS_READ_BYTES, connection_of
from gateway.telemetry import metrics
from gateway.waiting import wait_until
from shared.errors import SchemaError
from shared.redis_client.trouble import FULL, trouble_of

logger = logging.getLogger(__name__)

# On shutdown callers are sent away one by one, so that other gateways do not get them all at once.
GOAWAY_EVERY_S: Final = 0.004
GOAWAY_SPREAD_S: Final = 0.8
RETRY_ELSEWHERE_MS: Final = 200  # another gateway takes the call at once
RETRY_FULL_REDIS_MS: Final = 10_000  # until calls have ended, or their logs have expired
DETACH_WITHIN_S: Final = 0.5  # for the last caller's log to hold that the socket is gone


class WebSocketEndpoint:
    """Serves every socket of one gateway; while `draining` it refuses new ones."""

    max_message_bytes = WS_READ_BYTES

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
        if not self.admits(websocket):
            if refusal := self._origins.refusal(websocket.headers, time.monotonic()):
                logger.warning(refusal)
            await websocket.close()  # before the accept: HTTP 403
            return
        await websocket.accept(subprotocol=self.subprotocol(websocket))
        connection_of(websocket).speak(
            self.max_message_bytes, lambda error: self.error_message(error)[0]
        )
        address = counted_address(websocket.client.host if websocket.client else None)
        try:
            self._limits.add_socket(address)
        except CallError as error:
            await self._refuse(websocket, error)
            return
        try:
            session, over = await self._serve_client(websocket, address)
        finally:
            # Before the session is closed, since a caller who hangs up may call again at once.
            self._limits.remove_socket(address)
        if session is not None:
            await self._closer.close(session, over=over)

    def admits(self, websocket: WebSocket) -> bool:
        """Whether the socket may be opened at all."""
        return self._origins.allow(websocket.headers)

    def subprotocol(self, websocket: WebSocket) -> str | None:
        """Which of the client's subprotocols is spoken; None: none."""
        return SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None

    async def begin(self, websocket: WebSocket, address: str) -> OpenedSession:
        """Begin or resume the client's session. Raises CallError, RedisError, SchemaError."""
        native = self.subprotocol(websocket) is not None
        start = await first_message(websocket) if native else plain_start(websocket)
        if isinstance(start, Resume):
            return await self._resumer.resume(start)
        self._limits.check_new_call(address, time.monotonic())
        return await self._opener.open(start, native=native)

    def greet(self, opened: OpenedSession) -> None:
        """Send the first message."""
        opened.session.send(ready_message(opened))

    def error_message(self, error: CallError) -> tuple[str, int]:
        """What a refused client gets ("": nothing), and the close code."""
        return Error.of(error).to_json(), error.code.close_code

    def is_over(self, session: Session, code: int) -> bool:
        """Whether a session ends with its socket, which closed with this code."""
        return is_over(session)

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
        self, websocket: WebSocket, address: str
    ) -> tuple[Session | None, bool]:
        """Serve a client until its socket is gone; the session, if one began, and if it is over."""
        try:
            opened = await self._open(websocket, address)
        except WebSocketDisconnect:
            return None, True
        except CallError as error:
            await self._refuse(websocket, error)
            return None, True
        metrics.OUTCOMES.labels(opened.outcome).inc()
        self._begin_serving(opened)
        session = opened.session
        code = await self._serve(websocket, session)
        if session.error is not None:
            metrics.REFUSALS.labels(session.error.code).inc()
        logger.info("session %s: socket closed with code %s", session.sid, code)
        over = self.is_over(session, code)
        if not over and not session.log_lost:
            self._limits.reserve(session.sid, address, time.monotonic() + self._resume_s)
        return session, over

    async def _open(self, websocket: WebSocket, address: str) -> OpenedSession:
        """`begin` with typed errors alone. Raises CallError, WebSocketDisconnect."""
        if self.draining:
            raise NoCapacity("This gateway is closing", RETRY_ELSEWHERE_MS)
        try:
            return await self.begin(websocket, address)
        except (RedisError, OSError) as error:
            logger.warning("no session could begin: %s", error)
            if trouble_of(error) is FULL:
                full = "No room for a call: Redis is full"
                raise NoCapacity(full, RETRY_FULL_REDIS_MS) from error
            raise CallError(
                ErrorCode.INTERNAL, "Redis does not answer; try again later", RETRY_AFTER_MS
            ) from error
        except SchemaError as error:
            logger.warning("a session could not be resumed: %s", error)
            raise CallError(ErrorCode.INTERNAL, "The session's log cannot be read") from error

    def _begin_serving(self, opened: OpenedSession) -> None:
        session, now = opened.session, time.monotonic()
        self._limits.release(session.sid)
        self.greet(opened)
        session.replay(opened.missed, opened.position, now)
        self._exchange.serve(session, now)
        if self.draining:  # it began while the others were sent away
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
        # A client that does not read blocks the sender, and one that is gone may have sent `end`
        # just before. So the task that still has work gets this much time.
        last = sending if session.closing else receiving
        await asyncio.wait({last}, timeout=CLOSE_WITHIN_S)
        for task in (receiving, sending, closed):
            task.cancel()
        await asyncio.gather(closed, return_exceptions=True)
        codes = await asyncio.gather(receiving, sending, return_exceptions=True)
        return next((code for code in codes if isinstance(code, int)), ABNORMAL_CLOSE_CODE)

    async def _refuse(self, websocket: WebSocket, error: CallError) -> None:
        """Send the error and close."""
        metrics.REFUSALS.labels(error.code).inc()
        text, close_code = self.error_message(error)
        try:
            if text:
                await websocket.send_text(text)
            await websocket.close(close_code, error.close_reason)
        except WebSocketDisconnect:
            logger.debug("a refused client was gone already")

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
    """Whether a session ends with its socket; else its caller may resume it."""
    if session.ended or not session.resumable:
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
