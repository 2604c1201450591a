"""Inject faults into real processes, print one table, and exit with a verdict: `make chaos`.

It needs no network and no GPU. The echo engine returns every frame, and no two frames are alike, so
each frame that a caller receives identifies itself. With `--engine moshi` a tiny Moshi talks, and
every frame and code is compared with those of a call that never died.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from tests.chaos.faults import ABLATED_BY, FAULTS
from tests.chaos.table import row, skipped, table, write
from tests.chaos.trial import CALLERS, Count, repeated

HOW: Final = ("repetitions", "seed", "callers", "engine")  # options that a trial needs


def main() -> None:
    """Read the command line, run the trials, print the table."""
    options = _options()
    begun = time.monotonic()
    rows, good = [], True
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, context) as pool:
        jobs = [(name, "") for name in options.faults]
        jobs += [(name, what) for what, name in ABLATED_BY.items()] if options.ablations else []
        running = [
            (*job, pool.submit(repeated, *job, *(vars(options)[name] for name in HOW)))
            for job in jobs
        ]
        for name, ablation, result in running:
            line, passed = _judge(name, ablation, result.result(), times=options.times)
            good &= passed
            rows.append(line)
            _print(" | ".join(line))
    took_min = (time.monotonic() - begun) / 60
    head = (
        f"Engine {options.engine}, seed {options.seed}, {options.callers} callers a trial, "
        f"{options.jobs} faults at a time"
    )
    text = f"{head}, {os.cpu_count()} cores, {took_min:.0f} minutes.\n\n{table(rows)}"
    _print("\n" + text)
    if options.markdown:
        write(options.markdown, text)
    sys.exit(0 if good else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    every = ", ".join(FAULTS)
    parser.add_argument("--faults", type=_names, default=list(FAULTS), help=f"of {every}")
    parser.add_argument("--repetitions", type=int, default=1, help="trials of each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument("--engine", choices=("echo", "moshi"), default="echo")
    parser.add_argument("--jobs", type=int, default=1, help="faults at a time, each on its own")
    parser.add_argument("--markdown", type=Path, help="write the table into this file")
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


def _judge(
    name: str, ablation: str, result: Count | str, *, times: bool
) -> tuple[Sequence[str], bool]:
    """The line of the table, and whether the fault passed."""
    if isinstance(result, str):
        return skipped(name, result), True
    fault = FAULTS[name]
    broken = result.broken_promises(fault, times=times and not ablation)
    if not ablation:
        return row(result, fault, "WRONG: " + ", ".join(broken) if broken else "ok"), not broken
    result.fault = f"{name} without {ablation}"
    verdict = f"seen: {', '.join(broken)}" if broken else "WRONG: not seen"
    return row(result, fault, verdict), bool(broken)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
