"""A gateway and a stand-in worker for the tests of the gateway."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateway.realtime.keys import hash_of
from shared.log.session_log import connect
from tests.patience import PATIENCE_S
from tests.redis.openai_door import KEY
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway, running_worker
from tests.redis_users import as_user


@pytest.fixture
async def worker(redis_url: str, redis_client: Redis) -> AsyncIterator[StandInWorker]:
    """A worker with eight slots."""
    async with running_worker(redis_url) as worker:
        yield worker


@pytest.fixture
def patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The talking client takes a pause of a busy machine for no end of the reply."""
    monkeypatch.setattr("client.call.QUIET_S", 5.0)
    monkeypatch.setattr("client.call.PATIENCE_S", PATIENCE_S)


@pytest.fixture
async def server(redis_url: str, worker: StandInWorker) -> AsyncIterator[GatewayServer]:
    """A gateway that has seen the worker."""
    async with running_gateway(redis_url) as server:
        await server.sees(worker.slots)
        yield server


@pytest.fixture
async def as_worker(redis_url: str, redis_client: Redis) -> AsyncIterator[Redis]:
    """The emptied Redis for its user of workers and recorders."""
    async with connect(as_user(redis_url, "worker")) as client:
        yield client


@pytest.fixture
async def guarded(redis_url: str, worker: StandInWorker) -> AsyncIterator[GatewayServer]:
    """A gateway that wants `openai_door.KEY`."""
    entry = (f"test:{hash_of(KEY)}",)
    async with running_gateway(redis_url, gateway_api_keys=entry) as server:
        await server.sees(worker.slots)
        yield server
