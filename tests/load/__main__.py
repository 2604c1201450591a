"""Measure this machine and write docs/benchmarks.md and its plots.

`make bench` takes about a quarter of an hour, `make bench-full` three quarters. If a part fails,
the other parts still run, and its section stays as an earlier run wrote it. `--report` measures
nothing: it writes the sections again from docs/plots/bench.json.
"""

import argparse
import math
import signal
import sys
from pathlib import Path

from tests.load.parts import PARTS, PEER_PARTS, Bench


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--full", action="store_true", help="longer and finer")
    length.add_argument("--smoke", action="store_true", help="only try everything; bad figures")
    length.add_argument("--report", action="store_true", help="measure nothing, write the sections")
    parser.add_argument("--no-peers", action="store_true", help="measure antiphon alone")
    parser.add_argument("--into", type=Path, help="a folder for everything that the run writes")
    within = "seconds after which the part moshi begins no batch"
    parser.add_argument("--within-s", type=float, default=math.inf, help=within)
    options = parser.parse_args()
    # End the servers that we started when a signal ends us. A shell that starts us in the
    # background makes us ignore Ctrl-C, so SIGINT too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    peers = PEER_PARTS if options.no_peers else ()
    parts = [part for part in options.parts or PARTS if part not in peers]
    bench = Bench(options.into, full=options.full, smoke=options.smoke, within_s=options.within_s)
    try:
        failed = bench.report(parts) if options.report else bench.run(parts)
    except KeyboardInterrupt:
        sys.exit("stopped; the sections of the parts before this one are written")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; the other sections are written")


if __name__ == "__main__":
    main()
