"""ENGINE=moshi on a tiny checkpoint through real processes: a call outlives each of its workers."""

import signal
from collections.abc import Iterator
from typing import Any, Final

import msgpack
import pytest

from shared.audio import Pcm16, pcm16_from_bytes
from shared.log import keys
from shared.log.records import Audio, Record, Step, decode
from tests.e2e.client import calling
from tests.e2e.launcher import Stack
from tests.unit.workers.engines.moshi.made import babble, made_engine, shared_folder
from workers.engines.base import Opening, Past, Speak, Work
from workers.runtime.conversation.step import SILENCE

pytestmark = pytest.mark.e2e

CHUNKS: Final = 72  # the tiny model's context holds 40, so it moves
SEED: Final = 3
KILLED, FROZEN, LEFT = 12, 28, 50  # chunks after which a worker is lost


def records(stack: Stack, key: str) -> Iterator[tuple[int, Record]]:
    """A stream's records by number."""
    entries: Any = stack.redis.xrange(key)
    for name, fields in entries:
        ((kind, value),) = fields.items()
        yield int(name.split(b"-")[0]), decode(kind.decode(), value)


def heard_in(step: Step, sounds: dict[int, Pcm16]) -> Pcm16:
    (n,) = step.hear
    return SILENCE if n in step.muted else sounds[n]


async def test_a_call_says_the_same_codes_whatever_became_of_its_workers(stack: Stack) -> None:
    """Killed, frozen, asked to leave: each time another worker goes on, without a difference."""
    env = {"ENGINE": "moshi", "MODEL": str(shared_folder()), "DEVICE": "cpu", "WORKER_SLOTS": "2"}
    for _ in range(3):
        stack.start_worker(**env)
    stack.start_gateway(SESSION_SEED=str(SEED))
    sounds = babble(CHUNKS)
    async with calling(stack.url, "stream") as client:
        sid = client.ready["session"]
        await client.speak(sounds[:KILLED])
        stack.owner_of(sid).kill()
        await client.speak(sounds[KILLED:FROZEN])
        await client.until(lambda: len(steps(stack, sid)) == FROZEN)
        frozen = stack.owner_of(sid)
        frozen.signal(signal.SIGSTOP)
        await client.speak(sounds[FROZEN:LEFT])
        await client.until(lambda: len(steps(stack, sid)) == LEFT)
        frozen.signal(signal.SIGCONT)  # it goes on writing, unaware, and the log refuses it
        leaving = stack.owner_of(sid)
        assert leaving is not frozen
        leaving.terminate()
        await client.speak(sounds[LEFT:])
        await client.until(lambda: len(steps(stack, sid)) == CHUNKS)
        found = steps(stack, sid)
        audio = {
            n: pcm16_from_bytes(record.pcm)
            for n, record in records(stack, keys.inputs(sid))
            if isinstance(record, Audio)
        }
        assert int(stack.redis.hget(keys.meta(sid), "seed") or 0) == SEED
    assert stack.workers == [frozen]
    assert client.numbers == list(range(1, len(client.numbers) + 1))
    check(found, audio)


def steps(stack: Stack, sid: str) -> list[Step]:
    """The steps in which the engine worked."""
    found = [record for _, record in records(stack, keys.steps(sid))]
    return [record for record in found if isinstance(record, Step) and record.hear]


def check(found: list[Step], audio: dict[int, Pcm16]) -> None:
    """An engine that hears the whole call says and hears the same, step by step."""
    engine = made_engine()
    base, moves = 0, 0
    pasts: list[Past] = []
    for step in found:
        context = msgpack.unpackb(step.state)["context"]
        if context["base"] != base:
            moves += base > 0
            kept = pasts[context["moved"] :] if base else []
            opening = Opening(SEED + context["moved"], history=kept, moved=base > 0)
            engine.open(0, opening)
            base = context["base"]
        sound = heard_in(step, audio)
        (output,) = engine.step([Work(0, (sound,), Speak.DUPLEX)])
        assert (output.said, output.heard) == (step.said, step.heard)
        pasts.append(Past(heard=step.heard, said=step.said, speak=Speak.DUPLEX))
    assert moves >= 1
    assert len({step.said for step in found}) > CHUNKS // 2
