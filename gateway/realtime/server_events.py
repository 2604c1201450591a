"""The events that a Realtime client gets. Sans I/O.

Fields that are null are sent as null, because some clients require them. `event_id` is set when an
event leaves.
"""

from typing import Any, ClassVar, Final

import msgspec

from gateway.protocol.errors import CallError
from gateway.realtime.errors import RealtimeError, ending_of

_ENCODER: Final = msgspec.json.Encoder()


class ServerEvent(msgspec.Struct, kw_only=True):
    """One event."""

    is_sound: ClassVar[bool] = False
    event_id: str = ""

    def to_json(self) -> str:
        """The event as the client receives it; bytes become base64."""
        return _ENCODER.encode(self).decode()


class SessionCreated(ServerEvent, kw_only=True, tag="session.created"):
    """The first event: the configuration in force."""

    session: dict[str, Any]


class SessionUpdated(ServerEvent, kw_only=True, tag="session.updated"):
    """The answer to `session.update`: the configuration in force."""

    session: dict[str, Any]


class SpeechStarted(ServerEvent, kw_only=True, tag="input_audio_buffer.speech_started"):
    """The caller began to speak; their turn will be this item."""

    audio_start_ms: int
    item_id: str


class SpeechStopped(ServerEvent, kw_only=True, tag="input_audio_buffer.speech_stopped"):
    """The caller's turn is over."""

    audio_end_ms: int
    item_id: str


class Committed(ServerEvent, kw_only=True, tag="input_audio_buffer.committed"):
    """The caller's sound became this item."""

    previous_item_id: str | None
    item_id: str


class Cleared(ServerEvent, kw_only=True, tag="input_audio_buffer.cleared"):
    """The sound since the last turn is forgotten."""


class ItemAdded(ServerEvent, kw_only=True, tag="conversation.item.added"):
    """An item is in the conversation, perhaps not complete."""

    previous_item_id: str | None
    item: dict[str, Any]


class ItemDone(ServerEvent, kw_only=True, tag="conversation.item.done"):
    """An item is complete."""

    previous_item_id: str | None
    item: dict[str, Any]


class ItemRetrieved(ServerEvent, kw_only=True, tag="conversation.item.retrieved"):
    """The item that the client asked for."""

    item: dict[str, Any]


class ItemTruncated(ServerEvent, kw_only=True, tag="conversation.item.truncated"):
    """The model remembers no more of this item."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ItemDeleted(ServerEvent, kw_only=True, tag="conversation.item.deleted"):
    """The item is gone."""

    item_id: str


class TranscriptionDelta(
    ServerEvent, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    """Words of the caller's turn."""

    item_id: str
    content_index: int
    delta: str


class TranscriptionCompleted(
    ServerEvent, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    """All words of the caller's turn."""

    item_id: str
    content_index: int
    transcript: str
    usage: dict[str, Any]


class ResponseCreated(ServerEvent, kw_only=True, tag="response.created"):
    """A response begins."""

    response: dict[str, Any]


class ResponseDone(ServerEvent, kw_only=True, tag="response.done"):
    """A response has ended; every response has exactly one."""

    response: dict[str, Any]


class OutputItemAdded(ServerEvent, kw_only=True, tag="response.output_item.added"):
    """A response has this item."""

    response_id: str
    output_index: int
    item: dict[str, Any]


class OutputItemDone(ServerEvent, kw_only=True, tag="response.output_item.done"):
    """An item of a response is complete."""

    response_id: str
    output_index: int
    item: dict[str, Any]


class _OfPart(ServerEvent, kw_only=True):
    """An event of one content part of a response."""

    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


class ContentPartAdded(_OfPart, kw_only=True, tag="response.content_part.added"):
    """A part of an item begins."""

    part: dict[str, Any]


class ContentPartDone(_OfPart, kw_only=True, tag="response.content_part.done"):
    """A part of an item is complete."""

    part: dict[str, Any]


class AudioDelta(_OfPart, kw_only=True, tag="response.output_audio.delta"):
    """More sound, in the session's output format."""

    is_sound: ClassVar[bool] = True

    delta: bytes
    frame: int  # an extension: the last frame of the call in it, for a client that resumes


class AudioDone(_OfPart, kw_only=True, tag="response.output_audio.done"):
    """The sound is complete."""


class TranscriptDelta(_OfPart, kw_only=True, tag="response.output_audio_transcript.delta"):
    """Words of the sound that follows."""

    delta: str


class TranscriptDone(_OfPart, kw_only=True, tag="response.output_audio_transcript.done"):
    """All words of the part."""

    transcript: str


class TextDelta(_OfPart, kw_only=True, tag="response.output_text.delta"):
    """More text, where the client asked for text alone."""

    delta: str
    frame: int  # an extension, as in `AudioDelta`: the frame with which these words begin


class TextDone(_OfPart, kw_only=True, tag="response.output_text.done"):
    """All text of the part."""

    text: str


class Problem(msgspec.Struct):
    """What an `error` event reports; `event_id`: of the client's event."""

    type: str
    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


class Error(ServerEvent, kw_only=True, tag="error"):
    """An event was refused, or the session ends."""

    error: Problem


def refusal(error: RealtimeError, event_id: str | None) -> Error:
    """What a client gets for an event that is refused; `event_id`: of that event."""
    problem = Problem(
        type=error.kind,
        code=error.code,
        message=str(error),
        param=error.param,
        event_id=event_id,
    )
    return Error(error=problem)


def ending(error: CallError) -> tuple[str, int]:
    """The `error` event for an error that ends a session, and the socket's close code."""
    known = ending_of(error.code)
    problem = Problem(type=known.kind, code=known.code, message=str(error))
    return Error(event_id="event_end", error=problem).to_json(), known.close_code
