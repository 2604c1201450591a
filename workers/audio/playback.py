"""Models what the caller's loudspeaker plays: the reply's sound and the playhead.

Time is counted in frames of the call and in chunks of the caller's audio; there is no clock.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from shared.audio import FRAME_SAMPLES, FRAMES_PER_CHUNK, Pcm16
from workers.audio.bands import BANDS, FRAME_HOPS, SILENCE_DB, Bands, Levels, Power, decibels

KEEP_HOPS: Final = 1_024  # 10 s; a reply is made at most 4 s ahead of the playhead
# A room returns some of each sound later; it falls by 1.2 dB each 10 ms (0.5 s reverberation).
TAIL_SHARE: Final = 0.15
TAIL_DECAY: Final = 0.76
# Clients report the playhead a few times a second. A report that lags the estimate by this much
# means that the player stopped for a while.
STALE_FRAMES: Final = 25
FADE_FRAMES: Final = 10  # played after a clear, which takes up to 200 ms to arrive


class Playback:
    """The newest reply, as the loudspeaker plays it."""

    def __init__(self) -> None:
        self._first = 1  # the reply's first frame ...
        self._last = 0  # ... and the last that was sent, or that will be played
        self._start: int | None = None  # the playhead before any chunk; None: not begun
        self._chunks = 0  # of the caller's, since the reply began
        self._bands = Bands()
        self._tail: Power = np.zeros(BANDS, np.float32)
        self._levels: Levels = np.full((KEEP_HOPS, BANDS), SILENCE_DB, np.float32)

    def begin(self, first: int) -> None:
        """Begin a reply with this frame."""
        self._first, self._last = first, first - 1
        self._start, self._chunks = None, 0
        self._bands = Bands()
        self._tail = np.zeros(BANDS, np.float32)

    def say(self, frame: int, pcm: Pcm16) -> None:
        """Add whole frames of the reply, the first numbered `frame`."""
        power = self._bands.hear(pcm)
        smeared = np.empty_like(power)
        for hop, now in enumerate(power):
            smeared[hop] = now + TAIL_SHARE * self._tail
            self._tail = TAIL_DECAY * self._tail + now
        places = (frame * FRAME_HOPS + np.arange(len(power))) % KEEP_HOPS
        self._levels[places] = decibels(smeared)
        self._last = frame + len(pcm) // FRAME_SAMPLES - 1

    def recall(self, frame: int, pcm: Pcm16) -> None:
        """Add a piece of the reply from the log, from before the restored state."""
        if frame >= self._first:
            last = self._last
            self.say(frame, pcm)
            self._last = last

    def played(self, frame: int) -> None:
        """Take a report that every frame up to this one was played; it may be late, never early."""
        if frame < self._first:
            return
        head = self.head
        if head is None or not head - STALE_FRAMES <= frame <= head:
            self._start = frame - FRAMES_PER_CHUNK * self._chunks

    def stop(self) -> None:
        """The reply was cleared: frames after the playhead will not be played."""
        heard = self._first - 1 if self.head is None else self.head
        self._last = min(self._last, heard + FADE_FRAMES)

    def tick(self) -> None:
        """Count a chunk of the caller's audio."""
        self._chunks += 1

    @property
    def head(self) -> int | None:
        """The frame that is being played; beyond the last when all were. None: not begun."""
        return None if self._start is None else self._start + FRAMES_PER_CHUNK * self._chunks

    def lasts(self, hops: int) -> bool:
        """Whether the reply is yet to be played, or was still playing `hops` hops ago."""
        if self.head is None:
            return self._last >= self._first or self._chunks == 0
        return self.head * FRAME_HOPS - hops <= self._last * FRAME_HOPS

    def window(self, before: int, after: int) -> Levels:
        """(before + after, BANDS): what plays around the end of the current chunk."""
        end = ((self.head or 0) + 1) * FRAME_HOPS
        hops = np.arange(end - before, end + after)
        levels = self._levels[hops % KEEP_HOPS]
        said = (hops >= self._first * FRAME_HOPS) & (hops < (self._last + 1) * FRAME_HOPS)
        levels[~said] = SILENCE_DB
        return levels

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it; the log holds the sound itself."""
        return {
            "first": self._first,
            "last": self._last,
            "start": self._start,
            "chunks": self._chunks,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from this state; `recall` adds the audio that the log holds."""
        self._first, self._last = state["first"], state["last"]
        self._start, self._chunks = state["start"], state["chunks"]
