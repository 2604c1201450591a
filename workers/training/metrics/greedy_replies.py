"""Asks the language model in training: batched greedy replies to turns, and how many are right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.speech_to_speech.sampling import greedy
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD, Vocabulary
from workers.training.questions.catalogue import words
from workers.training.samples.sequences import GO_AFTER, Sample
from workers.training.samples.spoken_turns import TAIL, EncodedTurn

MOST_STEPS: Final = 128
TURN_STEPS: Final = 9  # steps after the end of speech, as the runtime's VAD waits
ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class TurnPrompt:
    """A turn to answer, and the exchange before it, if any."""

    turn: EncodedTurn
    before: Sample | None = None


def _prefill(model: HybridS2S, prompts: Sequence[TurnPrompt]) -> tuple[Inputs, Tensor]:
    """The exchange before, the turn, and GO, padded to one length; and the true lengths."""
    config = model.config
    turns = [p.turn.states[: p.turn.end + TURN_STEPS] for p in prompts]
    known = [0 if p.before is None else len(p.before.text) for p in prompts]
    lengths = torch.tensor([k + len(own) + 1 for k, own in zip(known, turns, strict=True)])
    rows, longest = len(prompts), int(lengths.max())
    states = torch.zeros(rows, longest, config.heard_width)
    has_states = torch.zeros(rows, longest, dtype=torch.bool)
    text = torch.full((rows, longest), PAD)
    codes = torch.full((rows, longest, config.codebooks), config.quiet)
    for row, (prompt, k, own) in enumerate(zip(prompts, known, turns, strict=True)):
        if prompt.before is not None:
            states[row, :k] = torch.from_numpy(prompt.before.states)
            has_states[row, :k] = torch.from_numpy(prompt.before.has_states)
            text[row, :k] = torch.from_numpy(prompt.before.text)
            codes[row, :k] = torch.from_numpy(prompt.before.codes)
        states[row, k : k + len(own)] = torch.from_numpy(own.astype(np.float32))
        has_states[row, k : k + len(own)] = True
        text[row, k + len(own)] = GO
    device = next(model.parameters()).device
    moved = (part.to(device) for part in (states, has_states, text, codes))
    return Inputs(*moved), lengths.to(device)


@torch.inference_mode()
def reply_tokens(model: HybridS2S, prompts: Sequence[TurnPrompt]) -> list[list[int]]:
    """Greedy replies in turn mode: the text tokens of each, up to EOS, without sound.

    Raises ValueError if the model's text depends on its codes (`sees_codes`).
    """
    if model.config.sees_codes:
        raise ValueError("Expected a model whose text does not depend on its codes")
    inputs, lengths = _prefill(model, prompts)
    device, count = lengths.device, len(prompts)
    rows = torch.arange(count, device=device)
    cache = model.temporal.cache(count, inputs.text.shape[1] + MOST_STEPS)
    state = model.stream(inputs, cache, rows, lengths)[rows, lengths - 1]
    no_state = torch.zeros(count, 1, model.config.heard_width, device=device)
    has_none = torch.zeros(count, 1, dtype=torch.bool, device=device)
    quiet = inputs.codes.new_full((count, 1, model.config.codebooks), model.config.quiet)
    tokens: list[Tensor] = []
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    for _ in range(MOST_STEPS):
        text = greedy(model.text_logits(state), 0)
        tokens.append(text)
        ended |= text == EOS
        if bool(ended.all()):
            break
        state = model.stream(Inputs(no_state, has_none, text[:, None], quiet), cache, rows)[:, 0]
    found = torch.stack(tokens, 1).tolist()
    return [row[: row.index(EOS)] if EOS in row else row for row in found]


def replies_to(
    model: HybridS2S, prompts: Sequence[TurnPrompt], vocabulary: Vocabulary
) -> list[str]:
    """The text of the reply to each prompt, in turn mode."""
    found: list[str] = []
    for start in range(0, len(prompts), ROWS):
        tokens = reply_tokens(model, prompts[start : start + ROWS])
        found += [vocabulary.text(row) for row in tokens]
    return found


@torch.inference_mode()
def go_error_steps(model: HybridS2S, turns: Sequence[EncodedTurn]) -> list[int]:
    """Stream mode: how many steps late (negative: early) GO comes; TAIL if it never does."""
    device = next(model.parameters()).device
    found = []
    for turn in turns:
        states = torch.from_numpy(turn.states.astype(np.float32))[None].to(device)
        steps = states.shape[1]
        quiet = torch.full((1, steps, model.config.codebooks), model.config.quiet, device=device)
        has_states = torch.ones(1, steps, dtype=torch.bool, device=device)
        text = torch.zeros_like(has_states).long()
        output = model(Inputs(states, has_states, text, quiet))
        goes = (model.text_logits(output)[0].argmax(-1) == GO).nonzero()
        at = int(goes[0]) if len(goes) else turn.end + GO_AFTER + TAIL
        found.append(at - turn.end - GO_AFTER)
    return found


def right(wanted: Sequence[str], replies: Sequence[str]) -> float:
    """The share of replies with exactly the wanted words."""
    hits = [words(want) == words(got) for want, got in zip(wanted, replies, strict=True)]
    return float(np.mean(hits))
