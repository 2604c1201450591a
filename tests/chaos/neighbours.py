"""`python -m tests.chaos.neighbours`: how long callers wait for a step while others are taken over.

Some callers talk in stream mode, a chunk every 80 ms; then the sessions of a dead worker arrive,
each with a past of some seconds, and are rebuilt between the steps. The lateness of a step is from
the moment its chunk was there until its audio is. The hybrid engine with the shipped weights. Time
is the processor's, so that whatever else a machine does is not counted.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from unittest import mock

import numpy as np
import torch

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16
from workers.engines.base import Opening, Past, Speak
from workers.engines.hybrid.engine import HybridEngine
from workers.runtime import engine_thread as driving
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.step import Plan
from workers.runtime.engine_thread import EngineThread
from workers.runtime.slots import HeldSession, Slots

CHUNK_S: Final = CHUNK_MS / 1_000
CALM_CHUNKS: Final = 50  # without a takeover, for comparison
REPLY_STEPS: Final = 40


class Clock:
    """The processor time of this process, in seconds, and what it would have slept."""

    def __init__(self) -> None:
        self._slept_s = 0.0

    def __call__(self) -> float:
        return time.process_time() + self._slept_s

    def sleep_until(self, due: float) -> None:
        """At once."""
        self._slept_s += max(0.0, due - self())


def noise(count: int, rng: np.random.Generator) -> tuple[Pcm16, ...]:
    """Chunks that are all different."""
    return tuple(rng.integers(-3_000, 3_000, (count, CHUNK_SAMPLES), dtype=np.int16))


def past_of(engine: HybridEngine, seconds: float, rng: np.random.Generator) -> tuple[Past, ...]:
    """A call that heard so many seconds and was some way into its reply, as the log has it."""
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
    """Step the live ones in real time until everybody who arrives is open."""
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
    engine: HybridEngine, wish: argparse.Namespace, *, taken: int
) -> dict[str, float]:
    """One run: its steps' lateness, and when the last session was whole."""
    clock, past = Clock(), past_of(engine, wish.seconds, np.random.default_rng(1))
    thread, slots = EngineThread(engine, clock), Slots(engine.slots)
    live, arriving = (
        [slots.take(f"{name}{i}", "o", Conversation(), 0.0, opening) for i in range(count)]
        for name, opening, count in (
            ("live", Opening(1), wish.live),
            ("taken", Opening(1, past), taken),
        )
    )
    await thread.open(live)
    begun = clock()
    late = sorted(await lateness_ms(thread, clock, live, arriving))
    whole_s = clock() - begun
    for session in (*live, *arriving):
        engine.close(session.slot)
    thread.stop()
    found = {"p50_ms": late[len(late) // 2], "p99_ms": late[int(0.99 * (len(late) - 1))]}
    found |= {"worst_ms": late[-1], "seconds": whole_s}
    return {"steps": len(late), **{name: round(value, 2) for name, value in found.items()}}


def main() -> None:
    """Three runs: nobody arrives; they are rebuilt in pieces; each in one go."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.neighbours", description=__doc__)
    parser.add_argument("--live", type=int, default=2, help="callers who talk meanwhile")
    parser.add_argument("--taken", type=int, default=4, help="sessions that are taken over")
    parser.add_argument("--seconds", type=float, default=6.0, help="that each had been heard for")
    parser.add_argument("--model", type=Path, default=Path("workers/weights/tiny"))
    wish = parser.parse_args()
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = HybridEngine.load(wish.model, wish.live + wish.taken, device)
    found = {"calm": asyncio.run(measured(engine, wish, taken=0))}
    found["in pieces"] = asyncio.run(measured(engine, wish, taken=wish.taken))
    with mock.patch.object(driving, "BUSY_S", 1e9):
        found["in one go"] = asyncio.run(measured(engine, wish, taken=wish.taken))
    sys.stdout.write(json.dumps({"device": device, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
