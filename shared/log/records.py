"""What the log's entries hold: the written schema, and its limits.

An entry of a stream is `<type> <msgpack map>`: the entry's one field is named after the record's
type, so `redis-cli` shows it, and the value is a msgpack map of the record's fields by their names
below. `s:{sid}:in` holds InputRecords, `s:{sid}:steps` StepRecords, `s:{sid}:out` OutputRecords.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, get_type_hints

import msgpack

from shared.audio import CHUNK_BYTES, FRAME_BYTES, FRAMES_PER_CHUNK
from shared.errors import SchemaError
from shared.modes import ReplyMode

MAX_RECORD_BYTES: Final = 64 * 1024  # a full chunk is 3,840 bytes; a pre-roll step some 3 KiB
MAX_TEXT_BYTES: Final = 4_096

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Audio:
    """One chunk of the caller: 80 ms of little-endian PCM16 mono at 24 kHz, 3,840 bytes."""

    pcm: bytes

    def __post_init__(self) -> None:
        if len(self.pcm) != CHUNK_BYTES:
            raise SchemaError(f"Expected a chunk of {CHUNK_BYTES} bytes, got {len(self.pcm)}")


@dataclass(frozen=True, slots=True)
class Mode:
    """From here on the session is in this mode."""

    mode: str

    def __post_init__(self) -> None:
        if self.mode not in list(ReplyMode):
            raise SchemaError(f"Expected mode 'stream' or 'turn', got {self.mode!r}")


@dataclass(frozen=True, slots=True)
class Commit:
    """The caller's turn ends here, whatever the VAD thinks (push-to-talk)."""

    padding: int = 0  # samples of silence that filled the chunk before it; not the caller's own


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the reply that is going on."""


@dataclass(frozen=True, slots=True)
class Played:
    """The caller has heard every frame up to and including this one; also a sign of life."""

    frame: int


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of this session from here on; None leaves one as it is."""

    vad_threshold: float | None = None  # RMS of full scale
    silence_ms: int | None = None
    min_speech_ms: int | None = None
    manual: bool | None = None  # push-to-talk: only a commit ends a turn

    def __post_init__(self) -> None:
        _within("vad_threshold", self.vad_threshold, (1e-5, 0.9))
        _within("silence_ms", self.silence_ms, (100, 5_000))
        _within("min_speech_ms", self.min_speech_ms, (20, 2_000))


@dataclass(frozen=True, slots=True)
class Detach:
    """The caller's socket is gone; they may come back."""


@dataclass(frozen=True, slots=True)
class End:
    """The caller hung up."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the model did in one step, enough to do it again without sampling."""

    cursor: int  # the last input record consumed, this step's included
    generation: int
    hear: tuple[int, ...] = ()  # the input records whose audio this step heard
    heard: tuple[bytes, ...] = ()  # the listener's state of each
    said: bytes | None = None  # text token and codes of the assistant
    speak: int = 0  # workers.engines.base.Speak
    began: bool = False
    ended: bool = False
    state: bytes = b""  # the conversation after this step; only on a commit's last step


@dataclass(frozen=True, slots=True)
class Truncate:
    """Of this reply the context keeps the steps up to keep_step: the caller heard no more."""

    generation: int
    keep_step: int


@dataclass(frozen=True, slots=True)
class Base:
    """A turn starts at this step; attention reaches back to the start of the turn before."""

    step: int


@dataclass(frozen=True, slots=True)
class Speech:
    """One to four 20 ms frames of the assistant, 960 bytes each, the first numbered `frame`."""

    frame: int
    generation: int
    pcm: bytes

    def __post_init__(self) -> None:
        frames, rest = divmod(len(self.pcm), FRAME_BYTES)
        if rest or not 1 <= frames <= FRAMES_PER_CHUNK:
            raise SchemaError(f"Expected 1 to 4 frames of 960 bytes, got {len(self.pcm)} bytes")

    @property
    def frames(self) -> int:
        """How many frames the record holds."""
        return len(self.pcm) // FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the reply that begin with the next frame."""

    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak, heard at this input record."""

    n: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller's turn was decided to be over, at this input record."""

    n: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What the caller seems to have said in their last turn, roughly; `final`: all of it.

    It stands behind the SpeechStarted of that turn, the final one behind its SpeechStopped.
    """

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """A reply begins with this frame."""

    generation: int
    frame: int


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """A reply is whole: its last frame came before `frame`. reason: end, length, cancelled."""

    generation: int
    frame: int
    reason: str


@dataclass(frozen=True, slots=True)
class Clear:
    """This reply was interrupted: play none of its frames any more; `next_frame` comes next."""

    generation: int
    next_frame: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Frames `first` to `last` will never come, for this reason."""

    first: int
    last: int
    reason: str


InputRecord = Audio | Mode | Commit | Cancel | Played | Options | Detach | End
StepRecord = Step | Truncate | Base
OutputRecord = (
    Speech | Text | SpeechStarted | SpeechStopped | Heard | ReplyStarted | ReplyDone | Clear | Skip
)
Record = InputRecord | StepRecord | OutputRecord


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


_TYPES: Final[Mapping[str, type[Record]]] = {
    _snake(kind.__name__): kind
    for kind in (
        *(Audio, Mode, Commit, Cancel, Played, Options, Detach, End),
        *(Step, Truncate, Base),
        *(Speech, Text, SpeechStarted, SpeechStopped, Heard),
        *(ReplyStarted, ReplyDone, Clear, Skip),
    )
}
_NAMES: Final[Mapping[type[Record], str]] = {kind: name for name, kind in _TYPES.items()}
_FIELDS: Final[Mapping[type[Record], tuple[str, ...]]] = {
    kind: tuple(f.name for f in fields(kind)) for kind in _NAMES
}
_HINTS: Final[Mapping[type[Record], Mapping[str, str]]] = {
    kind: {name: str(hint) for name, hint in get_type_hints(kind).items()} for kind in _NAMES
}

# Made once, since each has a buffer of its own; used by the event loop's thread alone.
_PACKER: Final = msgpack.Packer(use_bin_type=True)


def _within(name: str, value: float | None, bounds: Bounds) -> None:
    if value is not None and not bounds[0] <= value <= bounds[1]:
        raise SchemaError(f"Expected {name} from {bounds[0]} to {bounds[1]}, got {value!r:.40}")


def type_name(record: Record) -> str:
    """The record's type as its entry's field name: Audio -> "audio", ReplyDone -> "reply_done"."""
    return _NAMES[type(record)]


def encode(record: Record) -> tuple[str, bytes]:
    """A record -> its entry's field name and msgpack value."""
    kind = type(record)
    body = {name: getattr(record, name) for name in _FIELDS[kind]}
    return _NAMES[kind], _PACKER.pack(body)


def decode(name: str, value: bytes) -> Record:
    """An entry's field -> a record. Raises SchemaError with what was expected and got."""
    kind = _TYPES.get(name)
    if kind is None:
        raise SchemaError(f"Expected a record type of {sorted(_TYPES)}, got {name!r}")
    body = _unpack(value)
    if set(body) != set(_FIELDS[kind]):
        raise SchemaError(f"Expected {name} with fields {_FIELDS[kind]}, got {sorted(body)}")
    for field, item in body.items():
        body[field] = tuple(item) if isinstance(item, list) else item
        if not _fits(_HINTS[kind][field], body[field]):
            raise SchemaError(f"Expected {name}.{field}: {_HINTS[kind][field]}, got {item!r:.80}")
    return kind(**body)


def _unpack(value: bytes) -> dict[str, Any]:
    if len(value) > MAX_RECORD_BYTES:
        raise SchemaError(f"Expected at most {MAX_RECORD_BYTES} bytes, got {len(value)}")
    try:
        body = msgpack.unpackb(
            value,
            raw=False,
            strict_map_key=True,
            max_map_len=16,
            max_array_len=64,
            max_str_len=MAX_TEXT_BYTES,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException, UnicodeDecodeError) as error:
        raise SchemaError(f"Expected msgpack within the limits, got {error}") from error
    if not isinstance(body, dict):
        raise SchemaError(f"Expected a msgpack map, got {type(body).__name__}")
    return body


def _fits(hint: str, value: object) -> bool:
    """Whether a value is of a field's type. bool is no int here, int is a float."""
    if value is None:
        return "None" in hint
    if isinstance(value, tuple):
        inner = int if "int" in hint else bytes
        return hint.startswith("tuple") and all(type(v) is inner for v in value)
    if hint.startswith("tuple"):
        return False
    wanted = hint.removeprefix("<class '").split("'")[0].split(" ")[0]
    return type(value).__name__ == wanted or (wanted == "float" and type(value) is int)
