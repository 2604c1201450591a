"""The last ten minutes, one row of figures a second, so that a new page shows a past. Sans I/O."""

from collections import deque
from collections.abc import Mapping
from typing import Final

KEPT_S: Final = 600
# Counts are of that second, percentiles of the ten seconds before it, times in milliseconds.
COLUMNS: Final = (
    *("at", "callers", "queue", "slots", "free", "step_ms", "step_p99_ms"),
    *("answer_p50", "answer_p99", "append_p50", "append_p99", "late_p50", "late_p99"),
    *("sent", "underruns", "missing", "doubled", "refusals", "redis_errors", "takeovers"),
)
# Given as totals since the process started; a row holds what was added since the row before.
COUNTED: Final = (
    *("sent", "underruns", "missing", "doubled", "refusals", "redis_errors", "takeovers"),
)

Row = list[float | None]


class FigureHistory:
    """A ring of rows."""

    def __init__(self) -> None:
        self._rows: deque[Row] = deque(maxlen=KEPT_S)
        self._totals: dict[str, float] = {}

    def add(self, figures: Mapping[str, float | None]) -> Row:
        """Add a second's figures; returns its row. Raises KeyError when a column is missing."""
        row = [self._value(name, figures[name]) for name in COLUMNS]
        self._rows.append(row)
        return row

    def rows(self) -> list[Row]:
        """All rows, the oldest first."""
        return list(self._rows)

    def _value(self, name: str, value: float | None) -> float | None:
        if name not in COUNTED or value is None:
            return value
        before = self._totals.get(name, value)
        self._totals[name] = value
        return max(0, value - before)  # a total falls when a process that counted is gone
