"""The watch over the fleet goes on whatever it finds."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest

from gateway.call.log_exchange import until
from gateway.edge import admission
from gateway.edge.admission import Fleet, Watcher
from shared.log.registry import Registry


class OddRegistry(Registry):
    """The first look finds what no worker of ours wrote."""

    def __init__(self) -> None:
        self.looks = 0
        self.listed: set[str] = set()

    async def workers(self) -> dict[str, dict[str, Any]]:
        self.looks += 1
        if self.looks == 1:
            return {"w1": 7}  # type: ignore[dict-item]
        return {"w1": {"beat": self.looks, "slots": 1, "free": 1}}

    async def queued(self) -> int:
        return 0

    async def relist(self, sids: Iterable[str]) -> None:
        self.listed |= set(sids)


async def test_the_watch_survives_a_status_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "WATCH_EVERY_S", 0)
    watcher = Watcher(OddRegistry(), Fleet(lease_s=60.0, max_sessions=10), list)
    watching = asyncio.create_task(watcher.run())
    try:
        assert await until(lambda: watcher.fleet.free(time.monotonic()) == 1, 10.0)
    finally:
        watcher.stop()
        await watching


async def test_the_calls_that_are_here_stay_on_the_list_of_calls() -> None:
    registry = OddRegistry()
    registry.looks = 1
    await Watcher(registry, Fleet(lease_s=60.0, max_sessions=10), lambda: ["a", "b"]).look()
    assert registry.listed == {"a", "b"}
