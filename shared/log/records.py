"""Declares the schema of the log: every record type, its fields, its limits, and its bytes.

A stream entry has one field. The field's name is the record type, which `redis-cli` then shows, and
its value is a msgpack map from field names to values. `s:{sid}:in` holds InputRecords,
`s:{sid}:steps` StepRecords and `s:{sid}:out` OutputRecords.
"""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

import msgpack
import msgspec

from shared.audio import CHUNK_BYTES, FRAME_BYTES, FRAMES_PER_CHUNK
from shared.errors import SchemaError
from shared.modes import ReplyMode

MAX_RECORD_BYTES: Final = 64 * 1024  # a full chunk has 3,840 bytes, a pre-roll step some 3 KiB
MAX_TEXT_BYTES: Final = 4_096
MAX_HISTORY_BYTES: Final = 8_000

Bounds = tuple[float, float]


class Fields(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The base of every record. An entry holds all fields; only our own code uses the defaults."""


class Audio(Fields, frozen=True):
    """One chunk of the caller: 80 ms of little-endian PCM16 mono at 24 kHz, 3,840 bytes."""

    pcm: bytes

    def __post_init__(self) -> None:
        if len(self.pcm) != CHUNK_BYTES:
            raise SchemaError(f"Expected a chunk of {CHUNK_BYTES} bytes, got {len(self.pcm)}")


class Mode(Fields, frozen=True):
    """From here on the session is in this mode."""

    mode: str

    def __post_init__(self) -> None:
        if self.mode not in list(ReplyMode):
            raise SchemaError(f"Expected mode 'stream' or 'turn', got {self.mode!r}")


class Commit(Fields, frozen=True):
    """The caller ends the turn here (push-to-talk), whatever the VAD decides."""

    padding: int = 0  # samples of silence with which the gateway filled the last chunk


class Cancel(Fields, frozen=True):
    """Stop the current reply."""


class Discard(Fields, frozen=True):
    """The caller withdraws what they said since their last turn."""


class Brief(Fields, frozen=True):
    """How the assistant behaves from the next turn on; None leaves a part unchanged.

    If it arrives while the caller speaks, it applies to the current turn.
    """

    instructions: str | None = None  # the caller's own system prompt; "": the engine's
    voice: str | None = None
    style: str | None = None

    def __post_init__(self) -> None:
        if self.instructions and len(self.instructions.encode()) > MAX_TEXT_BYTES:
            raise SchemaError(f"Expected instructions of at most {MAX_TEXT_BYTES} bytes, got more")


class Typed(Fields, frozen=True):
    """The caller typed this: a turn of its own, or the end of the turn being spoken."""

    text: str

    def __post_init__(self) -> None:
        if not 0 < len(self.text.encode()) <= MAX_TEXT_BYTES:
            raise SchemaError(f"Expected a typed text of 1 to {MAX_TEXT_BYTES} bytes, got another")


class History(Fields, frozen=True):
    """What an engine that folds remembers of all turns up to reply `generation`.

    `turns`: msgpack, a list of pairs (the caller's words, the assistant's), oldest first.
    """

    generation: int
    turns: bytes

    def __post_init__(self) -> None:
        if len(self.turns) > MAX_HISTORY_BYTES:
            raise SchemaError(
                f"Expected a history of at most {MAX_HISTORY_BYTES} bytes, got {len(self.turns)}"
            )


class Played(Fields, frozen=True):
    """The caller's playhead passed every frame up to and including this one; a sign of life too."""

    frame: int


class Options(Fields, frozen=True):
    """New settings of this session from here on; None leaves a setting unchanged."""

    vad_threshold: float | None = None  # RMS of full scale
    silence_ms: int | None = None
    min_speech_ms: int | None = None
    interrupt_ms: int | None = None
    manual: bool | None = None  # push-to-talk: only a commit ends a turn
    interrupts: bool | None = None  # False: speech over a reply never interrupts it
    reports: bool | None = None  # push-to-talk: the log says where the caller stops speaking

    def __post_init__(self) -> None:
        _within("vad_threshold", self.vad_threshold, (1e-5, 0.9))
        _within("silence_ms", self.silence_ms, (100, 5_000))
        _within("min_speech_ms", self.min_speech_ms, (20, 2_000))
        _within("interrupt_ms", self.interrupt_ms, (20, 5_000))


class Detach(Fields, frozen=True):
    """The caller lost their socket and may come back."""


class End(Fields, frozen=True):
    """The caller hung up."""


class Step(Fields, frozen=True):
    """What the model did in one step: enough to repeat it without sampling again."""

    cursor: int  # the last input record that the worker consumed, up to this step
    generation: int
    hear: tuple[int, ...] = ()  # the input records whose audio the listener read in this step
    heard: tuple[bytes, ...] = ()  # the listener's state of each of these
    muted: tuple[int, ...] = ()  # those of `hear` that were heard as silence
    said: bytes | None = None  # the assistant's text token and codes
    speak: int = 0  # workers.engines.base.Speak
    began: bool = False
    ended: bool = False
    state: bytes = b""  # the conversation's snapshot, only on the last step of a commit


class Truncate(Fields, frozen=True):
    """The context keeps this reply's steps up to keep_step: the caller played no more of it."""

    generation: int
    keep_step: int
    reopened: bool = False  # the reply is withdrawn: the turn that it answered goes on


class Base(Fields, frozen=True):
    """A turn starts at this step; attention reaches back to the start of the previous turn."""

    step: int
    memory: bytes = b""  # all earlier turns, folded by the engine; b"" where it folds none


class Speech(Fields, frozen=True):
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


class Text(Fields, frozen=True):
    """Words of the reply that begin with the next frame."""

    generation: int
    text: str


class SpeechStarted(Fields, frozen=True):
    """The caller began to speak at this input record."""

    n: int


class SpeechStopped(Fields, frozen=True):
    """The worker decided at this input record that the caller's turn is over.

    `goes_on`: the turn continues until a commit, and only that gets an answer.
    """

    n: int
    goes_on: bool = False


class Heard(Fields, frozen=True):
    """The transcript of the caller's last turn so far; `final`: all of it.

    It follows the SpeechStarted of that turn; the final one follows its SpeechStopped.
    """

    text: str
    final: bool
    rough: bool = False  # letters as they sounded instead of words


class ReplyStarted(Fields, frozen=True):
    """A reply begins with this frame."""

    generation: int
    frame: int


class ReplyDone(Fields, frozen=True):
    """A reply is complete: its last frame precedes `frame`. reason: end, length, cancelled."""

    generation: int
    frame: int
    reason: str


class NoReply(Fields, frozen=True):
    """The reply of this number ended before any of it was announced."""

    generation: int


class Clear(Fields, frozen=True):
    """This reply was interrupted: play no more of its frames; `next_frame` is the next one."""

    generation: int
    next_frame: int


class Skip(Fields, frozen=True):
    """The log will never hold the frames `first` to `last`, for this reason."""

    first: int
    last: int
    reason: str


InputRecord = (
    Audio
    | Mode
    | Commit
    | Cancel
    | Discard
    | Brief
    | Typed
    | History
    | Played
    | Options
    | Detach
    | End
)
StepRecord = Step | Truncate | Base
OutputRecord = (
    Speech
    | Text
    | SpeechStarted
    | SpeechStopped
    | Heard
    | ReplyStarted
    | ReplyDone
    | NoReply
    | Clear
    | Skip
)
Record = InputRecord | StepRecord | OutputRecord


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


_TYPES: Final[Mapping[str, type[Record]]] = {
    _snake(kind.__name__): kind for kind in get_args(Record)
}
_NAMES: Final[Mapping[type[Record], str]] = {kind: name for name, kind in _TYPES.items()}
_FIELDS: Final[Mapping[type[Record], tuple[str, ...]]] = {
    kind: kind.__struct_fields__ for kind in _NAMES
}
# Fields that the previous release does not know, and their defaults. A record omits a field that
# has its default. So the previous release can read it, even after a complete roll-out.
NEW_FIELDS: Final[Mapping[type[Record], Mapping[str, object]]] = {
    Options: {"interrupts": None, "reports": None},
    SpeechStopped: {"goes_on": False},
    Step: {"muted": ()},
}
_NONE: Final[Mapping[str, object]] = {}
_ALLOWED: Final = {kind: frozenset(names) for kind, names in _FIELDS.items()}
_REQUIRED: Final = {
    kind: names - NEW_FIELDS.get(kind, _NONE).keys() for kind, names in _ALLOWED.items()
}

# One packer for the process: each has a buffer of its own. Only the event loop's thread uses it.
_PACKER: Final = msgpack.Packer(use_bin_type=True)


def _within(name: str, value: float | None, bounds: Bounds) -> None:
    if value is not None and not bounds[0] <= value <= bounds[1]:
        raise SchemaError(f"Expected {name} from {bounds[0]} to {bounds[1]}, got {value!r:.40}")


def type_name(record: Record) -> str:
    """The record's type as its entry's field name: Audio -> "audio", ReplyDone -> "reply_done"."""
    return _NAMES[type(record)]


def fields_of(record: Record) -> dict[str, Any]:
    """The record's fields by name, in the schema's order."""
    return msgspec.structs.asdict(record)


def encode(record: Record, *, leave_out_new: bool = False) -> tuple[str, bytes]:
    """A record -> its entry's field name and msgpack value.

    `leave_out_new`: without the fields that the previous release does not know.
    """
    body = msgspec.structs.asdict(record)
    for name, default in NEW_FIELDS.get(type(record), _NONE).items():
        if leave_out_new or body[name] == default:
            del body[name]
    return _NAMES[type(record)], _PACKER.pack(body)


def decode(name: str, value: bytes) -> Record:
    """An entry's field name and value -> a record. Raises SchemaError: expected and got."""
    kind = _TYPES.get(name)
    if kind is None:
        raise SchemaError(f"Expected a record type of {sorted(_TYPES)}, got {name!r}")
    body = _unpack(value)
    if not _REQUIRED[kind] <= body.keys() <= _ALLOWED[kind]:
        raise SchemaError(f"Expected {name} with fields {_FIELDS[kind]}, got {sorted(body)}")
    try:
        return cast("Record", _typed(body, kind))
    except msgspec.ValidationError:
        raise _wrong_field(name, kind, body) from None


def _typed(value: object, kind: Any) -> Any:
    """The value as this type. Without `builtin_types` msgspec would read text as base64 bytes."""
    return msgspec.convert(value, kind, builtin_types=(bytes,))


def _wrong_field(name: str, kind: type[Record], body: dict[str, Any]) -> SchemaError:
    """The error that names the first field whose value is not of its type."""
    for field in msgspec.structs.fields(kind):
        try:
            _typed(body[field.name], field.type)
        except msgspec.ValidationError:
            wanted = getattr(field.type, "__name__", field.type)
            return SchemaError(
                f"Expected {name}.{field.name}: {wanted}, got {body[field.name]!r:.80}"
            )
    raise AssertionError("unreachable: some field was refused")


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
