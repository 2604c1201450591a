"""Start and stop the product's real processes (gateway, workers) on a Redis."""

import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Final

import redis

from shared.log import keys
from tests.patience import PATIENCE_S, wait_until
from tests.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
# A worker loads and warms up its models; one that cannot start ends by itself.
STARTS_WITHIN_S: Final = 2 * PATIENCE_S
# A busy machine must not turn the tests' callers away, or take a worker that gets no CPU for dead.
# Admission and leases have tests of their own.
PATIENT: Final = {
    "GATEWAY_STEP_BUDGET_MS": "10000",
    "CLAIM_TIMEOUT_MS": "60000",
    "LEASE_MS": "3000",
}


class Process:
    """One process; its output goes to a file, which a failing test prints."""

    def __init__(self, module: str, log: Path, env: dict[str, str], root: Path = ROOT) -> None:
        self.module = module
        self.log = log
        with log.open("wb") as sink:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=root,
                env={**_clean_environ(), "PYTHONPATH": str(root), **env},
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
        """Kill it (SIGKILL) and wait for its end."""
        self._popen.kill()
        self._popen.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP or SIGCONT."""
        self._popen.send_signal(number)

    def terminate(self, within_s: float = PATIENCE_S) -> int:
        """Send SIGTERM and wait; its exit status. Raises TimeoutExpired when it does not end."""
        self._popen.terminate()
        return self._popen.wait(within_s)

    def stop(self) -> None:
        """End it with SIGTERM, or with SIGKILL if it does not end."""
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
        """The address of the WebSocket."""
        return f"ws://127.0.0.1:{self.port}/ws/stream"

    @property
    def http(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[Process]:
        """The workers that run."""
        return [p for p in self.processes if p.module == "workers" and p.alive]

    def start_worker(self, **env: str) -> Process:
        """Start a worker with the echo engine.

        Before the gateway this does not wait: the processes start up together.
        """
        process = self._start("workers", {"ENGINE": "echo", **env})
        if self.port:
            self._await_ready()
        return process

    def start_gateway(self, **env: str) -> Process:
        """Start the gateway and wait until it and all workers are ready."""
        self.port = int(env.get("GATEWAY_PORT") or free_port())
        process = self._start("gateway", {"GATEWAY_PORT": str(self.port), **env})
        self._await_ready()
        return process

    def owner_of(self, sid: str) -> Process:
        """The worker that owns a session now."""
        owner = self.redis.hget(keys.meta(sid), "owner")
        assert isinstance(owner, bytes)
        pid = int(owner.split(b":")[1].split(b"-")[-2])
        return next(process for process in self.processes if process.pid == pid)

    def close(self) -> None:
        """Stop the processes that still run, the newest first."""
        for process in reversed(self.processes):
            process.stop()
        self.redis.close()

    def logs(self) -> str:
        """The output of every process."""
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text()}" for p in self.processes)

    def _start(self, module: str, env: dict[str, str]) -> Process:
        log = self.folder / f"{len(self.processes)}-{module}.log"
        process = Process(module, log, {"REDIS_URL": self.redis_url, **PATIENT, **env})
        self.processes.append(process)
        return process

    def _await_ready(self) -> None:
        """Wait for every worker's beat, and for a gateway that sees a worker if there is one."""
        starting = [process for process in self.processes if process.alive]
        path = "/ready" if self.workers else "/health"
        wait_until(
            lambda: (
                (self._all_beat() and self._answers(path))
                or not all(process.alive for process in starting)
            ),
            self.logs,
            STARTS_WITHIN_S,
        )
        if ended := [process.log.name for process in starting if not process.alive]:
            raise RuntimeError(f"Expected {', '.join(ended)} to start, got:\n{self.logs()}")

    def _all_beat(self) -> bool:
        found = self.redis.hvals(keys.WORKERS)
        assert isinstance(found, list)
        return all(
            any(f'"pid": {worker.pid}'.encode() in raw for raw in found) for worker in self.workers
        )

    def _answers(self, path: str) -> bool:
        with (
            suppress(OSError),
            urllib.request.urlopen(self.http + path, timeout=5) as answer,  # noqa: S310
        ):
            return bool(answer.status == 200)
        return False


def _clean_environ() -> dict[str, str]:
    """This environment without the product's settings, one thread for each numeric library."""
    kept = {n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
