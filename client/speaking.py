"""Speaks a sound file to a server and saves what the server says."""

import asyncio
from pathlib import Path
from typing import Any

from client.call import SpokenCall
from client.failure import CallFailed
from client.resampling import resample
from client.sound_files import ReplyFile, read_question
from client.wire import Wire


async def speak_file(
    wav: Path, url: str, out: Path, *, plain: bool, wire: Wire | None = None, **start: str | None
) -> dict[str, Any]:
    """Speak `wav`, write the reply to `out`, return the measurements. Raises CallFailed.

    `start`: mode, voice, style, auth. If the call fails or is cancelled, this hangs up and saves
    what was heard so far; the exception says so.
    """
    samples, rate_hz = read_question(wav)
    reply = ReplyFile(out, wav)
    wire = wire or Wire()
    question = resample(samples, rate_hz, wire.rate_hz)
    call = SpokenCall(url, question, plain=plain, start=start, wire=wire)
    try:
        await call.run()
    except asyncio.CancelledError:
        raise asyncio.CancelledError(_save_part(call, reply)) from None
    except CallFailed as failure:
        if not call.measurements.frames:
            raise
        raise CallFailed(f"{failure}; {_save_part(call, reply)}") from failure
    reply.save(call.measurements.samples(), wire.rate_hz)
    return call.report()


def _save_part(call: SpokenCall, reply: ReplyFile) -> str:
    """Save what was heard so far; return the sentence that says where it is."""
    samples = call.measurements.samples()
    if not len(samples):
        return "nothing was heard yet"
    try:
        reply.save(samples, call.wire.rate_hz)
    except CallFailed as failure:
        return str(failure)
    return f"what was heard, {len(samples) / call.wire.rate_hz:.1f} s, is in {reply.path}"
