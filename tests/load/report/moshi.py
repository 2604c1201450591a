"""The section on ENGINE=moshi."""

from collections.abc import Iterator

from tests.load.document import table
from tests.load.moshi import LIMIT_MS, MoshiResult, calls_in_time

HOW = """\
`ENGINE=moshi` with all calls near the end of their contexts, which is the worst case. A step reads
at least all weights once, and every call's keys and values. *Memory* is the share of the bandwidth
of large copies that these bytes need. Seats are computed from sizes, with 3 GiB left for the step.
"""
TINY = """\
**This run had no GPU, and no figures of a GPU exist yet.** It stepped the tests' tiny checkpoint on
a CPU, in CPU time. Its times show that the bench works and say nothing about Moshi 7B. On a machine
with one GPU, `tests/gpu/moshi.sh` writes this section three times, with the weights in bfloat16,
fp8 and int8. It fills a model of Moshi's size with random weights, so it needs no download, and
takes 9 minutes at most. Before that it compares the GPU's codes with the CPU's.
"""
READING = """\
After a death several pasts wait. The temporal transformer takes this long for a thousand positions
of them, one call at a time or several. On a CPU it has two layers of width 1,024.
"""


def moshi(result: MoshiResult, where: str) -> str:
    """The section, of a run that may have been cut short."""
    rows = [
        (step.batch, step.step_ms, step.p99_ms, f"{100 * step.memory_share:.0f} %")
        for step in result.steps
    ]
    seats = [(card, *found) for card, found in result.seats.items()]
    return "\n\n".join(
        [
            f"## Moshi\n\n{HOW.strip()}\n\n{where} {result.on}.",
            TINY.strip() if "tiny" in result.on else "",
            table(("calls", "ms a step", "p99", "memory"), rows),
            " ".join(_sentences(result)),
            *(_reading(result) if result.reading else ["Several pasts at once: not measured."]),
            table(("memory", "seats, bfloat16", "seats, eight bits"), seats),
        ]
    )


def _sentences(result: MoshiResult) -> Iterator[str]:
    yield (
        f"Calls with a p99 below {LIMIT_MS:.0f} ms: **{calls_in_time(result.steps)}** of "
        f"{result.seats_here} seats here."
    )
    if result.past_steps:
        yield (
            f"A past of {result.past_steps} steps is read again in {result.past_ms:.0f} ms, the "
            f"longest piece {result.piece_ms:.0f} ms; a context moves in {result.move_ms:.0f} ms."
        )
    if result.retold is not None:
        share = 100 * result.retold
        yield f"After a takeover {share:.1f} % of the next step's tokens are the same."


def _reading(result: MoshiResult) -> list[str]:
    columns = ("calls at once", "positions of each", "ms for 1,000 positions")
    rows = [(one.rows, one.positions, one.per_1000_ms) for one in result.reading]
    return [READING.strip(), table(columns, rows)]
