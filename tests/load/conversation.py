"""Spoken questions to the shipped model through the whole path, by several callers at once."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.talk import TalkError, talk
from tests.load.cores import Cores, Usage
from tests.load.servers import Serving, ours

QUESTIONS: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions"
NAMES: Final = ("sum", "day", "capital", "story")
SPREAD_S: Final = 2.0  # within which the callers of a round begin to speak


@dataclass(frozen=True, slots=True)
class Talks:
    """Questions asked by so many callers at a time; times in ms."""

    mode: str
    callers: int
    asked: int
    failed: int
    first_audio: list[float]  # from the decision that the turn is over; of turn mode
    from_speech_end: list[float]
    gaps: int
    underruns: int
    worker_load: float  # share of its core

    @property
    def first_audio_p50(self) -> float:
        """The median; NaN without any."""
        return statistics.median(self.first_audio) if self.first_audio else float("nan")

    @property
    def from_speech_end_p50(self) -> float:
        """The median; NaN without any."""
        return statistics.median(self.from_speech_end) if self.from_speech_end else float("nan")


async def _ask(url: str, name: str, mode: str, delay_s: float, folder: Path) -> dict[str, Any]:
    await asyncio.sleep(delay_s)
    try:
        reply = folder / f"{name}-{delay_s}.wav"
        return await talk(QUESTIONS / f"{name}.wav", url, reply, mode=mode, plain=False)
    except TalkError:
        return {}


async def _rounds(url: str, mode: str, callers: int, rounds: int) -> list[dict[str, Any]]:
    draw = random.Random(callers)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            names = [NAMES[(turn + i) % len(NAMES)] for i in range(callers)]
            asks = [_ask(url, n, mode, draw.random() * SPREAD_S, Path(folder)) for n in names]
            found += await asyncio.gather(*asks)
    return found


def hold(serving: Serving, mode: str, callers: int, rounds: int) -> Talks:
    """Some rounds of questions."""
    usage = Usage(serving.pids)
    found = asyncio.run(_rounds(serving.url, mode, callers, rounds))
    told = [report for report in found if report]
    return Talks(
        mode=mode,
        callers=callers,
        asked=len(found),
        failed=len(found) - len(told),
        first_audio=_known(told, "first_audio_ms"),
        from_speech_end=_known(told, "first_audio_from_speech_end_ms"),
        gaps=sum(report["gaps"] for report in told),
        underruns=sum(report["underruns"] for report in told),
        worker_load=usage.ms_per_s()["worker"] / 1_000,
    )


def measure(sizes: Sequence[int], rounds: int, cores: Cores) -> list[Talks]:
    """Turn mode at each number of callers, then stream mode with one."""
    settings = {"ENGINE": "hybrid", "REPLY_MODE": "turn"}
    with ours(cores.server, max(sizes), **settings) as serving:
        found = [hold(serving, "turn", n, rounds * 2 if n < 4 else rounds) for n in sizes]
        return [*found, hold(serving, "stream", 1, rounds * 2)]


def _known(reports: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [report[name] for report in reports if report[name] is not None]
