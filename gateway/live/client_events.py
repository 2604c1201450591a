"""The events that Live clients send, declared and parsed strictly. Sans I/O.

An unknown field is refused, as OpenAI's service does. Source: the types of openai-python 3.57
(`openai.types.live`).
"""

from typing import Any, Final, Literal

import msgspec

from gateway.realtime.errors import not_supported
from gateway.realtime.requests import invalid, read_event

MAX_MESSAGES: Final = 128  # of the history that a session begins with, as OpenAI allows

# Events of OpenAI's service that ask for what there is not here.
UNSUPPORTED: Final = {
    "session.commentary.append",
    "session.output_audio_fixture.play",
    "decision.create",
    "decision.item.create",
    "decision.item.delete",
    "response.create",
    "response.item.create",
}


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every shape: no field beyond those declared."""


class ClientEvent(Strict, frozen=True, kw_only=True):
    """One event; what answers it repeats its `event_id` as `client_event_id`."""

    event_id: str | None = None


class Format(Strict, frozen=True, kw_only=True):
    """The encoding of the sound in both directions."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
    rate: int | None = None


class CustomVoice(Strict, frozen=True, kw_only=True):
    """A voice by its id."""

    id: str


class Output(Strict, frozen=True, kw_only=True):
    """How the assistant sounds."""

    voice: str | CustomVoice | None = None


class Audio(Strict, frozen=True, kw_only=True):
    """The sound's format and the assistant's voice."""

    format: Format | None = None
    output: Output | None = None


class TextPart(Strict, frozen=True, kw_only=True):
    """The text of an earlier message."""

    text: str
    type: Literal["input_text", "text", "output_text"] | None = None


class Message(Strict, frozen=True, kw_only=True):
    """A message of the history that the session begins with."""

    role: Literal["developer", "user", "assistant"]
    content: list[TextPart]
    id: str | None = None
    status: Literal["incomplete", "completed"] | None = None
    type: Literal["message"] | None = None


class ClientDelegation(Strict, frozen=True, kw_only=True):
    """Tasks would go to the client; no engine of ours delegates any."""

    type: Literal["client"]
    acknowledgement_delay_ms: int | None = None


class SessionConfig(Strict, frozen=True, kw_only=True):
    """What a session begins with."""

    model: str
    audio: Audio | None = None
    client: dict[str, Any] | None = None
    delegation: dict[str, Any] | None = None
    input: list[Message] | None = None
    instructions: str | None = None
    safety_identifier: str | None = None
    store: bool | None = None
    triggers: list[Any] | None = None


class SessionChanges(Strict, frozen=True, kw_only=True):
    """What may change during a session."""

    delegation: dict[str, Any] | None = None
    triggers: list[Any] | None = None


class StartSession(ClientEvent, frozen=True, kw_only=True, tag="session.start"):
    """The first event: begin."""

    session: SessionConfig


class UpdateSession(ClientEvent, frozen=True, kw_only=True, tag="session.update"):
    """Change what may change."""

    session: SessionChanges


class AppendAudio(ClientEvent, frozen=True, kw_only=True, tag="session.input_audio.append"):
    """More of the caller's sound; base64 in JSON."""

    audio: bytes


class Mute(ClientEvent, frozen=True, kw_only=True, tag="session.input_audio.mute"):
    """From now on the model hears silence."""


class Unmute(ClientEvent, frozen=True, kw_only=True, tag="session.input_audio.unmute"):
    """The model hears the caller again."""


class AppendInstructions(ClientEvent, frozen=True, kw_only=True, tag="session.instructions.append"):
    """More instructions."""

    content: str
    delegation_id: str | None


class AppendThinking(ClientEvent, frozen=True, kw_only=True, tag="session.thinking.append"):
    """What the model is to know."""

    content: str
    delegation_id: str | None


class CloseSession(ClientEvent, frozen=True, kw_only=True, tag="session.close"):
    """End the session."""


AnyClientEvent = (
    StartSession
    | UpdateSession
    | AppendAudio
    | Mute
    | Unmute
    | AppendInstructions
    | AppendThinking
    | CloseSession
)

_DECODER: Final = msgspec.json.Decoder(AnyClientEvent)


def parse(text: str) -> AnyClientEvent:
    """Read a text message. Raises ParseError."""
    event: AnyClientEvent = read_event(text, _DECODER, UNSUPPORTED)
    return event


def delegation_of(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """The session's delegation: none, or to the client. Raises RealtimeError."""
    if given is None:
        return None
    if given.get("type") in ("responses", "decisions"):
        raise not_supported("This server delegates no tasks", "session.delegation.type")
    try:
        found = msgspec.convert(given, ClientDelegation)
    except msgspec.ValidationError as error:
        raise invalid(str(error), within="session.delegation") from error
    known = msgspec.structs.asdict(found).items()
    return {name: value for name, value in known if value is not None}
