"""What one caller gets, sans I/O: records of the log in, frames and events out at their time.

A frame's deadline is absolute: the playhead starts with a reply's first frame and moves one frame
every 20 ms, and no frame leaves more than `lead_frames` before the playhead needs it. So the first
frames of a reply leave at once, as the player's buffer, and a late one never shifts the rest. Each
write to a socket costs as much as all else that is done for a frame, so frames may leave in groups:
when one must leave, those that follow within the lead go along.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.protocol.frames import FIRST_OF_REPLY, LAST_OF_REPLY
from shared.audio import FRAME_BYTES, FRAME_MS
from shared.log.records import (
    Clear,
    Heard,
    OutputRecord,
    ReplyDone,
    ReplyStarted,
    Skip,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Text,
)

FRAME_S: Final = FRAME_MS / 1_000  # 0.02
NATIVE_LEAD_FRAMES: Final = 10  # 200 ms: a page has a jitter buffer and reports what it played
NATIVE_GROUP_FRAMES: Final = 4  # 80 ms: before each the page has 120 ms in hand
PLAIN_LEAD_FRAMES: Final = 3  # 60 ms: nobody tells a plain client to stop, so little may be ahead
# What a player has in hand when it starts: a frame later than that finds it dry.
PREBUFFER_S: Final = 0.060
MAX_QUEUED_FRAMES: Final = 750  # 15 s: what a worker may keep in the log; reading pauses there


class Frame(
    NamedTuple
):  # made a hundred times a second a caller: a dataclass takes four times as long
    """20 ms of the assistant, 960 bytes."""

    number: int
    generation: int
    flags: int
    pcm: bytes
    fed_at: float = 0.0  # when it came out of the log, monotonic seconds


@dataclass(frozen=True, slots=True)
class TextAt:
    """Words of a reply that begin with this frame."""

    generation: int
    frame: int
    text: str


Event = SpeechStarted | SpeechStopped | Heard | Clear | ReplyStarted | ReplyDone | Skip | TextAt
_Queued = Frame | TextAt | ReplyStarted | ReplyDone | Skip


@dataclass(slots=True)
class Counts:
    """What a playout has seen since its start."""

    sent: int = 0
    underruns: int = 0  # times that the playhead overtook an open reply
    missing: int = 0  # frames that the log lacks although no record said so
    doubled: int = 0  # frames that came twice and were dropped


class Playout:
    """One caller's queue. `next_frame` is the next number to send; the caller has all before it."""

    def __init__(self, *, lead_frames: int, group_frames: int = 1, next_frame: int = 1) -> None:
        self._lead_s = (lead_frames - group_frames) * FRAME_S
        self._group_s = (group_frames - 1) * FRAME_S
        self.next_frame = next_frame
        self.counts = Counts()
        self.late_s: deque[float] = deque(maxlen=512)
        self._fed = next_frame  # the next frame that the log should bring
        self._queue: deque[_Queued] = deque()
        self._frames = 0  # in the queue
        self._first: int | None = None  # the frame that begins a reply
        self._open = False  # a reply has begun and is not done
        self._anchor = float("-inf")  # the playhead was at frame `_base` then
        self._base = next_frame

    @property
    def full(self) -> bool:
        """Whether to read no more for now."""
        return self._frames >= MAX_QUEUED_FRAMES

    def feed(self, records: Iterable[OutputRecord], now: float) -> list[Event]:
        """Take records in log order; the events to send at once."""
        urgent: list[Event] = []
        for record in records:
            match record:
                case SpeechStarted() | SpeechStopped() | Heard():
                    urgent.append(record)
                case Clear():
                    urgent += self._clear(record)
                case Speech():
                    self._feed_speech(record, now)
                case Skip():
                    self._feed_skip(record)
                case Text():
                    self._put(TextAt(record.generation, self._fed, record.text))
                case ReplyStarted() | ReplyDone():
                    self._put(record)
        return urgent

    def next_due(self, now: float) -> float | None:
        """When the queue's head may leave; None when it is empty."""
        if not self._queue:
            return None
        head = self._queue[0]
        return self._deadline(head.number, now) if isinstance(head, Frame) else now

    def due(self, now: float) -> list[Frame | Event]:
        """Everything that may leave now, in order."""
        out: list[Frame | Event] = []
        until = now
        while self._queue:
            head = self._queue[0]
            if not isinstance(head, Frame):
                out.append(self._leave(head))
            elif self._deadline(head.number, now) <= until:
                out.append(self._send(head, now))
                until = now + self._group_s
            else:
                break
        return out

    def playhead(self, now: float) -> int:
        """The last frame that a client without a buffer of its own has played by now."""
        if self._anchor == float("-inf"):
            return self.next_frame - 1
        played = self._base + int((now - self._anchor) / FRAME_S) - 1
        return min(self.next_frame - 1, played)

    def _put(self, item: _Queued) -> None:
        behind = item.frame if isinstance(item, TextAt | ReplyDone | ReplyStarted) else self._fed
        if behind >= self.next_frame:  # else the caller has it from an earlier connection
            self._queue.append(item)

    def _feed_speech(self, record: Speech, now: float) -> None:
        if record.frame > self._fed:
            self._report_missing(record.frame)
        for index in range(record.frames):
            number = record.frame + index
            if number < self._fed:
                self.counts.doubled += 1
                continue
            pcm = record.pcm[index * FRAME_BYTES : (index + 1) * FRAME_BYTES]
            self._queue.append(Frame(number, record.generation, 0, pcm, now))
            self._frames += 1
            self._fed = number + 1

    def _report_missing(self, frame: int) -> None:
        self.counts.missing += frame - self._fed
        self._queue.append(Skip(self._fed, frame - 1, "missing"))
        self._fed = frame

    def _feed_skip(self, record: Skip) -> None:
        if record.first > self._fed:
            self._report_missing(record.first)
        if record.last >= self._fed:
            self._queue.append(Skip(self._fed, record.last, record.reason))
            self._fed = record.last + 1

    def _clear(self, record: Clear) -> list[Event]:
        if record.next_frame < self.next_frame:  # heard on an earlier connection
            return []
        self._queue = deque(i for i in self._queue if _generation(i) > record.generation)
        self._frames = sum(isinstance(i, Frame) for i in self._queue)
        self._open = False
        self._fed = max(self._fed, record.next_frame)
        self.next_frame = self._base = record.next_frame
        self._anchor = float("-inf")  # the player's buffer is empty: the next frames lead again
        return [record]

    def _needed(self, number: int) -> float:
        """When the playhead reaches a frame."""
        return self._anchor + (number - self._base) * FRAME_S

    def _deadline(self, number: int, now: float) -> float:
        """When a frame may leave."""
        if self._needed(number) < now - PREBUFFER_S:
            return now
        return self._needed(number) - self._lead_s

    def _send(self, frame: Frame, now: float) -> Frame:
        if self._needed(frame.number) < now - PREBUFFER_S:  # idle before, or run dry: lead again
            self.counts.underruns += self._open and self._first != frame.number
            self._anchor, self._base = now, frame.number
        elif (deadline := self._deadline(frame.number, now)) > self._anchor:
            self.late_s.append(max(0.0, now - max(deadline, frame.fed_at)))
        self._queue.popleft()
        self._frames -= 1
        self.next_frame = frame.number + 1
        self.counts.sent += 1
        # Not dataclasses.replace: it takes longer than all the rest of a frame's way.
        return Frame(frame.number, frame.generation, self._flags(frame), frame.pcm, frame.fed_at)

    def _flags(self, frame: Frame) -> int:
        behind = self._queue[0] if self._queue else None
        ends = isinstance(behind, ReplyDone) and behind.frame == frame.number + 1
        first = FIRST_OF_REPLY if frame.number == self._first else 0
        return first | (LAST_OF_REPLY if ends else 0)

    def _leave(self, item: TextAt | ReplyStarted | ReplyDone | Skip) -> Event:
        self._queue.popleft()
        match item:
            case ReplyStarted():
                self._first, self._open = item.frame, True
            case ReplyDone():
                self._open = False
            case Skip():
                self._base += item.last + 1 - self.next_frame  # the playhead jumps with it
                self.next_frame = item.last + 1
        return item


def _generation(item: _Queued) -> int:
    """The reply that a queued item belongs to; a skip belongs to none and dies with any."""
    return 0 if isinstance(item, Skip) else item.generation
