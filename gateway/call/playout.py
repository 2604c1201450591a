"""Decides when each frame and event leaves for one caller, sans I/O: log records in, frames out.

Deadlines are absolute: the playhead starts with a reply's first frame and moves one frame every
20 ms. No frame leaves earlier than `lead_frames` before the playhead reaches it. So the first
frames of a reply leave at once and fill the player's buffer, and a late frame never delays the
rest. A socket write costs as much as all other work on a frame, so frames leave in groups. When one
frame is due, those that follow within the lead leave with it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.protocol.frames import FIRST_OF_REPLY, LAST_OF_REPLY
from shared.audio import FRAME_BYTES, FRAME_MS
from shared.log.records import (
    Clear,
    Heard,
    NoReply,
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
NATIVE_LEAD_FRAMES: Final = 10  # 200 ms: the page has a jitter buffer and reports its playhead
NATIVE_GROUP_FRAMES: Final = 4  # 80 ms: the page still holds 120 ms before each group
PLAIN_LEAD_FRAMES: Final = 3  # 60 ms: a plain client ignores `clear`, so it must hold little
# A player starts with this much audio in its buffer; a frame later than that finds it empty.
PREBUFFER_S: Final = 0.060
MAX_QUEUED_FRAMES: Final = 750  # 15 s, as much as a worker keeps in the log; reading pauses there
MAX_LATE_TIMES: Final = 512  # between two readings of the counts, a second apart


# A NamedTuple: a frozen dataclass takes four times as long, a hundred times a second per caller.
class Frame(NamedTuple):
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


Event = (
    SpeechStarted
    | SpeechStopped
    | Heard
    | Clear
    | ReplyStarted
    | ReplyDone
    | NoReply
    | Skip
    | TextAt
)
_Queued = Frame | TextAt | ReplyStarted | ReplyDone | NoReply | Skip


@dataclass(slots=True)
class Counts:
    """What a playout has counted since the last `take_counts`."""

    sent: int = 0
    underruns: int = 0  # the playhead overtook a reply that was not complete
    missing: int = 0  # frames that the log lacks although no record announced it
    doubled: int = 0  # frames that came twice and were dropped
    # Seconds by which frames that were there in time left late.
    late_s: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_LATE_TIMES))


class Playout:
    """One caller's queue. `next_frame` is the next number to send; the caller has all before it."""

    def __init__(self, *, lead_frames: int, group_frames: int = 1, next_frame: int = 1) -> None:
        self._lead_s = (lead_frames - group_frames) * FRAME_S
        self._group_s = (group_frames - 1) * FRAME_S
        self.next_frame = next_frame
        self.counts = Counts()
        self._next_fed = next_frame  # the next frame that the log should bring
        self._queue: deque[_Queued] = deque()
        self._queued_frames = 0
        self._first_of_reply: int | None = None
        self._reply_open = False  # a reply has started and is not done
        # The playhead reached frame `_anchor_frame` at `_anchor_at`.
        self._anchor_at = float("-inf")
        self._anchor_frame = next_frame

    @property
    def full(self) -> bool:
        """Whether the queue takes no more records for now."""
        return self._queued_frames >= MAX_QUEUED_FRAMES

    def take_counts(self) -> Counts:
        """What was counted since the last call."""
        counts, self.counts = self.counts, Counts()
        return counts

    def feed(self, records: Iterable[OutputRecord], now: float) -> list[Event]:
        """Take records in log order; returns the events that overtake the queue."""
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
                    self._enqueue(TextAt(record.generation, self._next_fed, record.text))
                case ReplyStarted() | ReplyDone():
                    self._enqueue(record)
                case NoReply():
                    self._queue.append(record)
        return urgent

    def next_due(self, now: float) -> float | None:
        """When the queue's head may leave; None when the queue is empty."""
        if not self._queue:
            return None
        head = self._queue[0]
        return self._deadline(head.number, now) if isinstance(head, Frame) else now

    def due(self, now: float) -> list[Frame | Event]:
        """Remove and return all that may leave now, in order."""
        out: list[Frame | Event] = []
        until = now
        while self._queue:
            head = self._queue[0]
            if not isinstance(head, Frame):
                out.append(self._send_event(head))
            elif (deadline := self._deadline(head.number, now)) <= until:
                out.append(self._send_frame(head, deadline, now))
                until = now + self._group_s
            else:
                break
        return out

    def playhead(self, now: float) -> int:
        """The last frame that a client without a buffer of its own has played by now."""
        if self._anchor_at == float("-inf"):
            return self.next_frame - 1
        played = self._anchor_frame + int((now - self._anchor_at) / FRAME_S) - 1
        return min(self.next_frame - 1, played)

    def _enqueue(self, item: TextAt | ReplyStarted | ReplyDone) -> None:
        if item.frame >= self.next_frame:  # else the caller has it from an earlier connection
            self._queue.append(item)

    def _feed_speech(self, record: Speech, now: float) -> None:
        if record.frame > self._next_fed:
            self._report_missing(record.frame)
        for index in range(record.frames):
            number = record.frame + index
            if number < self._next_fed:
                self.counts.doubled += 1
                continue
            pcm = record.pcm[index * FRAME_BYTES : (index + 1) * FRAME_BYTES]
            self._queue.append(Frame(number, record.generation, 0, pcm, now))
            self._queued_frames += 1
            self._next_fed = number + 1

    def _report_missing(self, frame: int) -> None:
        self.counts.missing += frame - self._next_fed
        self._queue.append(Skip(self._next_fed, frame - 1, "missing"))
        self._next_fed = frame

    def _feed_skip(self, record: Skip) -> None:
        if record.first > self._next_fed:
            self._report_missing(record.first)
        if record.last >= self._next_fed:
            self._queue.append(Skip(self._next_fed, record.last, record.reason))
            self._next_fed = record.last + 1

    def _clear(self, record: Clear) -> list[Event]:
        if record.next_frame < self.next_frame:  # an earlier connection sent it
            return []
        self._queue = deque(i for i in self._queue if _generation(i) > record.generation)
        self._queued_frames = sum(isinstance(i, Frame) for i in self._queue)
        self._reply_open = False
        self._next_fed = max(self._next_fed, record.next_frame)
        self.next_frame = self._anchor_frame = record.next_frame
        self._anchor_at = float("-inf")  # the player's buffer is empty: fill it again
        return [record]

    def _needed_at(self, number: int) -> float:
        """When the playhead reaches a frame."""
        return self._anchor_at + (number - self._anchor_frame) * FRAME_S

    def _deadline(self, number: int, now: float) -> float:
        """When a frame may leave."""
        needed_at = self._needed_at(number)
        return now if needed_at < now - PREBUFFER_S else needed_at - self._lead_s

    def _send_frame(self, frame: Frame, deadline: float, now: float) -> Frame:
        if self._needed_at(frame.number) < now - PREBUFFER_S:  # the player is idle or ran dry
            self.counts.underruns += self._reply_open and self._first_of_reply != frame.number
            self._anchor_at, self._anchor_frame = now, frame.number
        elif deadline > self._anchor_at:
            self.counts.late_s.append(max(0.0, now - max(deadline, frame.fed_at)))
        self._queue.popleft()
        self._queued_frames -= 1
        self.next_frame = frame.number + 1
        self.counts.sent += 1
        flags = self._flags(frame)
        return frame._replace(flags=flags) if flags else frame

    def _flags(self, frame: Frame) -> int:
        following = self._queue[0] if self._queue else None
        last = isinstance(following, ReplyDone) and following.frame == frame.number + 1
        first = FIRST_OF_REPLY if frame.number == self._first_of_reply else 0
        return first | (LAST_OF_REPLY if last else 0)

    def _send_event(self, item: TextAt | ReplyStarted | ReplyDone | NoReply | Skip) -> Event:
        self._queue.popleft()
        match item:
            case ReplyStarted():
                self._first_of_reply, self._reply_open = item.frame, True
            case ReplyDone():
                self._reply_open = False
            case Skip():
                self._anchor_frame += item.last + 1 - self.next_frame  # the playhead jumps too
                self.next_frame = item.last + 1
        return item


def _generation(item: _Queued) -> int:
    """The reply that a queued item belongs to; a skip belongs to none, so any clear removes it."""
    return 0 if isinstance(item, Skip) else item.generation
