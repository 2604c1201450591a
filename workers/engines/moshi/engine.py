"""Runs Moshi and PersonaPlex as an engine: one batch for all callers, in stream mode.

The log holds the codes of each caller's audio and the model's tokens. So a rebuild reads the
context again and samples nothing. It restores the codec's state from the newest audio.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from shared.audio import CHUNK_SAMPLES, Floats, floats_from_pcm16
from shared.modes import ReplyMode
from workers.engines.base import Opening, Output, Past, Traits, Work
from workers.engines.moshi.context import SlotContext, from_bytes, to_bytes
from workers.engines.moshi.prompt import Prompts
from workers.engines.moshi.stepper import INPUTS, SAID, SOUND, Stepper
from workers.models.moshi.config import CODES
from workers.models.moshi.positions import Tokens
from workers.models.moshi.sampling import PARTS, draws
from workers.models.moshi.text import TextTokens

# Two minutes of context, of which the newest minute is kept. Twice as many calls fit as with the
# four minutes that the models were trained with.
CONTEXT_CHUNKS: Final = 1_500
TRAITS: Final = Traits(modes=(ReplyMode.STREAM,), replay_ms=20.0)


def traits_for(window: int, memory_frames: int) -> Traits:
    """The traits of a model that attends to `window` positions."""
    context = min(CONTEXT_CHUNKS, window)
    return replace(
        TRAITS,
        context_chunks=context,
        carry_chunks=context // 2,
        rehear_chunks=memory_frames,
    )


class MoshiEngine:
    """See `base.Engine`. One thread calls it."""

    def __init__(
        self, stepper: Stepper, tokens: TextTokens, prompts: Prompts, traits: Traits
    ) -> None:
        """Takes parts that are ready to step."""
        self.slots = stepper.slots
        self.traits = traits
        self.offer = prompts.offer
        self._stepper, self._tokens, self._prompts = stepper, tokens, prompts
        self._contexts: dict[int, SlotContext] = {}
        self._reheard: dict[int, Sequence[Past]] = {}

    def warm_up(self, sizes: Sequence[int]) -> None:
        """Run every shape once, on a GPU to capture its graph, at these numbers of rows.

        The largest comes first: the graphs share memory, and what it took suffices for the others.
        """
        with torch.inference_mode():
            for rows in sorted(sizes, reverse=True):
                for used in self._stepper.sizes:
                    self._stepper.step(np.zeros((rows, INPUTS), np.float32), used)

    # Slots.

    @torch.inference_mode()
    def open(self, slot: int, opening: Opening) -> None:
        """Read the prompt, then replay the history; a context that moves keeps its sound."""
        before = self._contexts.get(slot)
        context = SlotContext(opening.seed, listens=not opening.moved)
        if opening.moved and before is not None:
            context.replying, context.quiet = before.replying, before.quiet
            context.waiting, context.pending = before.waiting, before.pending
        self._contexts[slot] = context
        self._reheard[slot] = opening.reheard
        self._stepper.reset(slot, codec=not opening.moved)
        prompt = self._prompts.of(opening.persona.voice, opening.instructions)
        for row, other in zip(prompt.said, prompt.heard, strict=True):
            context.add(row, other)
        context.prompt = len(prompt.said)
        for _ in self._stepper.read(slot, prompt.said, prompt.heard, 0, prompt.embeddings):
            pass
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Read a history again, in pieces: its tokens, and the sound of both sides."""
        pasts = [past for past in history if past.said is not None and past.heard]
        if not pasts:
            return
        context, first = self._contexts[slot], self._contexts[slot].count
        before = self._reheard.pop(slot, ())
        if context.listens:
            yield from self._replay_sound(slot, [*before, *pasts])
            for past in [*before, *pasts]:
                if past.said is not None:
                    context.utter(int(from_bytes(past.said)[0]), self._tokens)
        for past in pasts:
            context.add(from_bytes(past.said or b""), from_bytes(past.heard[-1]))
        context.listens = True
        said, heard = np.stack(context.said), np.stack(context.heard)
        yield from self._pieces(self._stepper.read(slot, said, heard, first))

    def _replay_sound(self, slot: int, pasts: Sequence[Past]) -> Iterator[None]:
        """Restore the codec's two streams from as much sound as they remember."""
        most = self.traits.rehear_chunks or len(pasts)
        pasts = [past for past in pasts if past.said is not None][-most:]
        sounds = [floats_from_pcm16(chunk) for past in pasts for chunk in past.hear]
        if sounds:
            yield from self._pieces(self._stepper.hear(slot, np.stack(sounds)))
        said = [from_bytes(past.said) for past in pasts if past.said is not None]
        yield from self._pieces(self._stepper.say(slot, np.stack(said)))

    def _pieces(self, pieces: Iterator[None]) -> Iterator[None]:
        """Each piece in inference mode, which must not stay on between two pieces."""
        while True:
            with torch.inference_mode():
                if next(pieces, self) is self:
                    return
            yield

    def close(self, slot: int) -> None:
        """Free the slot."""
        self._contexts.pop(slot, None)
        self._reheard.pop(slot, None)
        with torch.inference_mode():
            self._stepper.reset(slot, codec=True)

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Return b"": this engine folds no turns."""
        return b""

    # A step.

    @torch.inference_mode()
    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Advance the slots of the batch by one chunk each."""
        stepping = [work for work in batch if work.hear]
        if not stepping:
            return [Output(work.slot) for work in batch]
        inputs = np.zeros((1 + max(work.slot for work in stepping), INPUTS), np.float32)
        for work in stepping:
            context = self._contexts[work.slot]
            row = inputs[work.slot]
            row[:CHUNK_SAMPLES] = floats_from_pcm16(work.hear[-1])
            row[CHUNK_SAMPLES : CHUNK_SAMPLES + PARTS] = draws(context.seed, context.count)
            row[-1] = 1
        found = self._stepper.step(inputs)
        return [
            self._output(work.slot, found[work.slot]) if work.hear else Output(work.slot)
            for work in batch
        ]

    def _output(self, slot: int, found: Floats) -> Output:
        context = self._contexts[slot]
        heard: Tokens = found[:CODES].astype(np.int64)
        said: Tokens = found[SAID].astype(np.int64)
        context.add(said, heard)
        noticed = context.utter(int(said[0]), self._tokens)
        return Output(
            slot,
            (to_bytes(heard),),
            said=to_bytes(said),
            pcm=found[SOUND].copy() if noticed.sounds else None,
            text=noticed.text,
            began=noticed.began,
            ended=noticed.ended,
        )
