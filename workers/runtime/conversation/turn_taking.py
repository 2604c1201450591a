"""Decides when a turn begins and ends, with one policy for each kind of session. Pure.

`Policies` chooses the policy. Policies hold no state, because a session may change its mode or its
options between any two records.
"""

from typing import Final, Protocol

from shared.log.records import SpeechStopped
from shared.modes import ReplyMode
from workers.engines.base import Output, Speak, Traits
from workers.runtime.conversation import overlap, transitions
from workers.runtime.conversation.full_duplex import FullDuplex
from workers.runtime.conversation.passthrough import Passthrough
from workers.runtime.conversation.patience import turn_silence_ms
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.state import MAX_RING_CHUNKS, Phase, State
from workers.runtime.conversation.step import Chunk, Draft
from workers.runtime.conversation.tuning import Tuning

PRE_ROLL_CHUNKS: Final = 5  # 400 ms before the onset: the VAD is late, the first sound is faint
# Over a reply it takes up to 400 ms more to tell the caller from the reply's own echo.
PRE_ROLL_OVER_CHUNKS: Final = 9
# Kept over a reply, so that a turn that interrupts it has its beginning.
OVER_REPLY_CHUNKS: Final = 25
MAX_TURN_CHUNKS: Final = 1_500  # 2 minutes; then a turn is answered
# Silence after speech that the engine hears. After 2 s or more of it, the hybrid model answers
# nothing; it was trained on 0.6 s.
REST_MS: Final = 1_000
STREAM_SLEEP_MS: Final = 4_000  # stream mode: after this much silence the model stays silent
MANUAL_REST_MS: Final = 1_000  # push-to-talk: silence that need not stay in the context
MANUAL_REST_CHUNKS: Final = 50
# Push-to-talk: a commit over a reply answers the last 2 s. One with less than 240 ms of audio is a
# bouncing key.
MAX_OVER_CHUNKS: Final = 25
MIN_OVER_CHUNKS: Final = 3
# If the caller goes on within this time of the answer's beginning, the turn was not over.
REOPEN_MS: Final = 1_500
AGAIN_MS: Final = 480  # stream mode: the pause before a duplex model answers a reopened turn
PLAYHEAD_GRACE_CHUNKS: Final = 25  # 2 s: then a reply counts as played without a report


class TurnPolicy(Protocol):
    """What a session does with each record of its caller."""

    reopens: bool  # a caller who goes on early in a reply continues the turn
    endless: bool  # replies have no step limit
    runs_ahead: bool  # replies are made faster than they are played
    guarded: bool  # the VAD hears the caller, and knows what the assistant says

    def hear(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """Take one chunk of the caller's audio."""

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """The caller ends the turn."""

    def cancel(self, state: State, draft: Draft) -> None:
        """The caller stops the reply."""

    def discard(self, state: State, draft: Draft) -> None:
        """The caller withdraws what was said since the last turn."""

    def enter(self, state: State, draft: Draft) -> None:
        """The session has switched to this policy's mode."""

    def leave(self, state: State, draft: Draft) -> None:
        """The session switches to another mode."""

    def note_output(self, state: State, draft: Draft, output: Output) -> None:
        """Take what the engine returned, before its records are written."""

    def finish(self, state: State, reply: Reply, step: int) -> None:
        """The reply's last step is step `step`."""


class Gated:
    """The base of policies that wake the engine when the VAD detects speech."""

    reopens = True
    endless = False
    runs_ahead = True
    guarded = True
    ring_over_reply = OVER_REPLY_CHUNKS

    def __init__(self, traits: Traits) -> None:
        self.traits = traits

    def hear(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """Take one chunk of the caller's audio."""
        if not state.detector.phrase_ms:
            state.phrase_played = state.played
        run_ms = state.detector.hear(chunk, state.tuning.vad_threshold)
        if state.phase is Phase.ASLEEP:
            if self.wakes(state):
                transitions.begin_context(state, draft, _pre_roll(state, chunk, PRE_ROLL_CHUNKS))
                self._judge(state, draft, chunk.n, run_ms)
        elif state.phase is Phase.HEARING:
            if self.rests(state):
                transitions.withhold(state)
            else:
                transitions.hear(state, draft, chunk)
            self._judge(state, draft, chunk.n, run_ms)
        else:
            self._hear_over_reply(state, draft, chunk)
        # The end of a turn has emptied the ring: its audio does not belong to the next turn.
        if draft.speak is not Speak.BEGIN:
            self._remember(state, chunk)

    def wakes(self, state: State) -> bool:
        """Whether a sleeping session begins to listen."""
        return state.detector.onset

    def rests(self, state: State) -> bool:
        """HEARING: whether this chunk is silence after speech that the engine need not hear."""
        spoke = state.context is not None and state.context.spoke
        return spoke and state.detector.silence_ms > REST_MS

    def _judge(self, state: State, draft: Draft, n: int, run_ms: int) -> None:
        if not state.confirmed and run_ms >= state.tuning.min_speech_ms:
            transitions.confirm_speech(state, draft, state.detector.run_n)
        self.judge(state, draft, n)

    def judge(self, state: State, draft: Draft, n: int) -> None:
        """HEARING: decide whether the turn is over."""
        raise NotImplementedError

    def _hear_over_reply(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """REPLYING or PLAYING: decide whether the caller speaks over the assistant."""
        early, asides = self._may_reopen(state), self.traits.reads
        if not state.armed:
            state.armed = state.detector.paused
        elif not state.tuning.interrupts:
            pass
        elif since := overlap.interrupts_from(state, early=early, asides=asides):
            self._interrupt(state, draft, chunk, since)
            return
        elif overlap.reads(state, asides=asides):
            overlap.ask_for_words(state, draft, chunk, early=early)
        if state.phase is Phase.PLAYING:
            if state.context is not None and not self._may_reopen(state):
                transitions.close_context(state)
            state.waited += 1
            unplayed = state.frame - state.played
            if state.waited * 4 > unplayed + PLAYHEAD_GRACE_CHUNKS * 4:
                transitions.sleep(state, draft)
        else:
            self.hear_while_replying(state, draft, chunk)

    def _interrupt(self, state: State, draft: Draft, chunk: Chunk, since: int) -> None:
        """End the reply, because the caller continues the turn or begins a new one."""
        if self._may_reopen(state) and state.context is not None:
            chunks = [each for each in (*state.ring, chunk) if each.n > state.context.last]
            transitions.reopen_turn(state, draft, chunks)
        else:
            transitions.clear_reply(state, draft)
            pre_roll = _pre_roll(state, chunk, PRE_ROLL_OVER_CHUNKS, since)
            transitions.begin_context(state, draft, pre_roll)
            transitions.confirm_speech(state, draft, since)
        self.judge(state, draft, chunk.n)

    def _may_reopen(self, state: State) -> bool:
        """Whether the current phrase belongs to the turn that is being answered."""
        context, reply = state.context, state.reply
        if not self.reopens or context is None or context.typed or reply is None:
            return False
        fits = context.chunks + MAX_RING_CHUNKS < self.traits.context_chunks
        fits = fits and context.lasted + MAX_RING_CHUNKS < MAX_TURN_CHUNKS
        return fits and reply.played_ms(state.phrase_played) <= REOPEN_MS

    def hear_while_replying(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """REPLYING: what the engine does with audio that interrupts nothing."""

    def _remember(self, state: State, chunk: Chunk) -> None:
        """Keep what a turn may begin with."""
        state.ring.append(chunk)
        most = PRE_ROLL_CHUNKS
        if state.phase in (Phase.REPLYING, Phase.PLAYING):
            most = MAX_RING_CHUNKS if self._may_reopen(state) else self.ring_over_reply
        while len(state.ring) > most:
            state.ring.popleft()

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """End the turn.

        During a reply a commit changes nothing. When the VAD ends the turns, the commit most likely
        means the turn that is being answered.
        """
        if state.phase is Phase.ASLEEP and state.ring:
            transitions.begin_context(state, draft, list(state.ring))
        if state.phase is Phase.HEARING:
            transitions.end_turn(state, draft, n)

    def cancel(self, state: State, draft: Draft) -> None:
        """Stop the reply."""
        if state.reply is not None:
            transitions.clear_reply(state, draft)
            transitions.sleep(state, draft)

    def discard(self, state: State, draft: Draft) -> None:
        """Forget the current turn and the audio with which the next one would begin."""
        if state.phase is Phase.HEARING:
            transitions.sleep(state, draft)
        state.ring.clear()

    def enter(self, state: State, draft: Draft) -> None:
        """Nothing to prepare."""

    def leave(self, state: State, draft: Draft) -> None:
        """End the turn, or the unfinished reply; a finished reply is played to its end."""
        if state.phase is Phase.REPLYING:
            transitions.clear_reply(state, draft)
        if state.phase in (Phase.REPLYING, Phase.HEARING):
            transitions.sleep(state, draft)

    def note_output(self, state: State, draft: Draft, output: Output) -> None:
        """Take the engine's opinion on a pause, and the words of speech over a reply."""
        if draft.aside:
            state.aside.words = output.aside
        if state.paused and output.finished is not None:
            state.finished = output.finished

    def finish(self, state: State, reply: Reply, step: int) -> None:
        """The reply is made; the caller may still interrupt it or continue the turn."""
        transitions.finish_reply(state, reply, step, reopens=self.reopens)


class VadTurns(Gated):
    """A silence ends the turn: turn mode, and stream mode of an engine that is not duplex."""

    def __init__(self, traits: Traits, *, stream: bool) -> None:
        super().__init__(traits)
        self._stream = stream

    def judge(self, state: State, draft: Draft, n: int) -> None:
        """End the turn after enough silence, or when its context is full."""
        if self.traits.prepares:
            transitions.note_pause(state, draft)
        full = _context_full(state, self.traits)
        silent = state.detector.silence_ms >= turn_silence_ms(
            state.tuning.silence_ms,
            state.finished,
            prepares=self.traits.prepares,
            stream=self._stream,
        )
        if state.confirmed and (silent or full):
            transitions.end_turn(state, draft, n)
        elif silent or full:
            transitions.sleep(state, draft)


class PushToTalk(Gated):
    """Turn mode with `manual`: the engine hears everything, and only a commit ends the turn."""

    ring_over_reply = MAX_OVER_CHUNKS

    def wakes(self, state: State) -> bool:
        """Always: what is too quiet for the VAD is heard as well."""
        return True

    def rests(self, state: State) -> bool:
        """In silence after speech, unless the engine has not given all its words yet."""
        return super().rests(state) and not state.transcript.due

    def judge(self, state: State, draft: Draft, n: int) -> None:
        """Start a new context in a rest before speech, or when it is full.

        A pause after speech is no rest: the caller may be thinking in the middle of a question.
        """
        if self.traits.prepares:
            transitions.note_pause(state, draft)
        if state.tuning.reports and state.confirmed and self._stopped(state):
            transitions.report_end(state, draft, n)
        context = state.context
        fresh = context is None or context.spoke or context.chunks < MANUAL_REST_CHUNKS
        resting = state.detector.silence_ms >= MANUAL_REST_MS and not fresh
        full = _context_full(state, self.traits)
        if full and context is not None and context.spoke and not state.tuning.reports:
            transitions.end_turn(state, draft, n)
        elif full or resting:
            transitions.sleep(state, draft)

    def _stopped(self, state: State) -> bool:
        """Whether the caller has been silent for as long as ends a turn."""
        fixed_ms, prepares = state.tuning.silence_ms, self.traits.prepares
        least_ms = turn_silence_ms(fixed_ms, state.finished, prepares=prepares, stream=False)
        return state.detector.silence_ms >= least_ms

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """End the turn; over a reply, interrupt it and answer what was said since it began."""
        replying = state.phase in (Phase.REPLYING, Phase.PLAYING)
        if replying and len(state.ring) >= MIN_OVER_CHUNKS:
            transitions.clear_reply(state, draft)
            transitions.begin_context(state, draft, list(state.ring)[-MAX_OVER_CHUNKS:])
        super().commit(state, draft, n)


class Duplex(Gated):
    """Stream mode: the model steps with every chunk of a turn and decides when to speak."""

    runs_ahead = False

    def rests(self, state: State) -> bool:
        """Never: the model hears how long the silence is."""
        return False

    def judge(self, state: State, draft: Draft, n: int) -> None:
        """Step with every chunk; sleep after a long silence, or when the context is full."""
        silence_ms, least_ms = state.detector.silence_ms, _least_ms(state)
        # A model that began too soon would begin again at once: it waits for a pause.
        waits = state.context is not None and state.context.reopened and silence_ms < AGAIN_MS
        draft.speak, draft.full = Speak.NONE if waits else Speak.DUPLEX, True
        if state.confirmed and silence_ms >= least_ms:
            state.confirmed = False
            draft.events.append(SpeechStopped(n=n))
        spoke = state.context is not None and state.context.spoke
        patience_ms = STREAM_SLEEP_MS if spoke else least_ms
        if silence_ms >= patience_ms or _context_full(state, self.traits):
            if state.confirmed:
                draft.events.append(SpeechStopped(n=n))
            transitions.sleep(state, draft)

    def hear_while_replying(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """The model continues to listen while it speaks."""
        transitions.hear(state, draft, chunk)
        draft.speak, draft.full = Speak.DUPLEX, True

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """Nothing: the model decides when to speak."""

    def note_output(self, state: State, draft: Draft, output: Output) -> None:
        """Begin the reply that the model began, even before the VAD found enough silence."""
        if not output.began:
            return
        if state.confirmed:
            state.confirmed = False
            draft.events.append(SpeechStopped(n=state.cursor))
        if state.reply is None:
            transitions.begin_reply(state, over_speech=not state.detector.paused)


class Policies:
    """The policies of sessions on an engine with these traits, each made once."""

    def __init__(self, traits: Traits) -> None:
        self._traits = traits
        self._made: dict[tuple[ReplyMode, bool], TurnPolicy] = {}

    def of(self, mode: ReplyMode, tuning: Tuning) -> TurnPolicy:
        """The policy of a session in this mode, with this tuning.

        `manual` only counts in turn mode: in stream mode nothing waits for a commit.
        """
        modes = self._traits.modes
        mode = mode if mode in modes else modes[0]
        key = (mode, tuning.manual and mode == ReplyMode.TURN)
        if (found := self._made.get(key)) is None:
            found = self._made[key] = _policy(*key, self._traits)
        return found


def _policy(mode: ReplyMode, manual: bool, traits: Traits) -> TurnPolicy:
    if mode == ReplyMode.TURN:
        return PushToTalk(traits) if manual else VadTurns(traits, stream=False)
    if traits.carry_chunks:
        return FullDuplex(traits)
    if not traits.gated:
        return Passthrough(traits)
    return Duplex(traits) if traits.duplex else VadTurns(traits, stream=True)


def _context_full(state: State, traits: Traits) -> bool:
    context = state.context
    if context is None:
        return False
    return context.chunks >= traits.context_chunks or context.lasted >= MAX_TURN_CHUNKS


def _least_ms(state: State) -> int:
    """The silence after which a duplex model's caller has stopped speaking."""
    return turn_silence_ms(state.tuning.silence_ms, None, prepares=False, stream=False)


def _pre_roll(state: State, chunk: Chunk, most: int, since: int = 0) -> list[Chunk]:
    """The chunk, and what a turn begins with before it.

    From five chunks before record `since` (0: the present phrase), but `most` chunks at least.
    """
    chunks = [*state.ring, chunk]
    since = since or state.detector.phrase_n
    first = next(at for at, each in enumerate(chunks) if each.n >= since)
    return chunks[max(0, min(first - PRE_ROLL_CHUNKS, len(chunks) - most - 1)) :]
