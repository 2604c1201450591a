"""The WebSocket /v1/realtime: lets OpenAI's Realtime clients in."""

import time
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket

from gateway.call.opening import Build, OpenedSession, Place
from gateway.call.playout import Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.edge.fleet import Fleet
from gateway.protocol.client_messages import Resume, ResumePoint, Start
from gateway.protocol.errors import NORMAL_CLOSE_CODE, CallError, ErrorCode
from gateway.protocol.frames import MAX_FRAME_NUMBER
from gateway.realtime.access import SUBPROTOCOL, Grant, RealtimeAccess, key_of
from gateway.realtime.audio_codecs import MAX_APPEND_BYTES
from gateway.realtime.dialect import Dialect
from gateway.realtime.server_events import ending
from gateway.realtime.session import AnyDialect, RealtimeSession, new_uplink
from gateway.socket.endpoint import WebSocketEndpoint
from gateway.socket.uvicorn_adapter import connection_of
from shared.modes import ReplyMode

MAX_MESSAGE_BYTES: Final = MAX_APPEND_BYTES * 4 // 3 + 1024 * 1024  # base64; the rest of the event
# Realtime clients buffer and cut off their player themselves, so they may have more in advance.
LEAD_FRAMES: Final = 25  # 500 ms
GROUP_FRAMES: Final = 5  # one event has 100 ms
GOING_AWAY: Final = 1_001  # a browser's page was closed
NEW: Final = "new"  # `?resume=new`: a session that can be resumed
# Queries of OpenAI's service that ask for what there is not here.
UNSUPPORTED: Final = {
    "intent": "transcription sessions",
    "call_id": "calls that began by SIP or WebRTC",
}


class RealtimeEndpoint(WebSocketEndpoint):
    """Serves every Realtime socket of one gateway."""

    max_message_bytes = MAX_MESSAGE_BYTES

    def __init__(self, *args: Any, access: RealtimeAccess, fleet: Fleet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._access = access
        self._fleet = fleet

    def admits(self, websocket: WebSocket) -> bool:
        """A page of any origin may come with a key; without keys, only the gateway's own."""
        return self._access.needs_key or super().admits(websocket)

    def subprotocol(self, websocket: WebSocket) -> str | None:
        """`realtime`, and never the one that holds a browser's key."""
        return SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None

    async def begin(self, websocket: WebSocket, address: str) -> OpenedSession:
        """Begin the client's session. Raises CallError, RedisError."""
        query = websocket.query_params
        for name, what in UNSUPPORTED.items():
            if name in query:
                raise CallError(ErrorCode.BAD_MESSAGE, f"This server has no {what} ('{name}').")
        grant = await self.check_key(websocket)
        build = self._build(query, grant, keeps=keeps(query))
        if point := resume_point(query):
            return await self._resumer.resume(Resume(resume=point), build)
        self._limits.check_new_call(address, time.monotonic())
        start = Start(mode=ReplyMode.TURN.value)
        return await self._opener.open(start, permitted=True, build=build)

    async def check_key(self, websocket: WebSocket) -> Grant:
        """What the client's key permits; from now on its texts may be large.

        Raises CallError, RedisError.
        """
        authorization = websocket.headers.get("authorization")
        key = key_of(authorization, websocket.scope["subprotocols"])
        grant = await self._access.check(key)
        connection_of(websocket).take_large_texts()
        return grant

    def greet(self, opened: OpenedSession) -> None:
        """Send `session.created`."""
        if isinstance(opened.session, RealtimeSession):
            opened.session.begin(time.monotonic(), opened.token)

    def error_message(self, error: CallError) -> tuple[str, int]:
        """What a refused client gets, and the close code."""
        return ending(error)

    def is_over(self, session: Session, code: int) -> bool:
        """A client that closes its socket, or cannot resume, ends its session."""
        return code in (NORMAL_CLOSE_CODE, GOING_AWAY) or super().is_over(session, code)

    def _build(self, query: QueryParams, grant: Grant, *, keeps: bool) -> Build:
        def build(place: Place) -> Session:
            uplink = new_uplink(place.arrived_at, n=place.n, samples=place.samples)
            dialect = self._dialect(place, uplink, query.get("model", ""))
            event_id = query.get("event", "")
            known = dialect.restore(place.client, place.has_frame, place.delivered, event_id)
            if known is None:
                dialect.configure(grant.session)
            return session_at(place, uplink, dialect, time.monotonic(), keeps=keeps, known=known)

        return build

    def _dialect(self, place: Place, uplink: Uplink, model: str) -> Dialect:
        now = time.monotonic()
        offer = self._fleet.offer(now)
        return Dialect(
            place.sid,
            model,
            uplink.sample_of,
            voices=offer.voices if offer else (),
            takes_text=self._fleet.takes_text(now),
            resumed=place.generation if place.n else None,
            samples=place.samples,
            connection=int(place.conn.partition(":")[0]),
        )


def keeps(query: QueryParams) -> bool:
    """Whether the client asks for a session that can be resumed."""
    return bool(query.get("resume"))


def resume_point(query: QueryParams) -> ResumePoint | None:
    """Which session a client resumes: the token of its first event, and its last frame.

    None: it begins a new one. Raises CallError.
    """
    token, frame = query.get("resume", ""), query.get("frame", "0")
    if token in ("", NEW):
        return None
    session, _, secret = token.partition(".")
    if not frame.isascii() or not frame.isdecimal() or int(frame) > MAX_FRAME_NUMBER:
        raise CallError(ErrorCode.BAD_MESSAGE, f"Expected 'frame' as a number, got {frame!r:.40}")
    return ResumePoint(session, secret, int(frame))


def session_at(
    place: Place,
    uplink: Uplink,
    dialect: AnyDialect,
    now: float,
    *,
    lead_frames: int = LEAD_FRAMES,
    keeps: bool = False,
    known: int | None = None,
) -> RealtimeSession:
    """A session of either dialect that begins or goes on there; see `RealtimeSession`."""
    return RealtimeSession(
        place.sid,
        place.conn,
        uplink=uplink,
        playout=Playout(
            lead_frames=lead_frames, group_frames=GROUP_FRAMES, next_frame=place.next_frame
        ),
        dialect=dialect,
        now=now,
        keeps=keeps,
        known=known,
    )
