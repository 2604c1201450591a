"""`python -m client.talk question.wav`: speaks a recording to a running server, saves the reply."""

import os
import signal
import sys
from types import FrameType

from client.interruptions import heeded_signals


def main() -> None:
    """Load the client and run it. A signal during the second of loading gets a message too."""
    for number in heeded_signals():
        signal.signal(number, _interrupted)
    from client.command_line import run

    run()


def _interrupted(number: int, _: FrameType | None) -> None:
    sys.stderr.write(f"talk: Interrupted by {signal.Signals(number).name} before the call\n")
    sys.stderr.flush()
    os._exit(128 + number)


if __name__ == "__main__":
    main()
