"""Simulate a call on loudspeakers: the microphone records the reply, and perhaps the caller."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from shared.log.records import Audio, Clear, OutputRecord, Played, ReplyDone, Speech, SpeechStarted
from tests.echo.room import AcousticPath, Microphone, Signal
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.state import State
from workers.runtime.conversation.tuning import Tuning

PREBUFFER_FRAMES: Final = 3  # the page's jitter buffer
REPORT_CHUNKS: Final = (3, 2)  # the page reports its playhead every 200 ms
AFTER_CHUNKS: Final = 12  # recorded after the reply has played: its echo comes later
LEAD_SAMPLES: Final = 9_600  # of silence before the question
MAX_CHUNKS: Final = 400
NOISE: Final = 10 ** (-65 / 20)  # of the microphone itself, over full scale
# When the server takes the echo for a question.
SILENT_REPLY: Final = np.zeros(CHUNK_SAMPLES, np.int16)
ACTIVE_DB: Final = -20.0  # below the caller's own level: speech has not begun


class ScriptedEngine:
    """A turn-based engine that says given replies, one in each turn."""

    traits = Traits()
    slots = 1

    def __init__(self, replies: Sequence[Pcm16]) -> None:
        self._replies = deque(replies)
        self._left: deque[Pcm16] = deque()

    def open(self, slot: int, opening: Opening) -> None:
        """Do nothing: this engine keeps no state."""

    def close(self, slot: int) -> None:
        """Do nothing: this engine keeps no state."""

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """An empty memory: this engine keeps no state."""
        return b""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Say the next 80 ms of the reply to each caller that gets one."""
        return [self._output(work) for work in batch]

    def _output(self, work: Work) -> Output:
        heard = (b"",) * len(work.hear)
        if work.speak is Speak.NONE:
            return Output(work.slot, heard)
        began = work.speak is Speak.BEGIN
        if began:
            reply = self._replies.popleft() if self._replies else SILENT_REPLY
            reply = reply[: len(reply) // CHUNK_SAMPLES * CHUNK_SAMPLES]
            self._left = deque(reply.reshape(-1, CHUNK_SAMPLES))
        pcm = self._left.popleft()
        return Output(work.slot, heard, b"", pcm, began=began, ended=not self._left)


@dataclass(slots=True)
class Player:
    """The page's player: a small prebuffer, then one frame every 20 ms; a clear empties it."""

    played: int = 0
    _queue: deque[tuple[int, Pcm16]] = field(default_factory=deque)
    _running: bool = False
    _complete: bool = False

    def take(self, record: OutputRecord) -> None:
        """Take one output record of the server."""
        if isinstance(record, Speech):
            pcm = np.frombuffer(record.pcm, "<i2").reshape(-1, FRAME_SAMPLES)
            self._queue.extend(enumerate(pcm, record.frame))
            self._complete = False
        elif isinstance(record, Clear):
            self._queue.clear()
        elif isinstance(record, ReplyDone):
            self._complete = True

    @property
    def busy(self) -> bool:
        """Whether frames are waiting."""
        return bool(self._queue)

    def play(self) -> Signal:
        """The next 80 ms."""
        if not self._running:
            self._running = self._complete or len(self._queue) > PREBUFFER_FRAMES
        out = np.zeros(CHUNK_SAMPLES)
        for at in range(0, CHUNK_SAMPLES, FRAME_SAMPLES):
            if self._running and self._queue:
                self.played, pcm = self._queue.popleft()
                out[at : at + FRAME_SAMPLES] = pcm / 32_768
        self._running = bool(self._queue)
        return out


@dataclass(slots=True)
class Outcome:
    """What the server did in a call. Times are in ms since the call's start."""

    onsets: int = 0  # how often the server reported that the caller speaks
    spoke_ms: float | None = None  # when the caller began to speak over the reply
    cleared_ms: float | None = None  # when the server cleared the reply

    @property
    def self_interrupted(self) -> bool:
        """Whether the echo counted as speech, if the caller says only the question."""
        return self.onsets > 1 or self.cleared_ms is not None

    @property
    def delay_ms(self) -> float | None:
        """From the caller's first sound over the reply to its end; None if the reply went on."""
        if self.spoke_ms is None or self.cleared_ms is None:
            return None
        return self.cleared_ms - self.spoke_ms


class LoudspeakerCall:
    """A call with one question, whose reply plays into a room."""

    def __init__(self, question: Signal, reply: Pcm16, path: AcousticPath, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        # These calls judge the echo path: whatever it takes for the caller interrupts at once.
        tuning = Tuning(interrupt_ms=Tuning().min_speech_ms)
        self._conversation = Conversation(State.new(tuning), first_opening=Opening(seed=seed))
        self._engine = ScriptedEngine([reply])
        self._player = Player()
        self._microphone = Microphone(path)
        self._to_say = _chunked(np.concatenate([np.zeros(LEAD_SAMPLES), question]))
        self._n = 0
        self._report = deque(REPORT_CHUNKS)
        self._since_report = 0
        self._reported = 0
        self._outcome = Outcome()

    def run(self, over: Signal | None = None, after_ms: float = 700.0) -> Outcome:
        """Ask and listen; the caller says `over` so long after the first sound of the reply."""
        quiet, begun = 0, False
        for chunk in range(MAX_CHUNKS):
            played = self._player.play()
            if not begun and self._player.played:
                begun = True
                if over is not None:
                    self._interrupt(over, chunk * CHUNK_MS, after_ms)
            self._report_played()
            self._record(played, (chunk + 1) * CHUNK_MS)
            busy = self._player.busy or self._to_say or not begun
            quiet = 0 if busy else quiet + 1
            if quiet == AFTER_CHUNKS:
                break
        return self._outcome

    def _interrupt(self, over: Signal, now_ms: float, after_ms: float) -> None:
        silence = np.zeros(round(after_ms * SAMPLE_RATE_HZ / 1_000))
        self._to_say = _chunked(np.concatenate([silence, over]))
        self._outcome.spoke_ms = now_ms + after_ms + _onset_ms(over)

    def _report_played(self) -> None:
        self._since_report += 1
        due = self._since_report >= self._report[0] or self._reported == 0
        if due and self._player.played != self._reported:
            self._reported = self._player.played
            self._since_report = 0
            self._report.rotate()
            self._offer(Played(self._reported))

    def _record(self, played: Signal, now_ms: float) -> None:
        noise = NOISE * self._rng.standard_normal(CHUNK_SAMPLES)
        recorded = self._microphone.record(played) + noise
        if self._to_say:
            recorded += self._to_say.popleft()
        pcm = np.clip(np.rint(recorded * 32_768), -32_768, 32_767).astype("<i2")
        self._offer(Audio(pcm.tobytes()))
        while (plan := self._conversation.plan()) is not None:
            output = None if plan.idle else self._engine.step([plan.work(0)])[0]
            for record in self._conversation.settle(output).outputs:
                self._player.take(record)
                if isinstance(record, SpeechStarted):
                    self._outcome.onsets += 1
                elif isinstance(record, Clear) and self._outcome.cleared_ms is None:
                    self._outcome.cleared_ms = now_ms

    def _offer(self, record: Audio | Played) -> None:
        self._n += 1
        self._conversation.offer([(self._n, record)])


def _chunked(signal: Signal) -> deque[Signal]:
    whole = np.pad(signal, (0, -len(signal) % CHUNK_SAMPLES))
    return deque(whole.reshape(-1, CHUNK_SAMPLES))


def level(signal: Signal) -> float:
    """The RMS of the 20 ms frames with sound: those within 30 dB of the loudest one."""
    frames = signal[: len(signal) // 480 * 480].reshape(-1, 480)
    power = np.mean(frames**2, axis=1)
    return float(np.sqrt(power[power > power.max() / 1_000].mean()))


def _onset_ms(signal: Signal) -> float:
    frames = signal[: len(signal) // 480 * 480].reshape(-1, 480)
    loud = np.sqrt(np.mean(frames**2, axis=1)) > level(signal) * 10 ** (ACTIVE_DB / 20)
    return float(20 * np.argmax(loud))
