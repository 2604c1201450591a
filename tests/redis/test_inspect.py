"""`make inspect`: sessions, workers, one session's records and audio."""

import asyncio
import wave
from pathlib import Path

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from shared.log.inspect import app
from shared.log.records import Audio, Speech, Step
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Append
from tests.commits import a_commit
from tests.redis_users import as_user


@pytest.fixture
async def sid(redis_client: Redis) -> str:
    """A session with two chunks consumed and three frames said."""
    log, sid = SessionLog(redis_client, ttl_s=60), "abcdef0123"
    _, conn = await log.open(sid, "gate", "n", "hash", {"mode": "turn", "seed": 1, "options": "{}"})
    _, owner = await log.claim(sid, "", "w1", "n")
    await log.append(
        [
            Append(
                sid=sid, conn=conn, first=1, records=(Audio(b"\1\0" * 1920), Audio(b"\2\0" * 1920))
            )
        ]
    )
    said = (Speech(1, 1, b"\3\0" * 1440),)
    step = (Step(cursor=2, generation=1, state=b"state of the conversation"),)
    await log.commit([a_commit(sid=sid, owner=owner, steps=step, outputs=said, cursor=2, frame=3)])
    registry = Registry(redis_client, ttl_s=60)
    await registry.announce(sid)
    await registry.publish_worker("w1", {"beat": 9, "slots": 8, "free": 7})
    return sid


async def run(url: str, monkeypatch: pytest.MonkeyPatch, *args: str) -> str:
    monkeypatch.setenv("REDIS_URL", as_user(url, "operator"))
    result = await asyncio.to_thread(CliRunner().invoke, app, list(args))
    return result.output


async def test_the_overview_names_sessions_and_workers(
    sid: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = await run(redis_url, monkeypatch, "overview")
    assert f"{sid}  turn  worker w1  in 2 (0 unread)  step 1  out 1  frame 3" in output
    assert "w1  beat 9  slots 8  free 7" in output


async def test_a_session_is_decoded_and_written_as_wav(
    sid: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = await run(redis_url, monkeypatch, "session", sid[:4], "--wav", str(tmp_path))
    assert "2-0  audio  pcm=0200020002000200..(3840 bytes)" in output
    assert "1-0  step  cursor=2 generation=1" in output
    assert "1-0  speech  frame=1 generation=1" in output
    for name, samples in (("caller", 3840), ("assistant", 1440)):
        with wave.open(str(tmp_path / f"{name}.wav")) as sound:
            assert (sound.getframerate(), sound.getnframes()) == (24_000, samples)


async def test_a_session_that_was_given_up_is_shown(
    sid: str, redis_client: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(redis_client, ttl_s=60)
    await registry.add_dead(sid, "w1", "the engine failed")
    assert sid not in await registry.sessions()
    overview = await run(redis_url, monkeypatch, "overview")
    assert f"1 given up, the last of them:\n  {sid}  by w1: the engine failed" in overview
    assert f"{sid}  turn" in await run(redis_url, monkeypatch, "session", sid[:4])


async def test_a_missing_redis_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    result = await asyncio.to_thread(CliRunner().invoke, app, ["overview"])
    assert result.exit_code == 1
    assert "antiphon inspect: Redis cannot be used: nothing listens at its host" in result.output


async def test_an_unknown_session_is_refused(
    sid: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "0 sessions match" in await run(redis_url, monkeypatch, "session", "zz")
