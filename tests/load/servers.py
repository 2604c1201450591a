"""Start the echo servers under load: antiphon whole, and peers in an environment of their own."""

import math
import os
import subprocess
import sys
import sysconfig
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
from tests.patience import wait_until
from tests.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
PEERS: Final = Path(__file__).parent / "peers"
PEERS_ENV: Final = ROOT / "var" / "bench" / "peers"
CASCADE_PEER_ENV: Final = ROOT / "var" / "bench" / "cascade-peers"
STOPS_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready."""

    urls: tuple[str, ...]  # of each gateway
    native: bool  # speaks antiphon.v1
    pids: dict[str, int]

    @property
    def url(self) -> str:
        """The address of the first gateway."""
        return self.urls[0]


def environment(**settings: str) -> dict[str, str]:
    """An environment with these settings alone, and one thread for each numeric library."""
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **settings}


@contextmanager
def running(line: list[str], core: int, log: Path, env: Mapping[str, str]) -> Iterator[int]:
    """Run a process on one core, its output in the file; its pid."""
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
    """Whether this address answers 200."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


@contextmanager
def ours(
    core: int,
    callers: int,
    gateways: int = 1,
    workers: int = 1,
    path_core: int | None = None,
    **settings: str,
) -> Iterator[RunningServer]:
    """Run Redis with its append-only file, gateways, and workers that share the callers.

    The engine is the echo unless the settings say otherwise. `path_core`: Redis and the gateways
    run on this core instead of the workers'.
    """
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        redis_port, ports = free_port(), [free_port() for _ in range(gateways)]
        env = environment(
            REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
            GATEWAY_MAX_SESSIONS=str(callers),
            WORKER_SLOTS=str(math.ceil(callers / workers)),
            **{"ENGINE": "echo", "REPLY_MODE": "stream", **settings},
        )
        lines = {"redis": redis_server.command(redis_port, folder)}
        lines |= {_named("worker", n): [sys.executable, "-m", "workers"] for n in range(workers)}
        gateway_env = {_named("gateway", n): {"GATEWAY_PORT": str(p)} for n, p in enumerate(ports)}
        lines |= {name: [sys.executable, "-m", "gateway"] for name in gateway_env}
        pids = {}
        for name, line in lines.items():
            on = core if path_core is None or name.startswith("worker") else path_core
            process = running(line, on, folder / f"{name}.log", env | gateway_env.get(name, {}))
            pids[name] = exits.enter_context(process)
        for port in ports:
            ready = f"http://127.0.0.1:{port}/ready"
            wait_until(partial(answers, ready), (folder / "worker.log").read_text)
        yield RunningServer(tuple(f"ws://127.0.0.1:{port}/ws/stream" for port in ports), True, pids)


def _named(kind: str, number: int) -> str:
    return f"{kind} {number + 1}" if number else kind


@contextmanager
def peer(script: str, core: int, *args: str, env: Path = PEERS_ENV) -> Iterator[RunningServer]:
    """Run a peer's server: `peers/<script>.py` in the peers' environment."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "log"
        line = [str(env / "bin" / "python"), str(PEERS / f"{script}.py"), str(port), *args]
        with running(line, core, log, environment()) as pid:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), log.read_text)
            yield RunningServer((f"ws://127.0.0.1:{port}/ws",), False, {script: pid})


def prepare_peers() -> None:
    """Create the peers' environment with the versions of peers/requirements.txt."""
    _prepare(PEERS_ENV, PEERS / "requirements.txt")


def prepare_cascade_peer() -> None:
    """Create the environment of pipecat with the cascade's models.

    Its own packages come first; torch, CTranslate2 and the voice are those of this environment.
    """
    pins = PEERS / "requirements-cascade.txt"
    _prepare(CASCADE_PEER_ENV, pins, after=Path(sysconfig.get_path("purelib")))


def _prepare(folder: Path, pins: Path, after: Path | None = None) -> None:
    """`after`: a folder of packages that the environment also sees, after its own."""
    made = folder / "made"
    if made.exists() and made.read_text() == pins.read_text():
        return
    venv.create(folder, with_pip=True, clear=True)
    if after is not None:
        (own,) = folder.glob("lib/python*/site-packages")
        (own / "antiphon.pth").write_text(f"{after}\n")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq"]
    subprocess.run([*pip, "--disable-pip-version-check", "-r", str(pins)], check=True)
    made.write_text(pins.read_text())
