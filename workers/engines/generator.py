"""The language model over a batch of slots: reads positions, says text tokens and codes."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from workers.engines.context import Context, Position, Said
from workers.models.s2s import HybridS2S, Inputs
from workers.models.sampling import Choice, Draws, greedy
from workers.models.vocabulary import EOS, GO, MARKS, PAD

_NEVER: Final = float("-inf")


class Generator:
    """HybridS2S with its cache for a fixed number of slots."""

    def __init__(self, model: HybridS2S, slots: int, temperature: float) -> None:
        """Temperature 0 takes the likeliest."""
        self._model = model.eval()
        self._temperature = temperature
        self._cache = model.cache(slots)
        self._device = model.unheard.device
        self.quiet = (model.config.quiet,) * model.config.codebooks
        self._listening, self._speaking = self._forbidden()

    def _forbidden(self) -> tuple[Tensor, Tensor]:
        """Masks (texts,) added to text logits: while listening PAD or GO; in a reply no mark GO."""
        size = self._model.config.texts
        listening = torch.full((size,), _NEVER, device=self._device)
        listening[[PAD, GO]] = 0.0
        speaking = torch.zeros(size, device=self._device)
        speaking[[token for token in range(MARKS) if token not in (PAD, EOS)]] = _NEVER
        return listening, speaking

    def reset(self, rows: Tensor) -> None:
        """Begin the slots afresh."""
        self._cache.reset(rows)

    def read_again(self, rows: Tensor, positions: Sequence[Position]) -> None:
        """Read a piece of a slot's history, teacher-forced: PIECE at most; rows (1,)."""
        self._model.stream(self._inputs([positions]), self._cache, rows)

    def _inputs(self, rows: Sequence[Sequence[Position]]) -> Inputs:
        """Positions of each row, padded on the right to one length."""
        longest = max(len(row) for row in rows)
        nothing = torch.zeros(self._model.config.heard_width, device=self._device)
        blank = Position(None, PAD, self.quiet)
        full = [[*row, *[blank] * (longest - len(row))] for row in rows]
        heard = [nothing if p.heard is None else p.heard for row in full for p in row]
        return Inputs(
            torch.stack(heard).view(len(rows), longest, -1),
            torch.tensor([[p.heard is not None for p in row] for row in full], device=self._device),
            torch.tensor([[p.text for p in row] for row in full], device=self._device),
            torch.tensor([[p.codes for p in row] for row in full], device=self._device),
        )

    def _read(self, plans: dict[int, list[Position]]) -> dict[int, Tensor]:
        """Each slot's new positions -> the state (D,) of its last one.

        Rows with one position are not padded to those that read a whole turn.
        """
        states: dict[int, Tensor] = {}
        for group in ([s for s in plans if len(plans[s]) == 1], [s for s in plans if plans[s][1:]]):
            if not group:
                continue
            rows = torch.tensor(group, device=self._device)
            kept = torch.tensor([len(plans[slot]) for slot in group], device=self._device)
            inputs = self._inputs([plans[slot] for slot in group])
            read = self._model.stream(inputs, self._cache, rows, kept)
            last = read[torch.arange(len(group), device=self._device), kept - 1]
            states.update(zip(group, last, strict=True))
        return states

    def step(
        self, contexts: Mapping[int, Context], plans: dict[int, list[Position]]
    ) -> dict[int, Said]:
        """What each slot with planned positions makes; the contexts are not told yet."""
        states = self._read(plans)
        if not states:
            return {}
        texts = self._texts(states, contexts)
        said = {slot: Said(text, self.quiet) for slot, text in texts.items()}
        talking = [s for s, text in texts.items() if contexts[s].replying and text != EOS]
        if talking:
            text = torch.tensor([texts[slot] for slot in talking], device=self._device)
            state = torch.stack([states[slot] for slot in talking])
            choice = self._choice([contexts[slot] for slot in talking])
            codes = self._model.sample_codes(state, text, choice).tolist()
            for slot, row in zip(talking, codes, strict=True):
                said[slot] = Said(texts[slot], tuple(row))
        return said

    def _texts(self, states: dict[int, Tensor], contexts: Mapping[int, Context]) -> dict[int, int]:
        """Each slot's text token, among those that its place in the dialogue allows."""
        own = [contexts[slot] for slot in states]
        masks = [self._speaking if context.replying else self._listening for context in own]
        logits = self._model.text_logits(torch.stack(list(states.values()))).float()
        logits = logits + torch.stack(masks)
        for row, context in zip(logits, own, strict=True):
            if context.replying and context.spoken == 0:
                row[EOS] = _NEVER  # a reply says something
        return dict(zip(states, self._choice(own)(logits, 0).tolist(), strict=True))

    def _choice(self, contexts: Sequence[Context]) -> Choice:
        if self._temperature <= 0:
            return greedy
        seeds, steps = [c.seed for c in contexts], [c.count for c in contexts]
        return Draws(seeds, steps, self._temperature)
