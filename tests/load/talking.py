"""Play many callers in typical talk against one server, over real sockets, on one core."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from shared.audio import pcm16_from_floats
from tests.load.call import PLAYED_EVERY, Call
from tests.load.load_generator import BEGINS_WITHIN_S
from tests.load.talker import CHUNK_S, Question, Talker, TurnTimes, nearest_rank
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

TEXTS: Final = (
    "What is the capital of France?",
    "Can you tell me a short story?",
    "How do I make a cup of tea?",
    "What should I cook for dinner tonight?",
    "Why is the sky blue in the day?",
    "How many days are there in a year?",
    "What is a good name for a cat?",
    "Who wrote the play about Romeo?",
    "What can I do on a rainy day?",
    "How far away is the moon?",
    "Do you have any advice for sleeping well?",
    "What animals live in the ocean?",
)
VOICES: Final = (
    TtsVoice("flite", "cmu_us_slt"),
    TtsVoice("flite", "cmu_us_rms"),
    TtsVoice("flite", "cmu_us_awb"),
    TtsVoice("espeak", "gmw/en-US"),
)
SPREAD_S: Final = 6.0  # the first questions come at random times within it; it is not measured
DRAIN_S: Final = 15.0  # for the turns under way when the measured time ends
ATTEMPTS: Final = 3  # to begin a call
RETRY_S: Final = 1.0

Hook = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Talk:
    """What all callers of one measurement brought."""

    turns: list[TurnTimes]  # those that ended in the measured time or after it
    refused: int
    closed: int
    reopened: int
    sent_late_p99: float  # ms, of the callers' own chunks


def questions() -> list[Question]:
    """The spoken questions. Raises SpeechError where flite or espeak-ng is missing."""
    jobs = [SpeechJob(VOICES[i % len(VOICES)], text) for i, text in enumerate(TEXTS)]
    return [Question.of(pcm16_from_floats(samples)) for samples in speak(jobs)]


class TalkingCaller(Call):
    """A talker on a socket."""

    def __init__(self, url: str, talker: Talker, *, native: bool) -> None:
        super().__init__(url, native=native, mode="turn")
        self.talker = talker
        self._sent = 0

    async def begin(self) -> bool:
        """Connect and begin the call; whether the server took it."""
        for attempt in range(ATTEMPTS):
            await asyncio.sleep(RETRY_S * bool(attempt))
            try:
                if await asyncio.wait_for(self.open(), BEGINS_WITHIN_S):
                    return True
            except (OSError, TimeoutError):
                continue
        return False

    def speak(self, now: float) -> None:
        """Send the next chunk, and now and then the playhead."""
        if self.connection is None:
            return
        self.send_audio(self.talker.next_chunk(now))
        self._sent += 1
        if self.native and self._sent % PLAYED_EVERY == 0:
            self.send(type="played", frame=self.talker.played(now))

    def hang_up(self) -> None:
        """End the call, and with it the turn under way."""
        self.talker.give_up(time.monotonic())
        super().hang_up()

    def take_event(self, event: dict[str, Any], now: float) -> None:
        """Let the talker follow the call."""
        self.talker.take_event(event, now)

    def take_audio(self, frame: int | None, generation: int, pcm: bytes, now: float) -> None:
        """Let the talker hear it."""
        self.talker.take_frame(frame, generation, pcm, now)


def talk(
    url: str,
    count: int,
    seconds: float,
    asked: Sequence[Question],
    begin: Hook,
    end: Hook,
    *,
    native: bool = True,
) -> Talk:
    """So many callers talk for so long; `begin` and `end` are called around the measured time."""
    callers = [
        TalkingCaller(url, Talker(asked, n, reports=native), native=native) for n in range(count)
    ]
    return uvloop.run(_talk(callers, seconds, begin, end))


async def _talk(callers: list[TalkingCaller], seconds: float, begin: Hook, end: Hook) -> Talk:
    taken = await asyncio.gather(*(caller.begin() for caller in callers))
    talking = [caller for caller, ready in zip(callers, taken, strict=True) if ready]
    late_ms: list[float] = []
    speaking = asyncio.create_task(_speak(talking, late_ms))
    await asyncio.sleep(SPREAD_S)
    since = time.monotonic()
    late_ms.clear()
    await asyncio.to_thread(begin)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(end)
    for caller in talking:
        caller.talker.asks = False
    await _drain(talking)
    speaking.cancel()
    closed = sum(c.connection is None or c.connection.closed for c in talking)
    for caller in talking:
        caller.hang_up()
    await asyncio.sleep(RETRY_S)  # the server frees their slots
    turns = [turn for caller in talking for turn in caller.talker.turns]
    return Talk(
        turns=[turn for turn in turns if turn.ended_at >= since],
        refused=len(callers) - len(talking),
        closed=closed,
        reopened=sum(caller.talker.reopened for caller in talking),
        sent_late_p99=nearest_rank(late_ms, 0.99),
    )


async def _speak(callers: Sequence[TalkingCaller], late_ms: list[float]) -> None:
    """Send a chunk of each caller every 80 ms against absolute deadlines, until cancelled."""
    draw, start = random.Random(len(callers)), time.monotonic()
    for at, caller in enumerate(callers):
        caller.talker.start(start + at / len(callers) * CHUNK_S, draw.uniform(0.0, SPREAD_S))
    for chunk in itertools.count(1):
        for at, caller in enumerate(callers):
            due = start + (chunk + at / len(callers)) * CHUNK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            late_ms.append((now - due) * 1_000)
            caller.speak(now)
        if not callers:
            await asyncio.sleep(CHUNK_S)


async def _drain(callers: Sequence[TalkingCaller]) -> None:
    """Wait until no turn is under way, or for so long at most."""
    for _ in range(round(DRAIN_S / CHUNK_S)):
        if not any(caller.talker.busy for caller in callers):
            return
        await asyncio.sleep(CHUNK_S)
