"""`python -m tests.chaos`: faults against real processes, one table, and a verdict as exit status.

Needs no network and no GPU: the echo engine is the oracle, and every frame is told from all others.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.cluster import Cluster
from tests.chaos.faults import ABLATED_BY, FAULTS
from tests.chaos.table import row, table
from tests.chaos.trial import CALLERS, Count, run_trial


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)}; none: all of them")
    parser.add_argument("--repeat", type=int, default=1, help="trials of each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--no-times", action="store_true", help="judge counts only: a busy machine")
    parser.add_argument("--no-ablations", action="store_true")
    wish = parser.parse_args()
    if unknown := set(wish.faults) - set(FAULTS):
        parser.error(f"Expected faults of {', '.join(FAULTS)}, got {', '.join(sorted(unknown))}")
    rows, good = [], True
    for name in wish.faults or FAULTS:
        count = asyncio.run(_repeated(name, wish.repeat, wish.seed, wish.callers))
        wrong = count.wrong(FAULTS[name], times=not wish.no_times)
        good &= not wrong
        rows.append(row(count, ", ".join(wrong) or "ok"))
        _say(" | ".join(rows[-1]))
    for ablation, name in {} if wish.no_ablations else ABLATED_BY.items():
        count = asyncio.run(_repeated(name, 1, wish.seed, wish.callers, ablation))
        wrong = count.wrong(FAULTS[name], times=False)
        good &= bool(wrong)
        count.fault = f"{name} without {ablation}"
        rows.append(row(count, f"seen: {', '.join(wrong)}" if wrong else "NOT SEEN"))
        _say(" | ".join(rows[-1]))
    _say("\n" + table(rows))
    sys.exit(0 if good else 1)


async def _repeated(name: str, repeat: int, seed: int, callers: int, ablation: str = "") -> Count:
    total = Count(name)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        cluster = await asyncio.to_thread(
            lambda: Cluster(
                Path(folder),
                slots=max(32, 2 * callers),
                ablation=ablation,
                mortal=FAULTS[name].mortal,
            )
        )
        try:
            for trial in range(repeat):
                total.add(await run_trial(cluster, name, seed + trial, callers=callers))
        finally:
            await asyncio.to_thread(cluster.close)
    return total


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
