"""Spoken questions to the shipped model through the whole path, by several callers at once."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import WebSocketException

from client.talk import TalkError, talk
from tests.load.cores import Cores, Usage
from tests.load.servers import Serving, ours

QUESTIONS: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions"
NAMES: Final = ("sum", "day", "capital", "story")
PATIENCE_S: Final = 45.0  # for a whole call
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

    def __str__(self) -> str:
        return (
            f"{self.mode}, {self.callers} callers: first audio p50 {self.first_audio_p50:.0f} ms, "
            f"from speech end {self.from_speech_end_p50:.0f}, unanswered {self.failed}"
        )

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
    reply = folder / f"{name}-{delay_s}.wav"
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await talk(QUESTIONS / f"{name}.wav", url, reply, mode=mode, plain=False)
    except (TalkError, OSError, WebSocketException, TimeoutError):
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


def hold(serving: Serving, mode: str, callers: int, rounds: int, cores: Cores) -> Talks:
    """Some rounds of questions."""
    usage = Usage(serving.pids, cores.server)
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
        worker_load=usage.end().cpu["worker"] / 1_000,
    )


def measure(
    sizes: Sequence[int], rounds: int, cores: Cores, tell: Callable[[str], None]
) -> list[Talks]:
    """Turn mode at each number of callers, then stream mode with one.

    A server that does not live through it ends the row; what was measured before stays.
    """
    plans = [("turn", n, rounds * (3 if n < 4 else 1)) for n in sizes]
    found: list[Talks] = []
    with ours(cores.server, max(sizes), ENGINE="hybrid", REPLY_MODE="turn") as serving:
        for mode, callers, times in [*plans, ("stream", 1, rounds * 2)]:
            try:
                talks = hold(serving, mode, callers, times, cores)
            except OSError as error:
                tell(f"{mode}, {callers} callers: the server is gone, {error}")
                break
            tell(str(talks))
            found.append(talks)
    return found


def _known(reports: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [report[name] for report in reports if report[name] is not None]
