"""Turns the events of a playout into messages for the client. Sans I/O."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from gateway.call.playout import Event, TextAt
from gateway.protocol import server_messages
from gateway.protocol.server_messages import ServerMessage
from shared.log.records import (
    Clear,
    Heard,
    ReplyDone,
    ReplyStarted,
    Skip,
    SpeechStarted,
    SpeechStopped,
    fields_of,
)

# The fields of these records are the fields of their messages.
_MESSAGES: Final[dict[type[Event], type[ServerMessage]]] = {
    Heard: server_messages.Heard,
    ReplyStarted: server_messages.ReplyStarted,
    ReplyDone: server_messages.ReplyDone,
    Clear: server_messages.Clear,
    Skip: server_messages.Skip,
}


def message_of(event: Event, sample_of: Callable[[int], int]) -> ServerMessage:
    """The message for an event; `sample_of`: input record n -> its first sample."""
    match event:
        case SpeechStarted(n=n):
            return server_messages.SpeechStarted(sample=sample_of(n))
        case SpeechStopped(n=n):
            return server_messages.SpeechStopped(sample=sample_of(n))
        case TextAt():
            return server_messages.Text(**asdict(event))
        case _:
            return _MESSAGES[type(event)](**fields_of(event))
