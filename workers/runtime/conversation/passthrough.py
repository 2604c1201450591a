"""Takes turns for an engine that is not gated (echo): one endless reply, chunk by chunk. Pure."""

from workers.engines.base import Output, Speak, Traits
from workers.runtime.conversation import transitions
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.state import State
from workers.runtime.conversation.step import Chunk, Draft


class Passthrough:
    """The policy of such an engine in stream mode."""

    reopens = False
    endless = True
    runs_ahead = False
    guarded = False  # nothing interrupts it, so no echo can be mistaken for the caller

    def __init__(self, traits: Traits) -> None:
        self.traits = traits

    def hear(self, state: State, draft: Draft, chunk: Chunk) -> None:
        """Step with every chunk."""
        context = state.context
        if context is None or context.chunks >= self.traits.context_chunks:
            transitions.begin_context(state, draft, [chunk])
        else:
            transitions.hear(state, draft, chunk)
        if state.reply is None:
            transitions.begin_reply(state)
        draft.speak, draft.full = Speak.DUPLEX, True

    def commit(self, state: State, draft: Draft, n: int) -> None:
        """Nothing: there are no turns."""

    def cancel(self, state: State, draft: Draft) -> None:
        """Nothing: the reply is endless."""

    def discard(self, state: State, draft: Draft) -> None:
        """Nothing: what was said has been answered."""

    def enter(self, state: State, draft: Draft) -> None:
        """Sleep until the next chunk, and drop the ring.

        Nothing would renew the ring, and its records would keep the input log from being trimmed.
        """
        transitions.sleep(state, draft)
        state.ring.clear()

    def leave(self, state: State, draft: Draft) -> None:
        """End the reply."""
        transitions.end(state, draft)

    def note_output(self, state: State, draft: Draft, output: Output) -> None:
        """Nothing depends on it."""

    def finish(self, state: State, reply: Reply, step: int) -> None:
        """The reply is made; the caller hears the rest of it."""
        transitions.finish_reply(state, reply, step, reopens=False)
