"""Lets telephone services in: their WebSockets, and the TwiML that connects a number to them."""

import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

from pydantic import SecretStr
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from gateway.call.opening import Build, OpenedSession, Place
from gateway.call.playout import Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.edge.fleet import Fleet
from gateway.protocol.client_messages import Start
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.access import RealtimeAccess
from gateway.socket.endpoint import WebSocketEndpoint
from gateway.socket.handshake import receive, start_deadline
from gateway.telephone.media_streams import StreamStarted, parse
from gateway.telephone.session import GROUP_FRAMES, LEAD_FRAMES, TelephoneSession
from gateway.telephone.signature import HEADER, called_as, is_signed

TWILIO: Final = "/twilio/media-streams"
TELNYX: Final = "/telnyx/media-streams"
VOICE: Final = "/twilio/voice"
MAX_BODY_BYTES: Final = 64 * 1024


class TelephoneEndpoint(WebSocketEndpoint):
    """Serves every media stream of one gateway. `twilio_token`: checks Twilio's signatures."""

    def __init__(
        self,
        *args: Any,
        access: RealtimeAccess,
        fleet: Fleet,
        twilio_token: SecretStr,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._access = access
        self._fleet = fleet
        self._token = twilio_token

    def routes(self) -> list[BaseRoute]:
        """All routes."""

        async def stream(websocket: Any) -> None:
            await self(websocket)

        return [
            WebSocketRoute(TWILIO, stream),
            WebSocketRoute(TELNYX, stream),
            Route(VOICE, self.voice, methods=["GET", "POST"]),
        ]

    async def voice(self, request: Request) -> Response:
        """TwiML that connects a call to this gateway: the address for a number's webhook."""
        body = await _body(request)
        if not self._is_from_twilio(request, dict(parse_qsl(body, keep_blank_values=True))):
            return PlainTextResponse("Expected Twilio's signature of this request\n", 403)
        root = str(request.scope.get("root_path", "")).rstrip("/")
        scheme = "wss" if request.url.scheme == "https" or self._secret else "ws"
        stream = quoteattr(f"{scheme}://{request.headers.get('host', '')}{root}{TWILIO}")
        twiml = f"<Response><Connect><Stream url={stream}/></Connect></Response>"
        return Response(
            f'<?xml version="1.0" encoding="UTF-8"?>{twiml}', media_type="application/xml"
        )

    def admits(self, websocket: WebSocket) -> bool:
        """With the account's token, only Twilio opens Twilio's socket; no page opens any."""
        path = websocket.url.path.removesuffix("/")
        if self._secret and path.endswith(TWILIO) and not self._is_from_twilio(websocket):
            return False
        return "origin" not in websocket.headers

    def subprotocol(self, websocket: WebSocket) -> str | None:
        """None: the services ask for none."""
        return None

    async def begin(self, websocket: WebSocket, address: str) -> OpenedSession:
        """Begin the call's session. Raises CallError, RedisError."""
        async with start_deadline():
            started = await _first_event(websocket)
        if not (self._secret and websocket.url.path.endswith(TWILIO)):  # else it is signed
            await self._access.check(started.parameters.get("token"))
        self._limits.check_new_call(address, time.monotonic())
        start = _start(started.parameters)
        types_keys = _yes(started.parameters, "keys") and self._fleet.takes_text(time.monotonic())
        build = _build(started, types_keys=types_keys)
        return await self._opener.open(start, permitted=True, build=build)

    def greet(self, opened: OpenedSession) -> None:
        """Nothing: the services expect no greeting."""

    def error_message(self, error: CallError) -> tuple[str, int]:
        """The services take no error messages; the close code and its reason say it."""
        return "", error.code.close_code

    def is_over(self, session: Session, code: int) -> bool:
        """A telephone call ends with its socket."""
        return True

    @property
    def _secret(self) -> str:
        return self._token.get_secret_value()

    def _is_from_twilio(
        self, connection: HTTPConnection, fields: Mapping[str, str] | None = None
    ) -> bool:
        """Whether it has Twilio's signature, or needs none."""
        if not self._secret:
            return True
        url = connection.url
        target = url.path + (f"?{url.query}" if url.query else "")
        urls = called_as(url.scheme, connection.headers.get("host", ""), target)
        return is_signed(self._secret, connection.headers.get(HEADER), urls, fields)


async def _first_event(websocket: WebSocket) -> StreamStarted:
    while True:
        data = await receive(websocket)
        event = parse(data) if isinstance(data, str) else None
        if isinstance(event, StreamStarted):
            return event
        if event is not None or isinstance(data, bytes):
            raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' before anything else")


def _start(parameters: Mapping[str, str]) -> Start:
    """The stream's own parameters as the session's choices. Raises CallError."""
    return Start(
        mode=parameters.get("mode") or None,
        voice=parameters.get("voice", ""),
        style=parameters.get("style", ""),
        instructions=parameters.get("instructions", ""),
        record=_yes(parameters, "record"),
    )


def _yes(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "").lower() in ("1", "true", "yes")


def _build(started: StreamStarted, *, types_keys: bool) -> Build:
    def build(place: Place) -> Session:
        return TelephoneSession(
            place.sid,
            place.conn,
            started=started,
            uplink=Uplink(place.arrived_at),
            playout=Playout(lead_frames=LEAD_FRAMES, group_frames=GROUP_FRAMES),
            now=time.monotonic(),
            types_keys=types_keys,
        )

    return build


async def _body(request: Request) -> str:
    """The form's body, as far as it is one of a reasonable size."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return ""
    return body.decode("utf-8", "replace")
