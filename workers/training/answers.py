"""Asks the model in training: batched greedy replies to heard turns, and how many are right."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from workers.models.s2s import HybridS2S, Inputs
from workers.models.sampling import greedy
from workers.models.vocabulary import EOS, GO, PAD, Vocabulary
from workers.training.chat import UNKNOWN_REPLY
from workers.training.dialogue import words
from workers.training.heard import LONG_TAIL, TAIL, States, Turn
from workers.training.layout import GO_AFTER
from workers.training.renditions import by_text

MOST_STEPS = 96
TURN_STEPS = 9  # heard after the end of speech, as the runtime's VAD has it


def _prefill(model: HybridS2S, heard: Sequence[States]) -> tuple[Inputs, Tensor]:
    """The heard positions and GO behind them, padded to one length; and the true lengths."""
    lengths = torch.tensor([len(states) + 1 for states in heard])
    rows, longest = len(heard), int(lengths.max())
    states = torch.zeros(rows, longest, model.config.heard_width)
    for row, one in zip(states, heard, strict=True):
        row[: len(one)] = torch.from_numpy(one.astype(np.float32))
    place = torch.arange(longest)[None]
    text = torch.where(place == lengths[:, None] - 1, GO, PAD)
    codes = torch.full((rows, longest, model.config.codebooks), model.config.quiet)
    return Inputs(states, place < lengths[:, None] - 1, text, codes), lengths


@torch.inference_mode()
def reply_tokens(model: HybridS2S, heard: Sequence[States]) -> list[list[int]]:
    """Greedy replies in turn mode: the text tokens of each, up to EOS."""
    inputs, lengths = _prefill(model, heard)
    rows = torch.arange(len(heard))
    cache = model.temporal.cache(len(heard), inputs.text.shape[1] + MOST_STEPS)
    states = model.stream(inputs, cache, rows, lengths)
    state = states[rows, lengths - 1]
    said: list[Tensor] = []
    ended = torch.zeros(len(heard), dtype=torch.bool)
    for _ in range(MOST_STEPS):
        text = greedy(model.text_logits(state), 0)
        said.append(text)
        ended |= text == EOS
        if bool(ended.all()):
            break
        codes = model.sample_codes(state, text, greedy)
        nothing = torch.zeros(len(heard), 1, model.config.heard_width)
        unheard = torch.zeros(len(heard), 1, dtype=torch.bool)
        step = Inputs(nothing, unheard, text[:, None], codes[:, None])
        state = model.stream(step, cache, rows)[:, 0]
    return [row[: row.index(EOS)] if EOS in row else row for row in torch.stack(said, 1).tolist()]


def replies_to(model: HybridS2S, turns: Sequence[Turn], vocabulary: Vocabulary) -> list[str]:
    """The text of the reply to each turn, heard as turn mode does."""
    heard = [turn.states[: turn.end + TURN_STEPS] for turn in turns]
    found: list[str] = []
    for start in range(0, len(heard), 50):
        tokens = reply_tokens(model, heard[start : start + 50])
        found += [vocabulary.text(row) for row in tokens]
    return found


@torch.inference_mode()
def go_error_steps(model: HybridS2S, turns: Sequence[Turn]) -> list[int]:
    """Stream mode: how many steps late (or, negative, early) GO comes; TAIL when it never does."""
    found = []
    for turn in turns:
        heard = torch.from_numpy(turn.states[: turn.end + LONG_TAIL].astype(np.float32))[None]
        steps = heard.shape[1]
        quiet = torch.full((1, steps, model.config.codebooks), model.config.quiet)
        hears, silent = torch.ones(1, steps, dtype=torch.bool), torch.zeros(1, steps).long()
        states = model(Inputs(heard, hears, silent, quiet))
        says = (model.text_logits(states)[0].argmax(-1) == GO).nonzero()
        at = int(says[0]) if len(says) else turn.end + GO_AFTER + TAIL
        found.append(at - turn.end - GO_AFTER)
    return found


def right(turns: Sequence[Turn], replies: Sequence[str]) -> float:
    """The share of turns whose reply's words are exactly those of the question's answer."""
    asked = by_text()
    expected = [asked[turn.text].reply if turn.text in asked else UNKNOWN_REPLY for turn in turns]
    hits = [words(want) == words(got) for want, got in zip(expected, replies, strict=True)]
    return float(np.mean(hits))
