"""What a caller must hear, and what became of it: the echo engine gives back frame by frame.

Every frame that is ever said is unlike every other, so a frame tells who said it and as which
one. Pure: no clock, no socket.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from shared.audio import CHUNK_BYTES, FRAME_BYTES, FRAMES_PER_CHUNK

_BITS: Final = 13  # samples stay within +-8,191: what is quieter than -9 dBFS passes bit for bit
_MASK: Final = (1 << _BITS) - 1
_QUIET: Final = int.from_bytes(_MASK.to_bytes(2, "little") * (FRAME_BYTES // 2), "little")


def _pcm(*values: int) -> bytes:
    return b"".join((value & _MASK).to_bytes(2, "little") for value in values)


@dataclass(frozen=True, slots=True)
class Voice:
    """One call's audio: a function of the seed, the voice's number and the frame's index."""

    seed: int
    number: int

    def frame(self, index: int) -> bytes:
        """Frame `index` (from 1): voice, index, then noise."""
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
        """Which frame of this voice it is; None for a foreign or a damaged one."""
        words = [int.from_bytes(pcm[at : at + 2], "little") for at in (0, 2, 4)]
        index = words[1] << _BITS | words[2]
        return index if index and pcm == self.frame(index) else None


@dataclass
class Ledger:
    """What came back of one call."""

    voice: Voice
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    heard: set[int] = field(default_factory=set)
    skipped: set[int] = field(default_factory=set)  # we were told that they would never come
    newest: int = 0
    told: str = ""  # the code with which the server ended the call, when it did
    _again_from: int | None = None  # what we were told would come a second time

    def take(self, pcm: bytes) -> None:
        """A frame came."""
        index = self.voice.index_of(pcm)
        if index is None:
            self.foreign += 1
        elif index in self.heard:
            self.doubled += self._again_from is None or index < self._again_from
        else:
            self.reordered += index < self.newest
            self.heard.add(index)
        self.newest = max(self.newest, index or 0)

    def skip(self, first: int, last: int) -> None:
        """The server said that these frames would never come."""
        self.skipped |= set(range(first, last + 1)) - self.heard

    def resumed(self, outcome: str, next_frame: int) -> None:
        """The server said how the call goes on."""
        if outcome == "not_recovered":
            self._again_from = next_frame

    def lost(self, chunks: int) -> int:
        """Frames of the first `chunks` chunks that never came although nobody said so."""
        if self.told:
            return 0
        said = range(1, chunks * FRAMES_PER_CHUNK + 1)
        return sum(i not in self.heard and i not in self.skipped for i in said)

    def complete(self, chunks: int) -> bool:
        """Whether all of them came or were said to be gone."""
        return len(self.heard | self.skipped) >= chunks * FRAMES_PER_CHUNK
