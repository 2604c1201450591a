"""Runs one session's conversation: input records in, numbered step and output records out.

Pure: no Redis, no torch, no clock, no await; time is counted in chunks and frames. A step is

    conversation.offer(records)            # input records, in order
    plan = conversation.plan()             # None: nothing to do
    output = None if plan.idle else engine.step([plan.work(slot)])[0]  # plan.opening first
    write = conversation.settle(output)    # step and output records, all numbered

A takeover continues from the state that the last step carries, as if nothing had happened.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from shared.audio import Pcm16, pcm16_from_bytes
from shared.log import formats
from shared.log.records import (
    Audio,
    Base,
    Brief,
    Cancel,
    Commit,
    Discard,
    End,
    Heard,
    History,
    InputRecord,
    Mode,
    Options,
    OutputRecord,
    Played,
    Speech,
    SpeechStopped,
    Step,
    Truncate,
    Typed,
)
from shared.modes import ReplyMode
from shared.voices import Persona
from workers.audio.silero_vad import SileroVad
from workers.engines.base import Opening, Output, Speak, Traits
from workers.runtime.conversation import overlap, snapshot, transitions
from workers.runtime.conversation.memory import Fold, no_fold, past_of
from workers.runtime.conversation.retention import Retention
from workers.runtime.conversation.state import Context, Phase, State
from workers.runtime.conversation.step import Chunk, Draft, LogWrite, Plan
from workers.runtime.conversation.tuning import Tuning
from workers.runtime.conversation.turn_taking import Policies, TurnPolicy

MAX_LEAD_FRAMES: Final = 200  # 4 s made ahead of the playhead
DEFAULT_TRAITS: Final = Traits()
DEFAULT_OPENING: Final = Opening(seed=0)
MAX_AHEAD: Final = 8  # chunks that a trained VAD hears ahead: as many as a step does


class Conversation:
    """One session. Only its owner writes, so all record numbers are its own."""

    def __init__(
        self,
        state: State | None = None,
        *,
        traits: Traits = DEFAULT_TRAITS,
        fold: Fold = no_fold,
        first_opening: Opening = DEFAULT_OPENING,
    ) -> None:
        """`first_opening`: the session's seed, persona and instructions, as every opening has."""
        self.state = state or State.new(Tuning())
        self.traits = traits
        self.fold = fold
        self.first_opening = first_opening
        self.retention = Retention()
        self._policies = Policies(traits)
        # How turns begin and end at the moment. The loop asks too often to look it up each time.
        self.policy: TurnPolicy = self._policies.of(self.state.mode, self.state.tuning)
        self._inbox: deque[tuple[int, InputRecord]] = deque()
        self._draft: Draft | None = None
        self._idle_step = 0  # the last step if it did nothing, else 0; 0 after a takeover

    @property
    def opening(self) -> Opening:
        """The session's first opening with the brief of the current turn."""
        brief, first = self.state.brief, self.first_opening
        return replace(
            first,
            persona=Persona(
                first.persona.voice if brief.voice is None else brief.voice,
                first.persona.style if brief.style is None else brief.style,
            ),
            instructions=first.instructions if brief.instructions is None else brief.instructions,
        )

    # For the scheduler

    @property
    def lead(self) -> int | None:
        """Frames that a reply in the making is ahead of the playhead; None without such a reply."""
        state = self.state
        if state.reply is None or not self.policy.runs_ahead or state.phase is not Phase.REPLYING:
            return None
        return state.reply.lead(state.frame, state.played)

    @property
    def resting(self) -> bool:
        """Whether no record waits and no reply is in the making."""
        return not self._inbox and self.lead is None

    @property
    def waiting(self) -> int:
        """Input records that were offered and not consumed."""
        return len(self._inbox)

    def ready(self, *, may_continue: bool = True) -> bool:
        """Whether a step would do anything; `may_continue` as in `plan`."""
        return bool(self._inbox) or (may_continue and self._may_speak)

    @property
    def _may_speak(self) -> bool:
        lead = self.lead
        if lead is None or overlap.holds(self.state):
            return False
        return lead + self.traits.burst_frames <= MAX_LEAD_FRAMES

    @property
    def vad_backlog(self) -> tuple[SileroVad, list[Pcm16]] | None:
        """A VAD that can take audio ahead, as one batch with others', and the next audio for it.

        Taking it ahead only makes `plan` faster.
        """
        vad = self.state.detector.batched_vad
        if vad is None or not self._inbox or not self.policy.guarded:
            return None
        waiting = [record.pcm for _, record in self._inbox if isinstance(record, Audio)]
        return vad, [pcm16_from_bytes(pcm) for pcm in waiting[:MAX_AHEAD]]

    # One step

    def offer(self, records: Iterable[tuple[int, InputRecord]]) -> None:
        """Take more input records; those offered before are ignored."""
        newest = self._inbox[-1][0] if self._inbox else self.state.cursor
        self._inbox.extend((n, record) for n, record in records if n > newest)

    def plan(self, *, may_continue: bool = True) -> Plan | None:
        """Consume records as far as one engine step goes. None: nothing to do.

        `may_continue` False: a reply that is well ahead waits for more urgent sessions.
        """
        if not self.ready(may_continue=may_continue):
            return None
        draft = Draft()
        while self._inbox and not draft.full and not self.state.ended:
            self.state.cursor, record = self._inbox.popleft()
            draft.consumed = True
            self._take(self.state.cursor, record, draft)
        if may_continue and draft.speak is Speak.NONE and self._may_speak:
            draft.speak = Speak.CONTINUE
        if not draft.consumed and draft.speak is Speak.NONE:
            return None
        self._draft = draft
        return Plan(
            opening=self._opening(draft),
            hear=tuple(chunk.pcm for chunk in draft.hear),
            speak=draft.speak,
            lead=self.lead or 0,
            paused=draft.paused,
            aside=tuple(chunk.pcm for chunk in draft.aside),
            aside_joins=draft.aside_joins,
            typed=draft.typed,
        )

    def _take(self, n: int, record: InputRecord, draft: Draft) -> None:
        state = self.state
        match record:
            case Audio(pcm):
                self.policy.hear(state, draft, Chunk(n, pcm16_from_bytes(pcm)))
            case Played(frame):
                transitions.note_played(state, draft, frame)
            case Mode(mode):
                self._switch(ReplyMode(mode), draft)
            case Commit():
                self.policy.commit(state, draft, n)
            case Cancel():
                self.policy.cancel(state, draft)
            case Discard():
                self.policy.discard(state, draft)
            case Brief():
                transitions.take_brief(state, draft, record)
            case History():
                self._replace_memory(record, draft)
            case Typed(text) if self.traits.reads:  # else the fleet has changed since it was asked
                transitions.take_text(state, draft, n, text)
            case Options():
                state.tuning = state.tuning.with_options(record)
                self.policy = self._policies.of(state.mode, state.tuning)
            case End():
                state.ended = True
        # Detach changes nothing: the call goes on, and its caller may come back.

    def _replace_memory(self, history: History, draft: Draft) -> None:
        """Remember these turns; a turn that is being heard goes on after them."""
        state = self.state
        state.memory.set_folded(history.turns if self.traits.folds else b"", history.generation)
        draft.rebased = self.traits.folds
        if state.phase is Phase.HEARING:
            draft.rebriefed = True

    def _switch(self, mode: ReplyMode, draft: Draft) -> None:
        if mode == self.state.mode:
            return
        following = self._policies.of(mode, self.state.tuning)
        if following is self.policy:
            self.state.mode = mode  # the engine has one way of taking turns
            return
        self.policy.leave(self.state, draft)
        self.state.mode, self.policy = mode, following
        if not self.traits.folds:
            self.state.memory.forget()  # training shows no two turns of different modes
        self.policy.enter(self.state, draft)

    def _opening(self, draft: Draft) -> Opening | None:
        state = self.state
        if state.context is None:
            return None
        if not draft.reset and self.traits.carry_chunks:
            changed = draft.moved or draft.rebriefed
            return self._moving(state.context, draft) if changed else None
        if not draft.reset:
            changed = draft.reopened or draft.rebriefed
            return self._reopening(state.context, draft) if changed else None
        # After the truncates come the base record itself and then the step.
        base = state.context.base = state.step + len(draft.truncates) + 2
        first, memory = replace(self.opening, seed=self._seed(state.context)), state.memory
        if self.traits.folds:
            return replace(first, memory=memory.fold(self.fold, base_record=base - 1))
        memory.fade(state.step)
        return replace(first, earlier=memory.open_turn())

    def _seed(self, context: Context) -> int:
        return self.first_opening.seed + context.seed(endless=bool(self.traits.carry_chunks))

    def _reopening(self, context: Context, draft: Draft) -> Opening:
        """The turn's opening again, with all its steps except those of a withdrawn reply."""
        memory, opening = self.state.memory, self.opening
        before = draft.truncates[-1].keep_step if draft.reopened else self.state.step
        return replace(
            opening,
            seed=self._seed(context),
            history=memory.reopen(context.base, before),
            earlier=memory.recall(),
            memory=memory.folded,
        )

    def _moving(self, context: Context, draft: Draft) -> Opening:
        """An opening with the context's newest steps, which stay."""
        opening, memory = self.opening, self.state.memory
        base = context.base = memory.newest(self.traits.carry_chunks)
        history = memory.since(base)
        context.moved = context.chunks - len(draft.hear) - len(history)
        return replace(opening, seed=self._seed(context), history=history, moved=True)

    def settle(self, output: Output | None, version: int = formats.CURRENT) -> LogWrite:
        """The planned step's records, with what the engine returned (None when it was idle).

        `version`: the format of the snapshot.
        """
        draft, self._draft = self._draft, None
        if draft is None:
            raise RuntimeError("Expected plan() before settle(), got none: plan a step first")
        state, output = self.state, output or Output(slot=-1)
        steps: list[Truncate | Base | Step] = [*draft.truncates, *transitions.bases(state, draft)]
        number = state.step + len(steps) + 1
        self.policy.note_output(state, draft, output)
        transcript = self._transcribe(draft, output)
        outputs = [*draft.events, *transcript, *self._say(draft.speak, output, number)]
        first_step, first_output = state.step + 1, state.output + 1
        self.retention.note(enumerate(outputs, first_output))
        state.step, state.output = number, state.output + len(outputs)
        drop_step = self._note_step(number, draft, output)
        self._slide(output.settled)
        keep_steps = self._keep_steps()  # before the snapshot: an old turn may fade here
        steps.append(self._step(draft, output, version))
        return LogWrite(
            first_step=first_step,
            steps=tuple(steps),
            first_output=first_output,
            outputs=tuple(outputs),
            cursor=state.cursor,
            frame=state.frame,
            generation=state.generation,
            mode=state.mode,
            keep_inputs=self._keep_inputs(),
            keep_steps=keep_steps,
            keep_outputs=self.retention.oldest_output(state.output, state.frame, state.played),
            drop_step=drop_step,
        )

    def _transcribe(self, draft: Draft, output: Output) -> Sequence[Heard]:
        """The caller's words to report: all of them when the turn is over."""
        transcript = self.state.transcript
        if output.rough:
            transcript.add_letters(output.rough)
        if output.words:
            transcript.set_words(output.words)
        stopped = next((e for e in reversed(draft.events) if isinstance(e, SpeechStopped)), None)
        # If the engine has an opinion on this pause, it knows the words already.
        known = stopped is not None and stopped.goes_on and self.state.finished is not None
        if draft.typed or (stopped is not None and self.traits.prepares and not known):
            transcript.due = True  # it may take the engine some steps to transcribe the turn
        if transcript.due and (output.words or output.ended):
            return transcript.end()
        if stopped is not None and not transcript.due:
            return transcript.end()
        return transcript.running() if self.state.confirmed else []

    def _say(self, speak: Speak, output: Output, step: int) -> list[OutputRecord]:
        """The records of the reply that this step made."""
        state, reply, policy = self.state, self.state.reply, self.policy
        if reply is None or speak is Speak.NONE:
            return []
        traits = self.traits
        records = reply.records(
            output,
            step,
            state.frame,
            most_steps=None if policy.endless else traits.max_reply_steps,
            most_wordless=None if policy.endless else traits.max_wordless_steps,
            lazy=traits.prepares,
        )
        for record in records:
            if isinstance(record, Speech):
                state.frame += record.frames
                if policy.guarded:
                    transitions.note_speech(state, record)
        if reply.done:
            policy.finish(state, reply, step)
        return records

    def _note_step(self, number: int, draft: Draft, output: Output) -> int:
        """Remember the step if the engine worked; return an older idle step to delete, or 0.

        While a turn is remembered, the log trims nothing after its start. So idle steps must be
        deleted one by one.
        """
        dropped, self._idle_step = self._idle_step, number
        if output.heard or draft.speak is not Speak.NONE:
            self._idle_step = 0
            # Audio costs much memory: only a turn that may be reopened needs it again.
            hear = tuple(chunk.pcm for chunk in draft.hear) if self.policy.reopens else ()
            numbers = tuple(chunk.n for chunk in draft.hear)
            self.state.memory.note(number, past_of(hear, draft.speak, output), numbers)
        return dropped

    def _slide(self, settled: int) -> None:
        """Drop the turn's oldest audio, which the engine no longer needs."""
        context = self.state.context
        if context is None or settled <= context.settled:
            return
        fresh, context.settled = settled - context.settled, settled
        context.chunks -= fresh
        context.first = self.state.memory.settle(context.base, fresh) or context.last + 1

    def _step(self, draft: Draft, output: Output, version: int) -> Step:
        return Step(
            cursor=self.state.cursor,
            generation=self.state.generation,
            hear=tuple(chunk.n for chunk in draft.hear),
            heard=output.heard,
            muted=tuple(draft.muted),
            said=output.said,
            speak=int(draft.speak),
            began=output.began,
            ended=output.ended,
            state=snapshot.pack(self.state, version),
        )

    def _keep_inputs(self) -> int:
        """The oldest input record that a rebuild may need."""
        state, next_record = self.state, self.state.cursor + 1
        return min(
            state.context.first if state.context else next_record,
            state.ring[0].n if state.ring else next_record,
        )

    def _keep_steps(self) -> int:
        """The oldest step record that a rebuild may need."""
        state = self.state
        if state.context is None and not self.traits.folds:
            state.memory.fade(state.step)
        first = state.memory.trim(state.context.oldest_step if state.context else None)
        needed = state.step if first is None else max(1, first - 1)
        return min(needed, state.memory.base_record or needed)
