"""Conversations as rows of tokens: what counts as a target, what fits, how rows are laid out."""

import random

import pytest

from tests.unit.workers.models.llama import tiny
from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.packing import (
    CALLER_KEPT,
    CALLER_WEIGHT,
    Piece,
    batch_of,
    parted,
    piece,
)

SOURCE = tiny.source()
TALK = several("x", ("hello", "hi"), ("why?", "so"))


def made(limit: int = 500, chance: random.Random | None = None) -> Piece:
    return piece(TALK, SOURCE.chat, SOURCE.tokenizer, limit, chance)


def test_replies_and_their_ends_count_fully_and_callers_a_little() -> None:
    found = made()
    targets = [
        (SOURCE.tokenizer.decode([token]) or "end", weight)
        for token, weight in zip(found.tokens, found.weights, strict=True)
        if weight
    ]
    little = CALLER_WEIGHT
    assert targets == [
        ("hello", little), ("end", little), ("h", 1), ("i", 1), ("end", 1),
        *((letter, little) for letter in "why?"), ("end", little), ("s", 1), ("o", 1), ("end", 1),
    ]  # fmt: skip


def test_the_tokens_are_those_of_a_worker() -> None:
    chat, words = SOURCE.chat, SOURCE.tokenizer
    wanted = []
    for said, reply in TALK.turns:
        wanted += chat.user(said) + chat.assistant_start()
        wanted += words.encode(reply) + chat.assistant_end()
    assert list(made().tokens) == wanted


def test_turns_beyond_the_limit_are_left_out() -> None:
    one = Conversation("x", TALK.turns[:1])
    short = piece(one, SOURCE.chat, SOURCE.tokenizer, 500, None)
    assert made(limit=len(short.tokens)) == short
    assert made(limit=3) == Piece((), ())


def test_few_of_a_callers_words_are_drawn_and_stand_for_all() -> None:
    chance = random.Random(1)
    said = single("x", "why " * 200, "so")
    found = piece(said, SOURCE.chat, SOURCE.tokenizer, 5000, chance)
    kept = [weight for weight in found.weights if weight not in (0, 1, CALLER_WEIGHT)]
    assert {*kept} == {CALLER_WEIGHT / CALLER_KEPT}
    words = len(SOURCE.tokenizer.encode(("why " * 200).strip()))
    assert sum(kept) == pytest.approx(CALLER_WEIGHT * words, rel=0.25)


def test_batches_hold_at_most_so_many_tokens_in_order() -> None:
    pieces = [Piece((size,) * size, (1.0,) * size) for size in (5, 4, 9, 20, 1)]
    lists = parted(pieces, 10)
    assert [[len(one.tokens) for one in part] for part in lists] == [[5, 4], [9], [20], [1]]


def test_rows_go_on_behind_the_prompt_and_alike_lie_together() -> None:
    system = [1, 2, 3]
    pieces = [
        Piece(tuple(range(10, 10 + size)), (0.0, *(1.0,) * (size - 1))) for size in (10, 4, 11)
    ]
    batch = batch_of(pieces, system)
    assert [(one.rows, one.size) for one in batch.blocks] == [(1, 4), (2, 11)]
    assert batch.tokens[:3].tolist() == system
    assert batch.positions.tolist() == [0, 1, 2, 3, 4, 5, 6, *range(3, 14), *range(3, 14)]
    assert batch.tokens[batch.blocks[1].span].tolist()[:11] == [*range(10, 20), 0]
    assert len(batch.targets) == 3 + 9 + 10
    for source, target in zip(batch.sources.tolist(), batch.targets.tolist(), strict=True):
        assert batch.tokens[source + 1] == target
