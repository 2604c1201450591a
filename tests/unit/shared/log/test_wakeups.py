"""The subscription to wakeups, without a Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from redis.asyncio import Redis

from shared.log import wakeups
from shared.log.wakeups import WakeupListener, publish_command
from tests.patience import PATIENCE_S


async def endless(*named: bytes) -> AsyncIterator[bytes]:
    for each in named:
        yield each
    await asyncio.Event().wait()


def test_one_command_names_all_sessions_and_none_is_sent_for_none() -> None:
    assert publish_command("c:bell:in", ["a", "b"]) == ("PUBLISH", "c:bell:in", "a b")
    assert publish_command("c:bell:in", []) == ()


async def test_sessions_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def subscribed(redis: Redis, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        yield endless(b"a b", b"b c")

    monkeypatch.setattr(wakeups, "subscribed", subscribed)
    listener = WakeupListener(Redis(), wakeups.INPUTS)
    listening = asyncio.create_task(listener.run())
    await listener.wait(PATIENCE_S)
    await asyncio.sleep(0)
    assert listener.subscribed
    assert listener.take() == {"a", "b", "c"}
    assert listener.take() == set()
    listening.cancel()
    await asyncio.wait({listening}, timeout=PATIENCE_S)
    assert listening.cancelled()


async def test_a_cancellation_that_the_subscription_swallows_still_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `asyncio.wait_for` of Python 3.11 does when its work ends at the same moment."""
    begun = asyncio.Event()

    @asynccontextmanager
    async def subscribed(redis: Redis, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        yield endless()

    monkeypatch.setattr(wakeups, "subscribed", subscribed)
    listener = WakeupListener(Redis(), wakeups.INPUTS)
    listening = asyncio.create_task(listener.run())
    await begun.wait()
    listener.stop()
    listening.cancel()
    done, _ = await asyncio.wait({listening}, timeout=PATIENCE_S)
    assert done, "the listener went on after it was stopped and cancelled"
