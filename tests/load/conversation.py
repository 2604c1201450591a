"""Ask the shipped model spoken questions through the whole path, from several callers at once."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import WebSocketException

from client.failure import CallFailed
from client.speaking import speak_file
from tests.load.cores import Cores, CpuMeter
from tests.load.servers import RunningServer, ours

QUESTIONS: Final = Path(__file__).resolve().parents[1] / "e2e" / "questions"
NAMES: Final = ("sum", "day", "capital", "story")
CALL_WITHIN_S: Final = 45.0
SPREAD_S: Final = 2.0  # the callers of a round begin at random times within it


@dataclass(frozen=True, slots=True)
class Conversations:
    """The questions of so many callers at a time; times in ms."""

    mode: str
    callers: int
    asked: int
    failed: int
    first_audio: list[float]  # since the server decided that the turn is over; turn mode only
    from_speech_end: list[float]
    gaps: int
    underruns: int
    worker_load: float  # the share of its core that the worker used

    def __str__(self) -> str:
        return (
            f"{self.mode}, {self.callers} callers: first audio p50 {self.first_audio_p50:.0f} ms, "
            f"from speech end {self.from_speech_end_p50:.0f}, unanswered {self.failed}"
        )

    @property
    def first_audio_p50(self) -> float:
        """The median; NaN for none."""
        return statistics.median(self.first_audio) if self.first_audio else float("nan")

    @property
    def from_speech_end_p50(self) -> float:
        """The median; NaN for none."""
        return statistics.median(self.from_speech_end) if self.from_speech_end else float("nan")


async def _ask(url: str, name: str, mode: str, delay_s: float, folder: Path) -> dict[str, Any]:
    await asyncio.sleep(delay_s)
    reply = folder / f"{name}-{delay_s}.wav"
    try:
        async with asyncio.timeout(CALL_WITHIN_S):
            return await speak_file(QUESTIONS / f"{name}.wav", url, reply, mode=mode, plain=False)
    except (CallFailed, OSError, WebSocketException, TimeoutError):
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


def run_rounds(
    server: RunningServer, mode: str, callers: int, rounds: int, cores: Cores
) -> Conversations:
    """Ask some rounds of questions and measure them."""
    meter = CpuMeter(server.pids, cores.server)
    found = asyncio.run(_rounds(server.url, mode, callers, rounds))
    answered = [report for report in found if report]
    return Conversations(
        mode=mode,
        callers=callers,
        asked=len(found),
        failed=len(found) - len(answered),
        first_audio=_known(answered, "first_audio_ms"),
        from_speech_end=_known(answered, "first_audio_from_speech_end_ms"),
        gaps=sum(report["gaps"] for report in answered),
        underruns=sum(report["underruns"] for report in answered),
        worker_load=meter.stop().cpu["worker"] / 1_000,
    )


def measure(
    sizes: Sequence[int], rounds: int, cores: Cores, progress: Callable[[str], None]
) -> list[Conversations]:
    """Turn mode at each number of callers, then stream mode with one.

    If the server dies, the measurement ends and keeps what it has.
    """
    plans = [("turn", n, rounds * (3 if n < 4 else 1)) for n in sizes]
    found: list[Conversations] = []
    with ours(cores.server, max(sizes), ENGINE="hybrid", REPLY_MODE="turn") as server:
        for mode, callers, times in [*plans, ("stream", 1, rounds * 2)]:
            try:
                result = run_rounds(server, mode, callers, times, cores)
            except OSError as error:
                progress(f"{mode}, {callers} callers: the server died, {error}")
                break
            progress(str(result))
            found.append(result)
    return found


def _known(reports: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [report[name] for report in reports if report[name] is not None]
