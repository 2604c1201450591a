"""A conversation's state as the last step of a commit carries it: msgpack, maps by name.

Not in it: the numbers that the meta hash holds, and the audio and steps that the log holds.
"""

from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

import msgpack

from shared.audio import Pcm16
from shared.errors import NewerFormat, SchemaError
from shared.log import formats
from shared.log.meta import Meta
from shared.log.records import Brief, fields_of
from shared.modes import ReplyMode, VadName
from workers.runtime.conversation import migration
from workers.runtime.conversation.limiter import Guard
from workers.runtime.conversation.memory import AnsweredTurn, Memory
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.speech_detector import SpeechDetector
from workers.runtime.conversation.state import Aside, Context, Phase, State
from workers.runtime.conversation.step import Chunk
from workers.runtime.conversation.transcript import Transcript
from workers.runtime.conversation.tuning import Tuning

_PACKER: Final = msgpack.Packer()  # made once, since each has a buffer of its own
# Field names and one getter for all of them: a third of the time of a getattr for each.
_FLAT: Final = {
    kind: (names, attrgetter(*names))
    for kind in (Tuning, Context, Aside, Transcript, AnsweredTurn)
    for names in [[f.name for f in fields(kind)]]
}
# Fields of State that are restored as they are.
_PLAIN: Final = (
    *("played", "phrase_played", "confirmed", "paused", "finished", "armed", "waited", "ended"),
)


def pack(state: State, version: int = formats.CURRENT) -> bytes:
    """Everything but what the meta hash and the log's other records hold, in this format."""
    body = {
        "version": version,
        "phase": state.phase,
        "tuning": _flat(state.tuning),
        "context": _flat(state.context) if state.context else None,
        "reply": _reply(state.reply) if state.reply else None,
        "memory": _memory(state.memory),
        "transcript": _flat(state.transcript),
        "aside": _flat(state.aside),
        "detector": state.detector.state(),
        "ring": [chunk.n for chunk in state.ring],
        "briefs": (fields_of(state.brief), fields_of(state.next_brief)),
        "played": state.played,
        "phrase_played": state.phrase_played,
        "confirmed": state.confirmed,
        "paused": state.paused,
        "finished": state.finished,
        "armed": state.armed,
        "waited": state.waited,
        "ended": state.ended,
    }
    if version == formats.PREVIOUS:
        body = migration.to_previous(body)
    return bytes(_PACKER.pack(body))


def unpack(packed: bytes, meta: Meta, audio: Mapping[int, Pcm16]) -> State:
    """The state that `pack` wrote, with the numbers of the session's meta hash.

    `audio`: the input log's chunks by record number, for the pre-roll ring. The log's other
    records hold the memory's steps and folded turns and the echo path's playback. Raises
    SchemaError on an older version, NewerFormat on a newer one.
    """
    body = _body(packed)
    tuning, context, reply = body["tuning"], body["context"], body["reply"]
    briefs = body["briefs"]
    state = State(
        tuning=Tuning(**{**tuning, "vad": VadName(tuning["vad"])}),
        mode=ReplyMode(meta.mode),
        detector=SpeechDetector.restore(body["detector"]),
        cursor=meta.cursor,
        step=meta.k,
        output=meta.m,
        frame=meta.f,
        generation=meta.generation,
        phase=Phase(body["phase"]),
        context=Context(**context) if context else None,
        reply=_restored_reply(reply) if reply else None,
        memory=_restored_memory(body["memory"]),
        transcript=Transcript(**body["transcript"]),
        brief=Brief(**briefs[0]),
        next_brief=Brief(**briefs[1]),
        aside=Aside(**body["aside"]),
        **{name: body[name] for name in _PLAIN},
    )
    state.ring.extend(Chunk(n, audio[n]) for n in body["ring"] if n in audio)
    return state


def _body(packed: bytes) -> dict[str, Any]:
    """A snapshot's body as this release writes it."""
    body = msgpack.unpackb(packed) if packed else {}
    version = body.get("version") if isinstance(body, dict) else None
    if version == formats.PREVIOUS:
        return migration.from_previous(body)
    if version != formats.CURRENT:
        kind = (
            NewerFormat if isinstance(version, int) and version > formats.CURRENT else SchemaError
        )
        raise kind(f"Expected a conversation's state of {formats.READS}, got {body!r:.80}")
    return dict(body)


def _flat(part: Tuning | Context | Aside | Transcript | AnsweredTurn) -> dict[str, Any]:
    names, values_of = _FLAT[type(part)]
    return dict(zip(names, values_of(part), strict=True))


def _reply(reply: Reply) -> dict[str, Any]:
    return {
        "generation": reply.generation,
        "first": reply.first,
        "before": reply.before,
        "kept": reply.kept,
        "steps": reply.steps,
        "wordless": reply.wordless,
        "announced": reply.announced,
        "worded": reply.worded,
        "done": reply.done,
        "gain": reply.guard.gain,
        "marks": list(reply.marks),
    }


def _restored_reply(body: Mapping[str, Any]) -> Reply:
    reply = Reply(
        generation=body["generation"],
        first=body["first"],
        before=body["before"],
        kept=body["kept"],
        steps=body["steps"],
        wordless=body["wordless"],
        announced=body["announced"],
        worded=body["worded"],
        done=body["done"],
        guard=Guard(body["gain"]),
    )
    reply.marks.extend((step, frame) for step, frame in body["marks"])
    return reply


def _memory(memory: Memory) -> dict[str, Any]:
    return {
        "answered": _flat(memory.answered) if memory.answered else None,
        "before": _flat(memory.before) if memory.before else None,
        "base_record": memory.base_record,
        "covered": memory.covered,
    }


def _restored_memory(body: Mapping[str, Any]) -> Memory:
    answered, before = body["answered"], body["before"]
    return Memory(
        answered=AnsweredTurn(**answered) if answered else None,
        before=AnsweredTurn(**before) if before else None,
        base_record=body["base_record"],
        covered=body["covered"],
    )
