"""A worker's probes over HTTP, while its loop, its engine or its start hangs."""

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from redis.asyncio import Redis

import workers.__main__
from shared.errors import ConfigError
from shared.settings import load_settings
from tests.patience import PATIENCE_S, until, wait_until
from tests.ports import free_port
from tests.redis.caller import Caller
from tests.redis.test_runtime import HangingEngine, make_worker, seated, stuck, working
from tests.sounds import noise
from workers.engines.base import Engine
from workers.engines.echo import EchoEngine
from workers.monitoring import server
from workers.monitoring.probes import Probes

pytestmark = pytest.mark.redis


def probe(port: int, path: str) -> int:
    """The HTTP status of one probe; 0 when nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except urllib.error.URLError:
        return 0


@contextmanager
def probed(probes: Probes) -> Iterator[int]:
    """The port at which these probes are served."""
    port = free_port()
    with server.serving(port, probes):
        yield port


async def answers(port: int, path: str, status: int) -> bool:
    return await asyncio.to_thread(probe, port, path) == status


async def metrics(port: int) -> str:
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=f"http://127.0.0.1:{port}") as client:
        return (await client.get("/metrics")).text


async def test_a_loop_that_hangs_fails_its_probe(redis_client: Redis) -> None:
    worker = make_worker(redis_client)
    with probed(worker.probes) as port:
        async with working(worker):
            await until(lambda: answers(port, "/ready", 200))
            assert 'antiphon_worker_free_slots{engine="echo"} 8.0' in await metrics(port)
            # This call blocks the event loop, as a bug would.
            wait_until(lambda: probe(port, "/health") == 503)
            await until(lambda: answers(port, "/health", 200))
        assert await answers(port, "/ready", 503)  # it has left


async def test_an_engine_that_hangs_fails_the_probe(redis_client: Redis) -> None:
    caller, engine = Caller(redis_client), HangingEngine(8)
    worker = make_worker(redis_client, engine=engine)
    await caller.call("stream")
    with probed(worker.probes) as port:
        async with working(worker):
            await until(lambda: seated(worker, 1))
            engine.gate.clear()
            await caller.speak(noise(20))
            await until(lambda: stuck(engine))
            await until(lambda: answers(port, "/health", 503))
            engine.gate.set()
            await until(lambda: answers(port, "/health", 200))


async def test_a_worker_has_started_when_its_weights_are_loaded(
    redis_client: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = threading.Event()

    def load(_: object) -> Engine:
        weights.wait(PATIENCE_S)
        return EchoEngine(8)

    monkeypatch.setattr(workers.__main__, "load_engine", load)
    port = free_port()
    settings = load_settings(
        {"ENGINE": "echo", "REDIS_URL": redis_url, "WORKER_METRICS_PORT": str(port)}
    )
    serving = asyncio.create_task(workers.__main__.serve(settings))
    await until(lambda: answers(port, "/startup", 503))
    assert await answers(port, "/health", 200)
    assert await answers(port, "/ready", 503)
    weights.set()
    await until(lambda: answers(port, "/ready", 200))
    assert await answers(port, "/startup", 200)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def test_a_taken_port_is_named(redis_client: Redis) -> None:
    with (
        probed(make_worker(redis_client).probes) as port,
        pytest.raises(ConfigError, match=f"WORKER_METRICS_PORT, got {port}"),
        server.serving(port, Probes(1.0)),
    ):
        pass
