"""Calls with Opus through a gateway, beside calls without."""

import asyncio

import numpy as np
import pytest

from gateway.call import opus
from gateway.call.opus import LOOKAHEAD_SAMPLES, Opus
from gateway.protocol.frames import HEADER
from shared.audio import CHUNK_SAMPLES, FRAME_BYTES
from tests.patience import PATIENCE_S
from tests.redis.stage import Caller, GatewayServer, StandInWorker, speak
from tests.unit.gateway.call.test_opus import likeness, packets, voice

pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(not opus.AVAILABLE, reason="this system has no libopus"),
]


class Listener:
    """Decodes packed frames as a client does."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.pcm = b""
        self._decoder = Opus()

    async def receive(self, caller: Caller, frames: int) -> None:
        while len(self.numbers) < frames:
            data = await asyncio.wait_for(caller.socket.recv(), PATIENCE_S)
            if isinstance(data, bytes):
                self.numbers.append(HEADER.unpack(data[:12])[0])
                self.pcm += self._decoder.decode(data[12:])


async def send_paced(caller: Caller, sounds: list[bytes]) -> None:
    for sound in sounds:
        await caller.socket.send(sound)
        await asyncio.sleep(0.015)


async def test_a_voice_comes_back_as_opus(server: GatewayServer, worker: StandInWorker) -> None:
    caller, sent = await server.caller(codec="opus"), voice()
    assert (await caller.until("ready"))["codec"] == "opus"
    sender = asyncio.create_task(send_paced(caller, packets(sent)))
    listener = Listener()
    await listener.receive(caller, 144)
    await sender
    assert listener.numbers == list(range(1, 145))
    received = np.frombuffer(listener.pcm, np.int16)
    # The look-ahead is cut off in both directions, so every sample keeps its position.
    assert likeness(sent[2_000 : len(received)], received[2_000:]) >= 0.98
    await caller.send("end")


async def test_positions_count_decoded_samples(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.caller(codec="opus")
    await send_paced(caller, packets(voice())[:100])
    expected = (100 * 480 - LOOKAHEAD_SAMPLES) // CHUNK_SAMPLES * CHUNK_SAMPLES
    while (caller.events[-1].get("type"), caller.events[-1].get("samples")) != ("ack", expected):
        await caller.next()
    await caller.send("end")


async def test_a_resumed_call_may_change_its_codec(
    server: GatewayServer, worker: StandInWorker
) -> None:
    first = await server.caller(codec="opus")
    ready = await first.until("ready")
    listener = Listener()
    sender = asyncio.create_task(send_paced(first, packets(voice())[:60]))
    await listener.receive(first, 20)
    first.socket.transport.abort()
    await asyncio.gather(sender, return_exceptions=True)
    ticket = {"session": ready["session"], "token": ready["token"], "frame": 20}
    second = await server.caller(resume=ticket, codec="pcm16")
    assert (await second.until("ready"))["codec"] == "pcm16"
    await speak(second, 0.4)
    await second.until_frame(24)
    assert second.numbers()[:4] == [21, 22, 23, 24]
    assert len(second.pcm) == len(second.frames) * FRAME_BYTES
    await second.send("end")


async def test_a_bad_packet_ends_its_own_call_only(
    server: GatewayServer, worker: StandInWorker
) -> None:
    neighbour = await server.caller()
    offender = await server.caller(codec="opus")
    sent = asyncio.create_task(speak(neighbour, 1.0))
    await offender.socket.send(packets(voice())[0])
    await offender.socket.send(b"\xff" * 40)
    assert await offender.end_of() == ("bad_message", 4400)
    await neighbour.until_frame(40)
    assert neighbour.pcm == (await sent)[: len(neighbour.pcm)]
    assert neighbour.numbers() == list(range(1, len(neighbour.frames) + 1))
    await neighbour.send("end")


async def test_a_gateway_without_the_codec_answers_with_pcm16(
    server: GatewayServer, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.call.wire_audio.AVAILABLE", False)
    caller = await server.caller(codec="opus")
    assert (await caller.until("ready"))["codec"] == "pcm16"
    sent = await speak(caller, 0.5)
    await caller.until_frame(20)
    assert caller.pcm == sent[: len(caller.pcm)]
    await caller.send("end")
