"""`python -m workers`: runs one worker. SIGTERM makes it hand its sessions to the others."""

import asyncio
import logging
import os
import re
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress

import uvloop
from redis.exceptions import RedisError

from shared import logs, tracing
from shared.errors import ConfigError
from shared.log import formats
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.log.traced_log import open_log
from shared.modes import VadName
from shared.process import tame_collector, watch_tasks
from shared.redis_client.trouble import TroubleLog
from shared.redis_client.url import check_redis
from shared.settings import Settings, load_settings
from workers.audio.silero_network import load_silero
from workers.engines import load_engine
from workers.monitoring import server
from workers.monitoring.probes import Probes
from workers.runtime.loop import WorkerLoop
from workers.runtime.ownership.claims import Ownership

log = logging.getLogger("workers")


def worker_name() -> str:
    """A name unique to this process. No colon: the log writes owners as epoch:worker:nonce."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(2)}"


async def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigError for errors that the operator must fix."""
    probes = Probes(settings.lease_ms / 1_000)
    watch_tasks(asyncio.get_running_loop())
    # Before the weights are loaded, so that `/startup` answers.
    with server.serving(settings.worker_metrics_port, probes):
        await _work(settings, probes)


async def _work(settings: Settings, probes: Probes) -> None:
    if settings.vad is VadName.SILERO:
        load_silero()  # fails now if it is not installed, not at the first caller
    engine = await asyncio.to_thread(load_engine, settings)
    tame_collector()
    # Signals are caught only from here on: before, there are no sessions to hand over, and the
    # default handler ends the process at once.
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    redis = connect(settings.redis)
    # Until it has seen the other processes: they may be of the previous release.
    sessions = open_log(redis, ttl_s=settings.session_ttl_s, writes=formats.PREVIOUS)
    registry = Registry(redis, ttl_s=settings.session_ttl_s)
    ownership = Ownership(
        sessions, registry, settings, worker_name(), traits=engine.traits, fold=engine.fold
    )
    loop = WorkerLoop(sessions, ownership, engine, settings, probes=probes)
    await _wait_for_redis(sessions, stopping, probes)
    log.info("worker %s: %s, %d slots", ownership.worker, settings.engine, engine.slots)
    try:
        if not stopping.is_set():  # it may have been told to leave before Redis answered
            await loop.run(stopping)
    finally:
        await redis.aclose()
        await asyncio.to_thread(tracing.flush)


async def _wait_for_redis(sessions: SessionLog, stopping: asyncio.Event, probes: Probes) -> None:
    """Wait until Redis answers. Refuses a Redis that is set to lose data silently."""
    trouble = TroubleLog()
    while not stopping.is_set():
        try:
            await check_redis(sessions.redis)
        except (RedisError, OSError) as error:
            if said := trouble.fail(error, time.monotonic()):
                log.warning(said)
            probes.turned(redis_answers=False)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), trouble.pause_s)
        else:
            if said := trouble.succeed():
                log.info(said)
            return


def _export(settings: Settings) -> None:
    """Export settings that PyTorch and CUDA read themselves: `.env` alone does not reach them."""
    for name in ("cuda_visible_devices", "torch_home"):
        if (value := getattr(settings, name)) is not None:
            os.environ[name.upper()] = str(value)


def main() -> None:
    """Read the settings and work. The exit status is 1 if the operator must fix something."""
    status = 0
    try:
        settings = load_settings()
        logs.set_up(settings.log_level, settings.log_format)
        tracing.switch_on(settings.otlp_endpoint, "antiphon-worker")
        _export(settings)
        uvloop.run(serve(settings))
    except TimeoutError as error:
        log.warning("leaving before every session was handed over: %s", error)
        status = 1
    except (ConfigError, RedisError) as error:
        sys.exit(f"antiphon worker: {error}")
    # An ordinary exit would wait for a step that hangs, and would spend 2 s on unloading PyTorch.
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
