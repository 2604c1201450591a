"""`python -m tests.load`: measure this machine, write BENCHMARKS.md and its plots.

`make bench` takes some minutes, `make bench-full` about an hour.
"""

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import torch

from tests.load import conversation, engine, plots, report, transport
from tests.load.cores import Cores, describe
from tests.load.document import put
from tests.load.roof import Roof
from tests.load.servers import ROOT

PARTS: Final = ("transport", "engine", "conversation")
PAPER: Final = ROOT / "BENCHMARKS.md"
PLOTS: Final = ROOT / "docs" / "plots"
MODEL: Final = ROOT / "workers" / "weights" / "tiny"
BATCHES: Final = (1, 4, 16, 32)
BATCHES_FULL: Final = (1, 2, 4, 8, 16, 32, 48, 64)
BATCHES_GPU: Final = (1, 4, 16, 64, 256, 1_024, 2_048)
CALLERS: Final = (1, 4, 8, 16)


def where(command: str) -> str:
    """The machine, the day, how busy it was before we began."""
    day = datetime.now(UTC).date().isoformat()
    busy = os.getloadavg()[0]
    return (
        f"{describe()}; Python {platform.python_version()}; `{command}`, {day}; "
        f"load average before the run {busy:.1f}."
    )


def run_transport(wish: argparse.Namespace, place: str) -> None:
    """The whole path with the echo engine, and its peers."""
    plan = transport.FULL if wish.full else transport.SHORT
    found = transport.measure(plan, Cores.of_machine(), peers=not wish.no_peers)
    plots.transport(found, PLOTS / "transport.svg")
    put(PAPER, "transport", report.transport(found, place))


def run_engine(wish: argparse.Namespace, place: str) -> None:
    """The hybrid engine by batch and stage."""
    torch.set_num_threads(1)
    cuda = torch.cuda.is_available()
    batches = BATCHES_GPU if cuda else BATCHES_FULL if wish.full else BATCHES
    device, dtype = ("cuda", "bfloat16") if cuda else ("cpu", "float32")
    if not cuda:
        os.sched_setaffinity(0, {Cores.of_machine().server})
    paces = engine.measure(MODEL, batches, device, dtype)
    text = report.engine(paces, engine.vad_us(), f"{place} {device}, {dtype}.")
    if cuda:
        text += "\n\n" + report.roof(paces, engine.model(MODEL), Roof.measure(device))
    plots.engine(paces, PLOTS / "engine.svg")
    put(PAPER, "engine", text)


def run_conversation(wish: argparse.Namespace, place: str) -> None:
    """Spoken questions."""
    found = conversation.measure(CALLERS, 4 if wish.full else 1, Cores.of_machine())
    put(PAPER, "conversation", report.conversation(found, place))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--full", action="store_true", help="longer and finer")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    wish = parser.parse_args()
    place = where("make bench-full" if wish.full else "make bench")
    allowed = os.sched_getaffinity(0)
    runs = {"transport": run_transport, "engine": run_engine, "conversation": run_conversation}
    for part in wish.parts or PARTS:
        sys.stdout.write(f"{part} ...\n")
        runs[part](wish, place)
        os.sched_setaffinity(0, allowed)
    sys.stdout.write(f"wrote {PAPER.relative_to(Path.cwd())}\n")


if __name__ == "__main__":
    main()
