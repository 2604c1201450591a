"""One caller on this gateway: their uplink, playout and outbox, and what passes between them.

Nothing here awaits: the socket's tasks, the exchange and the pacer call in from the event loop.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from gateway.call.opus import Opus
from gateway.call.outbox import Outbox
from gateway.call.playout import Event, Frame, Playout, TextAt
from gateway.call.uplink import Uplink
from gateway.protocol import server_messages
from gateway.protocol.client_messages import EndCall, Ping, Resume, Start, parse
from gateway.protocol.errors import CallError, ErrorCode
from gateway.protocol.frames import FIRST_OF_REPLY, pack_frame
from gateway.protocol.server_messages import Ack, Error, Pong, ServerMessage
from gateway.telemetry import metrics
from gateway.telemetry.stopwatch import Stopwatch
from shared.beats import SIGN_OF_LIFE_S
from shared.log.records import (
    Clear,
    Heard,
    OutputRecord,
    Played,
    ReplyDone,
    ReplyStarted,
    Skip,
    SpeechStarted,
    SpeechStopped,
    fields_of,
)
from shared.log.writes import Append, Receipt

ACK_EVERY_S: Final = 0.2
PLAYED_EVERY_S: Final = 0.2
PLAYED_ALONE_EVERY_S: Final = 0.4  # where no audio takes it along
# A client that stops reporting its playhead is estimated again: its reply must not wait for it.
REPORTS_WITHIN_S: Final = 2.0
# How soon a connection that says nothing learns that a newer one took its place.
PROBE_EVERY_S: Final = 0.5
# A full log is asked again at half a chunk's time, not at every tick.
BUSY_EVERY_S: Final = 0.04

MESSAGES: Final[dict[type[Event], type[ServerMessage]]] = {
    Heard: server_messages.Heard,
    ReplyStarted: server_messages.ReplyStarted,
    ReplyDone: server_messages.ReplyDone,
    TextAt: server_messages.Text,
    Clear: server_messages.Clear,
    Skip: server_messages.Skip,
}
# After these the log is another's or nobody's: not a word more goes into it.
LOST: Final = (ErrorCode.REPLACED, ErrorCode.SESSION_LOST, ErrorCode.POISONED)


class Session:
    """One connected caller. `native`: speaks antiphon.v1; else raw PCM16 both ways.

    `opus`: what their binary messages pass through; None for PCM16.
    """

    def __init__(
        self,
        sid: str,
        conn: str,
        *,
        native: bool,
        uplink: Uplink,
        playout: Playout,
        now: float,
        opus: Opus | None = None,
    ) -> None:
        self.sid = sid
        self.conn = conn
        self.native = native
        self.opus = opus
        self.uplink = uplink
        self.playout = playout
        self.outbox = Outbox()
        self.stopwatch = Stopwatch()
        self.position = 0  # last output record read
        self.error: CallError | None = None
        self.hung_up = False  # the client said `end`
        self.leaving = False  # the socket is gone; only what the log must still hear goes out
        self.due_at: float | None = None  # the pacer's
        self._reported_at: float | None = None  # when the client last said what it has played
        self._played = self._played_logged = playout.next_frame - 1
        self._acked = uplink.acked_samples
        self._acked_at = self._played_at = self._wrote_at = self._asked_at = now

    @property
    def lost(self) -> bool:
        """Whether this connection has no log to write to any more."""
        return self.error is not None and self.error.code in LOST

    def fail(self, error: CallError) -> None:
        """The socket ends with this error; the first one counts."""
        if self.error is None:
            self.error = error
            self.outbox.close(error.code.close_code, Error.of(error).to_json())

    def hear(self, data: bytes | str, now: float) -> None:
        """Take a message from the client. Raises CallError when it breaks the rules."""
        if isinstance(data, bytes):
            sound = self.opus.decode(data) if self.opus else data
            if self.uplink.completes_chunk(sound):
                # Before the chunk: there the worker takes both in one step.
                self._note_played(now, PLAYED_EVERY_S)
            self.uplink.push_audio(sound, now)
        else:
            self.uplink.count_control(now)
            self._control(data, now)
        self.stopwatch.came(self.uplink.n, now)

    def append(self, now: float) -> Append | None:
        """What to write into the log now; an empty one asks whether the log is still ours."""
        if self.lost:
            return None
        if not self.leaving:
            self._note_played(now, PLAYED_ALONE_EVERY_S)
            if now - self._wrote_at >= SIGN_OF_LIFE_S:
                self._log_played(now)
        first, records = self.uplink.pending()
        if now - self._asked_at < self._wait_s(bool(records)):
            return None
        self._asked_at = now
        if records:
            self._wrote_at = now
        return Append(sid=self.sid, conn=self.conn, first=first, records=records)

    def settle(self, receipt: Receipt, now: float) -> None:
        """Take the log's answer, and tell the client now and then what the log holds."""
        self.uplink.take_receipt(receipt)
        if (taken_s := self.stopwatch.stored(self.uplink.acked, now)) is not None:
            metrics.appends.add((taken_s,), now)
        samples = self.uplink.acked_samples
        if samples > self._acked and now - self._acked_at >= ACK_EVERY_S:
            self._acked, self._acked_at = samples, now
            self.say(Ack(samples=samples))

    def take(self, entries: Iterable[tuple[int, OutputRecord]], now: float) -> None:
        """Take records that were read from the log."""
        records = []
        for number, record in entries:
            self.position = number
            records.append(record)
            if isinstance(record, SpeechStopped):
                self.stopwatch.decided(record.n)
        self._say(self.playout.feed(records, now), now)

    def send_due(self, now: float) -> None:
        """Queue every frame and event whose time has come."""
        self._say(self.playout.due(now), now)

    def say(self, message: ServerMessage) -> None:
        """Queue a JSON message, if the client understands any."""
        if self.native:
            self.outbox.put(message.to_json())
            self.outbox.flush()

    def _wait_s(self, has_records: bool) -> float:
        """How long after the last append the next one may go out."""
        if has_records:
            return BUSY_EVERY_S if self.uplink.busy else 0.0
        return float("inf") if self.leaving else PROBE_EVERY_S

    def _control(self, text: str, now: float) -> None:
        match parse(text):
            case Start() | Resume():
                raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' once and first")
            case Ping(t=t):
                self.say(Pong(t=t))
            case EndCall():
                self.hung_up = True
            case Played(frame=frame):
                heard = min(frame, self.playout.next_frame - 1)
                # The first report corrects the estimate, downwards too.
                self._played = heard if self._reported_at is None else max(self._played, heard)
                self._reported_at = now
            case record:
                self.uplink.push(record)

    def _note_played(self, now: float, every_s: float) -> None:
        """Log the playhead if it has moved, a few times a second."""
        if self._reported_at is None or now - self._reported_at > REPORTS_WITHIN_S:
            self._played = max(self._played, self.playout.playhead(now))
        if self._played != self._played_logged and now - self._played_at >= every_s:
            self._log_played(now)

    def _log_played(self, now: float) -> None:
        self._played_logged, self._played_at, self._wrote_at = self._played, now, now
        self.uplink.push(Played(self._played))

    def _say(self, items: Iterable[Frame | Event], now: float) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._time_answer(item, now)
                self.outbox.put(self._packed(item) if self.native else item.pcm)
            elif self.native:
                self.outbox.put(self._event(item).to_json())
        self.outbox.flush()

    def _packed(self, frame: Frame) -> bytes:
        sound = self.opus.encode(frame.pcm, frame.generation) if self.opus else frame.pcm
        return pack_frame(frame.number, frame.generation, frame.flags, sound)

    def _time_answer(self, frame: Frame, now: float) -> None:
        if frame.flags & FIRST_OF_REPLY and (s := self.stopwatch.answered(now)) is not None:
            metrics.answered(s, now)

    def _event(self, item: Event) -> ServerMessage:
        match item:
            case SpeechStarted():
                return server_messages.SpeechStarted(sample=self.uplink.sample_of(item.n))
            case SpeechStopped():
                return server_messages.SpeechStopped(sample=self.uplink.sample_of(item.n))
            case _:
                fields = asdict(item) if isinstance(item, TextAt) else fields_of(item)
                return MESSAGES[type(item)](**fields)
