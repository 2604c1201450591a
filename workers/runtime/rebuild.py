"""A session's state from its log: what a worker that has just claimed it goes on from."""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.audio import Pcm16, pcm16_from_bytes
from shared.config import ReplyMode, Settings
from shared.errors import Gone, SchemaError, SessionLost
from shared.messages import Audio, InputRecord, OutputRecord, Step, StepRecord
from shared.streams import Meta, SessionLog
from workers.engines.base import Opening, Past, Speak
from workers.runtime import snapshot
from workers.runtime.conversation import Conversation
from workers.runtime.turn import Tuning

# More than a log ever holds: 20 s of context, a full backlog, the controls between them.
_READ_ALL: Final = 4_096


async def rebuild(
    log: SessionLog, sid: str, settings: Settings, *, gated: bool
) -> tuple[Conversation, Opening]:
    """Read a session that the caller owns, so that its log stands still, and `recover` it.

    Raises SessionLost when it is gone or not whole, SchemaError when it cannot be read.
    """
    meta = (await log.metas([sid]))[0]
    if meta is None:
        raise Gone(f"Expected a session {sid}, got none: it ended or expired")
    try:
        tuning = Tuning.of_session(settings, meta.options)
        if meta.k == 0:
            return _fresh(meta, tuning, gated=gated)
        steps = await log.read_steps(sid)
        (inputs,) = await log.read_inputs([(sid, 0)], _READ_ALL)
        (outputs,) = await log.read_outputs([(sid, 0)], _READ_ALL)
        return recover(meta, tuning, steps, inputs, outputs, gated=gated)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise SchemaError(f"Expected a readable log of {sid}, got {error!r}") from error


def recover(
    meta: Meta,
    tuning: Tuning,
    steps: Sequence[tuple[int, StepRecord]],
    inputs: Sequence[tuple[int, InputRecord]],
    outputs: Sequence[tuple[int, OutputRecord]],
    *,
    gated: bool,
) -> tuple[Conversation, Opening]:
    """The conversation where the log ends, and what the engine opens its slot with.

    Raises SessionLost when a record that it needs is gone.
    """
    talk, _ = _fresh(meta, tuning, gated=gated)
    audio = {
        n: pcm16_from_bytes(record.pcm)
        for n, record in inputs
        if isinstance(record, Audio) and n <= meta.cursor
    }
    snapshot.restore(talk, meta, snapshot.unpack(_last_state(steps)), audio)
    talk.retention.note(outputs)
    if talk.context is None:
        return talk, Opening(meta.seed)
    base = talk.context.base
    return talk, Opening(meta.seed + base, _history(steps, base, audio))


def _fresh(meta: Meta, tuning: Tuning, *, gated: bool) -> tuple[Conversation, Opening]:
    talk = Conversation(tuning, ReplyMode(meta.mode), gated=gated, seed=meta.seed)
    return talk, Opening(meta.seed)


def _last_state(steps: Sequence[tuple[int, StepRecord]]) -> bytes:
    for _, record in reversed(steps):
        if isinstance(record, Step) and record.state:
            return record.state
    raise SessionLost(f"Expected a step with a state among {len(steps)}, got none")


def _history(
    steps: Sequence[tuple[int, StepRecord]], base: int, audio: Mapping[int, Pcm16]
) -> tuple[Past, ...]:
    """The steps since the context base. Raises SessionLost when audio that they heard is gone."""
    since = [s for k, s in steps if k >= base and isinstance(s, Step) and (s.hear or s.speak)]
    if missing := [n for step in since for n in step.hear if n not in audio]:
        raise SessionLost(f"Expected the input records {missing[:5]} of the context, got none")
    return tuple(
        Past(tuple(audio[n] for n in s.hear), s.heard, s.said, Speak(s.speak), s.began, s.ended)
        for s in since
    )
