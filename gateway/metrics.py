"""What this gateway counts, for /metrics and /api/stats."""

from collections import deque
from typing import Final

import numpy as np
from prometheus_client import Counter, Histogram

from gateway.playout import Counts, Playout
from gateway.tally import Tally

REFUSALS: Final = Counter("antiphon_gateway_refusals", "Sockets ended with an error", ["code"])
OUTCOMES: Final = Counter("antiphon_gateway_starts", "Sessions begun, by outcome", ["outcome"])
FRAMES: Final = Counter("antiphon_gateway_frames", "Frames sent")
UNDERRUNS: Final = Counter("antiphon_gateway_underruns", "Times that an open reply ran dry")
MISSING: Final = Counter("antiphon_gateway_missing_frames", "Frames that the log lacked unsaid")
DOUBLED: Final = Counter("antiphon_gateway_doubled_frames", "Frames that came twice")
TICK: Final = Histogram(
    "antiphon_gateway_tick_seconds",
    "One exchange with Redis for all sessions",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0),
)
LATENESS: Final = Tally(
    "antiphon_gateway_lateness_seconds",
    "How late a frame left that was there in time",
    (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)

_recent_late_s: deque[float] = deque(maxlen=4_096)
_PAIRS: Final = (
    ("sent", FRAMES),
    ("underruns", UNDERRUNS),
    ("missing", MISSING),
    ("doubled", DOUBLED),
)


def absorb(playout: Playout) -> None:
    """Add what a playout has counted since the last time."""
    for name, counter in _PAIRS:
        counter.inc(getattr(playout.counts, name))
    playout.counts = Counts()
    LATENESS.add(playout.late_s)
    _recent_late_s.extend(playout.late_s)
    playout.late_s.clear()


def lateness_ms() -> dict[str, float | None]:
    """Median and 99th percentile of the last few thousand frames; None before the first."""
    if not _recent_late_s:
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(np.array(_recent_late_s) * 1_000, (50, 99))
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}


def totals() -> dict[str, int]:
    """Counts since the process began."""
    found = {name: _total(counter) for name, counter in _PAIRS}
    return {**found, "refusals": _total(REFUSALS)}


def _total(counter: Counter) -> int:
    """A counter's sum over its labels."""
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))
