"""Reads and writes the `c:*` keys: sessions that need a worker, statuses of all processes.

All of them are hints. Each session's own meta is the truth, and the workers' sweeper repairs hints
that a dead process left wrong.
"""

import json
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import ResponseError

from shared.log import keys
from shared.log.session_log import QUARANTINE_S

GATEWAYS_TTL_S: Final = 60  # gateways publish every second
DEAD_KEPT: Final = 1_000  # sessions that were given up

Entries = list[tuple[bytes, dict[bytes, bytes]]]  # of a stream


@dataclass(frozen=True, slots=True)
class Dead:
    """A session that a worker gave up, and why."""

    sid: str
    worker: str
    reason: str


class Registry:
    """Hints by which sessions, workers and gateways find each other."""

    def __init__(self, redis: Redis, *, ttl_s: int = 3_600) -> None:
        self.redis = redis
        self.ttl_s = ttl_s
        self._client_id: int | None = None  # Redis' number of one of this process's connections
        # Each node of a Cluster numbers its own connections, and any of them might answer.
        self._has_client_ids = not issubclass(type(redis), RedisCluster)

    async def announce(self, sid: str) -> None:
        """List a live session and queue it for a worker."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.sadd(keys.SESSIONS, sid)
            pipe.expire(keys.SESSIONS, self.ttl_s)
            pipe.rpush(keys.QUEUE, sid)
            pipe.expire(keys.QUEUE, self.ttl_s)
            await pipe.execute()

    async def requeue(self, sids: Iterable[str]) -> None:
        """Queue these sessions for a worker again."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.rpush(keys.QUEUE, *sids)
                pipe.expire(keys.QUEUE, self.ttl_s)
                await pipe.execute()

    async def take(self, count: int) -> list[str]:
        """Take sessions from the head of the queue; the sweeper repairs what a dead taker took."""
        found = (
            await cast(Awaitable[Any], self.redis.lpop(keys.QUEUE, count)) if count > 0 else None
        )
        return [sid.decode() for sid in found or []]

    async def forget(self, sids: Iterable[str]) -> None:
        """Remove sessions that have ended."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.srem(keys.SESSIONS, *sids)
                for sid in sids:
                    pipe.lrem(keys.QUEUE, 0, sid)
                await pipe.execute()

    async def add_dead(self, sid: str, worker: str, reason: str) -> None:
        """Record for operators that a worker gave this session up, and remove the session."""
        entry: dict[Any, Any] = {"session": sid, "worker": worker, "reason": reason[:500]}
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.xadd(keys.DEAD, entry, maxlen=DEAD_KEPT, approximate=True)
            pipe.expire(keys.DEAD, QUARANTINE_S)
            await pipe.execute()
        await self.forget([sid])

    async def dead(self) -> list[Dead]:
        """The recorded sessions that workers gave up, the oldest first."""
        entries = cast(Entries, await self.redis.xrange(keys.DEAD))
        return [
            Dead(*(fields[name].decode() for name in (b"session", b"worker", b"reason")))
            for _, fields in entries
        ]

    async def relist(self, sids: Iterable[str]) -> None:
        """List live sessions again, so that the sweepers find them after Redis lost the list."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.sadd(keys.SESSIONS, *sids)
                pipe.expire(keys.SESSIONS, self.ttl_s)
                await pipe.execute()

    async def sessions(self) -> list[str]:
        """The listed sessions, which may be live."""
        found = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.SESSIONS))
        return sorted(sid.decode() for sid in found)

    async def queued(self) -> int:
        """The number of sessions that wait for a worker."""
        return await self.redis.llen(keys.QUEUE)

    async def publish_worker(self, worker: str, status: Mapping[str, Any]) -> None:
        """Publish a worker's beat counter, slots, free slots and step time.

        It adds the number that Redis gave to one of this process's connections. The connection
        closes when the process is killed, and `connected` then shows it at once.
        """
        body = json.dumps({**status, "client": self._client_id})
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.WORKERS, worker, body)
            pipe.expire(keys.WORKERS, self.ttl_s)
            if self._has_client_ids:
                pipe.client_id()
            *answers, client = [*await pipe.execute(raise_on_error=False), None][:3]
        # If an ACL or a proxy hides the number, only the lease decides.
        self._client_id = client if isinstance(client, int) else None
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer

    async def connected(self, clients: Collection[int]) -> set[int] | None:
        """Which of these connections Redis still has; None where an ACL or a proxy hides them."""
        try:
            found = await self.redis.client_list(client_id=[str(client) for client in clients])
        except ResponseError:
            return None
        return {int(client["id"]) for client in found}

    async def workers(self) -> dict[str, dict[str, Any]]:
        """Every worker's last published status; the observer's clock decides which ones live."""
        found = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.WORKERS))
        return {worker.decode(): json.loads(raw) for worker, raw in found.items()}

    async def processes(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Every worker's and every gateway's last published status."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.WORKERS)
            pipe.hgetall(keys.GATEWAYS)
            found = await pipe.execute()
        workers, gateways = (
            {name.decode(): json.loads(raw) for name, raw in statuses.items()} for statuses in found
        )
        return workers, gateways

    async def publish_gateway(
        self, name: str, status: Mapping[str, Any], gone: Iterable[str] = ()
    ) -> dict[str, dict[str, Any]]:
        """Publish a gateway's figures and remove the `gone` gateways; every gateway's figures."""
        async with self.redis.pipeline(transaction=False) as pipe:
            if gone := list(gone):
                pipe.hdel(keys.GATEWAYS, *gone)
            pipe.hset(keys.GATEWAYS, name, json.dumps(status))
            pipe.expire(keys.GATEWAYS, GATEWAYS_TTL_S)
            pipe.hgetall(keys.GATEWAYS)
            found = (await pipe.execute())[-1]
        return {gateway.decode(): json.loads(raw) for gateway, raw in found.items()}

    async def remove_gateway(self, name: str) -> None:
        """Remove a gateway that leaves."""
        await self.redis.hdel(keys.GATEWAYS, name)

    async def use_permit(self, name: str, ttl_s: int) -> bool:
        """Mark a one-time permit as used; False when it was used before."""
        return bool(await self.redis.set(keys.spent(name), 1, nx=True, ex=ttl_s))

    async def return_permit(self, name: str) -> None:
        """Make a permit usable again, since its call did not begin."""
        await self.redis.delete(keys.spent(name))

    async def keep_client_secret(self, name: str, session: str, ttl_s: int) -> None:
        """Keep what a client secret permits, by the secret's hash."""
        await self.redis.set(keys.client_secret(name), session, ex=ttl_s)

    async def client_secret(self, name: str) -> str | None:
        """What a client secret permits; None when it is unknown or has expired."""
        found = await self.redis.get(keys.client_secret(name))
        return None if found is None else cast(bytes, found).decode()

    async def remove_worker(self, worker: str) -> None:
        """Remove a worker that is dead or leaves."""
        await self.redis.hdel(keys.WORKERS, worker)
