"""What waits to enter the log: clients may send a whole recording at once, the log takes it slower.

Sans I/O. Sound and records keep their order.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.call.uplink import Uplink
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.effects import AudioIn
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import InputRecord

PIECE_BYTES: Final = 9_600  # 200 ms
MAX_WAITING_BYTES: Final = 120 * SAMPLE_RATE_HZ * SAMPLE_BYTES  # two minutes
MAX_WAITING_RECORDS: Final = 200


class Intake:
    """One session's queue. `push_audio` takes a piece of sound for the log."""

    def __init__(self, uplink: Uplink, push_audio: Callable[[bytes, float], None]) -> None:
        self._uplink = uplink
        self._push_audio = push_audio
        self._waiting: deque[bytes | InputRecord] = deque()
        self._bytes = 0
        self._records = 0

    def put(self, what: AudioIn | InputRecord, now: float) -> None:
        """Take sound or a record, and pass on what the log may have. Raises CallError."""
        if isinstance(what, AudioIn):
            pieces = range(0, len(what.pcm), PIECE_BYTES)
            self._waiting.extend(what.pcm[at : at + PIECE_BYTES] for at in pieces)
            self._bytes += len(what.pcm)
        else:
            self._waiting.append(what)
            self._records += 1
        if self._bytes > MAX_WAITING_BYTES or self._records > MAX_WAITING_RECORDS:
            raise CallError(
                ErrorCode.TOO_FAST,
                "Expected at most two minutes of sound ahead of real time, got more: send slower",
            )
        self.pump(now)

    def pump(self, now: float) -> None:
        """Pass on what the log may have now. Raises CallError."""
        while self._waiting:
            head = self._waiting[0]
            if isinstance(head, bytes):
                if not self._uplink.room_for(head, now):
                    return
                self._waiting.popleft()
                self._bytes -= len(head)
                self._push_audio(head, now)
            else:
                self._waiting.popleft()
                self._records -= 1
                self._uplink.push(head)
