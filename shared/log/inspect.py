"""Shows what the log holds: `make inspect`, or `python -m shared.log.inspect`.

`overview` lists every session and worker. `session` decodes one session's records, and saves both
sides of its audio as WAV files. Both only read, so they do not disturb a call.
"""

import asyncio
import wave
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.errors import ConfigError
from shared.log.meta import Meta
from shared.log.records import Audio, Record, Speech, fields_of, type_name
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.redis_client.trouble import explained
from shared.settings import load_settings

SHOWN_BYTES = 8  # of a bytes field, before its length
MOST_DEAD = 5  # calls that workers gave up, the newest

app = typer.Typer(add_completion=False, help=__doc__, rich_markup_mode=None)


@app.command()
def overview() -> None:
    """Every session and worker."""
    _run(_overview())


@app.command()
def session(
    sid: Annotated[str, typer.Argument(help="the session's id, or enough of its beginning")],
    wav: Annotated[Path | None, typer.Option(help="folder for caller.wav, assistant.wav")] = None,
    last: Annotated[int, typer.Option(help="records of each stream to show")] = 20,
) -> None:
    """One session's records, decoded."""
    _run(_session(sid, wav, last))


def _run(looking: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(looking)
    except (ConfigError, RedisError, OSError) as error:
        typer.echo(f"antiphon inspect: {explained(error)}", err=True)
        raise typer.Exit(1) from error


async def _overview() -> None:
    async with connect(load_settings().redis) as redis:
        registry, log = Registry(redis), SessionLog(redis)
        metas = [meta for meta in await log.metas(await registry.sessions()) if meta]
        typer.echo(f"{len(metas)} sessions, {await registry.queued()} waiting for a worker")
        for meta in metas:
            typer.echo("  " + _line(meta))
        dead = await registry.dead()
        typer.echo(f"{len(dead)} given up, the last of them:" if dead else "none given up")
        for given_up in dead[-MOST_DEAD:]:
            typer.echo(f"  {given_up.sid}  by {given_up.worker}: {given_up.reason}")
        workers = await registry.workers()
        typer.echo(f"{len(workers)} workers")
        for name, status in sorted(workers.items()):
            typer.echo(f"  {name}  " + "  ".join(f"{k} {v}" for k, v in status.items()))


def _line(meta: Meta) -> str:
    unread = meta.n - meta.cursor
    return (
        f"{meta.sid}  {meta.mode}  worker {meta.worker or '-'}  in {meta.n} ({unread} unread)  "
        f"step {meta.k}  out {meta.m}  frame {meta.f} (played {meta.played})  "
        f"reply {meta.generation}"
    )


async def _session(prefix: str, wav: Path | None, last: int) -> None:
    async with connect(load_settings().redis) as redis:
        log = SessionLog(redis)
        sid = await _resolve(redis, prefix)
        (meta,) = await log.metas([sid])
        if meta is None:
            raise typer.BadParameter(f"Expected a session whose log is kept, {sid} is gone")
        typer.echo(_line(meta))
        (inputs,) = await log.read_inputs([(sid, 0)], None)
        (outputs,) = await log.read_outputs([(sid, 0)], None)
        for name, records in (
            ("in", inputs),
            ("steps", await log.read_steps(sid)),
            ("out", outputs),
        ):
            typer.echo(f"{name}: {len(records)} records kept")
            for line in _lines(records[-last:]):
                typer.echo("  " + line)
    if wav:
        _save(wav / "caller.wav", (r.pcm for _, r in inputs if isinstance(r, Audio)))
        _save(wav / "assistant.wav", (r.pcm for _, r in outputs if isinstance(r, Speech)))


async def _resolve(redis: Redis, prefix: str) -> str:
    """The one session with an id that begins with `prefix`, among live ones and those given up."""
    registry = Registry(redis)
    sids = {*await registry.sessions(), *(dead.sid for dead in await registry.dead())}
    found = [sid for sid in sids if sid.startswith(prefix)]
    if len(found) != 1:
        gone = "" if found else "; a session's log is deleted when its call ends"
        raise typer.BadParameter(
            f"Expected the beginning of one session's id, got {prefix!r}: "
            f"{len(found)} sessions match{gone}"
        )
    return found[0]


def _lines(records: Sequence[tuple[int, Record]]) -> Iterable[str]:
    for number, record in records:
        body = (f"{name}={_show(value)}" for name, value in fields_of(record).items())
        yield f"{number}-0  {type_name(record)}  {' '.join(body)}"


def _show(value: object) -> str:
    if isinstance(value, bytes) and len(value) > SHOWN_BYTES:
        return f"{value[:SHOWN_BYTES].hex()}..({len(value)} bytes)"
    if isinstance(value, tuple):
        return "[" + " ".join(_show(item) for item in value) + "]"
    return value.hex() if isinstance(value, bytes) else repr(value)


def _save(path: Path, pieces: Iterable[bytes]) -> None:
    """Write one side's audio as WAV, as far as the log still holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = b"".join(pieces)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, SAMPLE_BYTES, SAMPLE_RATE_HZ, 0, "NONE", "not compressed"))
        out.writeframes(data)
    typer.echo(f"{path}: {len(data) / SAMPLE_BYTES / SAMPLE_RATE_HZ:.2f} s")


if __name__ == "__main__":
    app()
