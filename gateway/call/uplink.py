"""Cuts one caller's audio into numbered chunks and keeps them until the log has them. Sans I/O.

One sequence of record numbers n covers audio and controls. A ring holds each record until the log
acknowledges it, so a lost answer or a full log costs only another append. It holds records for two
more seconds after that, to repair a Redis that lost its newest writes.
"""

import itertools
from bisect import bisect_left
from collections import deque
from typing import Final, NamedTuple

from gateway.protocol.errors import CallError, ErrorCode, NoCapacity
from gateway.token_bucket import TokenBucket
from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import Audio, Commit, InputRecord
from shared.log.writes import Answer, Receipt

# An honest client sends at 1x; twice that lets it catch up after a stall.
MAX_SPEED: Final = 2.0
BURST_SAMPLES: Final = 2 * SAMPLE_RATE_HZ  # 2 s: how far ahead a client may send at once
STALL_SAMPLES: Final = 12 * SAMPLE_RATE_HZ  # the most that a stalled client may catch up at once
# A message takes time whatever its size. So a client may send 800 pieces of audio a second (a page
# that sends every 128 samples needs 188). It may send 100 controls (a page sends 50 if its
# player runs dry).
PIECE_SAMPLES: Final = 60
CONTROLS_PER_S: Final = 100  # also the burst; fewer than MAX_WAITING_RECORDS
# Must be larger than STALL_SAMPLES, or an honest catch-up would overflow it.
MAX_WAITING_RECORDS: Final = 200  # 16 s of audio
KEEP_RECORDS: Final = 48  # acknowledged records kept for a repair: over 2 s, controls included
SEND_RECORDS: Final = 50  # most in one append: 4 s of audio, some 200 KiB
BUSY_RECORDS: Final = 8  # most while the log is full: it would refuse the rest again
KNOWN_CHUNKS: Final = 384  # first samples remembered, one a chunk: 30 s
NAMED_RECORDS: Final = 8  # and events' records, since a long turn names its beginning again

_ENDINGS: Final = {
    Answer.FENCED: (ErrorCode.REPLACED, "A newer connection took this session over"),
    Answer.GONE: (ErrorCode.SESSION_LOST, "The session's log is gone"),
    Answer.POISONED: (ErrorCode.POISONED, "The model failed at this call: start a new one"),
}


class _Entry(NamedTuple):
    """A record in the ring."""

    n: int
    record: InputRecord
    samples: int  # the caller's samples up to the end of this record


class Uplink:
    """Chunks, numbers and keeps what one caller sends. `n`, `samples`: what the log holds."""

    def __init__(
        self, now: float, *, n: int = 0, samples: int = 0, burst_samples: int = BURST_SAMPLES
    ) -> None:
        """`burst_samples`: how far ahead a new client may send at once."""
        self.n = self.acked = n
        self.samples = self.acked_samples = samples
        self.busy = False  # the log was full at the last append
        self._audio_rate = TokenBucket(
            now,
            capacity=STALL_SAMPLES,
            per_s=MAX_SPEED * SAMPLE_RATE_HZ,
            tokens=STALL_SAMPLES if n else burst_samples,
        )
        self._control_rate = TokenBucket(now, capacity=CONTROLS_PER_S, per_s=CONTROLS_PER_S)
        self._partial_chunk = b""
        self._ring: deque[_Entry] = deque()
        self._chunks: deque[tuple[int, int]] = deque(maxlen=KNOWN_CHUNKS)  # n, first sample
        self._named: dict[int, int] = {}  # the same for records that events named

    @property
    def waiting(self) -> int:
        """How many records the log does not hold yet."""
        return self.n - self.acked

    def room_for(self, data: bytes, now: float) -> bool:
        """Whether this much audio may be pushed now without an error."""
        self._audio_rate.spend(0, now)
        return self.waiting < MAX_WAITING_RECORDS / 2 and self._audio_rate.tokens >= max(
            PIECE_SAMPLES, len(data) // SAMPLE_BYTES
        )

    @property
    def spare_samples(self) -> float:
        """How much audio the caller may still send at once."""
        return self._audio_rate.tokens

    def completes_chunk(self, data: bytes) -> bool:
        """Whether this audio would complete a chunk, and so make a record."""
        return len(self._partial_chunk) + len(data) >= CHUNK_BYTES

    def push_audio(self, data: bytes, now: float) -> None:
        """Take whole samples of PCM16, as many as there are. Raises CallError."""
        if not self._audio_rate.spend(max(PIECE_SAMPLES, len(data) // SAMPLE_BYTES), now):
            raise _too_fast()
        data = self._partial_chunk + data
        whole = len(data) - len(data) % CHUNK_BYTES
        for start in range(0, whole, CHUNK_BYTES):
            self._push_chunk(data[start : start + CHUNK_BYTES], CHUNK_SAMPLES)
        self._partial_chunk = data[whole:]

    def count_control(self, now: float) -> None:
        """Count a JSON message against its rate. Raises CallError."""
        if not self._control_rate.spend(1, now):
            raise _too_fast()

    def push(self, record: InputRecord) -> None:
        """Take a control record at its place after the audio before it. Raises CallError."""
        if isinstance(record, Commit):
            record = Commit(padding=self._pad_chunk())
            # The model processes padding like audio, so the caller's rate pays for it.
            self._audio_rate.charge(record.padding)
        self._push(record)

    def pending(self) -> tuple[int, tuple[InputRecord, ...]]:
        """The number of the first record that the log lacks, and the records to append next."""
        skip = self.acked + 1 - self._ring[0].n if self._ring else 0
        most = BUSY_RECORDS if self.busy else SEND_RECORDS
        entries = itertools.islice(self._ring, skip, skip + most)
        return self.acked + 1, tuple(entry.record for entry in entries)

    def take_receipt(self, receipt: Receipt) -> None:
        """Take the log's answer to an append. Raises CallError when it ends the session."""
        self.busy = receipt.answer is Answer.BUSY
        if ending := _ENDINGS.get(receipt.answer):
            raise CallError(*ending)
        oldest = self._ring[0].n if self._ring else self.n + 1
        if receipt.last > self.n or receipt.last + 1 < oldest:
            raise CallError(
                ErrorCode.SESSION_LOST,
                f"Expected the log to end at record {oldest - 1} to {self.n}, got {receipt.last}: "
                "the missing records cannot be repaired",
            )
        self._acknowledge(receipt.last)

    def sample_of(self, n: int) -> int:
        """The first sample of record n (of the next chunk, for a control), as far as known."""
        if n not in self._named:
            at = bisect_left(self._chunks, (n, 0))
            self._named[n] = self._chunks[at][1] if at < len(self._chunks) else self.samples
            if len(self._named) > NAMED_RECORDS:
                del self._named[next(iter(self._named))]
        return self._named[n]

    def _pad_chunk(self) -> int:
        """Fill a partial chunk with silence; return how many samples that took."""
        if not self._partial_chunk:
            return 0
        padding = (CHUNK_BYTES - len(self._partial_chunk)) // SAMPLE_BYTES
        chunk, self._partial_chunk = self._partial_chunk.ljust(CHUNK_BYTES, b"\0"), b""
        self._push_chunk(chunk, CHUNK_SAMPLES - padding)
        return padding

    def _push_chunk(self, pcm: bytes, samples: int) -> None:
        self._chunks.append((self.n + 1, self.samples))
        self.samples += samples
        self._push(Audio(pcm))

    def _push(self, record: InputRecord) -> None:
        if self.waiting >= MAX_WAITING_RECORDS:
            raise self._overflow()
        self.n += 1
        self._ring.append(_Entry(self.n, record, self.samples))

    def _overflow(self) -> CallError:
        if self.busy and self.spare_samples < STALL_SAMPLES / 2:
            return CallError(
                ErrorCode.TOO_FAST,
                f"Expected at most {MAX_WAITING_RECORDS} records waiting for the model, got more: "
                "send slower",
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


def _too_fast() -> CallError:
    return CallError(
        ErrorCode.TOO_FAST,
        f"Expected audio in real time (at most {MAX_SPEED:g} times, after a burst of 2 s) "
        f"and at most {CONTROLS_PER_S} controls a second, got more: send as the "
        "microphone records",
    )
