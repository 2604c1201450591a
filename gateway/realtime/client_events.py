"""The events that Realtime clients send, declared and parsed. Sans I/O.

Unknown fields are ignored, since SDKs send fields that only OpenAI's service needs. Source:
OpenAI's Realtime API reference, the dialect that is generally available.
"""

from typing import Any, Final

import msgspec

from gateway.realtime.requests import read_event

MAX_METADATA: Final = 16  # pairs, as OpenAI allows


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event; an `error` event repeats its `event_id`."""

    event_id: str | None = None


class UpdateSession(ClientEvent, frozen=True, tag="session.update"):
    """Change parts of the session's configuration."""

    session: dict[str, Any]


class AppendAudio(ClientEvent, frozen=True, tag="input_audio_buffer.append"):
    """More of the caller's sound, in the session's input format; base64 in JSON."""

    audio: bytes


class CommitAudio(ClientEvent, frozen=True, tag="input_audio_buffer.commit"):
    """The caller's turn is over."""


class ClearAudio(ClientEvent, frozen=True, tag="input_audio_buffer.clear"):
    """Forget the sound since the last turn."""


class ContentPart(msgspec.Struct, frozen=True):
    """A part of an item's content."""

    type: str
    text: str | None = None
    transcript: str | None = None
    audio: bytes | None = None


class NewItem(msgspec.Struct, frozen=True):
    """An item that the client adds to the conversation."""

    type: str = "message"
    id: str | None = None
    role: str | None = None
    content: list[ContentPart] = msgspec.field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The words of its parts."""
        return [text for part in self.content if (text := part.text or part.transcript)]


class CreateItem(ClientEvent, frozen=True, tag="conversation.item.create"):
    """Add an item after another one; null: at the end, `root`: at the beginning."""

    item: NewItem
    previous_item_id: str | None = None


class TruncateItem(ClientEvent, frozen=True, tag="conversation.item.truncate"):
    """The caller heard no more of this item than these milliseconds."""

    item_id: str
    content_index: int = 0
    audio_end_ms: float = 0


class RetrieveItem(ClientEvent, frozen=True, tag="conversation.item.retrieve"):
    """Ask for an item."""

    item_id: str


class DeleteItem(ClientEvent, frozen=True, tag="conversation.item.delete"):
    """Remove an item from the conversation and from what the model remembers."""

    item_id: str


class ResponseParams(msgspec.Struct, frozen=True):
    """What differs from the session's configuration in one response."""

    instructions: str | None = None
    metadata: dict[str, str] | None = None
    conversation: str | None = None
    output_modalities: list[str] | None = None
    input: list[NewItem] | None = None


class CreateResponse(ClientEvent, frozen=True, tag="response.create"):
    """Answer now."""

    response: ResponseParams | None = None


class CancelResponse(ClientEvent, frozen=True, tag="response.cancel"):
    """Stop the response in progress."""

    response_id: str | None = None


class ClearOutput(ClientEvent, frozen=True, tag="output_audio_buffer.clear"):
    """Stop what is being played; a WebSocket's client has that buffer itself."""


class ReportPlayhead(ClientEvent, frozen=True, tag="antiphon.playhead"):
    """An extension: the client's player has played this item up to these milliseconds."""

    item_id: str
    audio_end_ms: float


AnyClientEvent = (
    UpdateSession
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | CreateItem
    | TruncateItem
    | RetrieveItem
    | DeleteItem
    | CreateResponse
    | CancelResponse
    | ClearOutput
    | ReportPlayhead
)

_DECODER: Final = msgspec.json.Decoder(AnyClientEvent)


def parse(text: str) -> AnyClientEvent:
    """Read a text message. Raises ParseError."""
    event: AnyClientEvent = read_event(text, _DECODER)
    return event
