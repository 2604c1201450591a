"""`python -m tests.chaos`: faults against real processes, one table, and a verdict as exit status.

Needs no network and no GPU: the echo engine is the oracle, and every frame is told from all others.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.chaos.faults import ABLATED_BY, FAULTS
from tests.chaos.table import row, skipped, table, write
from tests.chaos.trial import CALLERS, Count, repeated


def main() -> None:
    """Read the command line, run, print."""
    wish = _wish()
    begun = time.monotonic()
    rows, good = [], True
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(wish.jobs, context) as pool:
        jobs = [(name, "") for name in wish.faults]
        jobs += [(name, what) for what, name in ABLATED_BY.items()] if wish.ablations else []
        asked = [
            (*job, pool.submit(repeated, *job, wish.repetitions, wish.seed, wish.callers))
            for job in jobs
        ]
        for name, ablation, answer in asked:
            line, fine = _judged(name, ablation, answer.result(), times=wish.times)
            good &= fine
            rows.append(line)
            _say(" | ".join(line))
    took_min = (time.monotonic() - begun) / 60
    words = f"Seed {wish.seed}, {wish.callers} callers a trial, {wish.jobs} faults at a time"
    text = f"{words}, {os.cpu_count()} cores, {took_min:.0f} minutes.\n\n{table(rows)}"
    _say("\n" + text)
    if wish.markdown:
        write(wish.markdown, text)
    sys.exit(0 if good else 1)


def _wish() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    every = ", ".join(FAULTS)
    parser.add_argument("--faults", type=_names, default=list(FAULTS), help=f"of {every}")
    parser.add_argument("--repetitions", type=int, default=1, help="trials of each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--jobs", type=int, default=1, help="faults at a time, each with its own")
    parser.add_argument("--markdown", type=Path, help="put the table into this file")
    how = argparse.BooleanOptionalAction
    parser.add_argument("--times", action=how, default=True, help="judge times as well as counts")
    parser.add_argument("--ablations", action=how, default=True)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if unknown := set(names) - set(FAULTS):
        raise argparse.ArgumentTypeError(
            f"Expected faults of {', '.join(FAULTS)}, got {', '.join(sorted(unknown))}"
        )
    return names


def _judged(
    name: str, ablation: str, found: Count | str, *, times: bool
) -> tuple[Sequence[str], bool]:
    """A line of the table, and whether it is as it must be."""
    if isinstance(found, str):
        return skipped(name, found), True
    rule = FAULTS[name]
    wrong = found.wrong(rule, times=times and not ablation)
    if not ablation:
        return row(found, rule, "WRONG: " + ", ".join(wrong) if wrong else "ok"), not wrong
    found.fault = f"{name} without {ablation}"
    verdict = f"seen: {', '.join(wrong)}" if wrong else "WRONG: not seen"
    return row(found, rule, verdict), bool(wrong)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
