"""The WebSocket /v1/live/sessions: lets OpenAI's Live clients in."""

import asyncio
import time
from typing import Final

from starlette.websockets import WebSocket

from gateway.call.opening import Build, OpenedSession, Place
from gateway.call.session import Session
from gateway.live.client_events import SessionConfig, StartSession, parse
from gateway.live.config import Session as Config
from gateway.live.config import history_of, instructions_of, session_of, start_of
from gateway.live.dialect import LiveDialect, StartRefused, ending
from gateway.protocol.client_messages import Resume
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.endpoint import RealtimeEndpoint, keeps, resume_point, session_at
from gateway.realtime.errors import ParseError, RealtimeError
from gateway.realtime.session import new_uplink
from gateway.socket.handshake import receive

START_WITHIN_S: Final = 15.0  # a program may begin its session some time after it has connected
# The dialect has no event for an interruption, so the client plays on what it has.
LEAD_FRAMES: Final = 10  # 200 ms
EXPIRES_S: Final = 86_400  # the client expects some time; nothing ends then


class LiveEndpoint(RealtimeEndpoint):
    """Serves every Live socket of one gateway."""

    async def begin(self, websocket: WebSocket, address: str) -> OpenedSession:
        """Begin the client's session. Raises CallError, RedisError."""
        await self.check_key(websocket)
        if point := resume_point(websocket.query_params):
            return await self._resumer.resume(Resume(resume=point), _resumed)
        started = await _first_event(websocket)
        self._limits.check_new_call(address, time.monotonic())
        offer = self._fleet.offer(time.monotonic())
        try:
            session = session_of(started.session, "", int(time.time()) + EXPIRES_S)
            self._check_text(started)
        except RealtimeError as error:
            raise StartRefused(error, started.event_id) from error
        start = start_of(started.session, offer.voices if offer else ())
        build = _build(started, session, keeps=keeps(websocket.query_params))
        return await self._opener.open(start, permitted=True, build=build)

    def error_message(self, error: CallError) -> tuple[str, int]:
        """What a refused client gets, and the close code."""
        return ending(error)

    def _check_text(self, started: StartSession) -> None:
        """Raises RealtimeError where the engine cannot take earlier messages."""
        roles = {message.role for message in started.session.input or ()}
        if roles - {"developer"} and not self._fleet.takes_text(time.monotonic()):
            raise RealtimeError(
                "text_not_supported", "This engine hears speech and reads no text.", "session.input"
            )


async def _first_event(websocket: WebSocket) -> StartSession:
    """The client's `session.start`. Raises CallError, WebSocketDisconnect."""
    try:
        async with asyncio.timeout(START_WITHIN_S):
            data = await receive(websocket)
    except TimeoutError as error:
        raise CallError(
            ErrorCode.START_TIMEOUT, f"Expected 'session.start' within {START_WITHIN_S:g} s"
        ) from error
    try:
        event = parse(data if isinstance(data, str) else data.decode("utf-8", "replace"))
    except ParseError as error:
        raise StartRefused(error, error.event_id) from error
    if not isinstance(event, StartSession):
        problem = RealtimeError("session_not_started", "Expected 'session.start' first.", "type")
        raise StartRefused(problem, event.event_id)
    return event


def _build(started: StartSession, config: Config, *, keeps: bool) -> Build:
    def build(place: Place) -> Session:
        uplink = new_uplink(place.arrived_at)
        dialect = LiveDialect(
            place.sid,
            uplink.sample_of,
            config={**config, "id": f"live_{place.sid}"},
            instructions=instructions_of(started.session),
            history=history_of(started.session),
            answers=started.event_id,
        )
        now = time.monotonic()
        return session_at(place, uplink, dialect, now, lead_frames=LEAD_FRAMES, keeps=keeps)

    return build


def _resumed(place: Place) -> Session:
    """A session that goes on. Raises CallError where its format is not known any more."""
    uplink = new_uplink(place.arrived_at, n=place.n, samples=place.samples)
    dialect = LiveDialect(
        place.sid,
        uplink.sample_of,
        config=session_of(SessionConfig(model=""), "", 0),
        samples=place.samples,
        connection=int(place.conn.partition(":")[0]),
    )
    known = dialect.restore(place.client, place.has_frame, place.delivered)
    if known is None:
        raise CallError(ErrorCode.NOT_FOUND, "This is no Live session, or Redis has lost it")
    now = time.monotonic()
    return session_at(place, uplink, dialect, now, lead_frames=LEAD_FRAMES, keeps=True, known=known)
