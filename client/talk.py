"""`python -m client.talk question.wav`: speaks a recording to a running server, saves the reply."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import soundfile

from client.call import CallFailed, SpokenCall
from client.resampling import resample
from shared.audio import SAMPLE_RATE_HZ


async def speak_file(
    wav: Path, url: str, out: Path, *, plain: bool, **start: str | None
) -> dict[str, Any]:
    """Speak `wav`, write the reply to `out`, return the measurements. Raises CallFailed.

    `start`: mode, voice, style, auth.
    """
    try:
        samples, rate_hz = soundfile.read(wav, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CallFailed(f"Expected a sound file, got {wav}: {error}") from error
    if not out.parent.is_dir():
        raise CallFailed(f"Expected a folder for the reply, got {out.parent}: make it first")
    call = SpokenCall(url, resample(samples.mean(axis=1), rate_hz), plain=plain, start=start)
    await call.run()
    soundfile.write(out, call.measurements.samples(), SAMPLE_RATE_HZ, subtype="PCM_16")
    return call.report()


def main() -> None:
    """Read the command line, make the call, print one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m client.talk", description=__doc__)
    parser.add_argument("wav", type=Path, help="what to say: any WAV file")
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/stream")
    parser.add_argument("--out", type=Path, default=Path("reply.wav"))
    parser.add_argument("--mode", choices=("turn", "stream"))
    parser.add_argument("--voice", help="the voice that answers: /api/config lists them")
    parser.add_argument("--style", help="the style of that voice")
    parser.add_argument("--auth", default="", help="a token, if the gateway needs one")
    parser.add_argument("--plain", action="store_true", help="raw PCM16 both ways, no protocol")
    chosen = parser.parse_args()
    start = {name: getattr(chosen, name) for name in ("mode", "voice", "style", "auth")}
    try:
        report = asyncio.run(
            speak_file(chosen.wav, chosen.url, chosen.out, plain=chosen.plain, **start)
        )
    except (CallFailed, OSError) as error:
        sys.exit(f"talk: {error}")
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
