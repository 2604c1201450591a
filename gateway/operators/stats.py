"""What /dashboard shows: once a second one row of this gateway's figures for the history and, while
somebody watches, one picture of the whole fleet, made once for all who watch.

Without a watcher a second costs what is in this process anyway and one round trip to Redis, which
tells the other gateways that this one lives.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from redis.exceptions import RedisError

from gateway.call.lifecycle import Reception
from gateway.edge.admission import alias
from gateway.operators.history import COLUMNS, History, Row
from gateway.operators.peers import Peers
from gateway.telemetry import metrics
from shared.audio import CHUNK_MS, FRAME_MS, SAMPLE_RATE_HZ
from shared.log.meta import Meta

logger = logging.getLogger(__name__)

EVERY_S: Final = 1.0
MAX_WATCHERS: Final = 16
MAX_SESSIONS_SHOWN: Final = 100  # of all gateways; a read of as many meta hashes a second
WORKER_FIELDS: Final = (
    "slots",
    "free",
    "engine",
    "step_ms",
    "step_p95_ms",
    "step_p99_ms",
    "takeovers",
)

Figures = dict[str, float | None]


class Stats:
    """One gateway's figures and who watches them."""

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self.history = History()
        self.peers = Peers()
        self.watchers = 0
        self._began_at = time.monotonic()
        self._beat = 0
        self._picture: dict[str, Any] = {}
        self._drawn = asyncio.Event()  # the next picture is there; each has an event of its own
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """A row and, for watchers, a picture a second, until stopped."""
        while not self._stopping.is_set():
            try:
                await self.tick()
            except Exception:  # the task's boundary: figures must not end with one odd status
                logger.exception("the figures cannot be read")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S)
        with suppress(RedisError, OSError):
            await self.reception.registry.remove_gateway(self.reception.name)

    def stop(self) -> None:
        """Let `run` and every watcher's stream end."""
        self._stopping.set()
        self._drawn.set()

    async def tick(self) -> None:
        """One second's work."""
        figures = self.figures()
        row = self.history.add(figures)
        await self._publish(figures)
        if self.watchers and not self._stopping.is_set():
            self._picture = await self.picture(row)
            drawn, self._drawn = self._drawn, asyncio.Event()
            drawn.set()

    def figures(self) -> Figures:
        """This second's figures by their names in COLUMNS; counts are totals."""
        collect(self.reception)
        now, fleet = time.monotonic(), self.reception.fleet
        live = [worker.status for worker in fleet.live(now).values()]
        found: Figures = {
            "at": round(time.time(), 1),  # for the chart's axis alone
            "callers": len(self.reception.exchange.sessions),
            "queue": fleet.queued,
            "slots": sum(_number(s, "slots") for s in live),
            "free": fleet.free(now),
            "step_ms": _mean([_number(s, "step_ms") for s in live]),
            "step_p99_ms": max((_number(s, "step_p99_ms") for s in live), default=None),
            "takeovers": sum(_number(s, "takeovers") for s in live),
            **metrics.totals(),
        }
        for name, recent in _RECENT.items():
            p50, p99 = recent.percentiles((0.5, 0.99), now) or (None, None)
            found[f"{name}_p50"], found[f"{name}_p99"] = _in_ms(p50), _in_ms(p99)
        return found

    async def picture(self, row: Row) -> dict[str, Any]:
        """The fleet as it is now. Without Redis only what this process knows."""
        now = time.monotonic()
        found = {
            "gateway": self.reception.name,
            "up_s": round(now - self._began_at),
            "row": row,
            "workers": workers(self.reception, now),
            "gateways": self.peers.live(now),
        }
        with suppress(RedisError, OSError):
            found |= await self._sessions()
        return found

    async def watch(self) -> AsyncIterator[str]:
        """The history, then a picture a second: JSON, one line each. Counts as a watcher."""
        with self._watching():
            yield _line({"columns": COLUMNS, "rows": self.history.rows()})
            while not self._stopping.is_set():
                # A watcher that is slow to take one misses those in between, and costs nothing.
                await self._drawn.wait()
                yield _line(self._picture)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    async def _publish(self, figures: Mapping[str, Any]) -> None:
        now = time.monotonic()
        self._beat += 1
        kept = ("callers", "answer_p50", "answer_p99", "late_p99", "underruns", "refusals")
        status = {"beat": self._beat, **{name: figures[name] for name in kept}}
        with suppress(RedisError, OSError):
            registry, name = self.reception.registry, self.reception.name
            shown = await registry.publish_gateway(name, status, self.peers.gone(now))
            self.peers.observe(shown, now)

    async def _sessions(self) -> dict[str, Any]:
        sids = await self.reception.registry.sessions()
        metas = await self.reception.log.metas(sids[:MAX_SESSIONS_SHOWN])
        return {
            "sessions_total": len(sids),
            "sessions": [session_line(meta) for meta in metas if meta],
        }


def collect(reception: Reception) -> None:
    """Add up what every playout has counted."""
    for session in reception.exchange.sessions:
        metrics.add_counts(session.take_counts())


def workers(reception: Reception, now: float) -> dict[str, Any]:
    """The live workers by their aliases."""
    return {
        alias(name): {key: worker.status.get(key) for key in WORKER_FIELDS}
        for name, worker in reception.fleet.live(now).items()
    }


def session_line(meta: Meta) -> dict[str, Any]:
    """Where a session stands, without anything of what was said."""
    epoch = meta.owner.split(":")[0]
    return {
        "session": meta.sid,
        "mode": meta.mode,
        "worker": alias(meta.worker) if meta.worker else None,
        "gateway": meta.conn.split(":")[1] if meta.conn.count(":") == 2 else None,
        "owners": int(epoch) if epoch.isdigit() else 0,  # workers that have had it
        "seconds": round(meta.samples / SAMPLE_RATE_HZ, 2),
        "unread_ms": CHUNK_MS * max(0, meta.n - meta.cursor),
        "ahead_ms": FRAME_MS * max(0, meta.f - meta.played),
        "reply": meta.generation,
        "played": meta.played,
        "frame": meta.f,
        "strikes": meta.strikes if meta.suspect else 0,
    }


_RECENT: Final = {"answer": metrics.answers, "append": metrics.appends, "late": metrics.late}


def _number(status: Mapping[str, Any], name: str) -> float:
    value = status.get(name)
    return value if isinstance(value, int | float) else 0


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None


def _in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1_000, 2)


def _line(body: object) -> str:
    return json.dumps(body, separators=(",", ":")) + "\n"
