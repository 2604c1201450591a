"""One Realtime client's connection: passes its events, the log and the playout through the dialect.

Nothing here awaits.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from msgspec import structs

from gateway.call.playout import Event, Frame, Playout
from gateway.call.session import Session
from gateway.call.uplink import STALL_SAMPLES, Uplink
from gateway.protocol.errors import NORMAL_CLOSE_CODE, CallError, ErrorCode
from gateway.protocol.server_messages import ServerMessage
from gateway.realtime import config as configs
from gateway.realtime.effects import AudioIn, Effect, Effects, Hangup, PlayedTo, ReplySound
from gateway.realtime.intake import Intake
from gateway.realtime.noise import NoiseSuppressor
from gateway.realtime.server_events import ServerEvent
from gateway.token_bucket import TokenBucket
from shared.log.records import Clear, Heard, OutputRecord, SpeechStarted, SpeechStopped
from shared.log.writes import Answer, Append, Receipt

logger = logging.getLogger(__name__)

MAX_SOUND_FRAMES: Final = 50  # 1 s: one event stays far below 1 MiB
SAVE_EVERY_S: Final = 20.0  # must be less than the least SESSION_TTL_S
EVENTS_PER_S: Final = 500
BURST_EVENTS: Final = 2_000
# A long event costs as much time as several. The largest one takes two thirds of the burst.
EVENT_BYTES: Final = 16 * 1024


class AnyDialect(Protocol):
    """A protocol of OpenAI's as a state machine: Realtime or Live."""

    config: dict[str, Any]  # the session as its client sees it

    def created(self) -> Effects:
        """What begins a session."""

    def receive(self, text: str) -> Effects:
        """Take a text message of the client. Raises CallError when the session must end."""

    def take(self, event: Event | ReplySound) -> Effects:
        """Take what the log has, when the client may have it."""

    def saved(self, position: int) -> bytes:
        """The session for the next connection, which has read the log up to this record."""

    def ending(self, error: CallError) -> tuple[str, int]:
        """The event for an error that ends the session, and the close code."""


class RealtimeSession(Session):
    """See `Session`. `keeps`: a lost socket leaves the call open for a client that resumes.

    `known`: the last record of the log that the restored dialect knows; None: nothing is restored.
    """

    def __init__(
        self,
        sid: str,
        conn: str,
        *,
        uplink: Uplink,
        playout: Playout,
        dialect: AnyDialect,
        now: float,
        keeps: bool = False,
        known: int | None = None,
    ) -> None:
        super().__init__(sid, conn, native=True, uplink=uplink, playout=playout, now=now)
        self._keeps = keeps
        self._known = known
        self._changed = False  # Redis has not what the dialect is now
        self._saved_at = now
        self._saving = False  # the answer has not come
        self._dialect = dialect
        self._intake = Intake(uplink)
        self._suppressor: NoiseSuppressor | None = None
        self._event_rate = TokenBucket(now, capacity=BURST_EVENTS, per_s=EVENTS_PER_S)

    @property
    def resumable(self) -> bool:
        """Whether the client has asked for a session that can be resumed."""
        return self._keeps

    def replay(self, records: Iterable[OutputRecord], position: int, now: float) -> None:
        """See `Session`. The client has the events of its own speech that are known."""
        found = list(records)
        known = position if self._known is None else self._known
        new = [
            record
            for number, record in enumerate(found, position - len(found) + 1)
            if number > known or not isinstance(record, SpeechStarted | SpeechStopped | Heard)
        ]
        super().replay(new, position, now)

    def begin(self, now: float, token: str = "") -> None:
        """Send the first event. `token`: resumes the session, if the client has asked for that."""
        if self._keeps:
            self._dialect.config["resume"] = f"{self.sid}.{token}"
        self._perform(self._dialect.created(), now)

    def receive(self, data: bytes | str, now: float) -> None:
        """Take a client event. Raises CallError when the session must end."""
        if not self._event_rate.spend(1 + len(data) // EVENT_BYTES, now):
            raise CallError(
                ErrorCode.TOO_FAST,
                f"Expected at most {EVENTS_PER_S} events a second, and {EVENT_BYTES // 1024} KiB "
                "for each, got more",
            )
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        self._perform(self._dialect.receive(text), now)
        self._stopwatch.received(self._uplink.n, now)

    def _push_audio(self, pcm: bytes, now: float) -> None:
        wanted = configs.reduces_noise(self._dialect.config)
        if wanted != (self._suppressor is not None):
            self._suppressor = NoiseSuppressor() if wanted else None
        super()._push_audio(self._suppressor.process(pcm) if self._suppressor else pcm, now)

    def send(self, message: ServerMessage) -> None:
        """Nothing: these messages are not of this dialect."""

    def fail(self, error: CallError) -> None:
        """Close the socket with an error event; only the first one counts."""
        if self.error is None:
            self.error = error
            text, close_code = self._dialect.ending(error)
            self._outbox.close(close_code, text)

    def next_append(self, now: float) -> Append | None:
        """See `Session`; also lets waiting sound into the log, until the socket is gone."""
        if not (self.log_lost or self._leaving):
            self._intake.pump(self._push_audio, now)
        append = super().next_append(now)
        if append is None or not self._must_save(now):
            return append
        self._changed, self._saving, self._saved_at = False, True, now
        return structs.replace(append, client=self._dialect.saved(self.position))

    def take_receipt(self, receipt: Receipt, now: float) -> None:
        """See `Session`."""
        self._changed = self._changed or (self._saving and receipt.answer is Answer.GAP)
        self._saving = False
        super().take_receipt(receipt, now)

    def start_leaving(self) -> None:
        """See `Session`. The last record takes the dialect along."""
        self._changed = True
        super().start_leaving()

    def _must_save(self, now: float) -> bool:
        """Whether Redis needs the dialect as it is: for a change, or before what it has expires."""
        old = now - self._saved_at > SAVE_EVERY_S
        return self._keeps and (self._changed or self._saving or old)

    def _append_pause_s(self, has_records: bool) -> float:
        return super()._append_pause_s(has_records or (self._keeps and self._changed))

    def _send_items(self, items: Iterable[Frame | Event], now: float) -> None:
        for item in _joined(items):
            self._perform(self._dialect.take(item), now)
        self._outbox.flush()

    def _perform(self, effects: Effects, now: float) -> None:
        self._changed |= not all(map(_is_sound, effects))
        for effect in effects:
            if isinstance(effect, ServerEvent):
                self._outbox.put(effect.to_json())
            elif isinstance(effect, PlayedTo):
                self._playhead.report(min(effect.frame, self._playout.next_frame - 1), now)
            elif isinstance(effect, Hangup):
                self.ended = True
                self.close(NORMAL_CLOSE_CODE)
            else:
                self._intake.put(effect)
                self._intake.pump(self._push_audio, now)
        self._outbox.flush()


def _is_sound(effect: Effect) -> bool:
    """Whether it changes nothing that the log does not know."""
    return isinstance(effect, AudioIn) or (isinstance(effect, ServerEvent) and effect.is_sound)


def _joined(items: Iterable[Frame | Event]) -> Iterator[Event | ReplySound]:
    """Frames of one reply in a row become one sound; speech comes before the clear it caused."""
    sound: list[Frame] = []
    clear: Clear | None = None
    for item in items:
        if sound and not (
            isinstance(item, Frame)
            and item.generation == sound[0].generation
            and len(sound) < MAX_SOUND_FRAMES
        ):
            yield _sound(sound)
            sound = []
        if clear is not None and not isinstance(item, SpeechStarted):
            yield clear
            clear = None
        if isinstance(item, Frame):
            sound.append(item)
        elif isinstance(item, Clear):
            clear = item
        else:
            yield item
            if clear is not None:
                yield clear
                clear = None
    if clear is not None:
        yield clear
    if sound:
        yield _sound(sound)


def _sound(frames: list[Frame]) -> ReplySound:
    return ReplySound(
        generation=frames[0].generation,
        last_frame=frames[-1].number,
        frames=len(frames),
        pcm=b"".join(frame.pcm for frame in frames),
    )


def new_uplink(now: float, *, n: int = 0, samples: int = 0) -> Uplink:
    """An uplink that takes a recording's first 12 s at once."""
    return Uplink(now, n=n, samples=samples, burst_samples=STALL_SAMPLES)
