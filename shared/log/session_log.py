"""Reads and writes the log of every session, many sessions in one round trip.

A write is a Lua script (`scripts/*.lua`), which checks and writes atomically. No call retries by
itself: the caller decides, and record numbers make a retry safe (`duplicate` is success).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from redis.asyncio import Redis

from shared.audio import CHUNK_SAMPLES
from shared.errors import SchemaError
from shared.log import formats, keys, script_arguments, wakeups
from shared.log.lua_scripts import LuaScripts, ScriptCall, text_answer
from shared.log.meta import MAX_STRIKES, TRIAL_STEPS, Meta, parse_meta
from shared.log.reads import StoredSession, hash_fields, numbered_records, stored_session
from shared.log.records import InputRecord, OutputRecord, Record, StepRecord
from shared.log.writes import Answer, Append, Receipt, StepCommit
from shared.redis_client import url as redis_url
from shared.redis_client.pipeline import Pipe

# A slower answer counts as lost; the numbered retry then learns what happened.
SOCKET_TIMEOUT_S: Final = 1.0
# Controls (cancel, hang up) that a log takes when it is full of audio.
CONTROL_ROOM: Final = 64
READ_COUNT: Final = 64  # records of one stream that one read takes at most
QUARANTINE_S: Final = 86_400  # how long Redis keeps the log of a session that was given up

_ANSWERS: Final = {answer.encode(): answer for answer in Answer}


def connect(url: str) -> Redis:
    """A client for the log: no retry, short time-outs, bytes out. Raises ValueError."""
    return redis_url.client(url, timeout_s=SOCKET_TIMEOUT_S)


class SessionLog:
    """The sessions' logs on one Redis."""

    def __init__(
        self,
        redis: Redis,
        *,
        ttl_s: int = 3_600,
        backlog: int = 50,
        writes: int = formats.CURRENT,
    ) -> None:
        """`writes`: the format of new records; it changes as other processes come and go."""
        self.redis = redis
        self._pipe = Pipe(redis)
        self._scripts = LuaScripts(redis, self._pipe)
        self.ttl_s = ttl_s
        self.backlog = backlog
        self.writes = writes

    async def open(
        self, sid: str, gateway: str, nonce: str, token_hash: str, fields: Mapping[str, str | int]
    ) -> tuple[Answer, str]:
        """Make a session; `fields`: mode, seed, options, voice, style. Answers its connection."""
        arguments = script_arguments.Open(ttl_s=self.ttl_s, conn=f"1:{gateway}:{nonce}")
        pairs = [item for pair in {"token": token_hash, **fields}.items() for item in pair]
        return await self._scripts.ask("open", ScriptCall((keys.meta(sid),), arguments, pairs))

    async def connect(
        self, sid: str, gateway: str, nonce: str, token_hash: str
    ) -> tuple[Answer, str]:
        """Take over a session's connection. Answers the new connection, or fenced or gone."""
        arguments = script_arguments.Connect(
            ttl_s=self.ttl_s, token_hash=token_hash, gateway=gateway, nonce=nonce
        )
        return await self._scripts.ask("connect", ScriptCall((keys.meta(sid),), arguments))

    async def claim(self, sid: str, seen: str, worker: str, nonce: str) -> tuple[Answer, str]:
        """Own a session if its owner is still `seen` ("" for none). Answers the new owner."""
        return await self._scripts.ask("claim", self._claim(sid, seen, worker, nonce))

    async def claim_all(
        self, seen: Mapping[str, str], worker: str, nonce: str
    ) -> dict[str, tuple[Answer, str]]:
        """`claim` for many sessions (id -> the owner seen) in one round trip.

        The result leaves out sessions with an error as the answer: the next sweep finds the cause.
        """
        calls = [self._claim(sid, owner, worker, nonce) for sid, owner in seen.items()]
        found = zip(seen, await self._scripts.run("claim", calls), strict=True)
        return {sid: text_answer(item) for sid, item in found if not isinstance(item, Exception)}

    async def strike(self, sid: str, owner: str) -> Answer:
        """Count that a session failed alone: stored, or poisoned at the last permitted strike."""
        arguments = script_arguments.Strike(
            ttl_s=self.ttl_s, owner=owner, trial_steps=TRIAL_STEPS, max_strikes=MAX_STRIKES
        )
        return (await self._scripts.ask("strike", ScriptCall((keys.meta(sid),), arguments)))[0]

    async def quarantine(self, sid: str, owner: str) -> Answer:
        """Give a session up for good and keep its log for a day."""
        arguments = script_arguments.Quarantine(ttl_s=QUARANTINE_S, owner=owner)
        return (await self._scripts.ask("quarantine", ScriptCall(_all_keys(sid), arguments)))[0]

    async def release(self, sid: str, owner: str) -> Answer:
        """Give a session back for another worker to claim."""
        return (await self._scripts.ask("release", self._release(sid, owner)))[0]

    async def release_all(self, owned: Mapping[str, str]) -> list[str]:
        """`release` for many sessions (id -> owner) in one round trip; those that are free now.

        A session that was free before is among them: a caller may have missed the first answer.
        """
        calls = [self._release(sid, owner) for sid, owner in owned.items()]
        found = zip(owned, await self._scripts.run("release", calls), strict=True)
        free = ((Answer.STORED, ""), (Answer.FENCED, ""))
        return [
            sid
            for sid, item in found
            if not isinstance(item, Exception) and text_answer(item) in free
        ]

    async def end(self, sid: str, field: str = "", value: str = "") -> Answer:
        """Delete a session, if `field` ("conn" or "owner"; "" for any) still holds `value`."""
        arguments = script_arguments.End(field=field, value=value)
        return (await self._scripts.ask("end", ScriptCall(_all_keys(sid), arguments)))[0]

    async def append(self, batch: Sequence[Append]) -> list[Receipt | Exception]:
        """Write input records; a receipt each, in order. A failed one is its exception."""
        calls = [self._append(append) for append in batch]
        wakeup = wakeups.publish_command(wakeups.INPUTS, [a.sid for a in batch if a.records])
        return [_receipt(item) for item in await self._scripts.run("append", calls, wakeup)]

    async def commit(self, batch: Sequence[StepCommit]) -> list[Receipt | Exception]:
        """Write steps and outputs; a receipt each, in order. A failed one is its exception."""
        calls = [self._commit(commit) for commit in batch]
        wakeup = wakeups.publish_command(wakeups.OUTPUTS, [c.sid for c in batch if c.outputs])
        return [_receipt(item) for item in await self._scripts.run("commit", calls, wakeup)]

    async def read_inputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, InputRecord]]]:
        """Input records after number n, for each (session, n)."""
        found = await self._read([(keys.inputs(sid), n) for sid, n in wants], count)
        return cast(list[list[tuple[int, InputRecord]]], found)

    async def read_outputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, OutputRecord]]]:
        """Output records after number m, for each (session, m)."""
        found = await self._read([(keys.outputs(sid), m) for sid, m in wants], count)
        return cast(list[list[tuple[int, OutputRecord]]], found)

    async def read_steps(self, sid: str, after: int = 0) -> list[tuple[int, StepRecord]]:
        """All step records of a session after number k."""
        found = await self._read([(keys.steps(sid), after)], None)
        return cast(list[tuple[int, StepRecord]], found[0])

    async def read_sessions(self, sids: Sequence[str]) -> list[StoredSession | SchemaError | None]:
        """All records and the meta of each session, in one round trip; None for a lost session.

        Other tasks run between two sessions, since a long log takes milliseconds to decode.
        """
        async with self.redis.pipeline(transaction=False) as pipe:
            for sid in sids:
                pipe.hgetall(keys.meta(sid))
                for key in (keys.inputs(sid), keys.steps(sid), keys.outputs(sid)):
                    pipe.xrange(key)
            found = await pipe.execute(raise_on_error=False)
        logs: list[StoredSession | SchemaError | None] = []
        for at, sid in enumerate(sids):
            logs.append(stored_session(sid, *found[4 * at : 4 * at + 4]))
            await asyncio.sleep(0)
        return logs

    async def client(self, sid: str) -> bytes:
        """The client's protocol state that the last gateway stored; b"" for none."""
        (found,) = await self._pipe.ask([("GET", keys.client(sid))])
        return bytes(found or b"")

    async def metas(self, sids: Sequence[str]) -> list[Meta | None]:
        """Each session's meta; None if it is gone or its meta has another schema."""
        found = await self._pipe.ask([("HGETALL", keys.meta(sid)) for sid in sids])
        return [parse_meta(sid, hash_fields(raw)) for sid, raw in zip(sids, found, strict=True)]

    def _append(self, append: Append) -> ScriptCall:
        arguments = script_arguments.Append(
            ttl_s=self.ttl_s,
            conn=append.conn,
            first=append.first,
            max_unread=self.backlog,
            control_room=CONTROL_ROOM,
            chunk_samples=CHUNK_SAMPLES,
            client=append.client,
        )
        used = (*keys.session(append.sid)[:2], keys.client(append.sid))
        return ScriptCall(used, arguments, self._entries(append.records))

    def _claim(self, sid: str, seen: str, worker: str, nonce: str) -> ScriptCall:
        arguments = script_arguments.Claim(
            ttl_s=self.ttl_s,
            seen_owner=seen,
            worker=worker,
            nonce=nonce,
            trial_steps=TRIAL_STEPS,
            max_strikes=MAX_STRIKES,
        )
        return ScriptCall((keys.meta(sid),), arguments)

    def _commit(self, commit: StepCommit) -> ScriptCall:
        arguments = script_arguments.Commit(
            ttl_s=self.ttl_s,
            owner=commit.owner,
            first_step=commit.first_step,
            step_count=len(commit.steps),
            first_output=commit.first_output,
            cursor=commit.cursor,
            frame=commit.frame,
            generation=commit.generation,
            mode=commit.mode,
            keep_inputs=commit.keep_inputs,
            keep_steps=commit.keep_steps,
            keep_outputs=commit.keep_outputs,
            drop_step=commit.drop_step,
        )
        records = self._entries((*commit.steps, *commit.outputs))
        return ScriptCall(keys.session(commit.sid), arguments, records)

    def _release(self, sid: str, owner: str) -> ScriptCall:
        arguments = script_arguments.Release(ttl_s=self.ttl_s, owner=owner)
        return ScriptCall((keys.meta(sid),), arguments)

    def _entries(self, records: Iterable[Record]) -> list[str | bytes]:
        """Records as a script takes them: type, msgpack, type, msgpack, ..."""
        return [part for record in records for part in formats.encode(record, self.writes)]

    async def _read(
        self, wants: Sequence[tuple[str, int]], count: int | None
    ) -> list[list[tuple[int, Record]]]:
        if not wants:
            return []
        limit = () if count is None else ("COUNT", count)
        commands = [("XRANGE", key, f"({after}-0", "+", *limit) for key, after in wants]
        return [numbered_records(entries) for entries in await self._pipe.ask(commands)]


def _all_keys(sid: str) -> tuple[str, ...]:
    return (*keys.session(sid), keys.client(sid))


def _receipt(item: Any) -> Receipt | Exception:
    if isinstance(item, Exception):
        return item
    return Receipt(_ANSWERS[item[0]], int(item[1]))
