"""One session's records for operators, without anything that anybody said.

A record shows its numbers, its flags and two words (a mode, a reason); it never shows audio, text,
tokens or the listener's states. Each read is bounded and continues after the previous one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from shared.audio import CHUNK_MS, SAMPLE_RATE_HZ
from shared.log import keys
from shared.log.meta import Meta, parse_meta
from shared.log.reads import numbered_records
from shared.log.records import Audio, Commit, Record, fields_of, type_name

NEWEST: Final = 64  # records of each stream in one read: 5 s of audio, some 250 KiB
WORDS: Final = ("mode", "reason")
CHUNK_S: Final = CHUNK_MS / 1_000

Numbered = tuple[int, Record]
Shown = dict[str, Any]


async def read_timeline(
    redis: Redis, sid: str, after: Sequence[int] = (0, 0, 0)
) -> tuple[Meta, Shown] | None:
    """A session's meta and its newest records after (n, k, m); None when it is gone.

    It reads all in one transaction, so that the numbers agree. Raises SchemaError.
    """
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(keys.meta(sid))
        for key, last in zip(keys.session(sid)[1:], after, strict=True):
            pipe.xrevrange(key, "+", f"({last}-0", NEWEST)
        raw, *streams = await pipe.execute()
    meta = parse_meta(sid, raw)
    if meta is None:
        return None
    inputs, steps, outputs = (numbered_records(found[::-1]) for found in streams)
    return meta, {
        "in": _placed(inputs, meta.samples / SAMPLE_RATE_HZ),
        "steps": [_shown(number, record) for number, record in steps],
        "out": [_shown(number, record) for number, record in outputs],
    }


def _placed(inputs: Iterable[Numbered], end_s: float) -> list[Shown]:
    """Each input with the time of its end in the caller's audio, in seconds since the start.

    The streams hold no clock times, so the caller's audio is the session's clock.
    """
    shown, at_s, padding_s = [], end_s, 0.0
    for number, record in reversed(list(inputs)):
        shown.append({**_shown(number, record), "at_s": round(at_s, 3)})
        if isinstance(record, Commit):
            padding_s = record.padding / SAMPLE_RATE_HZ  # silence, not time
        if isinstance(record, Audio):
            at_s -= CHUNK_S - padding_s
            padding_s = 0.0
    return shown[::-1]


def _shown(number: int, record: Record) -> Shown:
    """A record without audio, text, tokens and states."""
    values = fields_of(record).items()
    kept = {n: v for n, v in values if isinstance(v, int | float) or (n in WORDS and v)}
    frames = getattr(record, "frames", None)
    return {
        "id": number,
        "type": type_name(record),
        **kept,
        **({} if frames is None else {"frames": frames}),
    }
