"""What the gateway answers over HTTP, and the talking client against it."""

from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from client.call import CallFailed
from client.talk import speak_file
from tests.conftest import free_port
from tests.redis.stage import Place, StandInWorker

pytestmark = pytest.mark.redis


async def test_what_operators_ask(place: Place, worker: StandInWorker) -> None:
    caller = await place.caller()
    async with httpx.AsyncClient(base_url=place.http) as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).json() == {"ready": True, "reason": None}
        stats = (await client.get("/api/stats")).json()
        metrics = (await client.get("/metrics")).text
    assert stats["sessions"] == 1
    ((name, shown),) = stats["workers"].items()
    assert name.startswith("w-")  # its own name holds the name of its machine
    assert shown["slots"] == 8
    assert shown["step_ms"] == 1.5
    assert "antiphon_sessions 1.0" in metrics
    await caller.say("end")


async def test_not_ready_says_why(place: Place) -> None:
    place.gateway.endpoint.draining = True
    async with httpx.AsyncClient(base_url=place.http) as client:
        answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the gateway is closing"


async def test_the_public_settings_hold_no_address(place: Place) -> None:
    async with httpx.AsyncClient(base_url=place.http) as client:
        answer = await client.get("/api/config")
    assert answer.json()["sample_rate"] == 24_000
    assert answer.json()["mode"] == "turn"
    assert answer.json()["voices"] == ["default"]
    assert "redis" not in answer.text.lower()


@pytest.mark.parametrize("path", ["/", "/web", "/web/"])
async def test_the_page_is_served_under_a_strict_policy(place: Place, path: str) -> None:
    async with httpx.AsyncClient(base_url=place.http, follow_redirects=True) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.url.path == "/web/"
    assert "<html" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "microphone=(self)" in answer.headers["permissions-policy"].split(", ")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """Half a second of a tone at 24 kHz, so that nothing is resampled."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(11_520) / 24_000)
    soundfile.write(tmp_path / "question.wav", tone, 24_000, subtype="PCM_16")
    return tmp_path / "question.wav"


@pytest.mark.parametrize("plain", [False, True])
async def test_talk_speaks_a_file_and_saves_the_answer(
    place: Place, worker: StandInWorker, question: Path, tmp_path: Path, plain: bool
) -> None:
    out = tmp_path / "reply.wav"
    report = await speak_file(question, place.url, out, mode="stream", plain=plain)
    said, _ = soundfile.read(question, dtype="int16")
    heard, rate_hz = soundfile.read(out, dtype="int16")
    assert rate_hz == 24_000
    assert np.array_equal(heard[: len(said)], said)
    assert report["gaps"] == 0
    assert report["frames"] == len(heard) // 480
    assert (report["session"] is None) is plain


async def test_talk_without_a_server_says_what_to_do(question: Path, tmp_path: Path) -> None:
    url = f"ws://127.0.0.1:{free_port()}/ws/stream"
    with pytest.raises(CallFailed, match="make run"):
        await speak_file(question, url, tmp_path / "reply.wav", mode=None, plain=False)
