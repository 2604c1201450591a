"""Declares the Prometheus series that gateways and workers share, and times a worker's stages.

Labels take few values: stages, answers and reasons, never a session or a worker.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from functools import cache
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.context_managers import Timer

# Seconds, from a Redis round trip on loopback (0.2 ms) to three leases.
_BUCKETS_S: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1.0, 3.0)

STAGE_SECONDS: Final = Histogram(
    "antiphon_stage_seconds",
    "Time of one pass through a stage of the worker's loop, in seconds: fetch, vad, replay, step, "
    "publish; turn is a whole pass of the loop. Inside step, ENGINE=cascade also times each call "
    "of hear, choose, read, think and speak",
    ["stage"],
    buckets=_BUCKETS_S,
)
RECEIPTS: Final = Counter(
    "antiphon_receipts_total",
    "Answers of the log's scripts to writes, in sessions written: a script is append or commit",
    ["script", "answer"],
)
SESSIONS: Final = Gauge("antiphon_sessions", "Sessions that this process holds now")
TAKEOVERS: Final = Counter(
    "antiphon_takeovers_total", "Sessions that this worker took over from a dead one"
)
SESSIONS_ENDED: Final = Counter(
    "antiphon_sessions_ended_total", "Sessions that this worker let go, by reason", ["reason"]
)
SESSIONS_ENDED.labels("poisoned")  # a series that begins with its first event shows no increase
REDIS_ERRORS: Final = Counter(
    "antiphon_redis_errors_total", "Round trips to Redis, or answers in them, that failed"
)
HEALED_SAMPLES: Final = Counter(
    "antiphon_healed_samples_total",
    "Samples of 24 kHz output that were NaN or infinite and left as silence",
)
TASKS: Final = Gauge("antiphon_asyncio_tasks", "asyncio tasks in this process's event loop now")


@cache
def _stage(name: str) -> Histogram:
    """A stage's own series: the lookup of a label takes longer than the observation."""
    return STAGE_SECONDS.labels(name)


def count_receipts(script: str, answers: Iterable[str]) -> None:
    """Count a pipeline's answers, with one label lookup for each kind of answer."""
    for answer, count in Tally(answers).items():
        RECEIPTS.labels(script, answer).inc(count)


def timed(stage: str) -> Timer:
    """Time a block, or each call of a function, as one pass through a stage."""
    return _stage(stage).time()
