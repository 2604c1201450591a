"""Write the generated sections of docs/benchmarks.md, each between its markers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

TITLE: Final = (
    "# Benchmarks\n\n"
    "All figures are measured. Each section names its machine and its command; the command also\n"
    "writes the section between its markers: run it on your own machine.\n"
)


def put(path: Path, name: str, text: str) -> None:
    """Write the section of this name in its place, or at the end of the file."""
    old = path.read_text() if path.exists() else TITLE
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    found = place.search(old)
    if found is None:
        new = f"{old.rstrip()}\n\n{section}\n"
    else:
        new = old[: found.start()] + section + old[found.end() :]
    path.write_text(new)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats get three significant digits."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def times(value: float) -> str:
    """A ratio as N.NNx; NaN is a dash."""
    return "-" if value != value else f"{value:.2f}x"


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value or value in (float("inf"), float("-inf")):
        return "-"
    return (
        f"{value:.0f}"
        if abs(value) >= 100
        else f"{value:.1f}"
        if abs(value) >= 10
        else f"{value:.2f}"
    )
