"""Runs the language model over a batch of slots: reads positions, generates text and codes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from workers.engines.cuda_graphs import FixedSizes
from workers.engines.hybrid.context import LONGEST, GeneratedStep, Position, SlotContext
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.speech_to_speech.sampling import Draws, TokenChoice, greedy
from workers.models.speech_to_speech.vocabulary import EOS, GO, MARKS, PAD
from workers.models.tokenizer.spelling import BLANK, begun

_NEVER: Final = float("-inf")


class HybridGenerator:
    """HybridS2S with its cache for a fixed number of slots."""

    def __init__(
        self, model: HybridS2S, slots: int, temperature: float, *, static: bool = False
    ) -> None:
        """Temperature 0 is greedy. With `static`, single positions are read at fixed shapes."""
        self._model = model.eval()
        self._temperature = temperature
        self._cache = model.cache(slots + static)
        self._held: list[list[Position]] = [[] for _ in range(slots)]  # the cache's content
        # The likeliest of the caller's words at each of these positions, as a class.
        self._classes: list[list[int]] = [[] for _ in range(slots)]
        self._device = model.unheard.device
        self.quiet = (model.config.quiet,) * model.config.codebooks
        self.remembers = model.config.turns > 1
        self.longest = min(LONGEST, model.config.temporal.window)  # positions of two turns
        self._next: Callable[..., Tensor] = self._read_one
        self._likeliest: Callable[..., Tensor] = self._likeliest_codes
        if static:
            padding = (0.0, 0, PAD, model.config.quiet, slots)
            self._next = FixedSizes(self._read_one, padding, slots)
            self._likeliest = FixedSizes(self._likeliest_codes, (0.0, PAD), slots)
        self._listening, self._speaking = self._forbidden()

    def _forbidden(self) -> tuple[Tensor, Tensor]:
        """Masks (texts,) for text logits: only PAD and GO while listening; no GO in a reply."""
        size = self._model.config.texts
        listening = torch.full((size,), _NEVER, device=self._device)
        listening[[PAD, GO]] = 0.0
        speaking = torch.zeros(size, device=self._device)
        speaking[[token for token in range(MARKS) if token not in (PAD, EOS)]] = _NEVER
        return listening, speaking

    def keep(self, slot: int, wanted: Sequence[Position]) -> Sequence[Position]:
        """Keep what a slot already holds of `wanted`, from its start; return the rest to read."""
        held = self._held[slot]
        # A ring that has wrapped around may have overwritten positions that would be needed again.
        longest = min(len(held), len(wanted)) if len(held) <= self._cache.capacity else 0
        same = next((at for at in range(longest) if held[at] != wanted[at]), longest)
        if same < len(held):
            row = torch.tensor([slot], device=self._device)
            self._cache.truncate(row, torch.tensor([same], device=self._device))
            del held[same:], self._classes[slot][same:]
        return wanted[same:]

    def read_history(self, slot: int, positions: Sequence[Position]) -> None:
        """Read at most PIECE positions of a slot's history, teacher-forced."""
        self._several([positions], [slot])

    def _inputs(self, rows: Sequence[Sequence[Position]]) -> Inputs:
        """Positions of each row, padded on the right to one length."""
        longest = max(len(row) for row in rows)
        blank = Position(None, PAD, self.quiet)
        full = [[*row, *[blank] * (longest - len(row))] for row in rows]
        return Inputs(
            self._heard([p for row in full for p in row]).view(len(rows), longest, -1),
            torch.tensor([[p.heard is not None for p in row] for row in full], device=self._device),
            torch.tensor([[p.text for p in row] for row in full], device=self._device),
            torch.tensor([[p.codes for p in row] for row in full], device=self._device),
        )

    def _heard(self, positions: Sequence[Position]) -> Tensor:
        """The positions' logged states, (N, W) float32; zeros for positions without one."""
        nothing = bytes(2 * self._model.config.heard_width)
        logged = b"".join(nothing if p.heard is None else p.heard for p in positions)
        states = np.frombuffer(logged, "<f2").reshape(len(positions), -1).astype(np.float32)
        return torch.from_numpy(states).to(self._device)

    def read(self, plans: Mapping[int, Sequence[Position]]) -> dict[int, Tensor]:
        """Each slot's new positions -> the state (D,) of its last position.

        Rows with one position form their own batch, so they are not padded to whole turns.
        """
        states: dict[int, Tensor] = {}
        for group in ([s for s in plans if len(plans[s]) == 1], [s for s in plans if plans[s][1:]]):
            if not group:
                continue
            given = [plans[slot] for slot in group]
            read = self._several if given[0][1:] else self._single
            states.update(zip(group, read(given, group), strict=True))
        return states

    def _single(self, plans: Sequence[Sequence[Position]], slots: Sequence[int]) -> Tensor:
        """Read one position of each slot -> states (B, D)."""
        inputs, rows = self._inputs(plans), torch.tensor(slots, device=self._device)
        for slot, plan in zip(slots, plans, strict=True):
            self._held[slot] += plan
        parts = (inputs.heard, inputs.hears, inputs.text, inputs.codes)
        states, middle = self._next(*(part[:, 0] for part in parts), rows).chunk(2, dim=-1)
        found = self._heard_words(middle[:, None], inputs, plans)
        for slot, row in zip(slots, found, strict=True):
            self._classes[slot] += row
        return states

    def _several(self, plans: Sequence[Sequence[Position]], slots: Sequence[int]) -> Tensor:
        """Read several positions of each slot -> states (B, D) of the last ones."""
        inputs, rows = self._inputs(plans), torch.tensor(slots, device=self._device)
        kept = torch.tensor([len(plan) for plan in plans], device=self._device)
        layers = self._model.stream_layered(inputs, self._cache, rows, kept)
        found = self._heard_words(layers[self._model.config.middle], inputs, plans)
        for slot, plan, row in zip(slots, plans, found, strict=True):
            self._held[slot] += plan
            self._classes[slot] += row[: len(plan)]
        return layers[-1][torch.arange(len(plans), device=self._device), kept - 1]

    def _heard_words(
        self, middle: Tensor, inputs: Inputs, plans: Sequence[Sequence[Position]]
    ) -> list[list[int]]:
        """The middle block's output (B, T, D) -> the likeliest word class of each position."""
        listening = any(p.heard is not None for plan in plans for p in plan)
        if not (listening and self._model.config.caller_words):
            return [[BLANK] * inputs.text.shape[1]] * len(inputs.text)
        best = self._model.caller_logits(middle).argmax(-1)
        found: list[list[int]] = (best * inputs.hears).tolist()
        return found

    def callers_words(self, slot: int, since: int) -> list[int]:
        """The numbers of the caller's words at the positions from `since` on."""
        return begun(self._classes[slot][since:])

    def _read_one(
        self, heard: Tensor, hears: Tensor, text: Tensor, codes: Tensor, rows: Tensor
    ) -> Tensor:
        """The next position (B, ...) of each of rows (B,) -> states (B, 2 D): last and middle.

        It uses only tensors and never waits for the device, so a GPU may replay it.
        """
        inputs = Inputs(heard[:, None], hears[:, None], text[:, None], codes[:, None])
        layers = self._model.stream_layered(inputs, self._cache, rows)
        return torch.cat([layers[-1], layers[self._model.config.middle]], dim=-1)[:, 0]

    def _likeliest_codes(self, states: Tensor, text: Tensor) -> Tensor:
        """States (N, D) and text tokens (N,) -> codes (N, Q); a GPU may replay this too."""
        return self._model.sample_codes(states, text, greedy)

    def _sample(self, states: Tensor, text: Tensor, choice: TokenChoice) -> Tensor:
        """States (N, D) and text tokens (N,) -> codes (N, Q)."""
        if choice is greedy:
            return self._likeliest(states, text)
        return self._model.sample_codes(states, text, choice)

    def step(
        self, contexts: Mapping[int, SlotContext], plans: dict[int, list[Position]]
    ) -> dict[int, GeneratedStep]:
        """Generate a step for each slot with planned positions. Does not change the contexts."""
        states = self.read(plans)
        if not states:
            return {}
        texts = self._texts(states, contexts)
        said = {slot: GeneratedStep(text, self.quiet) for slot, text in texts.items()}
        talking = [s for s, text in texts.items() if contexts[s].replying and text != EOS]
        if talking:
            text = torch.tensor([texts[slot] for slot in talking], device=self._device)
            state = torch.stack([states[slot] for slot in talking])
            choice = self._choice([contexts[slot] for slot in talking])
            codes = self._sample(state, text, choice).tolist()
            for slot, row in zip(talking, codes, strict=True):
                said[slot] = GeneratedStep(texts[slot], tuple(row))
        return said

    def _texts(
        self, states: dict[int, Tensor], contexts: Mapping[int, SlotContext]
    ) -> dict[int, int]:
        """Choose each slot's text token, among those allowed while listening or in a reply."""
        own = [contexts[slot] for slot in states]
        masks = [self._speaking if context.replying else self._listening for context in own]
        logits = self._model.text_logits(torch.stack(list(states.values()))).float()
        logits = logits + torch.stack(masks)
        for slot, row, context in zip(states, logits, own, strict=True):
            # Silence answers a noise, never words. Models of one turn had no noises in training.
            if context.replying and context.spoken == 0 and self._must_reply(slot, context):
                row[EOS] = _NEVER
        return dict(zip(states, self._choice(own)(logits, 0).tolist(), strict=True))

    def _must_reply(self, slot: int, context: SlotContext) -> bool:
        """Whether the turn has words."""
        return not self.remembers or bool(self.callers_words(slot, len(context.earlier)))

    def _choice(self, contexts: Sequence[SlotContext]) -> TokenChoice:
        if self._temperature <= 0:
            return greedy
        seeds, steps = [c.seed for c in contexts], [c.count for c in contexts]
        return Draws(seeds, steps, self._temperature)
