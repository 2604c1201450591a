"""A conversation's state as the last step of a commit carries it: msgpack, a map by name."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgpack

from shared.audio import Pcm16
from shared.errors import SchemaError
from shared.log.meta import Meta
from shared.modes import ReplyMode
from workers.runtime.conversation.context import Context, Phase
from workers.runtime.conversation.ear import Ear
from workers.runtime.conversation.memory import Extent
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.turn import Chunk, Tuning

if TYPE_CHECKING:
    from workers.runtime.conversation.conversation import Conversation

VERSION: Final = 5
_PACKER: Final = msgpack.Packer()  # made once, since each has a buffer of its own


def pack(talk: "Conversation") -> bytes:
    """Everything but the numbers that the meta hash holds and the audio that the log holds."""
    c = talk.context
    tuning = talk.tuning
    body = {
        "version": VERSION,
        "phase": int(talk.phase),
        "tuning": [tuning.vad_threshold, tuning.silence_ms, tuning.min_speech_ms, tuning.manual],
        "context": [c.first, c.chunks, c.base, c.spoke] if c else None,
        "memory": list(talk.memory.extent) if talk.memory.extent else None,
        "transcript": talk.transcript.state(),
        "reply": talk.reply.state() if talk.reply else None,
        "ear": talk.ear.state(),
        "ring": [chunk.n for chunk in talk.ring],
        "flags": [talk.confirmed, talk.armed],
        "counts": [talk.waited, talk.played],
    }
    return bytes(_PACKER.pack(body))


def unpack(state: bytes) -> dict[str, Any]:
    """A step's state -> the map that `pack` made. Raises SchemaError on another version's."""
    body = msgpack.unpackb(state) if state else {}
    if not isinstance(body, dict) or body.get("version") != VERSION:
        raise SchemaError(f"Expected a conversation's state of version {VERSION}, got {body!r:.80}")
    return body


def restore(
    talk: "Conversation", meta: Meta, state: Mapping[str, Any], audio: Mapping[int, Pcm16]
) -> None:
    """Bring a fresh conversation to where the log says it stood.

    `audio`: the input log's chunks by record number; it must hold the pre-roll ring's.
    """
    talk.mode = ReplyMode(meta.mode)
    talk.cursor, talk.step, talk.output, talk.frame = meta.cursor, meta.k, meta.m, meta.f
    talk.generation = meta.generation
    talk.phase = Phase(state["phase"])
    talk.tuning = Tuning(*state["tuning"])
    talk.context = Context(*state["context"]) if state["context"] else None
    talk.memory.extent = Extent(*state["memory"]) if state["memory"] else None
    talk.transcript.restore(state["transcript"])
    talk.reply = Reply.restore(state["reply"]) if state["reply"] else None
    talk.ear = Ear.restore(state["ear"])
    talk.ring.extend(Chunk(n, audio[n]) for n in state["ring"] if n in audio)
    talk.confirmed, talk.armed = state["flags"]
    talk.waited, talk.played = state["counts"]
