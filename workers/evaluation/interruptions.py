"""Callers who do not let the assistant finish: a reply is spoken over with another question."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.audio import FRAME_MS, FRAME_SAMPLES, FRAMES_PER_CHUNK, SAMPLE_RATE_HZ, Pcm16
from shared.log.records import Audio, Clear, OutputRecord, Played, ReplyDone, ReplyStarted
from workers.evaluation.calls import Call
from workers.runtime.conversation.conversation import MAX_LEAD_FRAMES
from workers.runtime.conversation.step import Plan

# An interruption takes 700 ms of speech, up to 400 more tell it from the reply's own echo, and the
# VAD hears 80 ms at a time.
IN_TIME_S: Final = 1.2  # from the first sound of the caller
ONSET: Final = 0.05  # of the loudest sample: below it nothing was said yet


class InterruptingCall(Call):
    """Asks, listens for a while, and asks something else over the reply, at the pace of speech."""

    def __init__(self, said: Sequence[Pcm16], seed: int, listen_ms: int) -> None:
        """Two things said; of the first one's reply `listen_ms` are heard."""
        super().__init__(said, seed=seed)
        self._listen_frames = listen_ms // FRAME_MS
        self._first = 0  # frame of the reply that is to be spoken over; 0: there is none yet
        self.interrupted = False  # there was a reply, and it was spoken over
        self.cleared_s: float | None = None  # after the first sound of what was said over it

    def plan(self) -> Plan | None:
        """80 ms go by on both sides; a reply is made ahead of that, as in service."""
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
        """To the first reply: until it was long enough, or was over before."""
        if played - self._first + 1 >= self._listen_frames:
            self.interrupted = True
            if not self.answers:  # more of the reply is being made
                self._finish("interrupted")
            self._say(0.0)
        elif self.answers and played >= self.conversation.state.frame:
            self._finish("none")

    def _go_on(self) -> None:
        """The first reply is made and still to be heard: meanwhile nothing is said."""
        self._ready, self._next = [], 0

    def _note(self, record: OutputRecord) -> None:
        if isinstance(record, ReplyStarted) and not self._first:
            self._first = record.frame
        if isinstance(record, Clear) and self._drowned:
            spoken_s = self.elapsed_s + len(self._said[1]) / SAMPLE_RATE_HZ
            self.cleared_s = spoken_s - onset_s(self._said[1])
        # What was still made of the first reply is no answer to what is said over it.
        elif not self._drowned and not (
            isinstance(record, ReplyDone) and record.reason == "cancelled"
        ):
            super()._note(record)

    @property
    def _drowned(self) -> bool:
        """Both speak: the reply that is spoken over has not been cleared yet."""
        return self.interrupted and self.cleared_s is None


def onset_s(pcm: Pcm16) -> float:
    """When a recording's first sound comes, to 20 ms."""
    loud = np.abs(pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].astype(np.int32))
    frames = loud.reshape(-1, FRAME_SAMPLES).max(axis=1)
    return int(np.argmax(frames > ONSET * frames.max())) * FRAME_MS / 1000
