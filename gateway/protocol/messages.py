"""The wire of /ws/stream, sans I/O: client messages in, server messages and frames out.

Binary messages are little-endian PCM16 mono at 24 kHz, or Opus packets where `ready` says so. Text
messages are one JSON object each, with a "type". Everything that breaks these rules raises a
WireError, whose code tells the client what it did and whose close code ends the socket.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NoReturn

from shared.audio import FRAME_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.errors import AntiphonError, SchemaError
from shared.log.records import Cancel, Commit, Mode, Options, Played
from shared.voices import UNCHOSEN, Persona

SUBPROTOCOL: Final = "antiphon.v1"
MAX_AUDIO_BYTES: Final = 64 * 1024  # 1.36 s of audio in one message
MAX_TEXT_BYTES: Final = 8 * 1024
MAX_FRAME_NUMBER: Final = 2**32 - 1  # the header's u32; 2.7 years of speech
GOAWAY_CODE: Final = 1012  # "service restart": come back, on another gateway

HEADER: Final = struct.Struct("<IIHH")  # frame number, generation, flags, zero
FIRST_OF_REPLY: Final = 1
LAST_OF_REPLY: Final = 2


class Codec(StrEnum):
    """What binary messages hold, both ways."""

    PCM16 = "pcm16"
    OPUS = "opus"


class ErrorCode(StrEnum):
    """What an `error` message says went wrong."""

    BAD_MESSAGE = "bad_message"
    BAD_TOKEN = "bad_token"  # noqa: S105 # an error code, no secret
    NOT_FOUND = "not_found"
    START_TIMEOUT = "start_timeout"
    UNAUTHORIZED = "unauthorized"
    REPLACED = "replaced"
    SESSION_LOST = "session_lost"
    POISONED = "poisoned"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"
    TOO_SLOW = "too_slow"
    INTERNAL = "internal"
    NO_CAPACITY = "no_capacity"


CLOSE_CODES: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.BAD_MESSAGE: 4400,
    ErrorCode.BAD_TOKEN: 4401,
    ErrorCode.UNAUTHORIZED: 4403,
    ErrorCode.NOT_FOUND: 4404,
    ErrorCode.START_TIMEOUT: 4408,
    ErrorCode.REPLACED: 4409,
    ErrorCode.SESSION_LOST: 4410,
    ErrorCode.TOO_LARGE: 4413,
    ErrorCode.POISONED: 4422,
    ErrorCode.TOO_FAST: 4429,
    ErrorCode.TOO_SLOW: 4430,
    ErrorCode.INTERNAL: 4500,
    ErrorCode.NO_CAPACITY: 4503,
}


class WireError(AntiphonError):
    """This socket ends here; the client is told why."""

    def __init__(self, code: ErrorCode, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_ms = retry_after_ms

    @property
    def close_code(self) -> int:
        """The WebSocket close code that goes with it."""
        return CLOSE_CODES[self.code]

    def text(self) -> str:
        """The `error` message for the client."""
        wait = {} if self.retry_after_ms is None else {"retry_after_ms": self.retry_after_ms}
        return message("error", code=self.code.value, message=str(self), **wait)


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a session. `auth`: the token that permits it, where the gateway asks for one."""

    mode: str | None = None
    options: Options = field(default_factory=Options)
    codec: Codec = Codec.PCM16  # a wish: `ready` says what it became
    persona: Persona = UNCHOSEN  # names that the model must know
    auth: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with a session: `frame` is the last one the caller has (0: none)."""

    session: str
    token: str
    frame: int
    codec: Codec = Codec.PCM16  # of this connection, whatever an earlier one had


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with the same `t`."""

    t: Any


@dataclass(frozen=True, slots=True)
class HangUp:
    """The call is over: nothing of it is to be kept."""


Control = Mode | Commit | Cancel | Played | Options | Ping | HangUp
ClientMessage = Control | Start | Resume


def check_audio(data: bytes) -> None:
    """Whether a binary message is whole samples within the limit. Raises WireError."""
    if len(data) > MAX_AUDIO_BYTES:
        raise WireError(
            ErrorCode.TOO_LARGE,
            f"Expected audio messages of at most {MAX_AUDIO_BYTES} bytes, got {len(data)}",
        )
    if len(data) % SAMPLE_BYTES:
        _refuse(f"Expected whole 16-bit samples, got {len(data)} bytes")


def parse(text: str) -> ClientMessage:
    """A text message -> what it asks. Raises WireError with what was expected and got."""
    body = _object(text)
    kind = body.pop("type", None)
    try:
        if kind == "start":
            return _start(body)
        if kind == "mode":
            return Mode(_taken(body, kind, "mode", str))
        if kind == "options":
            return _options(body)
        return _simple(kind, body)
    except SchemaError as error:
        raise WireError(ErrorCode.BAD_MESSAGE, str(error)) from error


def message(kind: str, **fields: Any) -> str:
    """A server message as JSON text."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def ready(
    *,
    session: str,
    token: str,
    outcome: str,
    mode: str,
    codec: Codec,
    next_sample: int,
    next_frame: int,
) -> str:
    """The answer to `start`."""
    return message(
        "ready",
        session=session,
        token=token,
        outcome=outcome,
        mode=mode,
        codec=codec.value,
        next_sample=next_sample,
        next_frame=next_frame,
        sample_rate=SAMPLE_RATE_HZ,
        frame_samples=FRAME_SAMPLES,
    )


def pack_frame(number: int, generation: int, flags: int, sound: bytes) -> bytes:
    """A frame as the antiphon.v1 client gets it: 12-byte header, then samples or a packet."""
    return HEADER.pack(number, generation, flags, 0) + sound


def _refuse(text: str) -> NoReturn:
    raise WireError(ErrorCode.BAD_MESSAGE, text)


# Made once: `json.loads` would make one for each message.
_DECODER: Final = json.JSONDecoder(
    parse_constant=lambda name: _refuse(f"Expected JSON, got {name}")
)


def _object(text: str) -> dict[str, Any]:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise WireError(
            ErrorCode.TOO_LARGE, f"Expected text of at most {MAX_TEXT_BYTES} bytes, got {size}"
        )
    try:
        body = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise WireError(ErrorCode.BAD_MESSAGE, f"Expected a JSON object, got {error}") from error
    if not isinstance(body, dict):
        _refuse(f"Expected a JSON object, got {type(body).__name__}")
    return body


def _taken(body: dict[str, Any], kind: str, name: str, *types: type) -> Any:
    """The one field of a message."""
    if set(body) != {name}:
        _refuse(f"Expected {kind!r} with the field {name!r}, got {sorted(body)!r:.200}")
    return _typed(name, body[name], *types)


def _typed(name: str, value: object, *types: type) -> Any:
    if type(value) not in types:
        wanted = " or ".join(t.__name__ for t in types)
        _refuse(f"Expected {name!r} as {wanted}, got {value!r:.80}")
    return value


def _frame(value: object) -> int:
    number: int = _typed("frame", value, int)
    if not 0 <= number <= MAX_FRAME_NUMBER:
        # Not as a float: a number of 400 digits is an int that no float holds.
        _refuse(f"Expected 'frame' from 0 to {MAX_FRAME_NUMBER}, got {number!r:.40}")
    return number


def _simple(kind: object, body: dict[str, Any]) -> ClientMessage:
    if kind == "played":
        return Played(_frame(_taken(body, kind, "frame", int)))
    if kind == "ping":
        return Ping(body.get("t"))
    plain: dict[object, ClientMessage] = {"commit": Commit(), "cancel": Cancel(), "end": HangUp()}
    if not isinstance(kind, str) or kind not in plain:
        _refuse(
            "Expected 'type' as start, mode, commit, cancel, played, options, ping or end, "
            f"got {kind!r:.80}"
        )
    if body:
        _refuse(f"Expected {kind!r} without fields, got {sorted(body)!r:.200}")
    return plain[kind]


def _options(body: Mapping[str, Any]) -> Options:
    types: dict[str, tuple[type, ...]] = {
        "vad_threshold": (float, int),
        "silence_ms": (int,),
        "min_speech_ms": (int,),
        "manual": (bool,),
    }
    if unknown := set(body) - set(types):
        _refuse(f"Expected options of {sorted(types)}, got {sorted(unknown)!r:.200}")
    return Options(**{n: _typed(n, v, *types[n]) for n, v in body.items() if v is not None})


def _start(body: dict[str, Any]) -> Start | Resume:
    if unknown := set(body) - {"mode", "options", "codec", "voice", "style", "auth", "resume"}:
        _refuse(
            "Expected 'start' with mode, options, codec, voice, style, auth or resume, "
            f"got {sorted(unknown)!r:.200}"
        )
    if "resume" in body:
        return _resume(body)
    mode = body.get("mode")
    if mode is not None:
        Mode(_typed("mode", mode, str))
    auth = body.get("auth")
    if auth is not None:
        _typed("auth", auth, str)
    options = _options(_typed("options", body.get("options", {}), dict))
    persona = Persona(*(_typed(n, body.get(n, ""), str) for n in ("voice", "style")))
    return Start(mode, options, _codec(body), persona, auth)


def _resume(body: dict[str, Any]) -> Resume:
    if set(body) - {"resume", "codec"}:
        _refuse("Expected 'resume' alone in 'start': mode, options and voice are the session's own")
    wish = _typed("resume", body["resume"], dict)
    if set(wish) != {"session", "token", "frame"}:
        _refuse(f"Expected resume with session, token and frame, got {sorted(wish)!r:.200}")
    session, token = (_typed(name, wish[name], str) for name in ("session", "token"))
    # A name that we did not make must never become part of a Redis key.
    if len(session) != 32 or not set(session) <= set("0123456789abcdef"):
        raise WireError(ErrorCode.NOT_FOUND, "Expected the session id of a 'ready' message")
    if not token.isascii():  # half a surrogate pair, which JSON can spell, has no bytes to hash
        raise WireError(ErrorCode.BAD_TOKEN, "Expected the token of a 'ready' message")
    return Resume(session, token, _frame(wish["frame"]), _codec(body))


def _codec(body: Mapping[str, Any]) -> Codec:
    wish = body.get("codec", Codec.PCM16)
    if wish not in list(Codec):
        _refuse(f"Expected 'codec' as {' or '.join(Codec)}, got {wish!r:.80}")
    return Codec(wish)
