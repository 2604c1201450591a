"""`make talk`'s client against a real gateway: a lost socket costs it nothing."""

import asyncio
from functools import partial

import numpy as np
import pytest

from client.call import CallFailed, SpokenCall
from shared.audio import CHUNK_SAMPLES, FRAMES_PER_CHUNK
from tests.patience import until
from tests.redis.stage import Place, StandInWorker, running_gateway
from tests.sounds import noise

pytestmark = pytest.mark.redis

LOUD_CHUNKS = 40


async def test_a_lost_socket_is_replaced_and_nothing_of_the_answer_is_lost(
    place: Place, worker: StandInWorker
) -> None:
    question = np.concatenate(noise(LOUD_CHUNKS))
    call = SpokenCall(place.url, question, plain=False, start={"mode": "stream"})
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


async def test_who_is_sent_away_goes_on_elsewhere_and_misses_nothing(
    place: Place, worker: StandInWorker, redis_url: str
) -> None:
    question = np.concatenate(noise(LOUD_CHUNKS))
    async with running_gateway(redis_url) as elsewhere:
        call = SpokenCall(place.url, question, plain=False, start={"mode": "stream"})
        running = asyncio.create_task(call.run())
        await until(partial(_received, call, running, 40))
        call.url = elsewhere.url  # what a balancer in front does
        place.server.should_exit = True
        await running
    assert call.resumes == 1
    assert call.measurements.gaps == 0
    assert np.array_equal(call.measurements.samples()[: len(question)], question)


async def test_a_session_that_is_gone_is_said_to_be(place: Place, worker: StandInWorker) -> None:
    call = SpokenCall(place.url, np.concatenate(noise(200)), plain=False, start={"mode": "stream"})
    running = asyncio.create_task(call.run())
    await until(partial(_received, call, running, 4))
    call._token = "another"  # noqa: S105 # no secret
    assert call.socket is not None
    call.socket.transport.abort()
    with pytest.raises(CallFailed, match="token"):
        await running


def _received(call: SpokenCall, running: asyncio.Task[None], frames: int) -> bool:
    return len(call.measurements.frames) > frames or running.done()
