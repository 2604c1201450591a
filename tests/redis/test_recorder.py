"""The recorder beside a real worker: what both sides said, whichever process dies or side hangs
up."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile
from redis.asyncio import Redis

from shared.log.records import Played, ReplyDone
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from tests.patience import PATIENCE_S, until
from tests.redis.caller import Caller
from tests.redis.test_runtime import make_worker, working
from tests.sounds import joined, silence, voice
from workers.recorder.recorder import Recorder
from workers.recorder.store import RecordingStore

pytestmark = pytest.mark.redis
SID = "a" * 32


class RecordedCaller(Caller):
    """A caller who agrees to be recorded."""

    async def call(self, mode: str, options: str = "") -> None:
        """Open the session with consent."""
        fields: dict[str, str | int] = {"mode": mode, "seed": 1, "options": options, "record": 1}
        _, self.conn = await self.log.open(self.sid, "test", "nonce", "hash", fields)
        await self.registry.announce(self.sid)


def recorder(redis: Redis, folder: Path) -> Recorder:
    return Recorder(SessionLog(redis), Registry(redis), RecordingStore(str(folder)))


async def stopped(found: Recorder, task: asyncio.Task[None]) -> None:
    found.stop()
    await asyncio.wait_for(task, PATIENCE_S)


def kept(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_both_sides_are_recorded_over_the_death_of_worker_and_recorder(
    redis_client: Redis, as_worker: Redis, tmp_path: Path
) -> None:
    caller, other = RecordedCaller(redis_client, SID), Caller(redis_client, "b" * 32)
    spoken = [*silence(10), *voice(10), *silence(12)]
    first = recorder(as_worker, tmp_path)
    task = asyncio.create_task(first.run())
    await caller.call("turn")
    await other.call("turn")
    part = tmp_path / "parts" / SID / "caller.pcm"
    await until(part.exists)
    async with working(make_worker(as_worker, "w1")):
        await caller.speak(spoken)
        await caller.listen(1, ReplyDone)
    await until(lambda: part.stat().st_size == len(joined(spoken)))
    await stopped(first, task)
    second = recorder(as_worker, tmp_path)
    task = asyncio.create_task(second.run())
    async with working(make_worker(as_worker, "w2")):
        await caller.say(Played(caller.frame))
        await caller.speak(silence(20))
        whole = joined([*spoken, *silence(20)])
        await until(lambda: part.stat().st_size == len(whole))
        await caller.log.end(SID)
        await caller.registry.forget([SID])
    wav = tmp_path / "calls" / f"{SID}.wav"
    await until(wav.exists)
    await stopped(second, task)
    samples, _ = soundfile.read(wav, dtype="int16")
    np.testing.assert_array_equal(samples[:, 1], np.frombuffer(whole, "<i2"))
    echoed = np.trim_zeros(np.frombuffer(caller.pcm, "<i2"))
    np.testing.assert_array_equal(np.trim_zeros(samples[:, 0]), echoed)
    # Without consent nothing is kept.
    assert sorted(kept(tmp_path)) == [f"{SID}.json", f"{SID}.wav", "data.jsonl"]
