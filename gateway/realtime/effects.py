"""What goes in and out of a dialect: events for the client, sound and records for the log."""

from typing import NamedTuple

from gateway.realtime.server_events import ServerEvent
from shared.log.records import InputRecord


class AudioIn(NamedTuple):
    """Sound of the caller for the log: PCM16 at 24 kHz, of any length."""

    pcm: bytes


class PlayedTo(NamedTuple):
    """The client's player has played every frame of the call up to this one."""

    frame: int


class Hangup(NamedTuple):
    """The session is over: close the socket."""


class ReplySound(NamedTuple):
    """Frames of one reply that leave together: PCM16 at 24 kHz. It comes from the playout."""

    generation: int
    last_frame: int
    frames: int
    pcm: bytes


Effect = ServerEvent | AudioIn | InputRecord | PlayedTo | Hangup
Effects = list[Effect]
