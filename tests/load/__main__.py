"""`python -m tests.load`: measure this machine, write docs/benchmarks.md and its plots.

`make bench` takes some ten minutes, `make bench-full` about half an hour. A part that fails is
reported at the end, and loses neither the others nor what an earlier run wrote of it.
"""

import argparse
import signal
import sys
from pathlib import Path

from tests.load.parts import PARTS, Bench


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--full", action="store_true", help="longer and finer")
    length.add_argument("--smoke", action="store_true", help="does all of it work? No good figures")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--into", type=Path, help="a folder for everything that is written")
    wish = parser.parse_args()
    # However we are ended, the servers that we started are ended with us. A shell that starts us
    # in the background has Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = [part for part in wish.parts or PARTS if not (wish.no_peers and part == "peers")]
    bench = Bench(wish.into, full=wish.full, smoke=wish.smoke)
    try:
        failed = bench.run(chosen)
    except KeyboardInterrupt:
        sys.exit("stopped; what the parts before this one found is written")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; the rest is written")


if __name__ == "__main__":
    main()
