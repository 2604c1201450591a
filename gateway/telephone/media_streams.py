"""The messages of a media stream, in Twilio's and in Telnyx's spelling. Sans I/O.

Both send JSON, with 20 ms of audio in base64: `connected`, `start`, `media`, `dtmf`, `mark` and
`stop`. They take `media`, `mark` and `clear`, and send a mark back when they have played
what came before it. Sources: Twilio, "Media Streams: WebSocket Messages"; Telnyx, "Media
Streaming".
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.errors import CallError, ErrorCode
from shared.g711 import G711_RATE_HZ

MAX_CHARACTERS: Final = 64 * 1024  # of a message; one of 20 ms has some 300
_CODECS: Final = {"audio/x-mulaw": Codec.MULAW, "PCMU": Codec.MULAW, "PCMA": Codec.ALAW}


class _MediaFormat(msgspec.Struct, frozen=True):
    encoding: str
    sample_rate: int | None = None  # Telnyx
    sampleRate: int | None = None  # noqa: N815 Twilio's spelling


class _Start(msgspec.Struct, frozen=True):
    media_format: _MediaFormat | None = None
    mediaFormat: _MediaFormat | None = None  # noqa: N815
    customParameters: dict[str, str] = {}  # noqa: N815
    custom_parameters: dict[str, str] = {}


class _Media(msgspec.Struct, frozen=True):
    payload: str
    track: str = "inbound"


class _Mark(msgspec.Struct, frozen=True):
    name: str


class _Dtmf(msgspec.Struct, frozen=True):
    digit: str


class _Message(msgspec.Struct, frozen=True):
    event: str
    streamSid: str = ""  # noqa: N815
    stream_id: str = ""
    start: _Start | None = None
    media: _Media | None = None
    mark: _Mark | None = None
    dtmf: _Dtmf | None = None


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The call is connected. `parameters` are the operator's own, from the stream's set-up."""

    stream: str
    audio: AudioFormat
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """Bytes of the caller's sound, in the stream's codec."""

    data: bytes


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """The telephone has played everything before this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key: 0 to 9, *, # or A to D."""

    digit: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The call is over."""


StreamEvent = StreamStarted | CallerAudio | MarkPlayed | DigitPressed | StreamStopped
_decode: Final = msgspec.json.Decoder(_Message).decode


def parse(text: str) -> StreamEvent | None:
    """One message; None for one that says nothing to us. Raises CallError for a wrong one."""
    if len(text) > MAX_CHARACTERS:
        raise CallError(
            ErrorCode.BAD_MESSAGE,
            f"Expected a message of at most {MAX_CHARACTERS} characters, got {len(text)}",
        )
    try:
        message = _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CallError(
            ErrorCode.BAD_MESSAGE, f"Expected a media stream's message: {error}"
        ) from error
    match message:
        case _Message(event="start", start=_Start() as start):
            stream = message.streamSid or message.stream_id
            parameters = start.customParameters or start.custom_parameters
            return StreamStarted(stream, _format(start), parameters)
        case _Message(event="media", media=_Media() as media):
            # With both tracks, Twilio sends the assistant's own sound too.
            return CallerAudio(_sound(media.payload)) if media.track == "inbound" else None
        case _Message(event="mark", mark=_Mark(name=name)):
            return MarkPlayed(name)
        case _Message(event="dtmf", dtmf=_Dtmf(digit=digit)):
            return DigitPressed(digit)
        case _Message(event="stop"):
            return StreamStopped()
        case _Message(event="start" | "media" | "mark" | "dtmf" as event):
            raise CallError(
                ErrorCode.BAD_MESSAGE, f"Expected '{event}' to hold its fields, got none"
            )
    return None  # `connected`, and what the services may add


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Makes the messages to the telephone of one stream."""

    stream: str

    def media(self, data: bytes) -> str:
        """Sound to play after what was sent before."""
        return self._message("media", media={"payload": base64.b64encode(data).decode()})

    def mark(self, name: str) -> str:
        """Ask to get this name back when everything before it is played."""
        return self._message("mark", mark={"name": name})

    def clear(self) -> str:
        """Drop what is not played yet; its marks come back at once."""
        return self._message("clear")

    def _message(self, event: str, **fields: Any) -> str:
        return json.dumps({"event": event, "streamSid": self.stream, **fields})


def _format(start: _Start) -> AudioFormat:
    found = start.mediaFormat or start.media_format
    if found is None:
        return AudioFormat(Codec.MULAW, G711_RATE_HZ)
    codec, rate_hz = _CODECS.get(found.encoding), found.sampleRate or found.sample_rate
    if codec is None or rate_hz not in (None, G711_RATE_HZ):
        raise CallError(
            ErrorCode.BAD_MESSAGE,
            f"Expected the encoding {', '.join(_CODECS)} at {G711_RATE_HZ} Hz, "
            f"got {found.encoding!r:.40} at {rate_hz}",
        )
    return AudioFormat(codec, G711_RATE_HZ)


def _sound(payload: str) -> bytes:
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CallError(ErrorCode.BAD_MESSAGE, f"Expected base64 in 'payload': {error}") from error
