"""The HTTP routes for operators: figures, a stream of them, one session's timeline."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from gateway.edge.root_path import redirect
from gateway.operators.access import FigureAccess
from gateway.operators.stats import MAX_VIEWERS, Stats, session_line
from shared.errors import SchemaError
from shared.log.keys import SESSION_ID
from shared.log.timeline import read_timeline

AFTER: Final = re.compile(r"\d{1,15},\d{1,15},\d{1,15}")
FORBIDDEN: Final = (
    "Expected a request from this machine, or 'Authorization: Bearer' with the gateway's "
    "GATEWAY_STATS_TOKEN"
)
Answer = Callable[[Request], Awaitable[Response]]


class OperatorRoutes:
    """The operators' routes of one gateway; `draining`: whether it shuts down."""

    def __init__(
        self, access: FigureAccess, stats: Stats, redis: Redis, draining: Callable[[], bool]
    ) -> None:
        self._access = access
        self._stats = stats
        self._redis = redis
        self._draining = draining

    def routes(self) -> list[BaseRoute]:
        """All routes. The dashboard's page holds no figures, so it needs no guard."""
        return [
            Route("/dashboard", redirect("web/dashboard.html")),
            Route("/api/stats", self._guarded(self.figures)),
            Route("/api/stats/stream", self._guarded(self.stream)),
            Route("/api/sessions/{session}", self._guarded(self.timeline)),
        ]

    async def figures(self, _: Request) -> Response:
        """The present figures of this gateway and its workers."""
        figures = self._stats.figures()
        pairs = ("answer", "append", "late")
        found: dict[str, Any] = {
            "sessions": figures["callers"],
            "draining": self._draining(),
            "workers": self._stats.workers(),
            **{n: figures[n] for n in ("free", "queue", "takeovers", "refusals", "redis_errors")},
            **{n: figures[n] for n in ("sent", "underruns", "missing", "doubled")},
            **{f"{n}_ms": {p: figures[f"{n}_{p}"] for p in ("p50", "p99")} for n in pairs},
        }
        return JSONResponse({**found, "lateness_ms": found.pop("late_ms")})

    async def stream(self, _: Request) -> Response:
        """The last ten minutes, then one line of JSON a second."""
        if self._stats.viewers >= MAX_VIEWERS:
            message = f"Expected at most {MAX_VIEWERS} viewers, got one more: close another page"
            return JSONResponse({"error": message}, 503)
        headers = {"X-Accel-Buffering": "no"}  # a proxy must not hold lines back
        return StreamingResponse(
            self._stats.watch(), headers=headers, media_type="application/jsonl"
        )

    async def timeline(self, request: Request) -> Response:
        """One session's newest records. `after`: the last records that the client has."""
        sid, after = request.path_params["session"], request.query_params.get("after", "0,0,0")
        if not SESSION_ID.fullmatch(sid) or not AFTER.fullmatch(after):
            return JSONResponse({"error": "Expected a session's id, and after=n,k,m"}, 400)
        numbers = [int(part) for part in after.split(",")]
        try:
            found = await read_timeline(self._redis, sid, numbers)
        except (RedisError, OSError, SchemaError):
            return JSONResponse({"error": "The session's log cannot be read now"}, 503)
        if found is None:
            return JSONResponse({"error": "The session is over"}, 404)
        meta, records = found
        return JSONResponse({**session_line(meta), **records})

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: Request) -> Response:
            client = request.client.host if request.client else None
            if not self._access.allows(client, request.headers):
                return JSONResponse({"error": FORBIDDEN}, 401, {"WWW-Authenticate": "Bearer"})
            return await answer(request)

        return guarded
