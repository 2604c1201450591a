"""The gateway's ASGI application: the WebSocket, the page, and the operators' routes."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.call.closing import SessionCloser
from gateway.call.log_exchange import LogExchange
from gateway.call.opening import SessionOpener, SessionResumer
from gateway.edge.auth import TokenVerifier
from gateway.edge.connection_limits import EXTRA_SOCKETS, ConnectionLimits
from gateway.edge.cors import Cors
from gateway.edge.fleet import SILENT, Fleet
from gateway.edge.fleet_watcher import FleetWatcher
from gateway.edge.pages import Pages
from gateway.edge.root_path import redirect
from gateway.live.endpoint import LiveEndpoint
from gateway.operators.access import FigureAccess
from gateway.operators.routes import OperatorRoutes
from gateway.operators.stats import Stats
from gateway.protocol.client_messages import SUBPROTOCOL
from gateway.realtime.access import RealtimeAccess
from gateway.realtime.endpoint import RealtimeEndpoint
from gateway.realtime.keys import ApiKeys
from gateway.realtime.routes import RealtimeRoutes
from gateway.socket.endpoint import WebSocketEndpoint
from gateway.socket.wrong_path import wrong_path_routes
from gateway.telemetry import fleet_gauges
from gateway.telephone.endpoint import TelephoneEndpoint
from shared.audio import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ
from shared.log import formats
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.log.traced_log import open_log
from shared.modes import DEFAULT_SILENCE_MS, ReplyMode
from shared.process import watch_tasks
from shared.redis_client.trouble import TroubleLog, trouble_of
from shared.redis_client.url import check_redis
from shared.settings import Settings
from shared.voices import Offer

logger = logging.getLogger(__name__)

REDIS_STARTS_WITHIN_S: Final = 5.0  # a process runner starts Redis at the same time
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


E = TypeVar("E", bound=WebSocketEndpoint)


class SecurityHeaders:
    """Puts HEADERS on every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and change only the start of its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class Gateway:
    """Assembles the parts of one gateway process and answers its HTTP requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = secrets.token_hex(4)  # part of every connection's name in the log
        self.redis = connect(settings.redis)
        self.log = self._open_log()
        self.registry = Registry(self.redis, ttl_s=settings.session_ttl_s)
        self.fleet = Fleet(
            lease_s=settings.lease_ms / 1_000,
            max_sessions=settings.gateway_max_sessions,
            step_budget_ms=settings.gateway_step_budget_ms,
        )
        self.exchange = LogExchange(self.log)
        self.sessions = self.exchange.sessions
        self.trouble = TroubleLog()
        self.watcher = self._make_watcher()
        self.limits = ConnectionLimits(
            sockets=settings.gateway_max_sessions + EXTRA_SOCKETS,
            per_address=settings.gateway_max_per_address,
        )
        self.tokens = TokenVerifier(settings.gateway_auth_secret.get_secret_value(), self.registry)
        self.opener = self._make_opener()
        self.resumer = SessionResumer(self.log, self.fleet, gateway=self.name)
        self.closer = SessionCloser(self.log, self.registry, self.exchange)
        self.access = self._make_access()
        self.endpoint = self._make_endpoint(WebSocketEndpoint)
        self.realtime = self._make_endpoint(
            partial(RealtimeEndpoint, access=self.access, fleet=self.fleet)
        )
        self.live = self._make_endpoint(partial(LiveEndpoint, access=self.access, fleet=self.fleet))
        self.telephone = self._make_endpoint(
            partial(
                TelephoneEndpoint,
                access=self.access,
                fleet=self.fleet,
                twilio_token=settings.twilio_auth_token,
            )
        )
        self.stats = Stats(self.name, self.fleet, self.sessions, self.registry, self.log)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Run the exchange, the watcher and the figures as long as the server runs."""
        watch_tasks(asyncio.get_running_loop())
        parts = (self.exchange, self.watcher, self.stats)
        tasks = [asyncio.create_task(part.run()) for part in parts]
        try:
            yield
        finally:
            for part in parts:
                part.stop()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.redis.aclose()

    async def shut_down(self) -> None:
        """Ask every caller to resume elsewhere, and close their sockets."""
        self.stats.stop()  # else the server would wait for the viewers' streams
        self.realtime.draining = self.live.draining = self.telephone.draining = True
        await self.endpoint.shut_down()

    async def health(self, _: Request) -> Response:
        """The process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, _: Request) -> Response:
        """Whether a caller could be served: 200, or 503 with the reason."""
        reason = self.fleet.unready_reason(time.monotonic())
        if reason == SILENT:
            reason = self.trouble.cause or SILENT
        if self.endpoint.draining:
            reason = "the gateway is closing"
        status = 200 if reason is None else 503
        return JSONResponse({"ready": reason is None, "reason": reason}, status)

    async def prometheus(self, _: Request) -> Response:
        """All series in Prometheus' text format."""
        self.sessions.collect_counts()
        fleet_gauges.show(self.fleet, time.monotonic())
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def config(self, _: Request) -> Response:
        """The settings that clients may know: no address and no secret."""
        s = self.settings
        offer = self.fleet.offer(time.monotonic()) or Offer((), ())
        return JSONResponse(
            {
                "sample_rate": SAMPLE_RATE_HZ,
                "frame_samples": FRAME_SAMPLES,
                "chunk_samples": CHUNK_SAMPLES,
                "subprotocol": SUBPROTOCOL,
                "auth": bool(s.gateway_auth_secret.get_secret_value()),
                "modes": [mode.value for mode in ReplyMode],
                "mode": s.reply_mode.value,
                "engine": self.fleet.engine(time.monotonic()),
                "text": self.fleet.takes_text(time.monotonic()),
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
        routes: list[BaseRoute] = [
            WebSocketRoute("/ws/stream", self._stream),
            WebSocketRoute("/v1/realtime", self._realtime),
            WebSocketRoute("/v1/live/sessions", self._live),
            *RealtimeRoutes(self.access).routes(),
            *self.telephone.routes(),
            *(Route(path, answer) for path, answer in self._answers().items()),
            *self._operator_routes(),
        ]
        routes += [
            *wrong_path_routes(routes),
            *(Route(path, redirect("web/")) for path in ("/", "/web")),
            Mount("/web", Pages()),
        ]
        middleware = [
            Middleware(SecurityHeaders),
            Middleware(
                Cors, origins=self.settings.gateway_origins, any_may_ask=self.access.needs_key
            ),
        ]
        return Starlette(routes=routes, lifespan=self.lifespan, middleware=middleware)

    def _answers(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        return {
            "/health": self.health,
            "/ready": self.ready,
            "/metrics": self.prometheus,
            "/api/config": self.config,
        }

    def _open_log(self) -> SessionLog:
        return open_log(
            self.redis,
            ttl_s=self.settings.session_ttl_s,
            backlog=self.settings.uplink_backlog_chunks,
            writes=formats.PREVIOUS,  # until it has seen the workers
        )

    def _make_watcher(self) -> FleetWatcher:
        return FleetWatcher(
            self.registry,
            self.log,
            self.fleet,
            self.sessions.sids,
            self.trouble,
            check=partial(check_redis, self.redis),
        )

    def _make_opener(self) -> SessionOpener:
        s = self.settings
        return SessionOpener(
            self.log,
            self.registry,
            self.fleet,
            self.tokens,
            self.sessions,
            self.exchange.claims,
            gateway=self.name,
            mode=s.reply_mode,
            claim_within_s=s.claim_timeout_ms / 1_000,
            next_look=self.watcher.next_look,
            seed=s.session_seed,
        )

    def _make_endpoint(self, kind: Callable[..., E]) -> E:
        return kind(
            self.opener,
            self.resumer,
            self.closer,
            self.exchange,
            self.limits,
            origins=self.settings.gateway_origins,
            resume_s=self.settings.session_resume_s,
        )

    def _make_access(self) -> RealtimeAccess:
        return RealtimeAccess(
            ApiKeys(self.settings.gateway_api_keys),
            self.tokens,
            self.registry,
            needs_token=bool(self.settings.gateway_auth_secret.get_secret_value()),
        )

    def _operator_routes(self) -> list[BaseRoute]:
        operators = OperatorRoutes(
            FigureAccess(self.settings.gateway_stats_token, self.settings.gateway_origins),
            self.stats,
            self.redis,
            lambda: self.endpoint.draining,
        )
        return operators.routes()

    async def _stream(self, websocket: Any) -> None:
        await self.endpoint(websocket)

    async def _realtime(self, websocket: Any) -> None:
        await self.realtime(websocket)

    async def _live(self, websocket: Any) -> None:
        await self.live(websocket)

    async def check_redis(self) -> None:
        """Wait for a Redis that is still starting. Raises ConfigError for one that drops calls."""
        deadline = time.monotonic() + REDIS_STARTS_WITHIN_S
        while True:
            try:
                return await check_redis(self.redis)
            except (RedisError, OSError) as error:
                now = time.monotonic()
                if said := self.trouble.fail(error, now):
                    logger.warning(said)
                if now > deadline or trouble_of(error).lasting:
                    return None  # `/ready` reports it, and the watcher checks once Redis answers
            await asyncio.sleep(self.trouble.pause_s)
