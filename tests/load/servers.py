"""The echo servers under load: ours whole, and the peers in an environment of their own."""

import math
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from shared import local_redis as redis_server
from tests.conftest import free_port
from tests.patience import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
PEERS: Final = Path(__file__).parent / "peers"
PEERS_ENV: Final = ROOT / "var" / "bench" / "peers"
STOPS_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers."""

    urls: tuple[str, ...]  # of each gateway
    native: bool  # speaks antiphon.v1
    pids: dict[str, int]

    @property
    def url(self) -> str:
        """Of the first gateway."""
        return self.urls[0]


def environment(**settings: str) -> dict[str, str]:
    """A clean environment: no settings of ours but these, one thread a numeric library."""
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **settings}


@contextmanager
def running(line: list[str], core: int, log: Path, env: Mapping[str, str]) -> Iterator[int]:
    """A process on one core; its pid. Its output goes to the file."""
    with log.open("wb") as sink:
        process = subprocess.Popen(line, cwd=ROOT, env=env, stdout=sink, stderr=subprocess.STDOUT)
    try:
        os.sched_setaffinity(process.pid, {core})
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    """Whether an address answers 200."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


@contextmanager
def ours(
    core: int, callers: int, gateways: int = 1, workers: int = 1, **settings: str
) -> Iterator[Serving]:
    """Redis with its append-only file, gateways and workers, each of which holds its part of the
    callers; the echo engine unless told another.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_port, ports = free_port(), [free_port() for _ in range(gateways)]
        env = environment(
            REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
            GATEWAY_MAX_SESSIONS=str(callers),
            WORKER_SLOTS=str(math.ceil(callers / workers)),
            **{"ENGINE": "echo", "REPLY_MODE": "stream", **settings},
        )
        lines = {"redis": redis_server.command(redis_port, folder)}
        lines |= {_named("worker", n): [sys.executable, "-m", "workers"] for n in range(workers)}
        doors = {_named("gateway", n): {"GATEWAY_PORT": str(p)} for n, p in enumerate(ports)}
        lines |= {name: [sys.executable, "-m", "gateway"] for name in doors}
        pids = {
            name: stack.enter_context(
                running(line, core, folder / f"{name}.log", env | doors.get(name, {}))
            )
            for name, line in lines.items()
        }
        for port in ports:
            ready = f"http://127.0.0.1:{port}/ready"
            wait_until(partial(answers, ready), (folder / "worker.log").read_text)
        yield Serving(tuple(f"ws://127.0.0.1:{port}/ws/stream" for port in ports), True, pids)


def _named(kind: str, number: int) -> str:
    return f"{kind} {number + 1}" if number else kind


@contextmanager
def peer(script: str, core: int, *args: str) -> Iterator[Serving]:
    """A peer's echo server: `peers/<script>.py` in the peers' environment."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "log"
        line = [str(PEERS_ENV / "bin" / "python"), str(PEERS / f"{script}.py"), str(port), *args]
        with running(line, core, log, environment()) as pid:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), log.read_text)
            yield Serving((f"ws://127.0.0.1:{port}/ws",), False, {script: pid})


def prepare_peers() -> None:
    """Make the peers' environment, with the versions that peers/requirements.txt pins."""
    wanted = PEERS / "requirements.txt"
    made = PEERS_ENV / "made"
    if made.exists() and made.read_text() == wanted.read_text():
        return
    venv.create(PEERS_ENV, with_pip=True, clear=True)
    pip = [str(PEERS_ENV / "bin" / "python"), "-m", "pip", "install", "-qq"]
    subprocess.run([*pip, "--disable-pip-version-check", "-r", str(wanted)], check=True)
    made.write_text(wanted.read_text())
