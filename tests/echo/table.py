"""Count the outcomes of many calls on loudspeakers, for each gain and delay of the echo."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.audio import Floats, Pcm16
from tests.echo.room import AcousticPath, Microphone, Signal
from tests.echo.trial import LoudspeakerCall, Outcome, level

GAINS_DB: Final = (-6.0, -12.0, -20.0, -30.0)
DELAYS_MS: Final = (40.0, 120.0, 250.0, 400.0)
OVER_ECHO_DB: Final = (0.0, 5.0, 10.0)  # the caller's level over the echo's
FAINTEST: Final = 10 ** (-45 / 20)  # of a caller; below it the VAD alone misses some
AFTER_MS: Final = (200.0, 500.0, 900.0)  # from the reply's first sound to the caller's first sound
IN_TIME_MS: Final = 400.0
ROOMS: Final = tuple(itertools.product((6.0, 3.0, 0.0), (0.2, 0.35, 0.5)))
_REST_MS: Final = 500.0  # of the reply must remain when the caller begins


@dataclass(frozen=True, slots=True)
class Voices:
    """Replies of the assistant and sentences of callers, -23 dBFS each."""

    replies: Sequence[Pcm16]
    callers: Sequence[Floats]


@dataclass(slots=True)
class Row:
    """The outcomes of the calls with one gain and delay."""

    gain_db: float
    delay_ms: float
    alone: list[Outcome] = field(default_factory=list)  # the caller is silent during the reply
    over: list[Outcome] = field(default_factory=list)  # the caller speaks over the reply

    @property
    def self_interruptions(self) -> int:
        """Calls in which the server took the echo for the caller."""
        return sum(outcome.self_interrupted for outcome in self.alone)

    @property
    def in_time(self) -> int:
        """Calls in which the caller stopped the reply, neither too late nor too early."""
        return sum(0 <= delay <= IN_TIME_MS for delay in self.delays_ms)

    @property
    def delays_ms(self) -> list[float]:
        """From the caller's first sound to the end of the reply; infinite if the reply went on."""
        delays = [outcome.delay_ms for outcome in self.over]
        return [float("inf") if delay is None else delay for delay in delays]


def measure(gain_db: float, delay_ms: float, voices: Voices, seeds: Iterable[int]) -> Row:
    """For each seed, one call with a silent caller and three with a caller over the reply."""
    row = Row(gain_db, delay_ms)
    for seed in seeds:
        direct_db, reverberation_s = ROOMS[4 * seed % len(ROOMS)]
        path = AcousticPath(delay_ms, gain_db, reverberation_s, direct_db, seed)
        replies = voices.replies
        reply = np.concatenate([replies[seed % len(replies)], replies[(seed + 3) % len(replies)]])
        question = voices.callers[9 * seed % len(voices.callers)].astype(np.float64)
        row.alone.append(LoudspeakerCall(question, reply, path, seed).run())
        echo = level(Microphone(path).record(reply / 32_768))
        for index, over_db in enumerate(OVER_ECHO_DB):
            words = voices.callers[(10 * seed + 7 * index + 5) % len(voices.callers)]
            over: Signal = words.astype(np.float64)
            over *= max(echo * 10 ** (over_db / 20), FAINTEST) / level(over)
            after_ms = AFTER_MS[(seed + index) % len(AFTER_MS)]
            if len(reply) / 24 > after_ms + _REST_MS:
                call = LoudspeakerCall(question, reply, path, 100 + seed)
                row.over.append(call.run(over, after_ms))
    return row


def markdown(rows: Sequence[Row]) -> str:
    """The rows, and their sum at the end."""
    lines = [
        "| echo | delay | self-interruptions | caller interrupts within 400 ms | delay p50, p95 |",
        "|---|---|---|---|---|",
        *(_line(f"{row.gain_db:g} dB", f"{row.delay_ms:g} ms", [row]) for row in rows),
        _line("**all**", "", rows),
    ]
    return "\n".join(lines)


def _line(gain: str, delay: str, rows: Sequence[Row]) -> str:
    alone = sum(len(row.alone) for row in rows)
    own = sum(row.self_interruptions for row in rows)
    over = sum(len(row.over) for row in rows)
    in_time = sum(row.in_time for row in rows)
    delays = [delay for row in rows for delay in row.delays_ms]
    p50, p95 = np.quantile(delays, [0.5, 0.95], method="higher")
    share = 100 * in_time / over
    return (
        f"| {gain} | {delay} | {own} of {alone} | {in_time} of {over} ({share:.0f} %) "
        f"| {p50:.0f}, {p95:.0f} ms |"
    )
