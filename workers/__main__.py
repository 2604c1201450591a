"""`python -m workers`: one worker process. SIGTERM hands its sessions to the others."""

import asyncio
import logging
import os
import re
import secrets
import signal
import socket
import sys
from typing import Final

import uvloop
from prometheus_client import start_http_server
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.config import Settings, load_settings
from shared.control import Control
from shared.errors import ConfigError
from shared.streams import SessionLog, check_redis, connect
from shared.telemetry import watch_tasks
from workers.engines import load_engine
from workers.runtime.loop import WorkerLoop
from workers.runtime.ownership import Ownership

# After a SIGTERM: what is not handed back by then, the others take when the lease is over.
STOP_WITHIN_S: Final = 1.8
REDIS_RETRY_S: Final = 0.5

log = logging.getLogger("workers")


def worker_name() -> str:
    """Unique for this process; no colon, since owners are written epoch:worker:nonce."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(2)}"


async def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigError, ResponseError for a Redis to refuse."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    engine = await asyncio.to_thread(load_engine, settings)
    redis = connect(settings.redis)
    sessions = SessionLog(redis, ttl_s=settings.session_ttl_s)
    control = Control(redis, ttl_s=settings.session_ttl_s)
    ownership = Ownership(sessions, control, settings, worker_name(), gated=engine.gated)
    loop = WorkerLoop(sessions, ownership, engine, settings)
    await _await_redis(sessions, stopping)
    if settings.worker_metrics_port:
        watch_tasks(asyncio.get_running_loop())
        start_http_server(settings.worker_metrics_port)
    log.info("worker %s: %s, %d slots", ownership.worker, settings.engine, engine.slots)
    working = asyncio.create_task(loop.run(stopping))
    await asyncio.wait(
        {working, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    await asyncio.wait_for(working, STOP_WITHIN_S)
    await redis.aclose()


async def _await_redis(sessions: SessionLog, stopping: asyncio.Event) -> None:
    """Until Redis answers; refuse one that would lose data silently."""
    while not stopping.is_set():
        try:
            await check_redis(sessions.redis)
        except NoPermissionError:
            return  # CONFIG is not ours to read here: its owner has set it
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            log.warning("waiting for Redis: %s", error)
            await asyncio.sleep(REDIS_RETRY_S)
        else:
            return


def main() -> None:
    """Read the settings and work; exit status 2 for what a person must put right."""
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        uvloop.run(serve(settings))
    except TimeoutError:
        log.warning("the engine did not stop in %.1f s: leaving without it", STOP_WITHIN_S)
        logging.shutdown()
        os._exit(1)  # a thread that hangs in the engine would hold an ordinary exit
    except (ConfigError, RedisError) as error:
        sys.exit(f"antiphon worker: {error}")


if __name__ == "__main__":
    main()
