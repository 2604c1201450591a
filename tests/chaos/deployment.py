"""Start, kill and restart the real processes: Redis, gateways and workers."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from shared.log import keys
from tests.chaos import releases
from tests.chaos.ablations import write_scripts
from tests.chaos.clock import Clocks
from tests.chaos.proxy import Impairments, Proxy
from tests.chaos.redis_server import DurableRedis, Storage
from tests.chaos.subject import ECHO, Subject
from tests.e2e.launcher import ROOT, STARTS_WITHIN_S, Process
from tests.patience import wait_until
from tests.ports import free_port
from tests.redis_users import as_user, refusals


@dataclass(frozen=True, slots=True)
class Setup:
    """What a fault needs. `missing` says why this machine cannot provide it, or ""."""

    storage: Callable[..., Storage] = DurableRedis
    mortal: bool = False  # `caller.POISON` kills the process of any engine that hears it
    clocks: bool = False  # the suite can shift every process's wall clock
    old: bool = False  # the processes begin as those of the release before
    env: Mapping[str, str] = field(default_factory=dict)  # settings of gateways and workers
    missing: Callable[[], str] = str


PLAIN: Final = Setup()


class Deployment:
    """Redis, gateways, and workers of `slots` each; `ablation` removes a guarantee from all."""

    def __init__(
        self,
        folder: Path,
        *,
        gateways: int = 2,
        workers: int = 3,
        slots: int = 32,
        setup: Setup = PLAIN,
        ablation: str = "",
        subject: Subject = ECHO,
    ) -> None:
        self.folder = folder
        self.subject = subject
        self.clocks = Clocks(folder) if setup.clocks else None
        (folder / "redis").mkdir()
        self.storage = setup.storage(folder / "redis", env=self._clock("redis"))
        self._env = {
            "WORKER_SLOTS": str(slots),
            "LOG_LEVEL": "INFO",
            **subject.env,
            **setup.env,
        }
        if ablation:
            self._env["CHAOS_SCRIPTS"] = str(write_scripts(ablation, folder / "scripts"))
        if setup.mortal:
            self._env["CHAOS_MORTAL"] = "1"
        self._started = 0
        # Where the code of the next processes is.
        self.root = releases.unpack_previous(folder / "before") if setup.old else ROOT
        self.ports = [free_port() for _ in range(gateways)]
        self._proxies: dict[int, Proxy] = {}
        self._metrics: dict[int, int] = {}  # process -> port
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
        """The WebSocket address of every gateway."""
        return [f"ws://127.0.0.1:{port}/ws/stream" for port in self.ports]

    def urls_at(self, host: str) -> list[str]:
        """The same at another address of this machine."""
        return [url.replace("127.0.0.1", host) for url in self.urls]

    @property
    def processes(self) -> list[Process]:
        """Every gateway and worker."""
        return [*self.gateways.values(), *self.workers]

    @property
    def redis(self) -> DurableRedis:
        """The one durable server. Raises TypeError when Sentinel or a Cluster keeps the log."""
        if not isinstance(self.storage, DurableRedis):
            raise TypeError(f"Expected one server, got {self.storage}")
        return self.storage

    def proxied_urls(self, delay_s: tuple[float, float] | None = None) -> list[str]:
        """The WebSocket address of every gateway through a proxy of its own."""
        self.close_proxies()
        self._proxies = {port: Proxy(free_port(), port, delay_s) for port in self.ports}
        return [f"ws://127.0.0.1:{proxy.port}/ws/stream" for proxy in self._proxies.values()]

    @property
    def impairments(self) -> list[Impairments]:
        """Those of the proxies between callers and gateways."""
        return [proxy.impairments for proxy in self._proxies.values()]

    def close_proxies(self) -> None:
        """Stop the proxies between callers and gateways."""
        for proxy in self._proxies.values():
            proxy.close()
        self._proxies = {}

    def start_worker(self, *, wait: bool = True) -> Process:
        """Start one more worker."""
        port = free_port()
        worker = self._start("workers", {"WORKER_METRICS_PORT": str(port)})
        self._metrics[worker.pid] = port
        self.workers.append(worker)
        if wait:
            wait_until(partial(self._beats, worker), self.logs)
        return worker

    def start_gateway(self, port: int, *, wait: bool = True) -> None:
        """Start the gateway of this port."""
        gateway = self._start("gateway", {"GATEWAY_PORT": str(port)})
        self.gateways[port] = gateway
        self._metrics[gateway.pid] = port
        if wait:
            wait_until(partial(self._ready, port), self.logs)

    def await_whole(self) -> None:
        """Wait until every worker beats and every gateway is ready."""
        for worker in self.workers:
            self._await(partial(self._beats, worker))
        for port in self.ports:
            self._await(partial(self._ready, port))

    def _await(self, done: Callable[[], bool]) -> None:
        """Wait for a condition. Raises RuntimeError when a process ends meanwhile."""
        wait_until(lambda: done() or bool(self._ended()), self.logs, STARTS_WITHIN_S)
        if ended := self._ended():
            raise RuntimeError(f"Expected {', '.join(ended)} to run, got:\n{self.logs()}")

    def _ended(self) -> list[str]:
        return [process.log.name for process in self.processes if not process.alive]

    def loaded_worker(self) -> Process:
        """The worker that owns the most sessions."""
        client = self.storage.client
        owners = [client.hget(key, "owner") or b"" for key in client.scan_iter("s:*:meta")]
        pids = [int(o.split(b":")[1].split(b"-")[-2]) for o in owners if isinstance(o, bytes) and o]
        return max(self.workers, key=lambda worker: pids.count(worker.pid))

    def get(self, port: int, path: str) -> bytes | None:
        """A gateway's response body; None when it did not answer 200."""
        with suppress(OSError):
            url = f"http://127.0.0.1:{port}{path}"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bytes(answer.read())
        return None

    def stats(self) -> list[dict[str, Any]]:
        """The /api/stats of every gateway."""
        return [json.loads(self.get(port, "/api/stats") or b"{}") for port in self.ports]

    def gateway_bytes(self) -> int:
        """The resident memory of all gateways together."""
        return sum(memory(process.pid) for process in self.gateways.values())

    def metrics_port(self, process: Process) -> int:
        """The port at which a process serves /metrics."""
        return self._metrics[process.pid]

    def gauge(self, process: Process, name: str) -> float:
        """The value of a metric without labels."""
        text = (self.get(self._metrics[process.pid], "/metrics") or b"").decode()
        (value,) = [line.split()[1] for line in text.splitlines() if line.startswith(name + " ")]
        return float(value)

    def unbounded(self) -> list[bytes]:
        """The keys without a TTL."""
        client = self.storage.client
        return [key for key in client.scan_iter("*") if client.ttl(key) == -1]

    def refusals(self) -> list[str]:
        """What Redis' users were not allowed to do."""
        return refusals(self.storage.client)

    def replace_dead_workers(self) -> int:
        """Restart dead workers as a supervisor does; how many there were."""
        dead = [worker for worker in self.workers if not worker.alive]
        for worker in dead:
            self.workers.remove(worker)
            self.start_worker()
        return len(dead)

    def holes(self) -> int:
        """Count records missing in the middle of a session's streams, or at the end of its steps.

        Each commit deletes the step before it if that step heard and said nothing (`commit.lua`),
        so the steps have gaps. The callers' frames show whether the remaining steps suffice.
        """
        client, found = self.storage.client, 0
        for key in client.scan_iter("s:*", _type="stream"):
            done: Any = client.hget(key.rpartition(b":")[0] + b":meta", "k")
            entries: Any = client.xrange(key)
            numbers = [int(entry[0].split(b"-")[0]) for entry in entries]
            if not numbers:
                continue
            if key.endswith(b":steps"):
                found += max(0, int(done or 0) - numbers[-1])
            else:
                found += numbers[-1] - numbers[0] + 1 - len(numbers)
        return found

    def logs(self) -> str:
        """The output of every process."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text()[-4_000:]}" for file in files)

    def close(self) -> None:
        """Stop all processes."""
        for process in self.processes:
            if process.alive:
                process.kill()
        self.close_proxies()
        self.storage.close()

    def _start(self, module: str, env: dict[str, str]) -> Process:
        self._started += 1
        name = f"{self._started:03}-{module}"
        log = self.folder / f"{name}.log"
        user = "gateway" if module == "gateway" else "worker"
        env = {**env, **self._clock(name), "REDIS_URL": as_user(self.storage.url, user)}
        if any(name.startswith("CHAOS_") for name in self._env):
            env, module = {**env, "CHAOS_MODULE": module}, "tests.chaos.ablated"
        return Process(module, log, {**self._env, **env}, self.root)

    def _clock(self, name: str) -> dict[str, str]:
        return self.clocks.environ(name) if self.clocks else {}

    def _ready(self, port: int) -> bool:
        return self.get(port, "/ready") is not None

    def _beats(self, worker: Process) -> bool:
        found = self.storage.client.hvals(keys.WORKERS)
        assert isinstance(found, list)
        return any(json.loads(raw)["pid"] == worker.pid for raw in found)


def memory(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (kib,) = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(kib) * 1024


def descriptors(pid: int) -> int:
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
