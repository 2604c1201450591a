"""Measure how long callers wait for a step while the worker takes over other sessions.

Some callers talk in stream mode, one chunk every 80 ms. Then the sessions of a dead worker arrive,
and the worker rebuilds them, some seconds of past each, between its steps. A step's lateness runs
from its chunk's arrival to its audio. The engine is the hybrid one with the shipped weights. Time
is CPU time, so that other programs on the machine do not count.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np
import torch

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16
from workers.engines.base import Opening, Past, Speak
from workers.engines.hybrid.engine import HybridEngine
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.step import Plan
from workers.runtime.engine_thread import EngineThread
from workers.runtime.slots import HeldSession, Slots

CHUNK_S: Final = CHUNK_MS / 1_000
CALM_CHUNKS: Final = 50  # without a takeover, for comparison
REPLY_STEPS: Final = 40


class Clock:
    """The CPU time of this process plus the time it would have slept, in seconds."""

    def __init__(self) -> None:
        self._slept_s = 0.0

    def __call__(self) -> float:
        return time.process_time() + self._slept_s

    def sleep_until(self, due: float) -> None:
        """Advance to this time without sleeping."""
        self._slept_s += max(0.0, due - self())


def noise(count: int, rng: np.random.Generator) -> tuple[Pcm16, ...]:
    """So many chunks of noise."""
    return tuple(rng.integers(-3_000, 3_000, (count, CHUNK_SAMPLES), dtype=np.int16))


def past_of(engine: HybridEngine, seconds: float, rng: np.random.Generator) -> tuple[Past, ...]:
    """The log of a call that heard so many seconds and was in the middle of its reply."""
    engine.open(0, Opening(1))
    pasts: list[Past] = []
    heard = round(seconds / CHUNK_S)
    plans = [Plan(hear=noise(1, rng)) for _ in range(heard)]
    plans += [Plan(speak=Speak.BEGIN), *[Plan(speak=Speak.CONTINUE)] * REPLY_STEPS]
    for plan in plans:
        (out,) = engine.step([plan.work(0)])
        pasts.append(Past(plan.hear, out.heard, out.said, plan.speak, out.began, out.ended))
        if out.ended:
            break
    engine.close(0)
    return tuple(pasts)


async def lateness_ms(
    thread: EngineThread, clock: Clock, live: Sequence[HeldSession], arriving: Sequence[HeldSession]
) -> list[float]:
    """Step the live sessions in real time until all arriving ones are open."""
    rng, late, start = np.random.default_rng(2), list[float](), clock()
    while any(session.opening for session in arriving) or len(late) < CALM_CHUNKS:
        due = start + len(late) * CHUNK_S
        if arriving:
            await thread.open([*live, *arriving])
        if clock() >= due:
            await thread.step([(s, Plan(hear=noise(1, rng), speak=Speak.DUPLEX)) for s in live])
            late.append((clock() - due) * 1_000)
        elif not any(session.opening for session in arriving):
            clock.sleep_until(due)
    return late


async def measured(
    engine: HybridEngine, options: argparse.Namespace, *, taken: int
) -> dict[str, float]:
    """One run: the lateness of its steps, and the time until the last session was open."""
    clock, past = Clock(), past_of(engine, options.seconds, np.random.default_rng(1))
    thread, slots = EngineThread(engine, clock), Slots(engine.slots)
    live, arriving = (
        [slots.take(f"{name}{i}", "o", Conversation(), 0.0, opening) for i in range(count)]
        for name, opening, count in (
            ("live", Opening(1), options.live),
            ("taken", Opening(1, past), taken),
        )
    )
    await thread.open(live)
    begun = clock()
    late = sorted(await lateness_ms(thread, clock, live, arriving))
    open_s = clock() - begun
    for session in (*live, *arriving):
        engine.close(session.slot)
    thread.stop()
    found = {"p50_ms": late[len(late) // 2], "p99_ms": late[int(0.99 * (len(late) - 1))]}
    found |= {"worst_ms": late[-1], "seconds": open_s}
    return {"steps": len(late), **{name: round(value, 2) for name, value in found.items()}}


def main() -> None:
    """Run three times: without a takeover, rebuilt in pieces, each rebuilt in one go."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.takeover_latency", description=__doc__
    )
    parser.add_argument("--live", type=int, default=2, help="callers that talk meanwhile")
    parser.add_argument("--taken", type=int, default=4, help="sessions that arrive")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="of past of each arriving session"
    )
    parser.add_argument("--model", type=Path, default=Path("workers/weights/tiny"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = HybridEngine.load(options.model, options.live + options.taken, device)
    found = {"calm": asyncio.run(measured(engine, options, taken=0))}
    found["in pieces"] = asyncio.run(measured(engine, options, taken=options.taken))
    with mock.patch.object(engine, "traits", replace(engine.traits, replay_ms=1e9)):
        found["in one go"] = asyncio.run(measured(engine, options, taken=options.taken))
    sys.stdout.write(json.dumps({"device": device, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
