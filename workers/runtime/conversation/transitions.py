"""Defines the changes of a session's state that the turn policies share. Pure.

Each changes the state and asks for work in the step's draft.
"""

from typing import Final

from msgspec import structs

from shared.audio import pcm16_from_bytes
from shared.log.records import (
    Base,
    Brief,
    Clear,
    NoReply,
    ReplyDone,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Truncate,
    fields_of,
)
from workers.engines.base import Speak
from workers.runtime.conversation.patience import PAUSE_MS
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.state import Aside, Context, Phase, State
from workers.runtime.conversation.step import Chunk, Draft

MAX_HEAR: Final = 8  # chunks a step hears when it catches up; more would stall other sessions


def sleep(state: State, draft: Draft) -> None:
    """End the turn and the reply; only the VAD continues."""
    state.phase = Phase.ASLEEP
    state.reply = None
    close_context(state)
    end_transcript(state, draft)
    state.confirmed = False
    end_pause(state)
    draft.drop_work()


def end(state: State, draft: Draft) -> None:
    """End the reply where it is, and the turn."""
    if state.reply is not None:
        generation, frame = state.reply.generation, state.frame + 1
        draft.events.append(ReplyDone(generation=generation, frame=frame, reason="end"))
    sleep(state, draft)


def begin_context(state: State, draft: Draft, chunks: list[Chunk], n: int = 0) -> None:
    """Begin a turn that has heard these chunks, or nothing at input record `n`."""
    close_context(state)
    end_transcript(state, draft)
    first, last = (chunks[0].n, chunks[-1].n) if chunks else (n, n)
    count = len(chunks)
    state.context = Context(first=first, chunks=count, last=last, lasted=count)
    state.brief = state.next_brief
    state.phase = Phase.HEARING
    state.confirmed = False
    end_pause(state)
    state.transcript.begin()
    draft.drop_work()
    draft.reset, draft.hear = True, chunks


def end_transcript(state: State, draft: Draft) -> None:
    """Report a turn's words so far, if the engine has not given all of them."""
    if state.transcript.due:
        draft.events += state.transcript.end()


def close_context(state: State) -> None:
    """The turn cannot continue."""
    if state.context is not None:
        state.context = None
        state.memory.close_turn()


def reopen_turn(state: State, draft: Draft, chunks: list[Chunk]) -> None:
    """The caller goes on with the turn that is being answered: withdraw the reply.

    `chunks`: the audio since the turn's end.
    """
    if state.context is None or state.reply is None:
        raise RuntimeError("Expected a context and its reply to reopen a turn, got none")
    reply = state.reply
    draft.truncates.append(
        Truncate(generation=reply.generation, keep_step=reply.before, reopened=True)
    )
    _stop_reply(state, draft, reply)
    _hear(state.context, chunks)
    state.context.lasted += len(chunks)
    state.context.reopened = True
    state.phase = Phase.HEARING
    state.confirmed = True
    state.transcript.reopen()
    draft.events.append(SpeechStarted(n=state.context.started))
    draft.drop_work()
    draft.reopened, draft.hear, draft.full = True, chunks, True


def take_brief(state: State, draft: Draft, brief: Brief) -> None:
    """Behave like this from the next turn on, or from the current one while the caller speaks."""
    given = {name: value for name, value in fields_of(brief).items() if value is not None}
    state.next_brief = structs.replace(state.next_brief, **given)
    if state.phase is Phase.HEARING and state.next_brief != state.brief:
        state.brief = state.next_brief
        draft.rebriefed = True


def hear(state: State, draft: Draft, chunk: Chunk) -> None:
    """Let the engine hear one more chunk of the turn, and what was withheld before it."""
    withheld = (state.context.last if state.context is not None else 0) or chunk.n
    chunks = [*(each for each in state.ring if withheld < each.n < chunk.n), chunk]
    if state.context is not None:
        _hear(state.context, chunks)
        state.context.lasted += 1
    draft.hear += chunks
    draft.full = len(draft.hear) >= MAX_HEAR


def withhold(state: State) -> None:
    """Keep this chunk from the engine, unless the caller goes on soon."""
    if state.context is not None:
        state.context.lasted += 1


def _hear(context: Context, chunks: list[Chunk]) -> None:
    context.chunks += len(chunks)
    context.last = chunks[-1].n


def confirm_speech(state: State, draft: Draft, n: int) -> None:
    """The current sound, since input record `n`, is long enough to be speech."""
    state.confirmed = True
    draft.events.append(SpeechStarted(n=n))
    if state.context is not None and not state.context.spoke:
        state.context.spoke, state.context.started = True, n


def end_turn(state: State, draft: Draft, n: int, *, spoken: bool = True) -> None:
    """The caller's turn ends with input record `n`: let the engine begin its reply."""
    if spoken:
        draft.events.append(SpeechStopped(n=n))
    state.confirmed = False
    if state.context is not None:
        state.context.finished = state.finished
    draft.speak, draft.full, draft.paused = Speak.BEGIN, True, state.paused
    end_pause(state)
    state.ring.clear()
    begin_reply(state)


def report_end(state: State, draft: Draft, n: int) -> None:
    """The caller has stopped speaking at input record `n`; the turn goes on until a commit."""
    state.confirmed = False
    draft.full = True
    draft.events.append(SpeechStopped(n=n, goes_on=True))


def take_text(state: State, draft: Draft, n: int, text: str) -> None:
    """The caller typed, with input record `n`: answer that, together with the speech before it."""
    clear_reply(state, draft)
    if state.phase is not Phase.HEARING or state.context is None or not state.context.spoke:
        begin_context(state, draft, [], n)
    spoken = state.context is not None and state.context.spoke
    if state.context is not None:
        state.context.typed = True
    end_turn(state, draft, n, spoken=spoken)
    draft.typed, draft.paused = text, False


def note_pause(state: State, draft: Draft) -> None:
    """Let an engine that prepares get the answer ready while the caller pauses.

    The step in which a pause begins ends there, so that the opinion comes before the next chunk.
    """
    if state.detector.silence_ms < PAUSE_MS or not (state.confirmed or state.paused):
        end_pause(state)
    elif not state.paused:
        state.paused = draft.full = True
    draft.paused = state.paused


def end_pause(state: State) -> None:
    """The caller goes on, or the turn is over."""
    state.paused, state.finished = False, None


def begin_reply(state: State, *, over_speech: bool = False) -> None:
    """The next frame begins a new reply.

    `over_speech`: the model began it while the caller speaks. The caller may interrupt it at once.
    """
    state.generation += 1
    state.reply = Reply(
        generation=state.generation, first=state.frame + 1, before=state.step, kept=state.step
    )
    state.detector.echo.begin(state.frame + 1)
    state.phase = Phase.REPLYING
    state.armed = over_speech or state.detector.paused
    state.aside = Aside()
    if not over_speech:
        state.detector.forget_run()


def finish_reply(state: State, reply: Reply, step: int, *, reopens: bool) -> None:
    """The reply is made; the caller can still interrupt it until it is played.

    `reopens`: the caller can also continue the turn.
    """
    if state.context is not None:
        state.memory.set_answered(first=state.context.base, last=step, generation=reply.generation)
    state.waited = 0
    state.phase = Phase.PLAYING
    played = state.frame <= state.played or state.frame < reply.first
    if played:
        state.phase, state.reply = Phase.ASLEEP, None
    if played or not reopens:
        close_context(state)


def clear_reply(state: State, draft: Draft) -> None:
    """Stop the reply: the caller hears no more of it."""
    reply = state.reply
    if reply is None:
        return
    draft.truncates.append(Truncate(generation=reply.generation, keep_step=reply.kept))
    if state.context is not None:
        state.memory.set_answered(
            first=state.context.base, last=state.step, generation=reply.generation
        )
    state.memory.cut(reply.kept, frames=reply.played_frames(state.played))
    _stop_reply(state, draft, reply)


def hush(state: State, draft: Draft) -> None:
    """Drop the reply; the engine continues unheard until it begins another one."""
    if state.reply is not None:
        _stop_reply(state, draft, state.reply)
        state.phase = Phase.HEARING


def _stop_reply(state: State, draft: Draft, reply: Reply) -> None:
    generation, next_frame = reply.generation, state.frame + 1
    if reply.announced:
        draft.events.append(Clear(generation=generation, next_frame=next_frame))
    else:
        draft.events.append(NoReply(generation=generation))
    if reply.announced and not reply.done:
        draft.events.append(ReplyDone(generation=generation, frame=next_frame, reason="cancelled"))
    state.detector.echo.playback.stop()
    state.reply = None


def note_played(state: State, draft: Draft, frame: int) -> None:
    """The caller's playhead has passed every frame up to this one."""
    state.played = max(state.played, min(frame, state.frame))
    state.detector.echo.playback.played(state.played)
    if state.reply is not None:
        state.reply.note_played(state.played)
    if state.phase is Phase.PLAYING and state.played >= state.frame:
        sleep(state, draft)


def note_speech(state: State, speech: Speech) -> None:
    """The assistant says this; it may come back through the caller's microphone."""
    state.detector.echo.playback.say(speech.frame, pcm16_from_bytes(speech.pcm))


def bases(state: State, draft: Draft) -> list[Base]:
    """The step's base record, if a new context begins."""
    if draft.reset and state.context is not None:
        return [Base(step=state.context.base, memory=state.memory.folded)]
    if not draft.rebased:
        return []
    state.memory.base_record = state.step + len(draft.truncates) + 1
    base = state.context.base if state.context else state.memory.base_record + 1
    return [Base(step=base, memory=state.memory.folded)]
