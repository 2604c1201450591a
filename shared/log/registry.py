"""The control keys: which sessions want a worker, and which workers live.

All of it is a hint: the truth is each session's own meta, and the workers' sweeper mends a hint
that a death left wrong.
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
DEAD_KEPT: Final = 1_000  # entries of sessions that were given up


Entries = list[tuple[bytes, dict[bytes, bytes]]]  # of a stream


@dataclass(frozen=True, slots=True)
class Dead:
    """A session that was given up, by which worker and why."""

    sid: str
    worker: str
    reason: str


class Control:
    """The control keys: hints that help sessions and workers find each other."""

    def __init__(self, redis: Redis, *, ttl_s: int = 3_600) -> None:
        self.redis = redis
        self.ttl_s = ttl_s
        self._client: int | None = None  # a connection of this process, as Redis numbers it
        # In a Cluster each node counts for itself, and it is chance which one would answer.
        self._counts = not issubclass(type(redis), RedisCluster)

    async def announce(self, sid: str) -> None:
        """A session is live and wants a worker."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.sadd(keys.SESSIONS, sid)
            pipe.expire(keys.SESSIONS, self.ttl_s)
            pipe.rpush(keys.QUEUE, sid)
            pipe.expire(keys.QUEUE, self.ttl_s)
            await pipe.execute()

    async def requeue(self, sids: Iterable[str]) -> None:
        """These sessions want a worker again."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.rpush(keys.QUEUE, *sids)
                pipe.expire(keys.QUEUE, self.ttl_s)
                await pipe.execute()

    async def take(self, count: int) -> list[str]:
        """Sessions from the head of the queue. Who takes one and dies is mended by the sweeper."""
        found = (
            await cast(Awaitable[Any], self.redis.lpop(keys.QUEUE, count)) if count > 0 else None
        )
        return [sid.decode() for sid in found or []]

    async def forget(self, sids: Iterable[str]) -> None:
        """These sessions are over."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.srem(keys.SESSIONS, *sids)
                for sid in sids:
                    pipe.lrem(keys.QUEUE, 0, sid)
                await pipe.execute()

    async def list_dead(self, sid: str, worker: str, reason: str) -> None:
        """Note a session that was given up, for those who look after the product."""
        entry: dict[Any, Any] = {"session": sid, "worker": worker, "reason": reason[:500]}
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.xadd(keys.DEAD, entry, maxlen=DEAD_KEPT, approximate=True)
            pipe.expire(keys.DEAD, QUARANTINE_S)
            await pipe.execute()
        await self.forget([sid])

    async def dead(self) -> list[Dead]:
        """The sessions that were given up and are still kept, the oldest first."""
        entries = cast(Entries, await self.redis.xrange(keys.DEAD))
        return [
            Dead(*(fields[name].decode() for name in (b"session", b"worker", b"reason")))
            for _, fields in entries
        ]

    async def mend(self, sids: Iterable[str]) -> None:
        """These live and must be found by the sweepers, whatever became of the hints."""
        if sids := list(sids):
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.sadd(keys.SESSIONS, *sids)
                pipe.expire(keys.SESSIONS, self.ttl_s)
                await pipe.execute()

    async def sessions(self) -> list[str]:
        """Sessions that may be live."""
        found = await cast(Awaitable[set[bytes]], self.redis.smembers(keys.SESSIONS))
        return sorted(sid.decode() for sid in found)

    async def queued(self) -> int:
        """How many sessions wait for a worker."""
        return await self.redis.llen(keys.QUEUE)

    async def beat(self, worker: str, status: Mapping[str, Any]) -> None:
        """Publish a worker's beat counter, slots, free slots, step time.

        With it goes the number that Redis has given to one of this process's connections: when
        the process is killed that connection is closed, and `connected` says so at once.
        """
        body = json.dumps({**status, "client": self._client})
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.WORKERS, worker, body)
            pipe.expire(keys.WORKERS, self.ttl_s)
            if self._counts:
                pipe.client_id()
            *answers, client = [*await pipe.execute(raise_on_error=False), None][:3]
        # A Redis that keeps the number to itself (an ACL, a proxy) leaves the lease to decide.
        self._client = client if isinstance(client, int) else None
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer

    async def connected(self, clients: Collection[int]) -> set[int] | None:
        """Which of these connections Redis still has; None where it does not tell."""
        try:
            found = await self.redis.client_list(client_id=[str(client) for client in clients])
        except ResponseError:
            return None
        return {int(client["id"]) for client in found}

    async def workers(self) -> dict[str, dict[str, Any]]:
        """Every worker's last published status. Whether it lives, the observer's clock decides."""
        found = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.WORKERS))
        return {worker.decode(): json.loads(raw) for worker, raw in found.items()}

    async def publish_gateway(
        self, name: str, status: Mapping[str, Any], gone: Iterable[str] = ()
    ) -> dict[str, dict[str, Any]]:
        """Publish a gateway's figures and forget those that are `gone`; what all have published."""
        async with self.redis.pipeline(transaction=False) as pipe:
            if gone := list(gone):
                pipe.hdel(keys.GATEWAYS, *gone)
            pipe.hset(keys.GATEWAYS, name, json.dumps(status))
            pipe.expire(keys.GATEWAYS, GATEWAYS_TTL_S)
            pipe.hgetall(keys.GATEWAYS)
            found = (await pipe.execute())[-1]
        return {gateway.decode(): json.loads(raw) for gateway, raw in found.items()}

    async def bury_gateway(self, name: str) -> None:
        """Forget a gateway that leaves."""
        await self.redis.hdel(keys.GATEWAYS, name)

    async def spend(self, name: str, ttl_s: int) -> bool:
        """Use a one-time permit; False when it was used before."""
        return bool(await self.redis.set(keys.spent(name), 1, nx=True, ex=ttl_s))

    async def unspend(self, name: str) -> None:
        """What the permit was used for did not happen."""
        await self.redis.delete(keys.spent(name))

    async def bury(self, worker: str) -> None:
        """Forget a worker that is dead or leaves."""
        await self.redis.hdel(keys.WORKERS, worker)
