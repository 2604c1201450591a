"""A Live session's configuration: what the client asks for, and what it is shown. Sans I/O."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from gateway.live.client_events import (
    MAX_MESSAGES,
    CustomVoice,
    Format,
    Message,
    SessionChanges,
    SessionConfig,
    delegation_of,
)
from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.client_messages import Start
from gateway.realtime.config import cut
from gateway.realtime.errors import RealtimeError, not_supported
from gateway.realtime.items import Item, Items
from shared.modes import ReplyMode
from shared.voices import DEFAULT

CODECS: Final[Mapping[str, Codec]] = {
    "audio/pcm": Codec.PCM16,
    "audio/pcmu": Codec.MULAW,
    "audio/pcma": Codec.ALAW,
}
RATES_HZ: Final = {Codec.PCM16: (24_000, 16_000), Codec.MULAW: (8_000,), Codec.ALAW: (8_000,)}

Session = dict[str, Any]


def session_of(config: SessionConfig, session_id: str, expires_at: int) -> Session:
    """The session as its client sees it. Raises RealtimeError for what there is not here."""
    _check(config)
    found = config.audio.format if config.audio else None
    audio = audio_format(found)
    kind = found.type if found else "audio/pcm"
    session: Session = {
        "id": session_id,
        "status": "active",
        "model": config.model,
        "expires_at": expires_at,
        "audio": {
            "format": {"type": kind, "rate": audio.rate_hz},
            "output": {"voice": _voice(config)},
        },
        "delegation": delegation_of(config.delegation),
        "store": False,
    }
    if config.instructions:
        session["instructions"] = cut(config.instructions)
    return session


def changed(session: Session, changes: SessionChanges) -> Session:
    """The session after an update. Raises RealtimeError."""
    if changes.triggers:
        raise not_supported("This server has no triggers", "session.triggers")
    new = delegation_of(changes.delegation)
    return {**session, "delegation": {**(session["delegation"] or {}), **new}} if new else session


def audio_format(wanted: Format | None) -> AudioFormat:
    """The encoding of the sound. Raises RealtimeError."""
    if wanted is None:
        return AudioFormat()
    codec = CODECS[wanted.type]
    rates = RATES_HZ[codec]
    if wanted.rate not in (None, *rates):
        expected = " or ".join(map(str, sorted(rates)))
        raise RealtimeError(
            "invalid_value",
            f"Invalid value: expected {expected} Hz for {wanted.type}, got {wanted.rate}.",
            "session.audio.format.rate",
        )
    return AudioFormat.of(codec, wanted.rate)


def format_of(session: Session) -> AudioFormat:
    """The encoding of a session that has begun."""
    shown = session["audio"]["format"]
    return AudioFormat.of(CODECS[shown["type"]], shown["rate"])


def start_of(config: SessionConfig, voices: Collection[str]) -> Start:
    """The session in the gateway's own terms: always in stream mode."""
    voice = _voice(config)
    return Start(
        mode=ReplyMode.STREAM.value,
        voice=voice if voice in voices and voice != DEFAULT else "",
        instructions=instructions_of(config),
    )


def instructions_of(config: SessionConfig) -> str:
    """The instructions, and the words of the developer's messages."""
    given = [m.content[0].text for m in config.input or () if m.role == "developer"]
    return cut("\n".join(filter(None, (config.instructions, *given))))


def history_of(config: SessionConfig) -> bytes:
    """The words of the messages before the session, as a `History` record has them; b"": none."""
    items = Items()
    for number, message in enumerate(config.input or ()):
        if message.role != "developer":
            text = message.content[0].text
            items.add(Item(str(number), message.role, "text", text=text))
    return items.folded() if len(items) else b""


def _voice(config: SessionConfig) -> str:
    voice = config.audio.output.voice if config.audio and config.audio.output else None
    name = voice.id if isinstance(voice, CustomVoice) else voice
    return (name or DEFAULT)[:64]


def _check(config: SessionConfig) -> None:
    """Raises RealtimeError for what only OpenAI's service has, and for wrong messages."""
    if config.client is not None:
        raise not_supported("A WebSocket has no data channel", "session.client")
    if config.store:
        raise not_supported("This server stores no sessions", "session.store")
    if config.triggers:
        raise not_supported("This server has no triggers", "session.triggers")
    if len(config.input or ()) > MAX_MESSAGES:
        raise RealtimeError(
            "invalid_value", f"Expected at most {MAX_MESSAGES} messages.", "session.input"
        )
    for number, message in enumerate(config.input or ()):
        _check_message(message, f"session.input[{number}].content")


def _check_message(message: Message, at: str) -> None:
    if len(message.content) != 1:
        raise RealtimeError(
            "invalid_value", f"Expected one text part, got {len(message.content)}.", at
        )
