"""The figures of /dashboard and /api/stats.

Once a second this makes one row of the gateway's figures for the history. While the dashboard has
viewers it also makes one snapshot of the whole fleet, which all viewers share. Without viewers a
second costs one round trip to Redis, which tells the other gateways that this one is alive.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from redis.exceptions import RedisError

from gateway.call.connected_sessions import ConnectedSessions
from gateway.edge.fleet import Fleet, public_name
from gateway.operators.history import COLUMNS, FigureHistory, Row
from gateway.operators.peers import Peers
from gateway.telemetry import metrics
from shared.audio import CHUNK_MS, FRAME_MS, SAMPLE_RATE_HZ
from shared.log import formats
from shared.log.meta import Meta
from shared.log.registry import Registry
from shared.log.session_log import SessionLog

logger = logging.getLogger(__name__)

EVERY_S: Final = 1.0
MAX_VIEWERS: Final = 16
MAX_SESSIONS_SHOWN: Final = 100  # of all gateways; a second reads as many meta hashes
WORKER_FIELDS: Final = (
    "slots",
    "free",
    "engine",
    "step_ms",
    "step_p95_ms",
    "step_p99_ms",
    "takeovers",
)
PUBLISHED: Final = ("callers", "answer_p50", "answer_p99", "late_p99", "underruns", "refusals")

Figures = dict[str, float | None]


class Stats:
    """One gateway's figures, and the viewers of its dashboard. `gateway`: its name."""

    def __init__(
        self,
        gateway: str,
        fleet: Fleet,
        sessions: ConnectedSessions,
        registry: Registry,
        log: SessionLog,
    ) -> None:
        self.history = FigureHistory()
        self.viewers = 0
        self._gateway = gateway
        self._fleet = fleet
        self._sessions = sessions
        self._registry = registry
        self._log = log
        self._peers = Peers()
        self._started_at = time.monotonic()
        self._beat = 0
        self._snapshot: dict[str, Any] = {}
        self._next_snapshot = asyncio.Event()  # each snapshot has an event of its own
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Make a row and, for viewers, a snapshot a second, until stopped."""
        while not self._stopping.is_set():
            try:
                await self.tick()
            except Exception:  # one odd status must not end the figures
                logger.exception("the figures cannot be read")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S)
        with suppress(RedisError, OSError):
            await self._registry.remove_gateway(self._gateway)

    def stop(self) -> None:
        """Let `run` and every viewer's stream end."""
        self._stopping.set()
        self._next_snapshot.set()

    async def tick(self) -> None:
        """Do one second's work."""
        figures = self.figures()
        row = self.history.add(figures)
        await self._publish(figures)
        if self.viewers and not self._stopping.is_set():
            self._snapshot = await self.snapshot(row)
            made, self._next_snapshot = self._next_snapshot, asyncio.Event()
            made.set()

    def figures(self) -> Figures:
        """This second's figures by their names in COLUMNS; counts are totals."""
        self._sessions.collect_counts()
        now = time.monotonic()
        live = [worker.status for worker in self._fleet.live(now).values()]
        found: Figures = {
            "at": round(time.time(), 1),  # for the chart's axis only
            "callers": len(self._sessions),
            "queue": self._fleet.queued,
            "slots": sum(_number(s, "slots") for s in live),
            "free": self._fleet.free(now),
            "step_ms": _mean([_number(s, "step_ms") for s in live]),
            "step_p99_ms": max((_number(s, "step_p99_ms") for s in live), default=None),
            "takeovers": sum(_number(s, "takeovers") for s in live),
            **metrics.totals(),
        }
        for name, recent in _RECENT.items():
            p50, p99 = recent.percentiles((0.5, 0.99), now) or (None, None)
            found[f"{name}_p50"], found[f"{name}_p99"] = _in_ms(p50), _in_ms(p99)
        return found

    def workers(self) -> dict[str, Any]:
        """The live workers by their public names."""
        return {
            public_name(name): {key: worker.status.get(key) for key in WORKER_FIELDS}
            for name, worker in self._fleet.live(time.monotonic()).items()
        }

    async def snapshot(self, row: Row) -> dict[str, Any]:
        """The fleet now. Without Redis it holds only what this process knows."""
        now = time.monotonic()
        found = {
            "gateway": self._gateway,
            "up_s": round(now - self._started_at),
            "row": row,
            "workers": self.workers(),
            "gateways": self._peers.live(now),
        }
        with suppress(RedisError, OSError):
            found |= await self._session_lines()
        return found

    async def watch(self) -> AsyncIterator[str]:
        """For one viewer: the history, then a snapshot a second, each as one line of JSON."""
        with self._viewing():
            yield _line({"columns": COLUMNS, "rows": self.history.rows()})
            while not self._stopping.is_set():
                # A slow viewer misses snapshots and delays no other viewer.
                await self._next_snapshot.wait()
                yield _line(self._snapshot)

    @contextmanager
    def _viewing(self) -> Iterator[None]:
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    async def _publish(self, figures: Mapping[str, Any]) -> None:
        now = time.monotonic()
        self._beat += 1
        status = {
            "beat": self._beat,
            "reads": formats.READS,
            **{name: figures[name] for name in PUBLISHED},
        }
        with suppress(RedisError, OSError):
            gone = self._peers.gone(now)
            shown = await self._registry.publish_gateway(self._gateway, status, gone)
            self._peers.observe(shown, now)

    async def _session_lines(self) -> dict[str, Any]:
        sids = await self._registry.sessions()
        metas = await self._log.metas(sids[:MAX_SESSIONS_SHOWN])
        return {
            "sessions_total": len(sids),
            "sessions": [session_line(meta) for meta in metas if meta],
        }


def session_line(meta: Meta) -> dict[str, Any]:
    """Where a session is, without anything that was said in it."""
    epoch = meta.owner.split(":")[0]
    return {
        "session": meta.sid,
        "mode": meta.mode,
        "worker": public_name(meta.worker) if meta.worker else None,
        "gateway": meta.conn.split(":")[1] if meta.conn.count(":") == 2 else None,
        "owners": int(epoch) if epoch.isdigit() else 0,  # how many workers have had it
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
