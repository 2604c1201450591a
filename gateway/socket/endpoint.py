"""The WebSocket /ws/stream: handshake, one task that receives, one that sends."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from redis.exceptions import OutOfMemoryError, RedisError
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.call.lifecycle import Reception, Welcome
from gateway.call.log_exchange import Exchange, until
from gateway.call.outbox import Close
from gateway.call.session import Session
from gateway.edge.connection_limits import Door, counted_address
from gateway.protocol.client_messages import SUBPROTOCOL, Resume, Start, parse
from gateway.protocol.errors import (
    ABNORMAL_CLOSE_CODE,
    GOAWAY_CLOSE_CODE,
    RETRY_AFTER_MS,
    CallError,
    ErrorCode,
    NoCapacity,
)
from gateway.protocol.server_messages import Error, Goaway, Ready
from gateway.socket.server import CLOSE_WITHIN_S
from gateway.socket.transport import Sink, wire_of
from gateway.telemetry import metrics
from shared.errors import SchemaError

logger = logging.getLogger(__name__)

START_WITHIN_S: Final = 3.0
# A gateway's callers are sent away one by one, so that the others do not get them all at once.
GOODBYE_EVERY_S: Final = 0.004
GOODBYE_SPREAD_S: Final = 0.8
GOODBYE_WITHIN_S: Final = 0.5  # for the last one's log to know it
# A client that breaks the rules is as wrong the next time: its slot goes to another.
CALLER_ERRORS: Final = (ErrorCode.BAD_MESSAGE, ErrorCode.TOO_LARGE, ErrorCode.TOO_FAST)


class Endpoint:
    """Serves one socket after another's handshake; `draining` turns newcomers away."""

    def __init__(self, reception: Reception, door: Door) -> None:
        self.reception = reception
        self.door = door
        self.draining = False

    async def __call__(self, websocket: WebSocket) -> None:
        """One caller, from the upgrade to the end."""
        if not allowed(websocket, self.reception.settings.gateway_origins):
            await websocket.close()  # before accept: HTTP 403
            return
        native = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(subprotocol=SUBPROTOCOL if native else None)
        address = counted_address(websocket.client.host if websocket.client else None)
        try:
            self.door.enter(address)
        except CallError as error:
            await _refuse(websocket, error)
            return
        try:
            await self._entered(websocket, native, address)
        finally:
            self.door.leave(address)

    async def _entered(self, websocket: WebSocket, native: bool, address: str) -> None:
        try:
            welcome = await self._welcome(websocket, native, address)
        except WebSocketDisconnect:
            return
        except CallError as error:
            await _refuse(websocket, error)
            return
        metrics.OUTCOMES.labels(welcome.outcome).inc()
        session = welcome.session
        self.door.welcome_back(session.sid)
        session.send(_ready(welcome))
        self.reception.seat(welcome)
        if self.draining:  # it came in while the others were sent away
            _send_away(session, 0)
            session.close(GOAWAY_CLOSE_CODE)
        code = await self._serve(websocket, session)
        if session.error is not None:
            metrics.REFUSALS.labels(session.error.code).inc()
        logger.info("session %s: socket closed with code %s", session.sid, code)
        over = is_over(session)
        if not over and not session.log_lost:
            away_s = self.reception.settings.session_resume_s
            self.door.expect_back(session.sid, address, time.monotonic() + away_s)
        await self.reception.leave(session, clean=over)

    async def say_goodbye(self) -> None:
        """Tell every caller to come back elsewhere, then close one after the other.

        Returns when their logs know it.
        """
        self.draining = True
        sessions = self.reception.exchange.sessions
        leaving = list(sessions)
        every_s = min(GOODBYE_EVERY_S, GOODBYE_SPREAD_S / max(1, len(leaving)))
        for number, session in enumerate(leaving):
            _send_away(session, number * every_s)
        for session in leaving:
            session.close(GOAWAY_CLOSE_CODE)
            await asyncio.sleep(every_s)
        await until(lambda: not sessions, GOODBYE_WITHIN_S)

    async def _welcome(self, websocket: WebSocket, native: bool, address: str) -> Welcome:
        if self.draining:
            raise NoCapacity("This gateway is closing")
        try:
            first = await _first_message(websocket) if native else _plain_start(websocket)
            if isinstance(first, Resume):
                return await self.reception.resume(first)
            self.door.begin(address, time.monotonic())
            return await self.reception.open(first, native=native)
        except OutOfMemoryError as error:
            logger.warning("no session could begin: %s", error)
            raise NoCapacity("No room for a call: Redis is full") from error
        except (RedisError, OSError) as error:
            logger.warning("no session could begin: %s", error)
            raise CallError(
                ErrorCode.INTERNAL, "Redis does not answer; try again later", RETRY_AFTER_MS
            ) from error
        except SchemaError as error:
            logger.warning("a session could not be resumed: %s", error)
            raise CallError(ErrorCode.INTERNAL, "The session's log cannot be read") from error

    async def _serve(self, websocket: WebSocket, session: Session) -> int:
        """Receive and send until either ends; the close code."""
        session.attach(wire_of(websocket))
        wire_of(websocket).attach(_hearing(session, self.reception.exchange))
        receiver = asyncio.create_task(_gone(websocket))
        sender = asyncio.create_task(_send(websocket, session))
        closed = asyncio.create_task(session.closed())
        await asyncio.wait({receiver, sender, closed}, return_when=asyncio.FIRST_COMPLETED)
        # A reader that is stuck leaves the sender stuck; a client that is gone may have said `end`
        # before: each gets its time, and no more.
        last = sender if session.closing else receiver
        await asyncio.wait({last}, timeout=CLOSE_WITHIN_S)
        for task in (receiver, sender, closed):
            task.cancel()
        await asyncio.gather(closed, return_exceptions=True)
        codes = await asyncio.gather(receiver, sender, return_exceptions=True)
        return next((code for code in codes if isinstance(code, int)), ABNORMAL_CLOSE_CODE)


def is_over(session: Session) -> bool:
    """Whether a session whose socket is gone ends with it; else its caller may come back."""
    if session.error is not None and session.error.code in CALLER_ERRORS:
        return True
    if session.ended or not session.native:  # a plain client has no token to come back with
        return True
    # Gone of itself before it said anything: the slot is worth more than such a call.
    return session.silent and not session.closing


def allowed(websocket: WebSocket, origins: tuple[str, ...]) -> bool:
    """Whether a page of this origin may open a socket; what is no browser sends none."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc == websocket.headers.get("host")
    except ValueError:  # such as "http://[": no browser's
        return False


def _send_away(session: Session, in_s: float) -> None:
    """Say when the socket is going to be closed: on another one the call goes on."""
    with suppress(CallError):  # it reads too slowly to be told
        session.send(Goaway(resume_in_ms=round(1_000 * in_s)))


async def _first_message(websocket: WebSocket) -> Start | Resume:
    try:
        async with asyncio.timeout(START_WITHIN_S):
            data = await _message(websocket)
    except TimeoutError as error:
        raise CallError(
            ErrorCode.START_TIMEOUT, f"Expected 'start' within {START_WITHIN_S:g} s"
        ) from error
    first = parse(data) if isinstance(data, str) else None
    if not isinstance(first, Start | Resume):
        raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' as the first message")
    return first


def _plain_start(websocket: WebSocket) -> Start:
    query = websocket.query_params
    mode = query.get("mode")
    try:
        return Start(mode=mode, voice=query.get("voice", ""), style=query.get("style", ""))
    except SchemaError as error:
        raise CallError(ErrorCode.BAD_MESSAGE, str(error)) from error


def _ready(welcome: Welcome) -> Ready:
    session = welcome.session
    return Ready(
        session=session.sid,
        token=welcome.token,
        outcome=welcome.outcome.value,
        mode=welcome.mode,
        codec=session.codec,
        next_sample=session.next_sample,
        next_frame=session.next_frame,
    )


async def _message(websocket: WebSocket) -> bytes | str:
    """The next message. Raises WebSocketDisconnect."""
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005), event.get("reason"))
    data: bytes | str | None = event.get("bytes")
    return event["text"] if data is None else data


def _hearing(session: Session, exchange: Exchange) -> Sink:
    """What takes each message of the client, until it hangs up or errs."""

    def hear(data: bytes | str) -> None:
        if session.closing:
            return
        with session.contain_faults("The message could not be taken"):
            session.receive(data, time.monotonic())
            exchange.spoke(session)

    return hear


async def _gone(websocket: WebSocket) -> int:
    """Wait until the client has left; the close code."""
    try:
        while True:
            await _message(websocket)
    except WebSocketDisconnect as gone:
        return gone.code


async def _send(websocket: WebSocket, session: Session) -> int:
    """Send what the outbox gives until it closes; the close code."""
    wire = wire_of(websocket)
    while True:
        item = await session.next_message()
        if isinstance(item, Close):
            await websocket.close(item.code)
            return item.code
        await wire.write([item, *session.more_messages()])


async def _refuse(websocket: WebSocket, error: CallError) -> None:
    """Say why, and close."""
    metrics.REFUSALS.labels(error.code).inc()
    try:
        await websocket.send_text(Error.of(error).to_json())
        await websocket.close(error.code.close_code)
    except WebSocketDisconnect:
        logger.debug("a refused client was gone already")
