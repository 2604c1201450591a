"""Starts the product's real processes (gateway, workers) against a Redis, and stops them."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import redis

from shared.log import keys
from tests.conftest import free_port
from tests.patience import PATIENCE_S, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]


class Process:
    """One process of ours; its output goes to a file that a failing test shows."""

    def __init__(self, module: str, log: Path, env: dict[str, str]) -> None:
        self.log = log
        with log.open("wb") as sink:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env={**_clean_environ(), **env},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def kill(self) -> None:
        """kill -9, and wait for its end."""
        self._popen.kill()
        self._popen.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, as SIGSTOP or SIGCONT."""
        self._popen.send_signal(number)

    def terminate(self, within_s: float = PATIENCE_S) -> int:
        """SIGTERM, and wait; its exit status. Raises TimeoutExpired when it will not go."""
        self._popen.terminate()
        return self._popen.wait(within_s)

    def stop(self) -> None:
        """End it, politely first."""
        with suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        try:
            self.terminate()
        except subprocess.TimeoutExpired:
            self.kill()


class Stack:
    """Redis, at most one gateway, and any number of workers."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.redis_url = redis_url
        self.folder = folder
        self.port = 0
        self.processes: list[Process] = []
        self.redis = redis.Redis.from_url(redis_url)
        self.redis.flushall()

    @property
    def url(self) -> str:
        """The WebSocket's address."""
        return f"ws://127.0.0.1:{self.port}/ws/stream"

    @property
    def http(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    def start_worker(self, **env: str) -> Process:
        """A worker with the echo engine, up and beating."""
        process = self._start("workers", {"ENGINE": "echo", **env})
        self._await(process, lambda: self._beats(process.pid))
        return process

    def start_gateway(self, **env: str) -> Process:
        """The gateway, ready: it sees Redis and a live worker, if one is up."""
        self.port = free_port()
        process = self._start("gateway", {"GATEWAY_PORT": str(self.port), **env})
        self._await(process, self._ready if len(self.processes) > 1 else self._healthy)
        return process

    def owner_of(self, sid: str) -> Process:
        """The worker process that owns a session now."""
        owner = self.redis.hget(keys.meta(sid), "owner")
        assert isinstance(owner, bytes)
        pid = int(owner.split(b":")[1].split(b"-")[-2])
        return next(process for process in self.processes if process.pid == pid)

    def close(self) -> None:
        """Stop what still runs, the newest first."""
        for process in reversed(self.processes):
            process.stop()
        self.redis.close()

    def logs(self) -> str:
        """What every process wrote."""
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text()}" for p in self.processes)

    def _start(self, module: str, env: dict[str, str]) -> Process:
        log = self.folder / f"{len(self.processes)}-{module}.log"
        process = Process(module, log, {"REDIS_URL": self.redis_url, **env})
        self.processes.append(process)
        return process

    def _await(self, process: Process, ready: Callable[[], bool]) -> None:
        wait_until(lambda: ready() or not process.alive, self.logs)
        if not process.alive:
            raise RuntimeError(f"Expected {process.log.name} to start, got:\n{self.logs()}")

    def _beats(self, pid: int) -> bool:
        found = self.redis.hvals(keys.WORKERS)
        return any(f'"pid": {pid}'.encode() in raw for raw in found)

    def _healthy(self) -> bool:
        return self._get("/health")

    def _ready(self) -> bool:
        return self._get("/ready")

    def _get(self, path: str) -> bool:
        with (
            suppress(OSError),
            urllib.request.urlopen(self.http + path, timeout=1) as answer,  # noqa: S310
        ):
            return bool(answer.status == 200)
        return False


def _clean_environ() -> dict[str, str]:
    """This process's environment without settings of ours; one thread for each numeric library."""
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
