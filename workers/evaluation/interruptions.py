"""Calls with callers who interrupt: they speak over a reply with another question."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.audio import FRAME_MS, FRAME_SAMPLES, FRAMES_PER_CHUNK, SAMPLE_RATE_HZ, Pcm16
from shared.log.records import Audio, Clear, OutputRecord, Played, ReplyDone, ReplyStarted
from workers.evaluation.calls import OfflineCall
from workers.runtime.conversation.conversation import MAX_LEAD_FRAMES
from workers.runtime.conversation.step import Plan

# An interruption takes 700 ms of speech. Up to 400 more distinguish it from the reply's own echo.
# The VAD works on 80 ms at a time.
IN_TIME_S: Final = 1.2  # from the first sound of the caller
ONSET: Final = 0.05  # of the loudest sample; quieter is silence


class InterruptingCall(OfflineCall):
    """Asks, listens for a while, and asks something else over the reply, in real time."""

    def __init__(self, said: Sequence[Pcm16], seed: int, listen_ms: int) -> None:
        """Two questions; the second interrupts the first one's reply after `listen_ms`."""
        super().__init__(said, seed=seed)
        self._listen_frames = listen_ms // FRAME_MS
        self._first = 0  # first frame of the reply to interrupt; 0: no reply yet
        self.interrupted = False  # there was a reply, and the caller spoke over it
        self.cleared_s: float | None = None  # after the first sound of the interruption

    def plan(self) -> Plan | None:
        """The engine's next work: 80 ms pass on both sides; replies run ahead, as in service."""
        lead = self.conversation.lead
        if lead is not None and lead + FRAMES_PER_CHUNK <= MAX_LEAD_FRAMES:
            return self.conversation.plan()
        state = self.conversation.state
        played = min(state.frame, state.played + FRAMES_PER_CHUNK)
        if played > state.played:
            self.offer(Played(played))
        if self._first and not self.interrupted:
            self._listen(played)
        self.offer(Audio(self._chunk()))
        return self.conversation.plan()

    def _listen(self, played: int) -> None:
        """Interrupt the first reply once enough was played, or give up where it ended before."""
        if played - self._first + 1 >= self._listen_frames:
            self.interrupted = True
            if not self.answers:  # the reply is still being generated
                self._finish("interrupted")
            self._say(0.0)
        elif self.answers and played >= self.conversation.state.frame:
            self._finish("none")

    def _after_answer(self) -> None:
        """Stay silent while the generated reply plays."""
        self._ready, self._next = [], 0

    def _note(self, record: OutputRecord) -> None:
        if isinstance(record, ReplyStarted) and not self._first:
            self._first = record.frame
        if isinstance(record, Clear) and self._both_speak:
            spoken_s = self.elapsed_s + len(self._said[1]) / SAMPLE_RATE_HZ
            self.cleared_s = spoken_s - onset_s(self._said[1])
        # Later output of the first reply does not answer the interruption.
        elif not self._both_speak and not (
            isinstance(record, ReplyDone) and record.reason == "cancelled"
        ):
            super()._note(record)

    @property
    def _both_speak(self) -> bool:
        """Whether the caller speaks over a reply that is not cleared yet."""
        return self.interrupted and self.cleared_s is None


def onset_s(pcm: Pcm16) -> float:
    """When a recording's first sound comes, to 20 ms."""
    loud = np.abs(pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].astype(np.int32))
    frames = loud.reshape(-1, FRAME_SAMPLES).max(axis=1)
    return int(np.argmax(frames > ONSET * frames.max())) * FRAME_MS / 1000
