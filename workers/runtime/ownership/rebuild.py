"""A session's state from its log: what a worker that has just claimed it goes on from."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from shared.audio import Pcm16, pcm16_from_bytes
from shared.errors import AntiphonError, Gone, SchemaError, SessionLost
from shared.log.meta import Meta
from shared.log.records import Audio, InputRecord, OutputRecord, Speech, Step, StepRecord
from shared.log.session_log import SessionLog, Whole
from shared.modes import ReplyMode
from shared.settings import Settings
from workers.engines.base import Opening, Past, Speak
from workers.runtime.conversation import snapshot
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.turn import Tuning

Found = tuple[Conversation, Opening]


async def rebuild(
    log: SessionLog, sids: Sequence[str], settings: Settings, *, gated: bool
) -> list[Found | AntiphonError]:
    """Read sessions that the caller owns, so that their logs stand still, and `recover` each.

    In place of one that cannot go on stands why: SessionLost when it is gone or not whole,
    SchemaError when it cannot be read.
    """
    wholes = await log.read_whole(sids)
    found: list[Found | AntiphonError] = []
    for sid, whole in zip(sids, wholes, strict=True):
        found.append(_recovered(sid, whole, settings, gated=gated))
        await asyncio.sleep(0)  # the others run in between
    return found


def _recovered(
    sid: str, whole: Whole | SchemaError | None, settings: Settings, *, gated: bool
) -> Found | AntiphonError:
    if whole is None:
        return Gone(f"Expected a session {sid}, got none: it ended or expired")
    if isinstance(whole, SchemaError):
        return whole
    try:
        tuning = Tuning.of_session(settings, whole.meta.options)
        if whole.meta.k == 0:
            return _fresh(whole.meta, tuning, gated=gated)
        return recover(whole.meta, tuning, whole.steps, whole.inputs, whole.outputs, gated=gated)
    except AntiphonError as error:
        return error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return SchemaError(f"Expected a readable log of {sid}, got {error!r}")


def recover(
    meta: Meta,
    tuning: Tuning,
    steps: Sequence[tuple[int, StepRecord]],
    inputs: Sequence[tuple[int, InputRecord]],
    outputs: Sequence[tuple[int, OutputRecord]],
    *,
    gated: bool,
) -> Found:
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
    for _, record in outputs:
        if isinstance(record, Speech):
            talk.ear.echo.playback.recall(record.frame, pcm16_from_bytes(record.pcm))
    for k, step in _worked(steps):
        talk.memory.note(k, Past((), step.heard, step.said, *_flags(step)))
    talk.memory.trim(talk.context.base if talk.context else None)
    if talk.context is None:
        return talk, Opening(meta.seed, persona=talk.persona)
    base = talk.context.base
    history = _history(steps, base, audio)
    return talk, Opening(meta.seed + base, history, talk.memory.recall(), talk.persona)


def _fresh(meta: Meta, tuning: Tuning, *, gated: bool) -> Found:
    mode = ReplyMode(meta.mode)
    talk = Conversation(tuning, mode, gated=gated, seed=meta.seed, persona=meta.persona)
    return talk, Opening(meta.seed, persona=meta.persona)


def _last_state(steps: Sequence[tuple[int, StepRecord]]) -> bytes:
    for _, record in reversed(steps):
        if isinstance(record, Step) and record.state:
            return record.state
    raise SessionLost(f"Expected a step with a state among {len(steps)}, got none")


def _history(
    steps: Sequence[tuple[int, StepRecord]], base: int, audio: Mapping[int, Pcm16]
) -> tuple[Past, ...]:
    """The steps since the context base. Raises SessionLost when audio that they heard is gone."""
    since = [step for k, step in _worked(steps) if k >= base]
    if missing := [n for step in since for n in step.hear if n not in audio]:
        raise SessionLost(f"Expected the input records {missing[:5]} of the context, got none")
    return tuple(Past(tuple(audio[n] for n in s.hear), s.heard, s.said, *_flags(s)) for s in since)


def _worked(steps: Sequence[tuple[int, StepRecord]]) -> Iterator[tuple[int, Step]]:
    """The steps in which the engine had something to do."""
    for k, record in steps:
        if isinstance(record, Step) and (record.hear or record.speak):
            yield k, record


def _flags(step: Step) -> tuple[Speak, bool, bool]:
    """What a Past says of a step besides what was heard and said."""
    return Speak(step.speak), step.began, step.ended
