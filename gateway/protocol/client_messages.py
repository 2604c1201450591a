"""The JSON messages that clients send on /ws/stream, declared and checked. Sans I/O.

Controls that the log keeps become the log's own records. A message that breaks the protocol raises
a CallError that says what was expected and got.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, NoReturn, TypeVar, get_args, get_origin

import msgspec

from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.errors import CallError, ErrorCode, Refusal
from gateway.protocol.frames import MAX_FRAME_NUMBER
from shared.errors import SchemaError
from shared.log import records
from shared.log.keys import SESSION_ID
from shared.voices import Persona

SUBPROTOCOL: Final = "antiphon.v1"
MAX_TEXT_BYTES: Final = 8 * 1024
MAX_INSTRUCTIONS: Final = 2_000  # characters
MAX_TYPED: Final = 1_000  # characters of a typed turn
QUERY_FIELDS: Final = ("mode", "voice", "style", "codec", "sample_rate")  # of plain clients
SECRETS: Final = ("auth", "token", "instructions")  # fields that no log line or traceback shows

FrameNumber = Annotated[
    int, msgspec.Meta(ge=0, le=MAX_FRAME_NUMBER, description=f"int from 0 to {MAX_FRAME_NUMBER}")
]


class _Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of every message: no type is converted and no unknown field accepted."""

    def __repr__(self) -> str:
        fields = msgspec.structs.asdict(self).items()
        shown = ", ".join(f"{name}={value!r}" for name, value in fields if name not in SECRETS)
        return f"{type(self).__name__}({shown})"


def _check_instructions(text: str) -> None:
    """Raises CallError when they are too long, or no text."""
    if len(text) > MAX_INSTRUCTIONS:
        raise CallError(
            ErrorCode.TOO_LARGE,
            f"Expected instructions of at most {MAX_INSTRUCTIONS} characters, got {len(text)}",
        )
    if not _is_whole(text):
        raise CallError(
            ErrorCode.BAD_MESSAGE, "Expected instructions of characters, got half a surrogate pair"
        )


def _is_whole(text: str) -> bool:
    """Whether it has bytes: JSON can spell half a surrogate pair, which has none."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


class Start(_Fields, frozen=True, tag="start"):
    """Begin a session. `auth`: the token that permits it, where the gateway needs one."""

    mode: str | None = None
    options: records.Options = records.Options()
    codec: Codec = Codec.PCM16  # a request; `ready` names the codec in use
    sample_rate: int | None = None
    voice: str = ""
    style: str = ""
    instructions: str = ""  # the caller's own system prompt
    record: bool = False  # the caller agrees to be recorded
    auth: str | None = None

    def __post_init__(self) -> None:
        if self.mode is not None:
            records.Mode(self.mode)  # raises SchemaError when there is no such mode
        AudioFormat.of(self.codec, self.sample_rate)  # raises CallError when they do not fit
        _check_instructions(self.instructions)

    @property
    def audio_format(self) -> AudioFormat:
        """The requested format of binary messages."""
        return AudioFormat.of(self.codec, self.sample_rate)

    @property
    def persona(self) -> Persona:
        """The requested voice and style."""
        return Persona(self.voice, self.style)


class ResumePoint(_Fields, frozen=True):
    """Which session to resume; `frame`: the last frame that the client has (0: none)."""

    session: str
    token: str
    frame: FrameNumber

    def __post_init__(self) -> None:
        # Only ids of our own making may become part of a Redis key.
        if not SESSION_ID.fullmatch(self.session):
            raise CallError(ErrorCode.NOT_FOUND, "Expected the session id of a 'ready' message")
        if not self.token.isascii():  # half a surrogate pair, which JSON can spell, has no bytes
            raise CallError(ErrorCode.BAD_TOKEN, "Expected the token of a 'ready' message")


class Resume(_Fields, frozen=True, tag="start"):
    """Resume a session; its mode, options and voice stay as they are.

    Without codec and rate, binary messages are as in the session's first connection.
    """

    resume: ResumePoint
    codec: Codec | None = None  # of this connection only
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        self.audio_format_after(AudioFormat())  # raises CallError when they do not fit

    def audio_format_after(self, first: AudioFormat) -> AudioFormat:
        """The format of binary messages; `first`: the one with which the session began."""
        if self.codec is None and self.sample_rate is None:
            return first
        return AudioFormat.of(self.codec or Codec.PCM16, self.sample_rate)


class Mode(_Fields, frozen=True, tag="mode"):
    """Switch the session's mode."""

    mode: str

    def to_record(self) -> records.Mode:
        """As the log keeps it. Raises SchemaError when there is no such mode."""
        return records.Mode(self.mode)


class Commit(_Fields, frozen=True, tag="commit"):
    """End the caller's turn now."""

    def to_record(self) -> records.Commit:
        """As the log keeps it."""
        return records.Commit()


class Cancel(_Fields, frozen=True, tag="cancel"):
    """Stop the reply."""

    def to_record(self) -> records.Cancel:
        """As the log keeps it."""
        return records.Cancel()


class Played(_Fields, frozen=True, tag="played"):
    """The client's player has played every frame up to this one."""

    frame: FrameNumber

    def to_record(self) -> records.Played:
        """As the log keeps it."""
        return records.Played(self.frame)


class TypedText(_Fields, frozen=True, tag="text"):
    """A turn that the caller typed; `ready.text` says whether the engine takes any."""

    text: str

    def to_record(self) -> records.Typed:
        """As the log keeps it. Raises Refusal when it is empty or too long."""
        text = " ".join(self.text.split())
        if len(text) > MAX_TYPED:
            raise Refusal(
                ErrorCode.TOO_LARGE, f"Expected {MAX_TYPED} characters at most, got {len(text)}"
            )
        if not text or not _is_whole(text):
            raise Refusal(ErrorCode.BAD_MESSAGE, "Expected words in 'text', got none")
        return records.Typed(text)


class Options(_Fields, frozen=True, tag="options"):
    """Change options of the session; null leaves one as it is."""

    vad_threshold: float | None = None
    silence_ms: int | None = None
    min_speech_ms: int | None = None
    interrupt_ms: int | None = None
    manual: bool | None = None
    interrupts: bool | None = None
    reports: bool | None = None

    def to_record(self) -> records.Options:
        """As the log keeps it. Raises SchemaError when a value is out of range."""
        return records.Options(**msgspec.structs.asdict(self))


class Ping(_Fields, frozen=True, tag="ping", forbid_unknown_fields=False):
    """Ask for a `pong` with the same `t`; other fields are ignored."""

    t: Any = None


class EndCall(_Fields, frozen=True, tag="end"):
    """End the call and delete its log."""


Logged = Mode | Commit | Cancel | Played | TypedText | Options
LoggedRecord = (
    records.Mode
    | records.Commit
    | records.Cancel
    | records.Played
    | records.Typed
    | records.Options
)
ClientMessage = Start | Resume | Ping | EndCall | LoggedRecord

_MODELS: Final[Mapping[str, type[Start | Logged | Ping | EndCall]]] = {
    "start": Start,
    "mode": Mode,
    "commit": Commit,
    "cancel": Cancel,
    "played": Played,
    "text": TypedText,
    "options": Options,
    "ping": Ping,
    "end": EndCall,
}
_M = TypeVar("_M", bound=_Fields)


def parse(text: str) -> ClientMessage:
    """Read a text message. Raises CallError."""
    body = _json_object(text)
    kind = body.get("type")
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        _refuse(f"Expected 'type' as {' or '.join(_MODELS)}, got {kind!r:.80}")
    try:
        if model is Start and "resume" in body:
            return _typed(body, Resume)
        message = _typed(body, model)
        return message.to_record() if isinstance(message, Logged) else message
    except SchemaError as error:
        raise CallError(ErrorCode.BAD_MESSAGE, str(error)) from error


def start_of_query(query: Mapping[str, str]) -> Start:
    """The `start` of a plain client, from its URL's query. Raises CallError."""
    body: dict[str, Any] = {name: query[name] for name in QUERY_FIELDS if name in query}
    if (rate := body.get("sample_rate", "")).isdecimal():
        body["sample_rate"] = int(rate)
    try:
        return _typed({"type": "start", **body}, Start)
    except SchemaError as error:
        raise CallError(ErrorCode.BAD_MESSAGE, str(error)) from error


def _refuse(message: str) -> NoReturn:
    raise CallError(ErrorCode.BAD_MESSAGE, message)


# msgspec's own decoder would refuse half a surrogate pair, which clients may send in a ping's `t`.
# Made once: `json.loads` would make one for each message.
_DECODER: Final = json.JSONDecoder(
    parse_constant=lambda name: _refuse(f"Expected JSON, got {name}")
)


def _json_object(text: str) -> dict[str, Any]:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise CallError(
            ErrorCode.TOO_LARGE, f"Expected text of at most {MAX_TEXT_BYTES} bytes, got {size}"
        )
    try:
        body = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise CallError(
            ErrorCode.BAD_MESSAGE, f"Expected a JSON object, got no JSON: {error}"
        ) from error
    if not isinstance(body, dict):
        _refuse(f"Expected a JSON object, got {text:.80}")
    return body


def _typed(body: dict[str, Any], model: type[_M]) -> _M:
    try:
        return msgspec.convert(body, model)
    except msgspec.ValidationError:
        _refuse(_problem(body, model))


def _problem(body: Mapping[str, Any], model: type[msgspec.Struct]) -> str:
    """The first field that is wrong: "Expected ..., got ..."."""
    fields = {field.name: field for field in msgspec.structs.fields(model)}
    tag = model.__struct_config__.tag_field
    known = [tag, *fields] if tag else [*fields]
    if unknown := set(body) - set(known):
        return f"Expected no fields but {', '.join(known)}, got {sorted(unknown)!r:.200}"
    for name, field in fields.items():
        if name not in body and field.required:
            return f"Expected the field {name!r}, got {sorted(body)!r:.200}"
        if name in body and not _fits(value := body[name], field.type):
            if isinstance(value, dict) and issubclass(field.type, msgspec.Struct):
                return _problem(value, field.type)
            return f"Expected {name!r} as {_wanted(field.type)}, got {value!r:.80}"
    raise AssertionError("unreachable: some field was refused")


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _wanted(kind: Any) -> str:
    """A field's type in words."""
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].description)
    if kind is type(None):
        return "null"
    if members := get_args(kind):
        return " or ".join(map(_wanted, members))
    if issubclass(kind, StrEnum):
        return " or ".join(kind)
    return "object" if issubclass(kind, msgspec.Struct) else str(kind.__name__)
