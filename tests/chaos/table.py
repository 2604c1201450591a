"""Format the table that `make chaos` prints."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.chaos.faults import Fault
from tests.chaos.trial import Count

COLUMNS: Final = (
    *("fault", "repetitions", "calls", "frames", "lost", "doubled", "reordered", "foreign"),
    *("skipped", "ended", "resume p50 ms", "p95", "max", "limit", "verdict"),
)
BEGIN: Final = "<!-- faults: written by `make chaos` -->"
END: Final = "<!-- end of faults -->"


def row(count: Count, fault: Fault, verdict: str) -> tuple[str, ...]:
    """The line of one fault."""
    numbers = (count.trials, count.calls, count.frames, count.lost, count.doubled, count.reordered)
    more = (count.foreign, count.skipped, count.ended)
    times = [count.resume_ms(q) for q in (0.5, 0.95, 1.0)]
    resumes = ["-" if ms is None else f"{ms:.0f}" for ms in times]
    limit = f"p95 {1_000 * fault.resume_p95_s:.0f}" if fault.resume_p95_s else "-"
    cells = (*map(str, (*numbers, *more)), *resumes, limit)
    return (count.fault, *cells, _explained(count, fault, verdict))


def skipped(name: str, why: str) -> tuple[str, ...]:
    """The line of a fault that this machine cannot run."""
    return (name, "0", *["-"] * (len(COLUMNS) - 3), f"not run: {why}")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown with aligned columns."""
    lines = [COLUMNS, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    texts = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def write(path: Path, text: str) -> None:
    """Put the text between the marks of a Markdown file, or at its end."""
    before = path.read_text() if path.exists() else ""
    block = f"{BEGIN}\n{text}\n{END}"
    if BEGIN in before:
        after = re.sub(f"{BEGIN}.*?{END}", lambda _: block, before, flags=re.DOTALL)
    else:
        after = f"{before.rstrip()}\n\n{block}\n".lstrip()
    path.write_text(after)


def _explained(count: Count, fault: Fault, verdict: str) -> str:
    """The verdict, the injection's own measures with their limits, and why calls ended."""
    measured = [
        f"{name} {count.worst(name):.3g} (at most {limit:g})"
        for name, limit in fault.limits.items()
    ]
    reasons = [f"{count.reasons.count(reason)} {reason}" for reason in set(count.reasons)]
    return ", ".join([verdict, *(measured if count.measures else []), *sorted(reasons)])
