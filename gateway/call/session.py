"""One caller's connection on this gateway: what passes between its socket and the log.

Nothing here awaits. The socket, the log exchange and the pacer call in from the event loop.
"""

from collections.abc import Iterable
from typing import Final

from gateway.call.containment import Containment
from gateway.call.event_messages import message_of
from gateway.call.outbox import Message, Outbox, Writer
from gateway.call.playhead import Playhead
from gateway.call.playout import Counts, Event, Frame, Playout
from gateway.call.uplink import Uplink
from gateway.call.wire_audio import WireAudio, wire_audio
from gateway.protocol.audio_format import AudioFormat
from gateway.protocol.client_messages import EndCall, Ping, Resume, Start, parse
from gateway.protocol.errors import NORMAL_CLOSE_CODE, CallError, ErrorCode, Refusal
from gateway.protocol.frames import FIRST_OF_REPLY, pack_frame
from gateway.protocol.server_messages import Ack, Error, Pong, ServerMessage
from gateway.telemetry import metrics
from gateway.telemetry.stopwatch import Stopwatch
from shared import tracing
from shared.beats import SIGN_OF_LIFE_S
from shared.log.records import InputRecord, NoReply, OutputRecord, Played, SpeechStopped, Typed
from shared.log.writes import Append, Receipt

ACK_EVERY_S: Final = 0.2
PLAYED_EVERY_S: Final = 0.2
PLAYED_ALONE_EVERY_S: Final = 0.4  # without audio, when the log holds the playhead alone
# How soon a silent connection learns that a newer one took its place.
PROBE_EVERY_S: Final = 0.5
# A full log is tried again after half a chunk, not at every tick.
BUSY_EVERY_S: Final = 0.04

# After these errors the log belongs to another connection, or is gone: write nothing more.
_LOG_LOST: Final = (ErrorCode.REPLACED, ErrorCode.SESSION_LOST, ErrorCode.POISONED)

_NO_TEXT: Final = "Expected speech, got text: this engine takes no typed turns"


class Session:
    """One connected caller. `native`: speaks antiphon.v1; else only audio in both directions.

    `audio`: the codec of the binary messages; None for PCM16 at 24 kHz.
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
        audio: WireAudio | None = None,
        takes_text: bool = False,
    ) -> None:
        self.sid = sid
        self.conn = conn
        self.native = native
        self.takes_text = takes_text  # the engine answers typed turns
        self.error: CallError | None = None  # the first error, which closed the socket
        self.ended = False  # the client sent `end`
        self.position = 0  # the last output record that was read
        self._audio = audio or wire_audio(AudioFormat())
        self._uplink = uplink
        self._playout = playout
        self._playhead = Playhead(playout.next_frame - 1, now)
        self._outbox = Outbox()
        self._stopwatch = Stopwatch()
        self._leaving = False
        self._acked_samples = uplink.acked_samples  # as last reported to the client
        self._acked_at = self._wrote_at = self._appended_at = now

    # State

    @property
    def resumable(self) -> bool:
        """Whether its client can resume it; a plain client has no token."""
        return self.native

    @property
    def audio_format(self) -> AudioFormat:
        """What binary messages hold."""
        return self._audio.format

    @property
    def next_sample(self) -> int:
        """The caller's sample that the gateway expects next, at the client's rate."""
        return self.audio_format.position(self._uplink.samples)

    @property
    def next_frame(self) -> int:
        """The frame that the client gets next."""
        return self._playout.next_frame

    @property
    def log_lost(self) -> bool:
        """Whether this connection may not write to the log any more."""
        return self.error is not None and self.error.code in _LOG_LOST

    @property
    def unwritten(self) -> int:
        """How many records the log does not hold yet."""
        return self._uplink.waiting

    @property
    def log_full(self) -> bool:
        """Whether the log was full at the last append."""
        return self._uplink.busy

    @property
    def wants_records(self) -> bool:
        """Whether to read output records for it now."""
        return not (self.error or self._leaving or self._playout.full)

    @property
    def leaving(self) -> bool:
        """Whether its socket is gone, so that only its last records still go to the log."""
        return self._leaving

    @property
    def silent(self) -> bool:
        """Whether the caller never sent a whole chunk or a control."""
        return self._uplink.n == 0

    @property
    def closing(self) -> bool:
        """Whether the gateway closes the socket."""
        return self._outbox.closed.is_set()

    # The socket

    def attach(self, writer: Writer) -> None:
        """Send straight to this socket while it is ready."""
        self._outbox.attach(writer)

    async def closed(self) -> None:
        """Wait until the gateway closes the socket."""
        await self._outbox.closed.wait()

    async def next_message(self) -> Message:
        """Wait for the next message. Asking for it says that the previous one is sent."""
        return await self._outbox.next()

    def more_messages(self) -> list[bytes | str]:
        """The messages that can leave in the same write."""
        return self._outbox.more()

    def receive(self, data: bytes | str, now: float) -> None:
        """Take a message from the client. Raises CallError when it breaks the protocol."""
        if isinstance(data, bytes):
            self._push_audio(self._audio.decode(data), now)
        else:
            self._uplink.count_control(now)
            self._receive_control(data, now)
        self._stopwatch.received(self._uplink.n, now)

    def send(self, message: ServerMessage) -> None:
        """Send a JSON message, which a plain client does not get."""
        if self.native:
            self._outbox.put(message.to_json())
            self._outbox.flush()

    def close(self, code: int) -> None:
        """Close the socket with this code, after what is queued."""
        self._outbox.close(code)

    def fail(self, error: CallError) -> None:
        """Close the socket with this error; only the first one counts."""
        if self.error is None:
            self.error = error
            self._outbox.close(
                error.code.close_code, error.close_reason, last_message=Error.of(error).to_json()
            )

    def contain_faults(self, message: str) -> Containment:
        """An exception in the block closes this session's socket and reaches no other session."""
        return Containment(self.sid, message, self.fail)

    # The log

    def next_append(self, now: float) -> Append | None:
        """What to append to the log now; an empty append asks whether the log is still ours."""
        if self.log_lost:
            return None
        if not self._leaving:
            self._log_playhead(now, PLAYED_ALONE_EVERY_S)
            if now - self._wrote_at >= SIGN_OF_LIFE_S:
                self._push_playhead(now)
        first, records = self._uplink.pending()
        if now - self._appended_at < self._append_pause_s(bool(records)):
            return None
        self._appended_at = now
        if records:
            self._wrote_at = now
        return Append(sid=self.sid, conn=self.conn, first=first, records=records)

    def take_receipt(self, receipt: Receipt, now: float) -> None:
        """Take the log's answer; acknowledge to the client a few times a second."""
        self._uplink.take_receipt(receipt)
        if (taken_s := self._stopwatch.stored(self._uplink.acked, now)) is not None:
            metrics.appends.add((taken_s,), now)
        samples = self._uplink.acked_samples
        if samples > self._acked_samples and now - self._acked_at >= ACK_EVERY_S:
            self._acked_samples, self._acked_at = samples, now
            self.send(Ack(samples=self.audio_format.position(samples)))

    def take_records(self, entries: Iterable[tuple[int, OutputRecord]], now: float) -> None:
        """Take output records that were read from the log."""
        records = []
        for number, record in entries:
            self.position = number
            records.append(record)
            if isinstance(record, SpeechStopped) and not record.goes_on:
                self._stopwatch.turn_ended(record.n)
        self._send_items(self._playout.feed(records, now), now)

    def replay(self, records: Iterable[OutputRecord], position: int, now: float) -> None:
        """Take the records that a resumed caller missed; reading goes on after `position`."""
        self.take_records([(position, record) for record in records], now)
        self.position = position

    def start_leaving(self) -> None:
        """The socket is gone."""
        self._leaving = True

    def push_last(self, record: InputRecord) -> bool:
        """Queue a last record for the log; False when the ring is full, as when Redis is away."""
        try:
            self._uplink.push(record)
        except CallError:
            return False
        return True

    # The playout

    def next_due(self, now: float) -> float | None:
        """When the next frame or event may leave; None when none waits."""
        return self._playout.next_due(now)

    def send_due(self, now: float) -> None:
        """Send every frame and event that is due."""
        self._send_items(self._playout.due(now), now)

    def take_counts(self) -> Counts:
        """What the playout has counted since the last call."""
        return self._playout.take_counts()

    def _push_audio(self, pcm: bytes, now: float) -> None:
        if self._uplink.completes_chunk(pcm):
            # Before the chunk, so that the worker takes both in one step.
            self._log_playhead(now, PLAYED_EVERY_S)
        self._uplink.push_audio(pcm, now)

    def _append_pause_s(self, has_records: bool) -> float:
        """How long after the last append the next one may go out."""
        if has_records:
            return BUSY_EVERY_S if self._uplink.busy else 0.0
        return float("inf") if self._leaving else PROBE_EVERY_S

    def _receive_control(self, text: str, now: float) -> None:
        try:
            message = parse(text)
        except Refusal as error:
            return self.send(Error.of(error))
        match message:
            case Start() | Resume():
                raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' once and first")
            case Ping(t=t):
                self.send(Pong(t=t))
            case EndCall():
                self.ended = True
                self.close(NORMAL_CLOSE_CODE)
            case Played(frame=frame):
                self._playhead.report(min(frame, self._playout.next_frame - 1), now)
            case Typed() if not self.takes_text:
                self.send(Error.of(Refusal(ErrorCode.UNSUPPORTED, _NO_TEXT)))
            case record:
                self._uplink.push(record)

    def _log_playhead(self, now: float, every_s: float) -> None:
        self._playhead.estimate(self._playout.playhead, now)
        if self._playhead.must_log(now, every_s):
            self._push_playhead(now)

    def _push_playhead(self, now: float) -> None:
        self._wrote_at = now
        self._uplink.push(Played(self._playhead.log(now)))

    def _send_items(self, items: Iterable[Frame | Event], now: float) -> None:
        for item in items:
            if isinstance(item, Frame):
                self._time_reply(item, now)
                self._outbox.put(self._packed(item))
            elif self.native and not isinstance(item, NoReply):
                self._outbox.put(message_of(item, self._sample_of).to_json())
        self._outbox.flush()

    def _packed(self, frame: Frame) -> bytes:
        audio = self._audio.encode(frame.pcm, frame.generation)
        if not self.native:
            return audio
        return pack_frame(frame.number, frame.generation, frame.flags, audio)

    def _sample_of(self, n: int) -> int:
        """The first sample of input record n, at the client's rate."""
        return self.audio_format.position(self._uplink.sample_of(n))

    def _time_reply(self, frame: Frame, now: float) -> None:
        if frame.flags & FIRST_OF_REPLY and (s := self._stopwatch.reply_started(now)) is not None:
            metrics.add_reply_time(s, now)
            if tracing.turns is not None:
                tracing.turns.first_frame(self.sid, s, now)
