"""What waits to enter the log: clients may send a whole recording at once, the log takes it slower.

Sans I/O. Sound and records keep their order.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.call.uplink import Uplink
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.audio_codecs import MAX_APPEND_BYTES
from gateway.realtime.effects import AudioIn
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import InputRecord

PIECE_BYTES: Final = 9_600  # 200 ms
# One event of the largest size, and two minutes of sound in other events.
MAX_WAITING_BYTES: Final = MAX_APPEND_BYTES + 120 * SAMPLE_RATE_HZ * SAMPLE_BYTES
MAX_WAITING_S: Final = MAX_WAITING_BYTES // SAMPLE_BYTES // SAMPLE_RATE_HZ  # 447
MAX_WAITING_RECORDS: Final = 200

PushAudio = Callable[[bytes, float], None]


class Intake:
    """One session's queue."""

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink
        self._waiting: deque[bytes | InputRecord] = deque()
        self._bytes = 0
        self._at = 0  # how much of the first sound the log has
        self._records = 0

    def put(self, what: AudioIn | InputRecord) -> None:
        """Take sound or a record. Raises CallError when too much waits."""
        if isinstance(what, AudioIn):
            if what.pcm:
                self._waiting.append(what.pcm)
                self._bytes += len(what.pcm)
        else:
            self._waiting.append(what)
            self._records += 1
        if self._bytes > MAX_WAITING_BYTES or self._records > MAX_WAITING_RECORDS:
            raise CallError(
                ErrorCode.TOO_FAST,
                f"Expected at most {MAX_WAITING_S} s of sound and {MAX_WAITING_RECORDS} commands "
                "to wait for the log, got more: send slower",
            )

    def pump(self, push_audio: PushAudio, now: float) -> None:
        """Pass on what the log may have now. `push_audio` takes sound. Raises CallError."""
        while self._waiting:
            head = self._waiting[0]
            if isinstance(head, bytes):
                piece = head[self._at : self._at + PIECE_BYTES]
                if not self._uplink.room_for(piece, now):
                    return
                self._at += len(piece)
                self._bytes -= len(piece)
                if self._at == len(head):
                    self._waiting.popleft()
                    self._at = 0
                push_audio(piece, now)
            else:
                self._waiting.popleft()
                self._records -= 1
                self._uplink.push(head)
