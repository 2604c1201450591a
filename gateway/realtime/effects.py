"""What the dialect asks for: events for the client, sound and records for the log."""

from typing import NamedTuple

from gateway.realtime.server_events import ServerEvent
from shared.log.records import InputRecord


class AudioIn(NamedTuple):
    """Sound of the caller for the log: PCM16 at 24 kHz, of any length."""

    pcm: bytes


Effect = ServerEvent | AudioIn | InputRecord
Effects = list[Effect]
