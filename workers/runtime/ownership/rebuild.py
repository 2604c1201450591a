"""Rebuilds a session's state from its log, for a worker that has just claimed it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.audio import Pcm16, pcm16_from_bytes
from shared.errors import AntiphonError, Gone, SchemaError, SessionLost
from shared.log.meta import Meta
from shared.log.reads import StoredSession
from shared.log.records import (
    Audio,
    Base,
    Options,
    OutputRecord,
    Speech,
    Step,
    StepRecord,
    Truncate,
)
from shared.log.session_log import SessionLog
from shared.modes import ReplyMode
from shared.settings import Settings
from workers.engines.base import Opening, Past, Speak, Traits
from workers.runtime.conversation import snapshot
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.memory import Fold, NotedStep, listening_only, no_fold
from workers.runtime.conversation.state import Phase, State
from workers.runtime.conversation.step import SILENCE
from workers.runtime.conversation.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A session at the end of its log, and the opening for its slot in the engine."""

    conversation: Conversation
    opening: Opening


async def rebuild(
    log: SessionLog, sids: Sequence[str], settings: Settings, traits: Traits, fold: Fold
) -> list[Rebuilt | AntiphonError]:
    """Read sessions that this worker owns and recover each. Nobody else writes steps to them.

    A session that cannot go on gives its error: SessionLost when records are missing, SchemaError
    when a record cannot be read.
    """
    wholes = await log.read_sessions(sids)
    found: list[Rebuilt | AntiphonError] = []
    for sid, whole in zip(sids, wholes, strict=True):
        found.append(_recovered(sid, whole, settings, traits, fold))
        await asyncio.sleep(0)  # other tasks run in between
    return found


def _recovered(
    sid: str,
    whole: StoredSession | SchemaError | None,
    settings: Settings,
    traits: Traits,
    fold: Fold,
) -> Rebuilt | AntiphonError:
    if whole is None:
        return Gone(f"Expected a session {sid}, got none: it ended or expired")
    if isinstance(whole, SchemaError):
        return whole
    try:
        if whole.meta.k == 0:
            tuning = tuning_of(settings, whole.meta.first_options)
            return _fresh(whole.meta, tuning, traits, fold)
        return recover(whole, traits, fold)
    except AntiphonError as error:
        return error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return SchemaError(f"Expected a readable log of {sid}, got {error!r}")


def tuning_of(settings: Settings, options: Options) -> Tuning:
    """The worker's settings, overridden by the session's first options."""
    base = Tuning(
        vad_threshold=settings.vad_threshold,
        silence_ms=settings.turn_silence_ms,
        min_speech_ms=settings.turn_min_speech_ms,
        interrupt_ms=settings.interrupt_speech_ms,
        vad=settings.vad,
    )
    return base.with_options(options)


def recover(whole: StoredSession, traits: Traits, fold: Fold = no_fold) -> Rebuilt:
    """The conversation at the end of the log, and the opening for its slot in the engine.

    Raises SessionLost when a record that it needs is gone.
    """
    meta = whole.meta
    audio = {
        n: pcm16_from_bytes(record.pcm)
        for n, record in whole.inputs
        if isinstance(record, Audio) and n <= meta.cursor
    }
    state = snapshot.unpack(_last_state(whole.steps), meta, audio)
    _replay_echo(state, whole.outputs)
    base = state.context.base if state.context else meta.k + 1
    oldest = state.context.oldest_step if state.context else None
    heard_from = state.context.first if state.context else 0
    for k, past, numbers in _pasts(whole.steps, oldest or base, heard_from, audio):
        state.memory.note(k, past, numbers)
    state.memory.trim(oldest)
    state.memory.folded = _folded(whole.steps, state.memory.base_record)
    conversation = _conversation(state, meta, traits, fold)
    conversation.retention.note(whole.outputs)
    if state.context is None or state.phase is Phase.PLAYING:
        return Rebuilt(conversation, conversation.opening)
    opening = replace(
        conversation.opening,
        seed=meta.seed + state.context.seed(endless=bool(traits.carry_chunks)),
        history=state.memory.since(base),
        reheard=state.memory.until(base) if traits.carry_chunks else (),
        earlier=() if traits.folds else state.memory.recall(),
        memory=state.memory.folded,
    )
    if traits.carry_chunks:
        state.memory.drop_audio()  # it is in the opening, and nothing else needs it
    return Rebuilt(conversation, opening)


def _conversation(state: State, meta: Meta, traits: Traits, fold: Fold) -> Conversation:
    first = Opening(seed=meta.seed, persona=meta.persona, instructions=meta.instructions)
    return Conversation(state, traits=traits, fold=fold, first_opening=first)


def _fresh(meta: Meta, tuning: Tuning, traits: Traits, fold: Fold) -> Rebuilt:
    """A session that has no step yet."""
    state = State.new(tuning, ReplyMode(meta.mode))
    conversation = _conversation(state, meta, traits, fold)
    return Rebuilt(conversation, conversation.first_opening)


def _last_state(steps: Sequence[tuple[int, StepRecord]]) -> bytes:
    for _, record in reversed(steps):
        if isinstance(record, Step) and record.state:
            return record.state
    raise SessionLost(f"Expected a step with a state among {len(steps)}, got none")


def _folded(steps: Sequence[tuple[int, StepRecord]], base_record: int) -> bytes:
    """The folded turns, from the base record of that number. Raises SessionLost without it."""
    if not base_record:
        return b""
    for k, record in steps:
        if k == base_record and isinstance(record, Base):
            return record.memory
    raise SessionLost(f"Expected the base record {base_record}, got none: the memory is lost")


def _replay_echo(state: State, outputs: Sequence[tuple[int, OutputRecord]]) -> None:
    """Tell the echo path what the assistant said."""
    for _, record in outputs:
        if isinstance(record, Speech):
            state.detector.echo.playback.recall(record.frame, pcm16_from_bytes(record.pcm))


def _pasts(
    steps: Sequence[tuple[int, StepRecord]], base: int, first: int, audio: Mapping[int, Pcm16]
) -> Iterator[NotedStep]:
    """The steps in which the engine worked, except those of withdrawn replies.

    From step `base` and input record `first` on they hold the audio that they heard. Raises
    SessionLost when some of it is missing.
    """
    withdrawn = [
        range(record.keep_step + 1, k)
        for k, record in steps
        if isinstance(record, Truncate) and record.reopened
    ]
    for k, step in _worked(steps):
        numbers = tuple(n for n in step.hear if n >= first) if k >= base else ()
        if missing := [n for n in numbers if n not in audio]:
            raise SessionLost(f"Expected the input records {missing[:5]} of the context, got none")
        heard = tuple(SILENCE if n in step.muted else audio[n] for n in numbers)
        past: Past | None = _past(step, heard)
        if past is not None and any(k in steps_of for steps_of in withdrawn):
            past = listening_only(past)
        if past is not None:
            yield NotedStep(k, past, numbers)


def _worked(steps: Sequence[tuple[int, StepRecord]]) -> Iterator[tuple[int, Step]]:
    """The steps in which the engine had something to do."""
    for k, record in steps:
        if isinstance(record, Step) and (record.hear or record.speak):
            yield k, record


def _past(step: Step, hear: tuple[Pcm16, ...]) -> Past:
    return Past(
        hear=hear,
        heard=step.heard,
        said=step.said,
        speak=Speak(step.speak),
        began=step.began,
        ended=step.ended,
    )
