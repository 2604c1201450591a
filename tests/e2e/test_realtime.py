"""The Realtime API with openai-python through real processes and the default engine."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import pytest
import soundfile

from client.resampling import resample
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.e2e.launcher import ROOT, Stack
from tests.e2e.test_spoken import QUESTIONS
from tests.patience import PATIENCE_S

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
    assert all("Paris" in found[part] for part in ("spoken", "barged", "pushed")), found
    assert "story" in found["heard"][1]
    assert found["statuses"] == ["completed", "cancelled", "completed", "completed"]
    assert found["reasons"][1] == "turn_detected"
    assert found["metadata"] == {"turn": "pushed"}
    assert found["error"] == "response_cancel_not_active"
