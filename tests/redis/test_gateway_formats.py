"""Calls with telephone codecs and other sample rates through a gateway, which echoes them."""

import pytest

from gateway.call.wire_audio import SampleAudio
from gateway.protocol.audio_format import AudioFormat, Codec
from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from tests.redis.stage import Caller, GatewayServer, StandInWorker
from tests.unit.gateway.call.test_wire_audio import DECODE, ENCODE, likeness, voice

pytestmark = pytest.mark.redis

FORMATS = [AudioFormat(Codec.PCM16, hz) for hz in (8_000, 16_000, 48_000)]
FORMATS += [AudioFormat(Codec.MULAW, 8_000), AudioFormat(Codec.ALAW, 8_000)]


async def acked(caller: Caller, samples: int) -> None:
    while not any(e["type"] == "ack" and e["samples"] >= samples for e in caller.events):
        await caller.next()


@pytest.mark.parametrize("wanted", FORMATS, ids=str)
async def test_a_voice_comes_back_in_the_format_it_was_sent_in(
    server: GatewayServer, worker: StandInWorker, wanted: AudioFormat
) -> None:
    caller = await server.caller(codec=wanted.codec.value, sample_rate=wanted.rate_hz)
    ready = caller.events[0]
    assert (ready["codec"], ready["sample_rate"]) == (wanted.codec.value, wanted.rate_hz)
    assert ready["frame_samples"] == wanted.rate_hz // 50
    said = voice(wanted.rate_hz, 1.0)
    await caller.socket.send(ENCODE[wanted.codec](said))
    await caller.until_frame(48)
    heard = DECODE[wanted.codec](caller.pcm)
    assert len(heard) == 48 * wanted.frame_samples
    late = SampleAudio(wanted)._down.delay_samples
    start = wanted.rate_hz // 10
    assert likeness(said[start : len(heard) - late], heard[start + late :]) > 0.99
    await acked(caller, 12 * CHUNK_SAMPLES * wanted.rate_hz // SAMPLE_RATE_HZ)
    await caller.send("end")


async def test_a_resumed_call_keeps_its_format_and_its_position(
    server: GatewayServer, worker: StandInWorker
) -> None:
    first = await server.caller(codec="mulaw")
    said = ENCODE[Codec.MULAW](voice(8_000, 1.0))
    await first.socket.send(said[:3_300])
    await acked(first, 3_200)
    await first.until_frame(20)
    first.socket.transport.abort()
    ticket = {"session": first.events[0]["session"], "token": first.events[0]["token"], "frame": 20}
    second = await server.caller(resume=ticket)
    ready = second.events[0]
    assert (ready["codec"], ready["sample_rate"], ready["next_sample"]) == ("mulaw", 8_000, 3_200)
    await second.socket.send(said[ready["next_sample"] :])
    await second.until_frame(40)
    assert {len(second.pcm) // len(second.frames)} == {160}
    await second.send("end")


async def test_a_plain_client_chooses_by_its_query(
    server: GatewayServer, worker: StandInWorker
) -> None:
    socket = await server.plain("?codec=alaw")
    await socket.send(ENCODE[Codec.ALAW](voice(8_000, 0.2)))
    assert len(await socket.recv()) == 160
    await socket.close()
    refused = await server.plain("?codec=pcm16&sample_rate=44100")
    assert "8000 or 16000 or 24000 or 48000" in str(await refused.recv())


async def test_a_wrong_rate_is_refused_before_a_slot_is_taken(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.native()
    await caller.send("start", codec="mulaw", sample_rate=16_000)
    assert await caller.end_of() == ("bad_message", 4400)
    assert "Expected 'sample_rate' as 8000" in caller.events[0]["message"]
    assert not worker.owned
