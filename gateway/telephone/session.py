"""One telephone call: passes a media stream's messages, the log and the playout to each other."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from gateway.call.playout import Event, Frame, Playout
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.call.wire_audio import wire_audio
from gateway.protocol.errors import NORMAL_CLOSE_CODE, CallError, ErrorCode
from gateway.protocol.server_messages import ServerMessage
from gateway.telephone.keys import Keys
from gateway.telephone.media_streams import (
    CallerAudio,
    DigitPressed,
    MarkPlayed,
    Outgoing,
    StreamStarted,
    StreamStopped,
    parse,
)
from shared.log.records import Clear, Typed

# The service buffers and drops what a `clear` names, so it may hold as much as the page does.
LEAD_FRAMES: Final = 10  # 200 ms
GROUP_FRAMES: Final = 4  # 80 ms in one message


class TelephoneSession(Session):
    """See `Session`. Marks that come back report how far the caller has heard a reply.

    `types_keys`: the keys that the caller presses are typed turns.
    """

    def __init__(
        self,
        sid: str,
        conn: str,
        *,
        started: StreamStarted,
        uplink: Uplink,
        playout: Playout,
        now: float,
        types_keys: bool = False,
    ) -> None:
        super().__init__(
            sid,
            conn,
            native=False,
            uplink=uplink,
            playout=playout,
            now=now,
            audio=wire_audio(started.audio),
        )
        self._to_caller = Outgoing(started.stream)
        self._keys = Keys() if types_keys else None

    def receive(self, data: bytes | str, now: float) -> None:
        """Take a message from the service. Raises CallError when it breaks the protocol."""
        if isinstance(data, bytes):
            raise CallError(ErrorCode.BAD_MESSAGE, "Expected a media stream's JSON, got bytes")
        event = parse(data)
        if isinstance(event, CallerAudio):
            super().receive(event.data, now)
            self._type(self._keys.due(now) if self._keys else "")
            return
        self._uplink.count_control(now)
        match event:
            case MarkPlayed(name=name) if name.isdecimal():
                self._playhead.report(min(int(name), self._playout.next_frame - 1), now)
            case StreamStopped():
                self.ended = True
                self.close(NORMAL_CLOSE_CODE)
            case StreamStarted():
                raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' once")
            case DigitPressed(digit=digit):
                self._type(self._keys.press(digit, now) if self._keys else "")
            case MarkPlayed() | None:
                pass

    def _type(self, text: str) -> None:
        if text:
            self._uplink.push(Typed(text))

    def send(self, message: ServerMessage) -> None:
        """Nothing: the service has no such messages."""

    def fail(self, error: CallError) -> None:
        """Close the socket for this error; only the first one counts."""
        if self.error is None:
            self.error = error
            self._outbox.close(error.code.close_code, error.close_reason)

    def _send_items(self, items: Iterable[Frame | Event], now: float) -> None:
        for is_sound, group in groupby(items, key=lambda item: isinstance(item, Frame)):
            if is_sound:
                self._put_sound(_frames(group), now)
            elif any(isinstance(item, Clear) for item in group):
                self._outbox.put(self._to_caller.clear())
        self._outbox.flush()

    def _put_sound(self, frames: list[Frame], now: float) -> None:
        self._time_reply(frames[0], now)
        data = b"".join(self._audio.encode(frame.pcm, frame.generation) for frame in frames)
        self._outbox.put(self._to_caller.media(data))
        self._outbox.put(self._to_caller.mark(str(frames[-1].number)))


def _frames(items: Iterator[Frame | Event]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]
