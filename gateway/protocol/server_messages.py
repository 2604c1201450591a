"""The JSON messages that the gateway sends on /ws/stream. Sans I/O."""

import json
from typing import Any

import msgspec

from gateway.protocol.audio_format import Codec
from gateway.protocol.errors import CallError, Refusal


class ServerMessage(msgspec.Struct, frozen=True):
    """One JSON object. Its `type` is the tag of its class."""

    def to_json(self) -> str:
        """The message as the client receives it, in ASCII: a pong may hold half a surrogate."""
        return json.dumps(msgspec.to_builtins(self), separators=(",", ":"))


class Ready(ServerMessage, frozen=True, tag="ready"):
    """The answer to `start`: the session, its token, and where both directions go on."""

    session: str
    token: str
    outcome: str
    mode: str
    codec: Codec
    sample_rate: int
    frame_samples: int
    next_sample: int
    next_frame: int
    text: bool = False


class Error(ServerMessage, frozen=True, tag="error", omit_defaults=True):
    """Why the gateway closes the socket after this message, or why it ignored the client's."""

    code: str
    message: str
    retry_after_ms: int | None = None
    closes: bool = True  # left out of the message unless the call goes on

    @classmethod
    def of(cls, error: CallError) -> "Error":
        """The message that reports this error."""
        return cls(
            code=error.code.value,
            message=str(error),
            retry_after_ms=error.retry_after_ms,
            closes=not isinstance(error, Refusal),
        )


class Goaway(ServerMessage, frozen=True, kw_only=True, tag="goaway"):
    """The gateway shuts down and closes this socket in `resume_in_ms`: resume elsewhere."""

    reason: str = "shutdown"
    resume_in_ms: int


class Ack(ServerMessage, frozen=True, tag="ack"):
    """The log holds the caller's audio up to this sample."""

    samples: int


class Pong(ServerMessage, frozen=True, tag="pong"):
    """The answer to `ping`, with its `t`."""

    t: Any


class SpeechStarted(ServerMessage, frozen=True, tag="speech_started"):
    """The caller began to speak at this sample; the same sample again means that turn goes on."""

    sample: int


class SpeechStopped(ServerMessage, frozen=True, tag="speech_stopped"):
    """The worker decided at this sample that the caller's turn is over."""

    sample: int


class Heard(ServerMessage, frozen=True, tag="heard"):
    """The transcript of the caller's turn so far; `rough`: spelt as it sounded, not in words."""

    text: str
    final: bool
    rough: bool


class ReplyStarted(ServerMessage, frozen=True, tag="reply_started"):
    """A reply begins with this frame."""

    generation: int
    frame: int


class ReplyDone(ServerMessage, frozen=True, tag="reply_done"):
    """A reply is complete; its last frame is the one before `frame`."""

    generation: int
    frame: int
    reason: str


class Text(ServerMessage, frozen=True, tag="text"):
    """Words of a reply; their audio begins with this frame."""

    generation: int
    frame: int
    text: str


class Clear(ServerMessage, frozen=True, tag="clear"):
    """The caller interrupted this reply: play no more of it. `next_frame` comes next."""

    generation: int
    next_frame: int


class Skip(ServerMessage, frozen=True, tag="skip"):
    """The frames `first` to `last` will not come."""

    first: int
    last: int
    reason: str
