"""Workers of two releases on one Redis: what each writes, and what it leaves to the other."""

import msgpack
import pytest
from redis.asyncio import Redis

from shared.log import formats
from shared.log.records import Step
from tests.patience import until
from tests.redis.caller import Caller
from tests.redis.test_runtime import make_worker, working
from tests.sounds import joined, noise

pytestmark = pytest.mark.redis


async def written(caller: Caller) -> int:
    """The format of the session's newest snapshot."""
    states = [s.state for _, s in await caller.log.read_steps(caller.sid) if isinstance(s, Step)]
    version: int = msgpack.unpackb(states[-1])["version"]
    return version


async def test_the_snapshot_follows_the_oldest_process(redis_client: Redis) -> None:
    caller, chunks = Caller(redis_client), noise(6)
    await caller.call("stream")
    old_gateway = {"beat": 1}
    worker = make_worker(redis_client)
    async with working(worker):
        await caller.speak(chunks[:2])
        await caller.listen(8)
        assert await written(caller) == formats.CURRENT
        await caller.registry.publish_gateway("g1", old_gateway)
        await until(lambda: worker.log.writes == formats.PREVIOUS)
        await caller.speak(chunks[2:4])
        await caller.listen(16)
        assert await written(caller) == formats.PREVIOUS
        await caller.registry.remove_gateway("g1")
        await until(lambda: worker.log.writes == formats.CURRENT)
        await caller.speak(chunks[4:])
        await caller.listen(24)
        assert await written(caller) == formats.CURRENT
    assert caller.pcm == joined(chunks)


async def test_a_session_of_a_newer_release_is_left_to_a_newer_worker(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, chunks = Caller(redis_client), noise(4)
    await caller.call("stream")
    async with working(make_worker(redis_client)):
        await caller.speak(chunks[:2])
        await caller.listen(8)
    older = make_worker(redis_client, "w2")
    with monkeypatch.context() as patched:  # as if w2 were of the release before
        patched.setattr(formats, "CURRENT", formats.PREVIOUS)
        patched.setattr(formats, "PREVIOUS", formats.PREVIOUS - 1)
        async with working(older):
            await until(lambda: caller.sid in older.ownership._newer)
    (meta,) = await caller.log.metas([caller.sid])
    assert meta is not None
    assert meta.owner == ""
    async with working(make_worker(redis_client, "w3")):
        await caller.speak(chunks[2:])
        await caller.listen(16)
    assert caller.pcm == joined(chunks)
