"""The client of `make talk` against a real gateway: a lost socket costs no frame."""

import asyncio
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from client.call import SpokenCall
from client.failure import CallFailed
from shared.audio import CHUNK_SAMPLES, FRAMES_PER_CHUNK
from tests.interruptions import heed_sigint
from tests.patience import PATIENCE_S, until
from tests.redis.stage import GatewayServer, StandInWorker, running_gateway
from tests.sounds import noise

pytestmark = pytest.mark.redis

LOUD_CHUNKS = 40
ROOT: Final = Path(__file__).parents[2]


async def test_a_lost_socket_is_replaced_and_no_frame_is_lost(
    server: GatewayServer, worker: StandInWorker, patient_client: None
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
    server: GatewayServer, worker: StandInWorker, patient_client: None, redis_url: str
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_call_is_hung_up_and_what_was_heard_is_saved(
    server: GatewayServer, worker: StandInWorker, tmp_path: Path, number: signal.Signals
) -> None:
    soundfile.write(tmp_path / "question.wav", np.concatenate(noise(600)), 24_000)
    client = await _started("question.wav", "--mode", "stream", url=server.url, folder=tmp_path)
    await until(lambda: any(step.frame > 8 for step in worker.owned.values()))
    await until(lambda: sum(s.next_frame for s in server.gateway.sessions) > 8)
    client.send_signal(number)
    printed, complaint = await asyncio.wait_for(client.communicate(), PATIENCE_S)
    assert client.returncode == 128 + number
    assert not printed
    (line,) = complaint.decode().splitlines()
    assert line.startswith(f"talk: Interrupted by {number.name}: hung up; what was heard, ")
    assert soundfile.info(tmp_path / "reply.wav").frames >= 480
    await until(lambda: not worker.owned)


async def test_a_call_without_a_reply_is_hung_up_too(
    server: GatewayServer, worker: StandInWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.call.PATIENCE_S", 0.3)
    call = SpokenCall(server.url, np.zeros(3_840, np.int16), plain=False, start={"mode": "turn"})
    with pytest.raises(CallFailed, match="No reply within"):
        await call.run()
    await until(lambda: not worker.owned)


async def test_a_call_may_choose_codec_and_rate(
    server: GatewayServer, worker: StandInWorker, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "question.wav", 0.3 * np.sin(np.arange(24_000) / 9), 24_000)
    client = await _started(
        *("question.wav", "--mode", "stream", "--codec", "mulaw", "--rate", "8000"),
        url=server.url,
        folder=tmp_path,
    )
    printed, complaint = await asyncio.wait_for(client.communicate(), PATIENCE_S)
    assert client.returncode == 0, complaint
    assert json.loads(printed)["gaps"] == 0
    reply, rate_hz = soundfile.read(tmp_path / "reply.wav")
    assert rate_hz == 8_000
    assert np.abs(reply[1_000:7_000]).max() == pytest.approx(0.3, abs=0.03)


async def test_a_refused_caller_is_told_when_to_try_again(
    server: GatewayServer, worker: StandInWorker
) -> None:
    server.gateway.fleet.max_sessions = 0
    call = SpokenCall(server.url, np.zeros(1_920, np.int16), plain=False, start={})
    with pytest.raises(CallFailed, match=r"refused: No room for a call: .*; try again in 5\.0 s"):
        await call.run()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/ws/strem", "got HTTP 404 from a server that runs: Expected a WebSocket at /ws/stream"),
        ("/web/", "got HTTP 404 from a server that runs"),
    ],
)
async def test_a_wrong_path_is_told_from_no_server(
    server: GatewayServer, path: str, sentence: str
) -> None:
    wrong = f"ws://127.0.0.1:{server.port}{path}"
    call = SpokenCall(wrong, np.zeros(1_920, np.int16), plain=False, start={})
    with pytest.raises(CallFailed, match=sentence):
        await call.run()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ws://127.0.0.1:1/ws/stream", "Expected a server at .*make run"),
        ("http://127.0.0.1/", "Expected an address like ws://"),
        ("wss://127.0.0.1:{port}/ws/stream", "is it ws:// or wss://"),
    ],
)
async def test_why_no_call_began_is_said_in_a_sentence(
    server: GatewayServer, url: str, sentence: str
) -> None:
    address = url.format(port=server.port)
    call = SpokenCall(address, np.zeros(1_920, np.int16), plain=False, start={})
    with pytest.raises(CallFailed, match=sentence):
        await call.run()


async def _started(*arguments: str, url: str, folder: Path) -> asyncio.subprocess.Process:
    """The client's command line, with default signal handlers."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client.talk", *arguments, "--url", url),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=heed_sigint,
    )


def _received(call: SpokenCall, running: asyncio.Task[None], frames: int) -> bool:
    return len(call.measurements.frames) > frames or running.done()
