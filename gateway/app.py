"""The gateway's ASGI application: the WebSocket, the page, and what operators ask."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.call.lifecycle import Reception
from gateway.call.log_exchange import Exchange
from gateway.edge.admission import Watcher
from gateway.edge.connection_limits import NEWCOMERS, Door
from gateway.edge.pages import Pages
from gateway.operators.routes import Operators
from gateway.operators.stats import Stats, collect
from gateway.protocol.client_messages import SUBPROTOCOL
from gateway.protocol.frames import MAX_AUDIO_BYTES
from gateway.socket.endpoint import Endpoint
from shared.audio import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ
from shared.log.session_log import SessionLog, connect
from shared.modes import DEFAULT_SILENCE_MS, ReplyMode
from shared.process import watch_tasks
from shared.redis_client.url import check_redis
from shared.settings import Settings
from shared.voices import Offer

REDIS_STARTS_WITHIN_S: Final = 5.0  # a process runner starts Redis in the same moment
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "worker-src 'self'; img-src 'self' data:; media-src 'self' blob:; font-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": (
        "microphone=(self), autoplay=(self), screen-wake-lock=(self), camera=(), geolocation=(), "
        "display-capture=(), payment=(), usb=(), midi=()"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class SecurityHeaders:
    """Puts HEADERS on every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; only a response's start is touched."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Gateway:
    """The parts of one gateway process, and its HTTP answers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis = connect(settings.redis)
        log = SessionLog(
            self.redis, ttl_s=settings.session_ttl_s, backlog=settings.uplink_backlog_chunks
        )
        self.exchange = Exchange(log)
        self.reception = Reception(settings, log, self.exchange)
        self.watcher = Watcher(self.reception.registry, self.reception.fleet, self.exchange.present)
        sockets = settings.gateway_max_sessions + NEWCOMERS
        door = Door(sockets=sockets, per_address=settings.gateway_max_per_address)
        self.endpoint = Endpoint(self.reception, door)
        self.stats = Stats(self.reception)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the exchange and the watcher for as long as the server runs."""
        await self._check_redis()
        watch_tasks(asyncio.get_running_loop())
        runs = (self.exchange.run, self.watcher.run, self.stats.run)
        tasks = [asyncio.create_task(run()) for run in runs]
        try:
            yield
        finally:
            self.exchange.stop()
            self.watcher.stop()
            self.stats.stop()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.redis.aclose()

    async def health(self, _: Request) -> Response:
        """The process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Whether a caller could be served: 200, or 503 with the reason."""
        reason = self.reception.fleet.blocked(time.monotonic())
        if self.endpoint.draining:
            reason = "the gateway is closing"
        status = 200 if reason is None else 503
        return JSONResponse({"ready": reason is None, "reason": reason}, status)

    async def prometheus(self, _: Request) -> Response:
        """All series in Prometheus' text format."""
        collect(self.reception)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def config(self, _: Request) -> Response:
        """What a client may know of the settings: never an address, never a secret."""
        s = self.settings
        offer = self.reception.fleet.offer(time.monotonic()) or Offer((), ())
        return JSONResponse(
            {
                "sample_rate": SAMPLE_RATE_HZ,
                "frame_samples": FRAME_SAMPLES,
                "chunk_samples": CHUNK_SAMPLES,
                "max_message_bytes": MAX_AUDIO_BYTES,
                "subprotocol": SUBPROTOCOL,
                "auth": bool(s.gateway_auth_secret.get_secret_value()),
                "modes": [mode.value for mode in ReplyMode],
                "mode": s.reply_mode.value,
                "voices": offer.voices,
                "styles": offer.styles,
                "vad_threshold": s.vad_threshold,
                "silence_ms": s.turn_silence_ms or DEFAULT_SILENCE_MS,
                "min_speech_ms": s.turn_min_speech_ms,
                "resume_s": s.session_resume_s,
            }
        )

    def app(self) -> Starlette:
        """The application."""
        routes = [
            WebSocketRoute("/ws/stream", self._stream),
            *(Route(path, answer) for path, answer in self._answers().items()),
            *Operators(self.endpoint, self.stats).routes(),
            Route("/", lambda _: RedirectResponse("/web/")),
            Mount("/web", Pages()),
        ]
        return Starlette(
            routes=routes, lifespan=self.lifespan, middleware=[Middleware(SecurityHeaders)]
        )

    def _answers(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        return {
            "/health": self.health,
            "/ready": self.ready,
            "/metrics": self.prometheus,
            "/api/config": self.config,
        }

    async def _stream(self, websocket: Any) -> None:
        await self.endpoint(websocket)

    async def _check_redis(self) -> None:
        """Refuse a Redis that would drop calls; one that does not answer yet is waited for."""
        deadline = time.monotonic() + REDIS_STARTS_WITHIN_S
        while True:
            try:
                return await check_redis(self.redis)
            except (RedisError, OSError):
                if time.monotonic() > deadline:
                    return None  # `/ready` says so until it comes
            await asyncio.sleep(0.1)
