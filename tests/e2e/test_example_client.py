"""The Python client to copy, against a real gateway and a worker with the echo engine."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.audio import Pcm16
from shared.log import keys
from tests.e2e.launcher import ROOT, Stack
from tests.interruptions import heed_sigint
from tests.patience import PATIENCE_S, wait_until
from tests.sounds import joined, silence, talking

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "examples" / "client.py"
MAX_LINES = 95
LIBRARIES = ("numpy", "soundfile", "websockets")


def test_the_example_speaks_a_file_and_saves_the_reply(stack: Stack, tmp_path: Path) -> None:
    stack.start_worker()
    stack.start_gateway()
    question = np.frombuffer(joined([*talking(20), *silence(2)]), np.int16)
    soundfile.write(tmp_path / "question.wav", question, 24_000, subtype="PCM_16")
    done = run("question.wav", stack.url, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    reply, rate_hz = soundfile.read(tmp_path / "reply.wav", dtype="int16")
    assert rate_hz == 24_000
    assert "reply.wav" in done.stdout
    assert contains(question, reply[4_800:14_400]), "Expected the echo of what was spoken"


def test_the_example_reports_why_a_call_is_refused(stack: Stack, tmp_path: Path) -> None:
    stack.start_gateway()  # without a worker
    soundfile.write(tmp_path / "question.wav", np.zeros(24_000), 24_000)
    done = run("question.wav", stack.url, folder=tmp_path)
    assert done.returncode == 1
    assert "no worker is running" in done.stderr


def test_an_interrupted_example_hangs_up(stack: Stack, tmp_path: Path) -> None:
    stack.start_worker()
    stack.start_gateway()
    soundfile.write(tmp_path / "question.wav", np.zeros(24_000 * 60), 24_000)
    example = subprocess.Popen(
        [sys.executable, str(EXAMPLE), "question.wav", stack.url],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_sigint,
    )
    sessions = stack.redis.scard
    wait_until(lambda: sessions(keys.SESSIONS) == 1, stack.logs)
    wait_until(lambda: bool(stack.redis.keys("s:*:in")), stack.logs)
    example.send_signal(signal.SIGINT)
    assert example.communicate(timeout=PATIENCE_S)[1].splitlines() == ["Interrupted: hung up"]
    assert example.returncode == 1
    wait_until(lambda: sessions(keys.SESSIONS) == 0, stack.logs)


def test_the_example_is_short_and_needs_three_libraries() -> None:
    lines = EXAMPLE.read_text().splitlines()
    assert len(lines) < MAX_LINES
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("from", "imp"))}
    assert {name for name in imported if name not in sys.stdlib_module_names} == set(LIBRARIES)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(EXAMPLE), *arguments]
    return subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def contains(whole: Pcm16, part: Pcm16) -> bool:
    """Whether these samples are a part of the whole, within the rounding of the file."""
    spots = np.correlate(whole.astype(float), part.astype(float))
    at = int(spots.argmax())
    return bool(np.abs(whole[at : at + len(part)].astype(int) - part).max() <= 1)
