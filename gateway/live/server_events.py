"""The events that a Live client gets. Sans I/O.

Unlike Realtime's events, these leave out optional fields that have no value, and each names the
client's event that it answers. So the two share no declarations but the base. `event_id` is set
when an event leaves. Source: the types of openai-python 3.57 (`openai.types.live`).
"""

from typing import Any, ClassVar

import msgspec

from gateway.realtime.errors import RealtimeError
from gateway.realtime.server_events import ServerEvent


class LiveEvent(ServerEvent, kw_only=True, omit_defaults=True):
    """One event; `client_event_id`: of the client's event that it answers."""

    client_event_id: str | None = None


class SessionStarted(LiveEvent, kw_only=True, tag="session.started"):
    """The session has begun with this configuration."""

    session: dict[str, Any]


class SessionUpdated(LiveEvent, kw_only=True, tag="session.updated"):
    """The configuration after a change."""

    session: dict[str, Any]


class SessionClosed(LiveEvent, kw_only=True, tag="session.closed"):
    """The last event."""

    reason: str
    session: dict[str, Any]
    usage: dict[str, Any]


class Muted(LiveEvent, kw_only=True, tag="session.input_audio.muted"):
    """The model hears silence."""


class Unmuted(LiveEvent, kw_only=True, tag="session.input_audio.unmuted"):
    """The model hears the caller."""


class _Timed(LiveEvent, kw_only=True):
    """An event with its place in the session, in ms since its beginning."""

    start_ms: int
    end_ms: int


class InstructionsAppended(_Timed, kw_only=True, tag="session.instructions.appended"):
    """The session has more instructions."""


class ThinkingAppended(_Timed, kw_only=True, tag="session.thinking.appended"):
    """The model knows more."""


class InputTranscript(_Timed, kw_only=True, tag="session.input_transcript.delta"):
    """More of the caller's words."""

    delta: str


class OutputTranscript(_Timed, kw_only=True, tag="session.output_transcript.delta"):
    """More of the assistant's words."""

    delta: str


class AudioDelta(LiveEvent, kw_only=True, tag="session.output_audio.delta"):
    """More of the assistant's sound, in the session's format."""

    is_sound: ClassVar[bool] = True

    delta: bytes
    frame: int = 0  # an extension: the last frame of the call in it, for a client that resumes


class Problem(msgspec.Struct, omit_defaults=True):
    """What an `error` event reports."""

    type: str
    code: str
    message: str
    param: str | None = None
    client_event_id: str | None = None


class Error(LiveEvent, kw_only=True, tag="error"):
    """An event was refused, or the session ends."""

    error: Problem


def refusal(error: RealtimeError, client_event_id: str | None) -> Error:
    """What a client gets for an event that is refused."""
    problem = Problem(
        type=error.kind,
        code=error.code,
        message=str(error),
        param=error.param,
        client_event_id=client_event_id,
    )
    return Error(error=problem, client_event_id=client_event_id)
