"""What operators see of a running gateway: figures, their stream, a session's timeline."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from gateway.edge.fleet import public_name
from gateway.operators.history import COLUMNS
from gateway.operators.stats import MAX_VIEWERS
from shared.log import keys
from shared.log.records import Clear, OutputRecord, ReplyStarted, Speech, SpeechStopped, Text
from tests.patience import PATIENCE_S, until
from tests.redis.stage import Caller, GatewayServer, StandInWorker, running_gateway, speak

pytestmark = pytest.mark.redis

TOKEN = "correct-horse-battery"  # noqa: S105 # a test's own
SECRET_WORDS = "nobody may read this"  # noqa: S105 # a reply's text


@pytest.fixture
async def client(server: GatewayServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.http, timeout=PATIENCE_S) as client:
        yield client


async def lines(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """The first lines of the stream."""
    found = []
    async with client.stream("GET", "/api/stats/stream") as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            found.append(json.loads(line))
            if len(found) == count:
                break
    return found


async def sid_of(caller: Caller) -> str:
    return str((await caller.until("ready"))["session"])


async def test_the_stream_starts_with_the_history_and_continues_with_snapshots(
    server: GatewayServer, worker: StandInWorker, client: httpx.AsyncClient
) -> None:
    caller = await server.caller()
    sid = await sid_of(caller)
    name = public_name("w1")
    await until(lambda: server.gateway.stats.workers()[name]["free"] == 7)
    past, first, second = await lines(client, 3)
    assert past["columns"] == list(COLUMNS)
    assert past["rows"]
    for picture in (first, second):
        assert picture["gateway"] == server.gateway.name
        assert picture["workers"] == {
            name: {
                **{"slots": 8, "free": 7, "engine": "echo", "step_ms": 1.5},
                **{"step_p95_ms": None, "step_p99_ms": None, "takeovers": None},
            }
        }
        (line,) = picture["sessions"]
        assert line["session"] == sid
        assert line["worker"] == public_name("w1")
        assert line["gateway"] == server.gateway.name
    await caller.send("end")


async def test_without_viewers_no_snapshot_is_made(
    server: GatewayServer, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lines(client, 2)
    stats = server.gateway.stats
    await until(lambda: stats.viewers == 0)

    async def fail(_: object) -> dict[str, Any]:
        raise AssertionError("nobody watches")

    monkeypatch.setattr(stats, "snapshot", fail)
    rows = len(stats.history.rows())
    await stats.tick()
    assert len(stats.history.rows()) > rows


async def test_the_number_of_viewers_is_bounded(
    server: GatewayServer, client: httpx.AsyncClient
) -> None:
    server.gateway.stats.viewers = MAX_VIEWERS
    answer = await client.get("/api/stats/stream")
    assert answer.status_code == 503
    assert "at most" in answer.json()["error"]


def cut_off(frame: int) -> tuple[OutputRecord, ...]:
    """The records of a reply that is interrupted after its first frame."""
    return (
        SpeechStopped(10),
        Text(2, SECRET_WORDS),
        ReplyStarted(2, frame),
        Speech(frame, 2, b"\5\0" * 480),
        Clear(2, frame + 1),
    )


async def test_a_timeline_shows_what_happened_and_nothing_that_was_said(
    server: GatewayServer, worker: StandInWorker, client: httpx.AsyncClient, redis_client: Redis
) -> None:
    caller = await server.caller()
    sid = await sid_of(caller)
    worker.stalled = True  # what a worker has read is trimmed
    await speak(caller, 0.8)
    while caller.events[-1].get("samples") != 19_200:
        await caller.next()
    before = (await client.get(f"/api/sessions/{sid}")).json()
    worker.stalled = False
    await caller.until_frame(40)
    worker.stalled = True  # and commits no more than this step
    frame = 40
    await worker.say(sid, *cut_off(frame + 1), frame=frame + 1, generation=2)
    answer = await client.get(f"/api/sessions/{sid}")
    found = answer.json()
    chunks = [record["at_s"] for record in before["in"] if record["type"] == "audio"]
    assert len(chunks) == 10
    assert chunks == [round(0.08 * n, 3) for n in range(1, len(chunks) + 1)]
    assert before["unread_ms"] >= 80 * len(chunks)
    assert found["seconds"] == 0.8
    assert found["steps"][-1]["cursor"] == worker.owned[sid].cursor
    assert [record["type"] for record in found["out"][-5:]] == [
        *("speech_stopped", "text", "reply_started", "speech", "clear"),
    ]
    assert found["out"][-2] | {"id": 0} == {
        **{"id": 0, "type": "speech", "frame": frame + 1, "generation": 2, "frames": 1},
    }
    assert SECRET_WORDS not in answer.text
    assert "pcm" not in answer.text
    last = ",".join(str(found[name][-1]["id"]) for name in ("in", "steps", "out"))
    more = (await client.get(f"/api/sessions/{sid}?after={last}")).json()
    assert (more["steps"], more["out"]) == ([], [])
    worker.stalled = False
    await caller.send("end")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/sessions/" + "0" * 32, 404),
        ("/api/sessions/abc", 400),
        ("/api/sessions/" + "0" * 31 + "}", 400),
        ("/api/sessions/" + "0" * 32 + "?after=1", 400),
        ("/api/sessions/" + "0" * 32 + "?after=-1,0,0", 400),
    ],
)
async def test_a_timeline_of_an_unknown_session_is_refused(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/stats", "/api/stats/stream", "/api/sessions/" + "0" * 32])
async def test_figures_are_for_operators(redis_url: str, worker: StandInWorker, path: str) -> None:
    async with (
        running_gateway(redis_url, gateway_stats_token=TOKEN) as server,
        httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client,
    ):
        refused = await client.get(path)
        wrong = await client.get(path, headers={"Authorization": f"Bearer {TOKEN}x"})
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code != 401
    assert (refused.status_code, wrong.status_code) == (401, 401)
    assert "GATEWAY_STATS_TOKEN" in refused.json()["error"]
    assert worker.slots  # a worker was there


async def test_gateways_on_one_redis_know_each_other(
    server: GatewayServer, worker: StandInWorker, redis_url: str, redis_client: Redis
) -> None:
    caller = await server.caller()
    async with running_gateway(redis_url) as other:
        names = {server.gateway.name, other.gateway.name}
        async with httpx.AsyncClient(base_url=other.http, timeout=PATIENCE_S) as client:
            await until(lambda: set(other.gateway.stats._peers.live(time.monotonic())) == names)
            *_, picture = await lines(client, 2)
    assert set(picture["gateways"]) == names
    own = picture["gateways"][server.gateway.name]
    assert own["callers"] == 1
    left = await redis_client.hkeys(keys.GATEWAYS)
    assert left == [server.gateway.name.encode()]  # a gateway that leaves removes its name
    await caller.send("end")


async def test_the_time_to_a_reply_is_measured(
    server: GatewayServer, worker: StandInWorker, client: httpx.AsyncClient
) -> None:
    caller = await server.caller()
    sid = await sid_of(caller)
    await speak(caller, 0.4)
    await caller.until_frame(20)
    frame = 20
    outputs = (
        SpeechStopped(1),
        ReplyStarted(2, frame + 1),
        Speech(frame + 1, 2, b"\5\0" * 480),
    )
    await worker.say(sid, *outputs, frame=frame + 1, generation=2)
    await caller.until_frame(frame + 1)
    stats: dict[str, Any] = {}

    async def measured() -> bool:  # the figures may be half a second old
        stats.update((await client.get("/api/stats")).json())
        return None not in (stats["answer_ms"]["p50"], stats["append_ms"]["p50"])

    await until(measured)
    assert 0 < stats["answer_ms"]["p50"] < 1_000 * PATIENCE_S
    assert 0 < stats["append_ms"]["p50"] < 1_000 * PATIENCE_S
    await caller.send("end")
