"""Runs the command line of `python -m client.talk`: one call, then one JSON line or an error."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from client.failure import CallFailed
from client.interruptions import heeded_signals

DESCRIPTION: Final = "Speaks a recording to a running server and saves the reply."


class Interrupted(Exception):
    """A signal ended the call. `status`: how the process should exit."""

    def __init__(self, caught: signal.Signals, what_was_heard: str) -> None:
        super().__init__(f"Interrupted by {caught.name}: hung up; {what_was_heard}")
        self.status = 128 + caught


async def call_until_interrupted(chosen: argparse.Namespace) -> dict[str, Any]:
    """Make the call; its measurements. Raises CallFailed, Interrupted."""
    caught: list[signal.Signals] = []
    loop, call = asyncio.get_running_loop(), asyncio.current_task()

    def interrupt(number: signal.Signals) -> None:
        caught.append(number)
        if call is not None and len(caught) == 1:  # a second one must not stop the hang-up
            call.cancel()

    for number in heeded_signals():
        loop.add_signal_handler(number, interrupt, number)
    # These imports take a second, in which a signal must not end the process silently.
    from client.speaking import speak_file
    from client.wire import Wire

    start = {name: getattr(chosen, name) for name in ("mode", "voice", "style", "auth")}
    wire = Wire.of(chosen.codec, chosen.rate)
    try:
        return await speak_file(
            chosen.wav, chosen.url, chosen.out, plain=chosen.plain, wire=wire, **start
        )
    except asyncio.CancelledError as cancelled:
        if not caught:
            raise
        raise Interrupted(caught[0], str(cancelled)) from cancelled


def run() -> None:
    """Read the command line, make the call, print one JSON line."""
    chosen = _arguments()
    try:
        report = asyncio.run(call_until_interrupted(chosen))
    except Interrupted as interrupted:
        _fail(str(interrupted), interrupted.status)
    except (CallFailed, OSError) as error:
        _fail(str(error), 1)
    sys.stdout.write(json.dumps(report) + "\n")


def _fail(sentence: str, status: int) -> NoReturn:
    sys.stderr.write(f"talk: {sentence}\n")
    sys.exit(status)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m client.talk", description=DESCRIPTION)
    parser.add_argument("wav", type=Path, help="what to say: any WAV file")
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/stream")
    parser.add_argument("--out", type=Path, default=Path("reply.wav"))
    parser.add_argument("--mode", choices=("turn", "stream"))
    parser.add_argument("--voice", help="the voice that answers: /api/config lists them")
    parser.add_argument("--style", help="the style of that voice")
    parser.add_argument("--auth", default="", help="a token, if the gateway needs one")
    parser.add_argument("--plain", action="store_true", help="only audio both ways, no messages")
    parser.add_argument(
        "--codec", choices=("pcm16", "mulaw", "alaw"), default="pcm16", help="on the wire"
    )
    parser.add_argument("--rate", type=int, help="Hz on the wire: 8000, 16000, 24000 or 48000")
    return parser.parse_args()
