"""What this gateway counts, for /metrics and /api/stats."""

import time
from typing import Final

from prometheus_client import Counter, Histogram

from gateway.call.playout import Counts
from gateway.protocol.errors import ErrorCode
from gateway.telemetry.histogram import BatchHistogram
from shared import telemetry
from shared.recent import Recent

REFUSALS: Final = Counter("antiphon_gateway_refusals", "Sockets ended with an error", ["code"])
for _code in ErrorCode:  # a series that begins with its first event shows no increase
    REFUSALS.labels(_code)
OUTCOMES: Final = Counter(
    "antiphon_gateway_starts", "Sessions started or resumed, by outcome", ["outcome"]
)
FRAMES: Final = Counter("antiphon_gateway_frames", "Frames sent")
UNDERRUNS: Final = Counter(
    "antiphon_gateway_underruns", "Times the playhead overtook an unfinished reply"
)
MISSING: Final = Counter(
    "antiphon_gateway_missing_frames", "Frames that the log lacks without a skip record"
)
DOUBLED: Final = Counter(
    "antiphon_gateway_doubled_frames", "Frames that came twice and were dropped"
)
TICK: Final = Histogram(
    "antiphon_gateway_tick_seconds",
    "One tick: appends and reads for all sessions",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0),
)
LATENESS: Final = BatchHistogram(
    "antiphon_gateway_lateness_seconds",
    "How late a frame left that was available in time",
    (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)

ANSWER: Final = Histogram(
    "antiphon_gateway_answer_seconds",
    "From the arrival of the audio that ended a turn to the first frame of its reply",
    buckets=(0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32, 0.5, 1.0, 2.0),
)

late, appends, answers = Recent(), Recent(), Recent()
_PAIRS: Final = (
    ("sent", FRAMES),
    ("underruns", UNDERRUNS),
    ("missing", MISSING),
    ("doubled", DOUBLED),
)


def add_counts(counts: Counts) -> None:
    """Add what one playout has counted."""
    for name, counter in _PAIRS:
        counter.inc(getattr(counts, name))
    LATENESS.add(counts.late_s)
    late.add(counts.late_s, time.monotonic())


def add_reply_time(seconds: float, now: float) -> None:
    """A reply's first frame left so long after the end of the caller's turn."""
    ANSWER.observe(seconds)
    answers.add((seconds,), now)


def totals() -> dict[str, int]:
    """Counts since the process started."""
    found = {name: _total(counter) for name, counter in _PAIRS}
    errors = _total(telemetry.REDIS_ERRORS)
    return {**found, "refusals": _total(REFUSALS), "redis_errors": errors}


def _total(counter: Counter) -> int:
    """A counter's sum over its labels."""
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
