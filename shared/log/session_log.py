"""The log: every read and write of a session's streams, many sessions to a round trip.

Writes are Lua scripts (`scripts/*.lua`), so the check and the write are one. A call takes a batch
and costs one pipeline; no automatic retry stands behind it, since a retry is the caller's
decision: explicit numbers make it safe (`duplicate` is success).
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError, ResponseError

from shared.errors import SchemaError
from shared.log import keys
from shared.log import wakeups as bell
from shared.log.meta import MAX_STRIKES, TRIAL_STEPS, Meta, parse_meta
from shared.log.records import InputRecord, OutputRecord, Record, StepRecord, decode, encode
from shared.log.writes import Answer, Append, Receipt, StepCommit
from shared.redis_client import url as redis_url
from shared.redis_client.pipeline import Command, Pipe, is_cluster

SCRIPTS: Final = Path(__file__).parent / "scripts"
# A reply that takes longer is treated as lost; the numbered retry then finds out what happened.
SOCKET_TIMEOUT_S: Final = 1.0
# Room that controls (cancel, hang up) have over a log that is full of audio.
CONTROL_ROOM: Final = 64
READ_COUNT: Final = 64  # records a read takes at most
QUARANTINE_S: Final = 86_400  # how long the log of one that was given up is kept


_ANSWERS: Final = {answer.encode(): answer for answer in Answer}


@dataclass(frozen=True, slots=True)
class Whole:
    """A session's log, read in one go: records with their numbers."""

    meta: Meta
    inputs: list[tuple[int, InputRecord]]
    steps: list[tuple[int, StepRecord]]
    outputs: list[tuple[int, OutputRecord]]


def connect(url: str) -> Redis:
    """A client for the data path: no retry, short time-outs, bytes out. Raises ValueError."""
    return redis_url.client(url, timeout_s=SOCKET_TIMEOUT_S)


class SessionLog:
    """The sessions' streams on one Redis."""

    def __init__(self, redis: Redis, *, ttl_s: int = 3_600, backlog: int = 50) -> None:
        self.redis = redis
        self._pipe = Pipe(redis)
        self.ttl_s = ttl_s
        self.backlog = backlog
        self._scripts = {
            p.stem: redis.register_script(p.read_text()) for p in SCRIPTS.glob("*.lua")
        }

    async def open(
        self, sid: str, gateway: str, nonce: str, token_hash: str, fields: Mapping[str, str | int]
    ) -> tuple[Answer, str]:
        """Make a session; `fields`: mode, seed, options, voice, style. Answers its connection."""
        pairs = [item for pair in {"token": token_hash, **fields}.items() for item in pair]
        conn = f"1:{gateway}:{nonce}"
        return await self._ask("open", [keys.meta(sid)], [self.ttl_s, conn, *pairs])

    async def connect(
        self, sid: str, gateway: str, nonce: str, token_hash: str
    ) -> tuple[Answer, str]:
        """Take a session's connection over. Answers the new connection, or fenced or gone."""
        args = [self.ttl_s, token_hash, gateway, nonce]
        return await self._ask("connect", [keys.meta(sid)], args)

    async def claim(self, sid: str, seen: str, worker: str, nonce: str) -> tuple[Answer, str]:
        """Own a session whose owner is still `seen` ("" for none). Answers the new owner."""
        args = [self.ttl_s, seen, worker, nonce, TRIAL_STEPS, MAX_STRIKES]
        return await self._ask("claim", [keys.meta(sid)], args)

    async def claim_all(
        self, seen: Mapping[str, str], worker: str, nonce: str
    ) -> dict[str, tuple[Answer, str]]:
        """`claim` for many sessions (id -> the owner seen) in one round trip.

        A session whose answer is an error is left out: who sweeps next finds out what it is.
        """
        rest = [worker, nonce, TRIAL_STEPS, MAX_STRIKES]
        calls = [([keys.meta(sid)], [self.ttl_s, owner, *rest]) for sid, owner in seen.items()]
        found = zip(seen, await self._run("claim", calls), strict=True)
        return {
            sid: (Answer(item[0].decode()), item[1].decode())
            for sid, item in found
            if not isinstance(item, Exception)
        }

    async def strike(self, sid: str, owner: str) -> Answer:
        """A session failed alone: stored, or poisoned when that was once too often."""
        args = [self.ttl_s, owner, TRIAL_STEPS, MAX_STRIKES]
        return (await self._ask("strike", [keys.meta(sid)], args))[0]

    async def quarantine(self, sid: str, owner: str) -> Answer:
        """Give a session up for good and keep its log for a day."""
        return (await self._ask("quarantine", [*keys.session(sid)], [QUARANTINE_S, owner]))[0]

    async def release(self, sid: str, owner: str) -> Answer:
        """Give a session back to be claimed by another."""
        return (await self._ask("release", [keys.meta(sid)], [self.ttl_s, owner]))[0]

    async def release_all(self, owned: Mapping[str, str]) -> list[str]:
        """`release` for many sessions (id -> owner) in one round trip; those that are free now."""
        calls = [([keys.meta(sid)], [self.ttl_s, owner]) for sid, owner in owned.items()]
        found = zip(owned, await self._run("release", calls), strict=True)
        return [
            sid
            for sid, item in found
            if not isinstance(item, Exception) and item[0].decode() == Answer.STORED
        ]

    async def end(self, sid: str, field: str = "", value: str = "") -> Answer:
        """Delete a session, if `field` ("conn" or "owner"; "" for any) still holds `value`."""
        return (await self._ask("end", [*keys.session(sid)], [field, value]))[0]

    async def append(self, batch: Sequence[Append]) -> list[Receipt | Exception]:
        """Write input records; a receipt each, in order. A failed one is its exception."""
        calls = [(list(keys.session(a.sid)[:2]), self._args_append(a)) for a in batch]
        ring = bell.command(bell.INPUTS, [a.sid for a in batch if a.records])
        return [_receipt(item) for item in await self._run("append", calls, ring)]

    async def commit(self, batch: Sequence[StepCommit]) -> list[Receipt | Exception]:
        """Write steps and outputs; a receipt each, in order. A failed one is its exception."""
        calls = [(list(keys.session(c.sid)), self._args_commit(c)) for c in batch]
        ring = bell.command(bell.OUTPUTS, [c.sid for c in batch if c.outputs])
        return [_receipt(item) for item in await self._run("commit", calls, ring)]

    async def read_inputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, InputRecord]]]:
        """Input records after number n, for each (session, n)."""
        return cast(
            list[list[tuple[int, InputRecord]]],
            await self._read([(keys.inputs(sid), n) for sid, n in wants], count),
        )

    async def read_outputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, OutputRecord]]]:
        """Output records after number m, for each (session, m)."""
        return cast(
            list[list[tuple[int, OutputRecord]]],
            await self._read([(keys.outputs(sid), m) for sid, m in wants], count),
        )

    async def read_steps(self, sid: str, after: int = 0) -> list[tuple[int, StepRecord]]:
        """All step records of a session after number k."""
        found = await self._read([(keys.steps(sid), after)], None)
        return cast(list[tuple[int, StepRecord]], found[0])

    async def read_whole(self, sids: Sequence[str]) -> list["Whole | SchemaError | None"]:
        """All that the log holds of each session, in one round trip; None for one that is gone.

        The others run between one session and the next: a long log takes milliseconds to decode.
        """
        async with self.redis.pipeline(transaction=False) as pipe:
            for sid in sids:
                pipe.hgetall(keys.meta(sid))
                for key in (keys.inputs(sid), keys.steps(sid), keys.outputs(sid)):
                    pipe.xrange(key)
            found = await pipe.execute(raise_on_error=False)
        logs: list[Whole | SchemaError | None] = []
        for at, sid in enumerate(sids):
            logs.append(_whole(sid, *found[4 * at : 4 * at + 4]))
            await asyncio.sleep(0)
        return logs

    async def metas(self, sids: Sequence[str]) -> list[Meta | None]:
        """Where each session stands; None for one that is gone, or has no meta of this schema."""
        found = await self._pipe.ask([("HGETALL", keys.meta(sid)) for sid in sids])
        return [parse_meta(sid, _map(raw)) for sid, raw in zip(sids, found, strict=True)]

    def _args_append(self, a: Append) -> list[Any]:
        return [self.ttl_s, a.conn, a.first, self.backlog, CONTROL_ROOM, *_entries(a.records)]

    def _args_commit(self, c: StepCommit) -> list[Any]:
        head = [self.ttl_s, c.owner, c.first_step, len(c.steps), c.first_output, c.cursor, c.frame]
        keep = [c.keep_inputs, c.keep_steps, c.keep_outputs, c.drop_step]
        return [*head, c.generation, c.mode, *keep, *_entries(c.steps), *_entries(c.outputs)]

    async def _ask(self, name: str, names: list[str], args: list[Any]) -> tuple[Answer, str]:
        script: AsyncScript = self._scripts[name]
        answer, value = await cast(Awaitable[list[bytes]], script(keys=names, args=args))
        return Answer(answer.decode()), value.decode()

    async def _run(
        self, name: str, calls: Sequence[tuple[list[str], list[Any]]], ring: Command = ()
    ) -> list[Any]:
        """One pipeline of a script's calls; an answer each, in order, or its exception."""
        if not calls:
            return []
        found = await self._pipeline(name, calls, ring)
        if any(isinstance(item, NoScriptError) for item in found):
            # Redis restarted: its scripts are gone. What did run is a duplicate now.
            await self.redis.script_load(self._scripts[name].script)
            found = await self._pipeline(name, calls, ring)
        return found

    async def _pipeline(
        self, name: str, calls: Sequence[tuple[list[str], list[Any]]], ring: Command
    ) -> list[Any]:
        """The scripts' answers; whether the ring behind them was allowed does not matter."""
        sha = self._scripts[name].sha
        commands: list[Command] = [("EVALSHA", sha, len(k), *k, *args) for k, args in calls]
        if ring and not is_cluster(self.redis):
            commands.append(ring)
        return (await self._pipe.ask(commands))[: len(calls)]

    async def _read(
        self, wants: Sequence[tuple[str, int]], count: int | None
    ) -> list[list[tuple[int, Record]]]:
        if not wants:
            return []
        limit = () if count is None else ("COUNT", count)
        commands = [("XRANGE", key, f"({after}-0", "+", *limit) for key, after in wants]
        return [_records(entries) for entries in await self._pipe.ask(commands)]


def _entries(records: Iterable[Record]) -> list[str | bytes]:
    return [part for record in records for part in encode(record)]


def _records(
    entries: Sequence[tuple[bytes, list[bytes] | dict[bytes, bytes]]] | RedisError,
) -> list[tuple[int, Record]]:
    """A stream's entries, as XRANGE or redis-py gives them -> records.

    Raises Redis' own error, or SchemaError.
    """
    if isinstance(entries, RedisError):
        raise entries
    found = []
    for number, pair in entries:
        try:
            ((name, value),) = pair.items() if isinstance(pair, dict) else (pair,)
            found.append((int(number[: number.index(b"-")]), decode(name.decode(), value)))
        except ValueError as error:  # more than one field, or a name that is no text
            raise SchemaError(f"Expected one named record, got {pair!r:.80}") from error
    return found


def _map(raw: list[bytes] | dict[bytes, bytes] | RedisError) -> dict[bytes, bytes]:
    """A hash, as HGETALL or redis-py gives it. Raises Redis' own error."""
    if isinstance(raw, RedisError):
        raise raw
    return raw if isinstance(raw, dict) else dict(zip(raw[::2], raw[1::2], strict=True))


def _whole(sid: str, raw: Any, *streams: Any) -> Whole | SchemaError | None:
    for item in (raw, *streams):
        if isinstance(item, ResponseError) and "WRONGTYPE" in str(item):
            return SchemaError(f"Expected a hash and streams of {sid}, got {item}")
        if isinstance(item, Exception):
            raise item  # Redis is loading, or fails otherwise: it is not the session's fault
    meta = parse_meta(sid, raw)
    if meta is None:
        return None
    try:
        inputs, steps, outputs = (_records(entries) for entries in streams)
    except SchemaError as error:
        return error
    return Whole(meta, cast(Any, inputs), cast(Any, steps), cast(Any, outputs))


def _receipt(item: Any) -> Receipt | Exception:
    if isinstance(item, Exception):
        return item
    return Receipt(_ANSWERS[item[0]], int(item[1]))
