"""The client of `make talk` against a real gateway: a lost socket costs no frame."""

import asyncio
from functools import partial

import numpy as np
import pytest

from client.call import CallFailed, SpokenCall
from shared.audio import CHUNK_SAMPLES, FRAMES_PER_CHUNK
from tests.patience import until
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway
from tests.sounds import noise

pytestmark = pytest.mark.redis

LOUD_CHUNKS = 40


async def test_a_lost_socket_is_replaced_and_no_frame_is_lost(
    server: GatewayServer, worker: StandInWorker
) -> None:
    question = np.concatenate(noise(LOUD_CHUNKS))
    call = SpokenCall(server.url, question, plain=False, start={"mode": "stream"})
    running = asyncio.create_task(call.run())
    for frames in (20, 60):
        await until(partial(_received, call, running, frames))
        assert call.socket is not None
        call.socket.transport.abort()
    await running
    assert call.resumes == 2
    assert call.measurements.gaps == 0
    numbers = [frame.number for frame in call.measurements.frames]
    assert numbers == list(range(1, len(numbers) + 1))
    received = call.measurements.samples()
    assert len(received) >= LOUD_CHUNKS * CHUNK_SAMPLES
    assert np.array_equal(received[: len(question)], question)
    assert len(numbers) >= LOUD_CHUNKS * FRAMES_PER_CHUNK


async def test_after_a_goaway_the_call_continues_on_another_gateway(
    server: GatewayServer, worker: StandInWorker, redis_url: str
) -> None:
    question = np.concatenate(noise(LOUD_CHUNKS))
    async with running_gateway(redis_url) as elsewhere:
        call = SpokenCall(server.url, question, plain=False, start={"mode": "stream"})
        running = asyncio.create_task(call.run())
        await until(partial(_received, call, running, 40))
        call.url = elsewhere.url  # as a load balancer would
        server.uvicorn.should_exit = True
        await running
    assert call.resumes == 1
    assert call.measurements.gaps == 0
    assert np.array_equal(call.measurements.samples()[: len(question)], question)


async def test_a_session_that_cannot_be_resumed_fails_the_call(
    server: GatewayServer, worker: StandInWorker
) -> None:
    call = SpokenCall(server.url, np.concatenate(noise(200)), plain=False, start={"mode": "stream"})
    running = asyncio.create_task(call.run())
    await until(partial(_received, call, running, 4))
    call._token = "another"  # noqa: S105 # no secret
    assert call.socket is not None
    call.socket.transport.abort()
    with pytest.raises(CallFailed, match="token"):
        await running


def _received(call: SpokenCall, running: asyncio.Task[None], frames: int) -> bool:
    return len(call.measurements.frames) > frames or running.done()
