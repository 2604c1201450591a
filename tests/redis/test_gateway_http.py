"""The gateway's HTTP answers, and the talking client against a real gateway."""

from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from client.failure import CallFailed
from client.speaking import speak_file
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.redis.stage import GatewayServer, StandInWorker

pytestmark = pytest.mark.redis


async def test_health_readiness_figures_and_metrics(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.caller()
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).json() == {"ready": True, "reason": None}
        stats = (await client.get("/api/stats")).json()
        metrics = (await client.get("/metrics")).text
    assert stats["sessions"] == 1
    ((name, shown),) = stats["workers"].items()
    assert name.startswith("w-")  # its own name contains its machine's name
    assert shown["slots"] == 8
    assert shown["step_ms"] == 1.5
    assert "antiphon_sessions 1.0" in metrics
    assert 'antiphon_fleet_workers{engine="echo"} 1.0' in metrics
    assert 'antiphon_fleet_slots{engine="echo"} 8.0' in metrics
    assert "antiphon_fleet_waiting_callers 0.0" in metrics
    await caller.send("end")


async def test_not_ready_comes_with_a_reason(server: GatewayServer) -> None:
    server.gateway.endpoint.draining = True
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client:
        answer = await client.get("/ready")
        # A readiness probe asks this: a fleet without workers must not take all gateways away.
        assert (await client.get("/health")).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the gateway is closing"


async def test_the_public_settings_hold_no_address(server: GatewayServer) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S, base_url=server.http) as client:
        answer = await client.get("/api/config")
    assert answer.json()["sample_rate"] == 24_000
    assert answer.json()["mode"] == "turn"
    assert answer.json()["voices"] == ["default"]
    assert "redis" not in answer.text.lower()


@pytest.mark.parametrize("path", ["/", "/web", "/web/"])
async def test_the_page_is_served_under_a_strict_policy(server: GatewayServer, path: str) -> None:
    async with httpx.AsyncClient(
        timeout=PATIENCE_S, base_url=server.http, follow_redirects=True
    ) as client:
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
    """Half a second of a tone at 24 kHz, so that no resampling is needed."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(11_520) / 24_000)
    soundfile.write(tmp_path / "question.wav", tone, 24_000, subtype="PCM_16")
    return tmp_path / "question.wav"


@pytest.mark.parametrize("plain", [False, True])
async def test_the_talking_client_speaks_a_file_and_saves_the_reply(
    server: GatewayServer,
    worker: StandInWorker,
    patient_client: None,
    question: Path,
    tmp_path: Path,
    plain: bool,
) -> None:
    out = tmp_path / "reply.wav"
    report = await speak_file(question, server.url, out, mode="stream", plain=plain)
    question_pcm, _ = soundfile.read(question, dtype="int16")
    reply_pcm, rate_hz = soundfile.read(out, dtype="int16")
    assert rate_hz == 24_000
    assert np.array_equal(reply_pcm[: len(question_pcm)], question_pcm)
    assert report["gaps"] == 0
    assert report["frames"] == len(reply_pcm) // 480
    assert (report["session"] is None) is plain


async def test_the_talking_client_without_a_server_says_what_to_do(
    question: Path, tmp_path: Path
) -> None:
    url = f"ws://127.0.0.1:{free_port()}/ws/stream"
    with pytest.raises(CallFailed, match="make run"):
        await speak_file(question, url, tmp_path / "reply.wav", mode=None, plain=False)
