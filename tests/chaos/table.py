"""The table that `make chaos` prints."""

from collections.abc import Sequence
from typing import Final

from tests.chaos.trial import Count

COLUMNS: Final = (
    *("fault", "repetitions", "frames", "lost", "doubled", "reordered", "foreign"),
    *("skipped", "told", "resume p50 ms", "p95", "max", "verdict"),
)


def row(count: Count, verdict: str) -> tuple[str, ...]:
    """One fault's line."""
    numbers = (count.trials, count.frames, count.lost, count.doubled, count.reordered)
    more = (count.foreign, count.skipped, count.told)
    times = [count.resume_ms(q) for q in (0.5, 0.95, 1.0)]
    told = ["-" if ms is None else f"{ms:.0f}" for ms in times]
    why = " ".join(sorted(set(count.reasons)))
    return (
        count.fault,
        *map(str, (*numbers, *more)),
        *told,
        f"{verdict} ({why})" if why else verdict,
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown, with aligned columns."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    texts = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])
