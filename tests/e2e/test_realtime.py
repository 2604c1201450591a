"""The Realtime API through real processes: with openai-python, and while a worker dies."""

import asyncio
import base64
import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
import soundfile
from websockets.asyncio.client import connect

from client.resampling import resample
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.e2e.launcher import ROOT, Stack
from tests.e2e.test_spoken import QUESTIONS
from tests.patience import PATIENCE_S
from tests.sounds import joined, noise

pytestmark = pytest.mark.e2e


def at_24_khz(name: str, folder: Path) -> str:
    """A recorded question at the API's rate."""
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(resample(*soundfile.read(QUESTIONS / f"{name}.wav")).tobytes())
    return str(path)


def test_openai_python_talks_to_the_default_engine(stack: Stack, tmp_path: Path) -> None:
    stack.start_worker(ENGINE="cascade", WORKER_SLOTS="2")
    stack.start_gateway()
    wavs = [at_24_khz(name, tmp_path) for name in ("capital", "story")]
    line = [sys.executable, "tests/sdk/with_openai.py", stack.http, *wavs]
    done = subprocess.run(
        line, cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert all("Paris" in found[part] for part in ("spoken", "barged", "pushed", "live")), found
    assert "story" in found["heard"][1]
    assert found["statuses"] == ["completed", "cancelled", "completed", "completed"]
    assert found["reasons"][1] == "turn_detected"
    assert found["metadata"] == {"turn": "pushed"}
    assert found["error"] == "response_cancel_not_active"


async def test_a_killed_worker_costs_a_realtime_client_no_event_and_no_sound(stack: Stack) -> None:
    stack.start_worker()
    stack.start_worker()
    stack.start_gateway()
    sound = joined(noise(40, level=3_000))
    url = stack.http.replace("http", "ws") + "/v1/realtime"
    events: list[dict[str, Any]] = []

    async def until(kind: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not events or events[-1]["type"] != kind:
                events.append(json.loads(await socket.recv()))

    async with connect(url, compression=None) as socket:

        async def send(kind: str, **fields: Any) -> None:
            await socket.send(json.dumps({"type": kind, **fields}))

        await until("session.created")
        session_id = events[-1]["session"]["id"].removeprefix("sess_")
        await send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        for at in range(0, len(sound), 9_600):
            audio = base64.b64encode(sound[at : at + 9_600]).decode()
            await send("input_audio_buffer.append", audio=audio)
        await send("input_audio_buffer.commit")
        await send("response.create")
        await until("response.output_audio.delta")
        stack.owner_of(session_id).kill()
        await until("response.done")
    heard = [e["delta"] for e in events if e["type"] == "response.output_audio.delta"]
    assert b"".join(map(base64.b64decode, heard)) == sound
    assert len({e["event_id"] for e in events}) == len(events)
    assert [e["type"] for e in events].count("response.created") == 1
    assert events[-1]["response"]["status"] == "completed"
