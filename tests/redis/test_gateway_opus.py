"""Callers with Opus through a gateway, beside callers without."""

import asyncio

import numpy as np
import pytest

from gateway.call import opus
from gateway.call.opus import LOOKAHEAD_SAMPLES, Opus
from gateway.protocol.frames import HEADER
from shared.audio import CHUNK_SAMPLES, FRAME_BYTES
from tests.patience import PATIENCE_S
from tests.redis.stage import Caller, Place, StandInWorker, speak
from tests.unit.gateway.call.test_opus import likeness, packets, voice

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not opus.AVAILABLE, reason="this system has no libopus"),
]


class Listener:
    """Takes packed frames apart as a client does: a decoder for each reply."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.pcm = b""
        self._ears = Opus()

    async def hear(self, caller: Caller, frames: int) -> None:
        while len(self.numbers) < frames:
            data = await asyncio.wait_for(caller.socket.recv(), PATIENCE_S)
            if isinstance(data, bytes):
                self.numbers.append(HEADER.unpack(data[:12])[0])
                self.pcm += self._ears.decode(data[12:])


async def send_paced(caller: Caller, sounds: list[bytes]) -> None:
    for sound in sounds:
        await caller.socket.send(sound)
        await asyncio.sleep(0.015)


async def test_a_voice_goes_round_as_opus(place: Place, worker: StandInWorker) -> None:
    caller, said = await place.caller(codec="opus"), voice()
    assert (await caller.until("ready"))["codec"] == "opus"
    sender = asyncio.create_task(send_paced(caller, packets(said)))
    listener = Listener()
    await listener.hear(caller, 144)
    await sender
    assert listener.numbers == list(range(1, 145))
    heard = np.frombuffer(listener.pcm, np.int16)
    # Both ways' look-ahead is cut off, so every sample is at its own place.
    assert likeness(said[2_000 : len(heard)], heard[2_000:]) >= 0.98
    await caller.say("end")


async def test_positions_count_samples_whatever_carries_them(
    place: Place, worker: StandInWorker
) -> None:
    caller = await place.caller(codec="opus")
    await send_paced(caller, packets(voice())[:100])
    expected = (100 * 480 - LOOKAHEAD_SAMPLES) // CHUNK_SAMPLES * CHUNK_SAMPLES
    while (caller.events[-1].get("type"), caller.events[-1].get("samples")) != ("ack", expected):
        await caller.next()
    await caller.say("end")


async def test_a_resumed_call_may_change_its_codec(place: Place, worker: StandInWorker) -> None:
    first = await place.caller(codec="opus")
    ready = await first.until("ready")
    listener = Listener()
    sender = asyncio.create_task(send_paced(first, packets(voice())[:60]))
    await listener.hear(first, 20)
    first.socket.transport.abort()
    await asyncio.gather(sender, return_exceptions=True)
    ticket = {"session": ready["session"], "token": ready["token"], "frame": 20}
    second = await place.caller(resume=ticket)
    assert (await second.until("ready"))["codec"] == "pcm16"
    await speak(second, 0.4)
    await second.until_frame(24)
    assert second.numbers()[:4] == [21, 22, 23, 24]
    assert len(second.pcm) == len(second.frames) * FRAME_BYTES
    await second.say("end")


async def test_a_bad_packet_ends_its_own_call_alone(place: Place, worker: StandInWorker) -> None:
    neighbour = await place.caller()
    culprit = await place.caller(codec="opus")
    said = asyncio.create_task(speak(neighbour, 1.0))
    await culprit.socket.send(packets(voice())[0])
    await culprit.socket.send(b"\xff" * 40)
    assert await culprit.end_of() == ("bad_message", 4400)
    await neighbour.until_frame(40)
    assert neighbour.pcm == (await said)[: len(neighbour.pcm)]
    assert neighbour.numbers() == list(range(1, len(neighbour.frames) + 1))
    await neighbour.say("end")


async def test_a_gateway_without_the_codec_says_so(
    place: Place, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.call.opening.AVAILABLE", False)
    caller = await place.caller(codec="opus")
    assert (await caller.until("ready"))["codec"] == "pcm16"
    said = await speak(caller, 0.5)
    await caller.until_frame(20)
    assert caller.pcm == said[: len(caller.pcm)]
    await caller.say("end")
