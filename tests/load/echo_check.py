"""Check and time the echo of one caller.

Every 20 ms frame begins with a stamp: its caller and its number in the call. So the check notices
frames that are lost, doubled, reordered or another caller's, and it measures the others:

    added latency   from sending a chunk, when its last sample is spoken, to the first frame of its
                    echo; the chunk's later frames play after it and need not be faster
    lateness        how late a frame is for a player that starts with the first measured frame and
                    has no buffer: a jitter buffer must hold so much
"""

import random
import struct
from array import array
from typing import Final

from shared.audio import CHUNK_BYTES, FRAME_BYTES, FRAME_MS, FRAMES_PER_CHUNK

STAMP: Final = struct.Struct("<4h")  # caller, thousands and rest of the frame number, marker
MARKER: Final = 4_711
_RADIX: Final = 1_000
FRAME_S: Final = FRAME_MS / 1_000
# So quiet that it passes every limiter bit for bit.
_LOUDEST: Final = 2_000


def _noise(seed: int) -> bytes:
    draw = random.Random(seed)
    return array(
        "h", (draw.randint(-_LOUDEST, _LOUDEST) for _ in range(CHUNK_BYTES // 2))
    ).tobytes()


NOISE: Final = _noise(1)


def chunk(caller: int, number: int) -> bytes:
    """Chunk `number` (from 0) of a caller, 3,840 bytes; caller and frame / 1,000 under 32,768."""
    parts = []
    for index in range(FRAMES_PER_CHUNK):
        high, low = divmod(number * FRAMES_PER_CHUNK + index, _RADIX)
        end = (index + 1) * FRAME_BYTES
        body = NOISE[index * FRAME_BYTES + STAMP.size : end]
        parts += [STAMP.pack(caller, high, low, MARKER), body]
    return b"".join(parts)


class EchoCheck:
    """Checks one caller's echo all the time, and measures it between `begin` and `end`."""

    def __init__(self, caller: int) -> None:
        self.caller = caller
        self.sent_at: list[float] = []  # of each chunk
        self.expected = 0  # the next frame
        self.wrong = 0  # frames that are not this caller's next one
        self.lost = 0  # frames that were left out
        self.latency_s: list[float] = []
        self.lateness_s: list[float] = []
        self._anchor: float | None = None  # when frame 0 would have played
        self._measuring = False
        self._rest = b""

    def next_chunk(self, now: float) -> bytes:
        """The next chunk, which the caller sends now."""
        self.sent_at.append(now)
        return chunk(self.caller, len(self.sent_at) - 1)

    @property
    def missing(self) -> int:
        """The number of sent frames that have not come back."""
        return len(self.sent_at) * FRAMES_PER_CHUNK - self.expected

    def begin(self) -> None:
        """Measure from the next frame on."""
        self._measuring, self._anchor = True, None

    def end(self) -> None:
        """Stop measuring; go on checking."""
        self._measuring = False

    def take(self, audio: bytes, now: float) -> None:
        """Take received audio of any length in whole samples."""
        data = self._rest + audio if self._rest else audio
        whole = len(data) - len(data) % FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            self._frame(data, at, now)
        self._rest = data[whole:]

    def _frame(self, data: bytes, at: int, now: float) -> None:
        caller, high, low, marker = STAMP.unpack_from(data, at)
        if not marker and not any(data[at : at + FRAME_BYTES]):
            return  # the server fills gaps in the echo with silence
        number = high * _RADIX + low
        if marker != MARKER or caller != self.caller or number < self.expected:
            self.wrong += 1
            return
        self.lost += number - self.expected
        self.expected = number + 1
        if self._measuring:
            self._measure(number, now)

    def _measure(self, number: int, now: float) -> None:
        if self._anchor is None:
            self._anchor = now - number * FRAME_S
        self.lateness_s.append(max(0.0, now - self._anchor - number * FRAME_S))
        first, index = divmod(number, FRAMES_PER_CHUNK)
        if index == 0:
            self.latency_s.append(now - self.sent_at[first])
