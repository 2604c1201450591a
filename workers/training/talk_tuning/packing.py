"""Conversations in token rows: one system prompt for all, then rows of about equal length together.

    flat tokens:  system | block of 3 rows of 20 | block of 5 rows of 34 | ...

Each conversation sees the system prompt and itself, and its positions continue the prompt's. A
worker computes the same: every caller's row begins with the shared prompt. The linear layers take
the flat tokens; attention takes the blocks one by one, so that little of it is padding.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from workers.models.llama.chat import Chat
from workers.models.llama.tokenizer import Tokenizer
from workers.training.talk_tuning.conversations import Conversation
from workers.training.talk_tuning.hearing import as_heard

CALLER_WEIGHT: Final = 0.1  # of the caller's words and end, so that the end of turn stays known
CALLER_KEPT: Final = 0.25  # of the caller's words, drawn again each time: the head costs a fifth
LONGER: Final = 1.2  # a block's longest row against its shortest


@dataclass(frozen=True, slots=True)
class Piece:
    """One conversation in tokens; `weights`: how much each counts as a target."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one length among the flat tokens."""

    start: int
    rows: int
    size: int  # tokens a row, padded on the right

    @property
    def span(self) -> slice:
        """Where its rows * size tokens lie."""
        return slice(self.start, self.start + self.rows * self.size)


@dataclass(frozen=True, slots=True)
class Batch:
    """Flat tokens (T,) and positions (T,) int64, the system prompt first; and the N targets."""

    tokens: Tensor
    positions: Tensor
    system: int  # tokens of the system prompt
    blocks: tuple[Block, ...]
    sources: Tensor  # (N,) places before a target
    targets: Tensor  # (N,) those tokens
    weights: Tensor  # (N,) float32


def piece(
    conversation: Conversation,
    chat: Chat,
    tokenizer: Tokenizer,
    limit: int,
    chance: random.Random | None,
) -> Piece:
    """A conversation's tokens, whole turns of at most `limit`; no `chance`: texts as written."""
    tokens: list[int] = []
    weights: list[float] = []
    for said, reply in conversation.turns:
        text = said if chance is None else as_heard(said, chance)
        parts = (
            (chat.user_start(), 0.0),
            (tokenizer.encode(text), CALLER_WEIGHT),
            ([chat.end], CALLER_WEIGHT),
            (chat.user_end()[1:] + chat.assistant_start(), 0.0),
            ([*tokenizer.encode(reply), chat.end], 1.0),
            (chat.assistant_end()[1:], 0.0),
        )
        if len(tokens) + sum(len(part) for part, _ in parts) > limit:
            break
        for part, weight in parts:
            tokens += part
            weights += [weight] * len(part)
        if chance is not None:
            words = len(parts[1][0])
            first = len(tokens) - sum(len(part) for part, _ in parts[1:])
            weights[first : first + words] = _drawn(words, chance)
    return Piece(tuple(tokens), tuple(weights))


def _drawn(words: int, chance: random.Random) -> list[float]:
    """Weights of a caller's words: few of them represent all."""
    kept = (chance.random() < CALLER_KEPT for _ in range(words))
    return [CALLER_WEIGHT / CALLER_KEPT if yes else 0.0 for yes in kept]


def parted(pieces: Sequence[Piece], most: int) -> list[list[Piece]]:
    """Pieces in lists, in order, of at most `most` tokens each: a batch's worth."""
    found: list[list[Piece]] = [[]]
    room = most
    for one in pieces:
        if len(one.tokens) > room and found[-1]:
            found.append([])
            room = most
        found[-1].append(one)
        room -= len(one.tokens)
    return found


def batch_of(pieces: Sequence[Piece], system: Sequence[int]) -> Batch:
    """Pieces as one batch."""
    tokens, positions = list(system), list(range(len(system)))
    blocks: list[Block] = []
    sources: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for rows in _alike(pieces):
        size = max(len(row.tokens) for row in rows)
        blocks.append(Block(len(tokens), len(rows), size))
        for row in rows:
            for at, weight in enumerate(row.weights):
                if weight:
                    sources.append(len(tokens) + at - 1)
                    targets.append(row.tokens[at])
                    weights.append(weight)
            tokens += [*row.tokens, *[0] * (size - len(row.tokens))]
            positions += range(len(system), len(system) + size)
    return Batch(
        torch.tensor(tokens),
        torch.tensor(positions),
        len(system),
        tuple(blocks),
        torch.tensor(sources),
        torch.tensor(targets),
        torch.tensor(weights),
    )


def _alike(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Groups of about the same length, the shortest first."""
    found: list[list[Piece]] = []
    for one in sorted(pieces, key=lambda piece: len(piece.tokens)):
        if not found or len(one.tokens) > LONGER * len(found[-1][0].tokens):
            found.append([])
        found[-1].append(one)
    return found
