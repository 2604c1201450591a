"""The pacer: one timer for all sessions, and one session's fault stops no other."""

import asyncio
import time

import pytest

from gateway.call.pacer import Pacer
from gateway.call.playout import Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.protocol.errors import ErrorCode
from shared.log.records import Speech
from tests.patience import PATIENCE_S


def talking(frames: int) -> Session:
    """A plain caller with this many frames waiting: three leave at once, then one every 20 ms."""
    now = time.monotonic()
    playout = Playout(lead_frames=3)
    session = Session("s", "c", native=False, uplink=Uplink(now), playout=playout, now=now)
    session.take_records(list(enumerate(Speech(1 + n, 1, bytes(960)) for n in range(frames))), now)
    return session


async def receive(session: Session, frames: int) -> None:
    """Wait for this many frames."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(frames):
            assert await session.next_message() == bytes(960)


async def test_every_session_gets_all_its_frames() -> None:
    pacer, sessions = Pacer(), [talking(8), talking(5), talking(1)]
    for session in sessions:
        pacer.schedule(session, time.monotonic())
    for session, frames in zip(sessions, (8, 5, 1), strict=True):
        await receive(session, frames)


async def test_later_frames_are_sent_too() -> None:
    pacer, session = Pacer(), talking(1)
    pacer.schedule(session, time.monotonic())
    await receive(session, 1)
    session.take_records([(2, Speech(2, 1, bytes(960)))], time.monotonic())
    pacer.schedule(session, time.monotonic())
    await receive(session, 1)


async def test_a_failing_session_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pacer, victim, neighbour = Pacer(), talking(3), talking(6)
    monkeypatch.setattr(victim._playout, "due", lambda now: 1 / 0)
    pacer.schedule(victim, time.monotonic())
    pacer.schedule(neighbour, time.monotonic())
    await receive(neighbour, 6)
    assert victim.error is not None
    assert victim.error.code is ErrorCode.INTERNAL


async def test_a_stopped_pacer_sends_nothing() -> None:
    pacer, session = Pacer(), talking(3)
    pacer.schedule(session, time.monotonic())
    pacer.stop()
    await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await session.next_message()
