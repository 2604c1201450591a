"""Check what a caller receives: the echo engine returns every frame, and each identifies itself.

No two frames are alike, so a frame shows which call sent it and at which index. Pure: no clock, no
socket.
"""

import random
from dataclasses import dataclass, field
from typing import ClassVar, Final

from shared.audio import CHUNK_BYTES, FRAME_BYTES, FRAMES_PER_CHUNK

_BITS: Final = 13  # samples stay within +-8,191: below -9 dBFS they pass bit for bit
_MASK: Final = (1 << _BITS) - 1
_QUIET: Final = int.from_bytes(_MASK.to_bytes(2, "little") * (FRAME_BYTES // 2), "little")


def _pcm(*values: int) -> bytes:
    return b"".join((value & _MASK).to_bytes(2, "little") for value in values)


@dataclass(frozen=True, slots=True)
class CallAudio:
    """The audio of one call: a function of the seed, the call's number and the frame's index."""

    seed: int
    number: int

    def frame(self, index: int) -> bytes:
        """Frame `index` (from 1): the call's number, the index, then noise."""
        noise = random.Random(f"{self.seed}.{self.number}.{index}").randbytes(FRAME_BYTES)
        quiet = (int.from_bytes(noise, "little") & _QUIET).to_bytes(FRAME_BYTES, "little")
        mark = _pcm(self.number, index >> _BITS, index)
        return mark + quiet[len(mark) :]

    def chunk(self, index: int) -> bytes:
        """Chunk `index` (from 0): its four frames."""
        first = index * FRAMES_PER_CHUNK + 1
        data = b"".join(self.frame(first + i) for i in range(FRAMES_PER_CHUNK))
        assert len(data) == CHUNK_BYTES
        return data

    def index_of(self, pcm: bytes) -> int | None:
        """The index of a frame of this call; None for a foreign or a damaged frame."""
        words = [int.from_bytes(pcm[at : at + 2], "little") for at in (0, 2, 4)]
        index = words[1] << _BITS | words[2]
        return index if index and pcm == self.frame(index) else None


@dataclass
class Ledger:
    """The frames that one call got back."""

    audio: CallAudio
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    received: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)  # the server reported them as lost for good
    newest: int = 0
    ended_by: str = ""  # the error code with which the server ended the call
    session: str = ""
    hung_s: ClassVar[float] = 10.0  # without an expected frame: the call hangs
    _repeats_from: int | None = None  # the server announced these frames a second time

    def take(self, pcm: bytes, number: int) -> None:
        """Count a received frame; its number must not matter, since its content identifies it."""
        del number
        index = self.audio.index_of(pcm)
        if index is None:
            self.foreign += 1
        elif index in self.received:
            self.doubled += self._repeats_from is None or index < self._repeats_from
        else:
            self.reordered += index < self.newest
            self.received.add(index)
        self.newest = max(self.newest, index or 0)

    def skip(self, first: int, last: int) -> None:
        """The server reported that these frames will never come."""
        self.skipped |= set(range(first, last + 1)) - self.received

    def resumed(self, outcome: str, next_frame: int) -> None:
        """The server answered a resume with this outcome."""
        if outcome == "not_recovered":
            self._repeats_from = next_frame

    def lost(self, chunks: int) -> int:
        """Frames of the first `chunks` chunks that never came and were not reported as lost."""
        if self.ended_by:
            return 0
        sent = range(1, chunks * FRAMES_PER_CHUNK + 1)
        return sum(i not in self.received and i not in self.skipped for i in sent)

    def complete(self, chunks: int) -> bool:
        """Whether all these frames came or were reported as lost."""
        return len(self.received | self.skipped) >= chunks * FRAMES_PER_CHUNK
