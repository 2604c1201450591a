"""What one caller says, sans I/O: cut into chunks, numbered, kept until Redis holds it and a
little longer.

Record numbers n run over audio and controls in one order. Each record stays in a ring until it is
acknowledged, so that a lost reply or a full log is met by sending it again, and 2 s beyond that,
so that a Redis which lost its last second can be repaired.
"""

import itertools
from bisect import bisect_left
from collections import deque
from typing import Final, NamedTuple

from gateway.protocol.errors import CallError, ErrorCode, NoCapacity
from gateway.protocol.frames import check_audio
from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import Audio, Commit, InputRecord
from shared.log.writes import Answer, Receipt

# An honest client sends 1x; twice that lets it catch up after a stall.
MAX_SPEED: Final = 2.0
BURST_SAMPLES: Final = 2 * SAMPLE_RATE_HZ  # 2 s: what a client may be ahead at once
STALL_SAMPLES: Final = 12 * SAMPLE_RATE_HZ  # credit that a stalled client has saved up at most
# A message takes time whatever its size: at most 800 pieces of audio a second (a page that sends
# every 128 samples needs 188), and 100 controls (a page whose player runs dry sends 50).
PIECE_SAMPLES: Final = 60
CONTROLS_PER_S: Final = 100  # and at once; fewer than MAX_WAITING_RECORDS
# Must be larger than STALL_SAMPLES, or an honest catch-up would overflow it.
MAX_WAITING_RECORDS: Final = 200  # 16 s of audio
KEEP_RECORDS: Final = 48  # acknowledged ones kept for repair: 2 s and more, controls included
SEND_RECORDS: Final = 50  # most in one append: 4 s of audio, some 200 KiB
BUSY_RECORDS: Final = 8  # most while the log is full: it would refuse the rest again
KNOWN_CHUNKS: Final = 256  # chunks whose place in the audio is remembered: 20 s


class Entry(NamedTuple):
    """One record with its number and the caller's sample count behind it."""

    n: int
    record: InputRecord
    samples: int


class Speed:
    """How much the caller may send now: a bucket that refills at `per_s` and holds `most`."""

    def __init__(self, now: float, credit: int, *, per_s: float, most: int) -> None:
        self.credit: float = credit
        self.at = now
        self.per_s = per_s
        self.most = most

    def spend(self, amount: int, now: float) -> None:
        """Count what arrived. Raises CallError when it came too fast."""
        refill = (now - self.at) * self.per_s
        self.credit = min(self.most, self.credit + refill) - amount
        self.at = now
        if self.credit < 0:
            raise CallError(
                ErrorCode.TOO_FAST,
                f"Expected audio at real time (at most {MAX_SPEED:g} times, over a burst of 2 s) "
                f"and at most {CONTROLS_PER_S} controls a second, got more: send as the "
                "microphone gives it",
            )


class Uplink:
    """One caller's way to the log. `n` and `samples`: what the log holds already."""

    def __init__(self, now: float, *, n: int = 0, samples: int = 0) -> None:
        self.n = self.acked = n
        self.samples = self.acked_samples = samples
        credit = STALL_SAMPLES if n else BURST_SAMPLES
        self.speed = Speed(now, credit, per_s=MAX_SPEED * SAMPLE_RATE_HZ, most=STALL_SAMPLES)
        self.controls = Speed(now, CONTROLS_PER_S, per_s=CONTROLS_PER_S, most=CONTROLS_PER_S)
        self.busy = False
        self._rest = b""  # less than a chunk
        self._ring: deque[Entry] = deque()
        self._chunks: deque[tuple[int, int]] = deque(maxlen=KNOWN_CHUNKS)  # n, first sample

    @property
    def waiting(self) -> int:
        """Records that the log does not hold yet."""
        return self.n - self.acked

    def fills_chunk(self, data: bytes) -> bool:
        """Whether this audio would complete a chunk, and so make a record."""
        return len(self._rest) + len(data) >= CHUNK_BYTES

    def push_audio(self, data: bytes, now: float) -> None:
        """Take a binary message of any size. Raises CallError when it breaks the rules."""
        check_audio(data)
        self.speed.spend(max(PIECE_SAMPLES, len(data) // SAMPLE_BYTES), now)
        data = self._rest + data
        whole = len(data) - len(data) % CHUNK_BYTES
        for start in range(0, whole, CHUNK_BYTES):
            self._chunks.append((self.n + 1, self.samples))
            self.samples += CHUNK_SAMPLES
            self._push(Audio(data[start : start + CHUNK_BYTES]))
        self._rest = data[whole:]

    def push(self, record: InputRecord) -> None:
        """Take a control record at its place behind the audio that came before it."""
        if isinstance(record, Commit):
            record = Commit(padding=self._flush())
            # The model hears it as it hears audio: a caller who ends piece after piece pays for it.
            self.speed.credit -= record.padding
        self._push(record)

    def pending(self) -> tuple[int, tuple[InputRecord, ...]]:
        """The number of the first record that the log lacks, and the next to append."""
        skip = self.acked + 1 - self._ring[0].n if self._ring else 0
        most = BUSY_RECORDS if self.busy else SEND_RECORDS
        entries = itertools.islice(self._ring, skip, skip + most)
        return self.acked + 1, tuple(entry.record for entry in entries)

    def settle(self, receipt: Receipt) -> None:
        """Take the log's answer to an append. Raises CallError when the session ends by it."""
        self.busy = receipt.answer is Answer.BUSY
        if receipt.answer is Answer.FENCED:
            raise CallError(ErrorCode.REPLACED, "A newer connection took this session over")
        if receipt.answer is Answer.GONE:
            raise CallError(ErrorCode.SESSION_LOST, "The session's log is gone")
        if receipt.answer is Answer.POISONED:
            raise CallError(ErrorCode.POISONED, "The model failed at this call: start a new one")
        oldest = self._ring[0].n if self._ring else self.n + 1
        if receipt.last > self.n or receipt.last + 1 < oldest:
            raise CallError(
                ErrorCode.SESSION_LOST,
                f"The log ends at record {receipt.last}, expected {oldest - 1} to {self.n}: "
                "what is missing cannot be repaired",
            )
        self._acknowledge(receipt.last)

    def sample_of(self, n: int) -> int:
        """The first sample of record n (of the next chunk for a control), as far as known."""
        at = bisect_left(self._chunks, (n, 0))
        return self._chunks[at][1] if at < len(self._chunks) else self.samples

    def _flush(self) -> int:
        """Fill a begun chunk with silence; how many samples that took."""
        if not self._rest:
            return 0
        padding = (CHUNK_BYTES - len(self._rest)) // SAMPLE_BYTES
        self._chunks.append((self.n + 1, self.samples))
        self.samples += CHUNK_SAMPLES - padding
        chunk, self._rest = self._rest.ljust(CHUNK_BYTES, b"\0"), b""
        self._push(Audio(chunk))
        return padding

    def _push(self, record: InputRecord) -> None:
        if self.waiting >= MAX_WAITING_RECORDS:
            raise self._overflow()
        self.n += 1
        self._ring.append(Entry(self.n, record, self.samples))

    def _overflow(self) -> CallError:
        if self.busy and self.speed.credit < STALL_SAMPLES / 2:
            return CallError(
                ErrorCode.TOO_FAST,
                f"{MAX_WAITING_RECORDS} records wait for the model to take them: send slower",
            )
        if self.busy:
            return NoCapacity("No worker takes this call's audio")
        return CallError(ErrorCode.INTERNAL, "The log cannot be written now; try again later")

    def _acknowledge(self, last: int) -> None:
        self.acked = last
        index = last - self._ring[0].n if self._ring else -1
        if index >= 0:
            self.acked_samples = self._ring[index].samples
        while self._ring and self._ring[0].n <= self.acked - KEEP_RECORDS:
            self._ring.popleft()
