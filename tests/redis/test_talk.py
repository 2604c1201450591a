"""`make talk`'s client against a real gateway: a lost socket costs it nothing."""

import asyncio
from functools import partial

import numpy as np
import pytest

from client.talk import Conversation, TalkError
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
    talk = Conversation(place.url, question, plain=False, wish={"mode": "stream"})
    holding = asyncio.create_task(talk.hold())
    for frames in (20, 60):
        await until(partial(_heard, talk, holding, frames))
        assert talk.socket is not None
        talk.socket.transport.abort()
    await holding
    assert talk.resumes == 2
    assert talk.hearing.gaps == 0
    numbers = [frame.number for frame in talk.hearing.frames]
    assert numbers == list(range(1, len(numbers) + 1))
    heard = talk.hearing.samples()
    assert len(heard) >= LOUD_CHUNKS * CHUNK_SAMPLES
    assert np.array_equal(heard[: len(question)], question)
    assert len(numbers) >= LOUD_CHUNKS * FRAMES_PER_CHUNK


async def test_who_is_sent_away_goes_on_elsewhere_and_misses_nothing(
    place: Place, worker: StandInWorker, redis_url: str
) -> None:
    question = np.concatenate(noise(LOUD_CHUNKS))
    async with running_gateway(redis_url) as elsewhere:
        talk = Conversation(place.url, question, plain=False, wish={"mode": "stream"})
        holding = asyncio.create_task(talk.hold())
        await until(partial(_heard, talk, holding, 40))
        talk.url = elsewhere.url  # what a balancer in front does
        place.server.should_exit = True
        await holding
    assert talk.resumes == 1
    assert talk.hearing.gaps == 0
    assert np.array_equal(talk.hearing.samples()[: len(question)], question)


async def test_a_session_that_is_gone_is_said_to_be(place: Place, worker: StandInWorker) -> None:
    talk = Conversation(place.url, np.concatenate(noise(200)), plain=False, wish={"mode": "stream"})
    holding = asyncio.create_task(talk.hold())
    await until(partial(_heard, talk, holding, 4))
    talk._token = "another"  # noqa: S105 # no secret
    assert talk.socket is not None
    talk.socket.transport.abort()
    with pytest.raises(TalkError, match="token"):
        await holding


def _heard(talk: Conversation, holding: asyncio.Task[None], frames: int) -> bool:
    return len(talk.hearing.frames) > frames or holding.done()
