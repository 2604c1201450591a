"""Takes turns for a model that hears and speaks all the time (Traits.carry_chunks). Pure.

The model steps with every chunk from the call's first to its last. It decides when to speak; each
stretch of its speech is a reply. The VAD only reports the caller's speech, keeps the assistant's
own echo from the model, and interrupts. When the context is full it moves: only its newest steps
stay. It moves in silence, if silence comes in time.
"""

from typing import Final

from shared.log.records import SpeechStopped
from workers.engines.base import Output, Speak, Traits
from workers.runtime.conversation import transitions
from workers.runtime.conversation.patience import turn_silence_ms
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.state import Context, Phase, State
from workers.runtime.conversation.step import SILENCE, Chunk, Draft

PLACE_CHUNKS: Final = 64  # from one noted place of the log to the next
# In the last sixth of a context the base moves as soon as nobody speaks. A move may take longer
# than a step, and in silence nobody hears that.
EAGER_SHARE: Final = 6


class FullDuplex:
    """The policy of such a model."""

    reopens = False
    endless = True
    runs_ahead = False
    guarded = True

    def __init__(self, traits: Traits) -> None:
        self.traits = traits

    def hear(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """Step with every chunk."""
        run_ms = state.detector.hear(chunk, state.tuning.vad_threshold)
        if state.reply is not None and state.detector.only_echo:
            draft.muted.append(chunk.n)
            chunk = Chunk(chunk.n, SILENCE)
        if state.context is None:
            transitions.begin_context(state, draft, [chunk])
        else:
            transitions.hear(state, draft, chunk)
        draft.speak, draft.full = Speak.DUPLEX, True
        self._judge(state, draft, chunk.n, run_ms)
        if state.context is not None:
            self._note_place(state, state.context, chunk.n)
            self._move(state, draft, state.context)

    def _judge(self, state: State, draft: Draft, n: int, run_ms: int) -> None:
        """Report where the caller's speech begins and ends, and let it interrupt."""
        detector, tuning = state.detector, state.tuning
        if not state.confirmed and run_ms >= tuning.min_speech_ms:
            transitions.confirm_speech(state, draft, detector.run_n)
        least_ms = turn_silence_ms(tuning.silence_ms, None, prepares=False, stream=False)
        if state.confirmed and detector.silence_ms >= least_ms:
            state.confirmed = False
            draft.events.append(SpeechStopped(n=n))
        if not state.armed:
            state.armed = detector.paused
        elif tuning.interrupts and detector.phrase_ms >= tuning.interrupt_ms:
            transitions.hush(state, draft)

    def _note_place(self, state: State, context: Context, n: int) -> None:
        """Note where the audio for a rebuild begins."""
        if self.traits.rehear_chunks is None or context.chunks % PLACE_CHUNKS != 1:
            return
        context.places.append((n, state.step + 1))
        most = -(-self.traits.rehear_chunks // PLACE_CHUNKS) + 1
        del context.places[:-most]
        context.first = context.places[0][0]

    def _move(self, state: State, draft: Draft, context: Context) -> None:
        """Move the context if it is full or the session's brief has changed."""
        held, most = context.chunks - context.moved, self.traits.context_chunks
        quiet = state.reply is None and not state.confirmed
        full = held > most - (most // EAGER_SHARE if quiet else 0)
        rebriefed = state.brief != state.next_brief
        if not draft.reset and (full or rebriefed):
            state.brief = state.next_brief
            draft.moved = True

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """Nothing: the model decides when to speak."""

    def cancel(self, state: State, draft: Draft) -> None:
        """Stop the reply: what the model still says of it is not sent."""
        transitions.hush(state, draft)

    def discard(self, state: State, draft: Draft) -> None:
        """Nothing: the model has heard it."""

    def enter(self, state: State, draft: Draft) -> None:
        """Nothing to prepare: the next chunk begins a context."""

    def leave(self, state: State, draft: Draft) -> None:
        """End the reply and the context."""
        transitions.end(state, draft)

    def note_output(self, state: State, draft: Draft, output: Output) -> None:
        """Begin a reply where the model begins to speak."""
        if output.began and state.reply is None:
            transitions.begin_reply(state)

    def finish(self, state: State, reply: Reply, step: int) -> None:
        """The model is silent again, and continues to listen."""
        state.reply, state.phase = None, Phase.HEARING
