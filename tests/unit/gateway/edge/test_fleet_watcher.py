"""The watch over the workers survives whatever it reads."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest

from gateway.edge import fleet_watcher
from gateway.edge.fleet import SILENT, Fleet
from gateway.edge.fleet_watcher import FleetWatcher
from gateway.waiting import wait_until
from shared.errors import ConfigError
from shared.log import formats
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.redis_client.trouble import TroubleLog
from tests.patience import PATIENCE_S


class OddRegistry(Registry):
    """The first look finds a status that no worker writes."""

    def __init__(self) -> None:
        self.looks = 0
        self.listed: set[str] = set()
        self.reads: tuple[int, ...] = ()

    async def workers(self) -> dict[str, dict[str, Any]]:
        self.looks += 1
        if self.looks == 1:
            return {"w1": 7}  # type: ignore[dict-item]
        return {"w1": {"beat": self.looks, "slots": 1, "free": 1, "reads": self.reads}}

    async def queued(self) -> int:
        return 0

    async def relist(self, sids: Iterable[str]) -> None:
        self.listed |= set(sids)


async def passes() -> None:
    """A Redis with the right settings."""


def a_log() -> SessionLog:
    """A log that no test here asks."""
    return SessionLog(connect("redis://127.0.0.1:1/0"), writes=formats.PREVIOUS)


async def test_the_watch_survives_an_unreadable_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_watcher, "WATCH_EVERY_S", 0)
    fleet = Fleet(lease_s=60.0, max_sessions=10)
    watcher = FleetWatcher(OddRegistry(), a_log(), fleet, list, TroubleLog(), check=passes)
    watching = asyncio.create_task(watcher.run())
    try:
        assert await wait_until(lambda: fleet.free(time.monotonic()) == 1, PATIENCE_S)
    finally:
        watcher.stop()
        await watching


async def test_connected_sessions_stay_on_the_list_of_sessions() -> None:
    registry = OddRegistry()
    registry.looks = 1
    fleet, log = Fleet(lease_s=60.0, max_sessions=10), a_log()
    await FleetWatcher(registry, log, fleet, lambda: ["a", "b"], TroubleLog(), check=passes).look()
    assert registry.listed == {"a", "b"}


async def test_a_caller_who_waits_for_a_slot_gets_a_look_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fleet_watcher, "WATCH_EVERY_S", 3_600)
    registry = OddRegistry()
    registry.looks = 1
    fleet = Fleet(lease_s=60.0, max_sessions=10)
    watcher = FleetWatcher(registry, a_log(), fleet, list, TroubleLog(), check=passes)
    watching = asyncio.create_task(watcher.run())
    try:
        await asyncio.wait_for(watcher.next_look(), PATIENCE_S)
        looks = registry.looks
        await asyncio.wait_for(asyncio.gather(*(watcher.next_look() for _ in range(9))), PATIENCE_S)
        assert registry.looks == looks + 1  # one for all who wait
    finally:
        watcher.stop()
        await watching


async def test_the_gateway_writes_what_every_worker_reads() -> None:
    registry, log = OddRegistry(), a_log()
    registry.looks = 1
    fleet = Fleet(lease_s=60.0, max_sessions=10)
    watcher = FleetWatcher(registry, log, fleet, list, TroubleLog(), check=passes)
    assert log.writes == formats.PREVIOUS  # nobody has been seen yet
    registry.reads = formats.READS
    await watcher.look()
    assert log.writes == formats.CURRENT
    registry.reads = ()
    await watcher.look()
    assert log.writes == formats.PREVIOUS  # a worker of the release before has come


async def test_an_evicting_redis_is_not_used_until_its_policy_is_mended() -> None:
    registry, evicts, trouble = OddRegistry(), True, TroubleLog()
    registry.looks = 1

    async def check() -> None:
        if evicts:
            raise ConfigError("Expected maxmemory-policy noeviction, got allkeys-lru")

    fleet = Fleet(lease_s=60.0, max_sessions=10)
    watcher = FleetWatcher(registry, a_log(), fleet, list, trouble, check=check)
    assert await watcher._try_look() is not None
    assert "maxmemory-policy" in str(trouble.cause)
    assert fleet.unready_reason(time.monotonic()) == SILENT
    evicts = False
    assert await watcher._try_look() is None
    assert trouble.cause is None
    assert fleet.unready_reason(time.monotonic()) != SILENT
    evicts = True  # a policy that changes later is the operator's
    assert await watcher._try_look() is None
