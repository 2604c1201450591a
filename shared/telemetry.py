"""The series that every process exports to Prometheus, and how a stage is timed.

Labels are bounded: stages, answers and reasons only, never a session or a worker.
"""

import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# From a Redis round trip on loopback (0.2 ms) up to a lease (1 s).
_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0, 3.0)

STAGE_SECONDS: Final = Histogram(
    "antiphon_stage_seconds",
    "Time a stage of a worker took: fetch, vad, replay, step, publish; turn: all of them",
    ["stage"],
    buckets=_BUCKETS,
)
RECEIPTS: Final = Counter(
    "antiphon_receipts_total", "Answers of the log's scripts to writes", ["script", "answer"]
)
SESSIONS: Final = Gauge("antiphon_sessions", "Sessions that this process holds")
TAKEOVERS: Final = Counter("antiphon_takeovers_total", "Sessions taken over from a dead worker")
SESSIONS_ENDED: Final = Counter("antiphon_sessions_ended_total", "Sessions that ended", ["reason"])
REDIS_ERRORS: Final = Counter("antiphon_redis_errors_total", "Round trips to Redis that failed")
HEALED_SAMPLES: Final = Counter(
    "antiphon_healed_samples_total", "NaN or infinite samples that became silence"
)
TASKS: Final = Gauge("antiphon_asyncio_tasks", "Tasks of this process's event loop")


@cache
def _stage(name: str) -> Histogram:
    """A stage's own series: looking its label up takes longer than counting."""
    return STAGE_SECONDS.labels(name)


def count_receipts(script: str, answers: Iterable[str]) -> None:
    """A pipeline's answers: a label is looked up once for all that are alike."""
    for answer, count in Tally(answers).items():
        RECEIPTS.labels(script, answer).inc(count)


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Time the block as one pass of a stage."""
    start = time.perf_counter()
    try:
        yield
    finally:
        _stage(stage).observe(time.perf_counter() - start)
