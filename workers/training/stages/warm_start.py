"""Starts a model from a checkpoint with the same words, or from finished weights with others.

A warm start copies every tensor of the finished weights. Where rows represent words, it
copies each word's row. Words that the finished weights lack keep their newly initialised rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from shared.errors import ConfigError
from workers.models.checkpoint import read_part
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S
from workers.models.speech_to_speech.vocabulary import CHARACTERS, MARKS, Vocabulary
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.training_run import CHECKPOINT, READY

REPLY_WORDS: Final = ("text.weight", "to_text.weight", "to_text.bias", "depth.text.weight")
CALLER_WORDS: Final = ("to_caller.1.weight", "to_caller.1.bias")

WordLists = Mapping[str, Sequence[str]]  # the words that rows of the model represent
Rows = tuple[list[int], list[int]]  # in the finished weights, and in the new ones


def same_rows(old: Sequence[str], new: Sequence[str], marks: int) -> Rows:
    """The rows that both hold; their first `marks` rows are equal and represent no word."""
    place = {word: marks + i for i, word in enumerate(old)}
    both = [(place[w], marks + i) for i, w in enumerate(new) if w in place]
    rows = [(i, i) for i in range(marks)] + both
    return [row for row, _ in rows], [row for _, row in rows]


@torch.no_grad()
def warm_start(
    model: HybridS2S, vocabulary: Vocabulary, callers: CallerVocabulary, weights: Path
) -> None:
    """Fill `model` from the weights folder; raises ValueError if the sizes differ."""
    part = read_part(weights, "s2s")
    said = same_rows(part.facts["words"], vocabulary.words, MARKS + len(CHARACTERS))
    recognised = same_rows(part.facts.get("caller_words", ()), callers.words, 1)
    rows = {**dict.fromkeys(REPLY_WORDS, said), **dict.fromkeys(CALLER_WORDS, recognised)}
    for name, mine in model.state_dict().items():
        theirs = part.tensors.get(name)
        if theirs is None and name.startswith("to_caller"):
            continue  # weights from before this head existed
        free = 1 if name in rows else 0  # the number of words may differ
        if theirs is None or theirs.shape[free:] != mine.shape[free:]:
            raise ValueError(
                f"Expected {name} of shape {tuple(mine.shape)} in {weights}, got "
                f"{None if theirs is None else tuple(theirs.shape)}: start from weights of the "
                "same preset"
            )
        old, new = rows.get(name, (slice(None), slice(None)))
        mine[new] = theirs[old].to(mine.dtype)


def as_lists(word_lists: WordLists) -> dict[str, list[str]]:
    """The words as a checkpoint keeps them."""
    return {name: list(words) for name, words in word_lists.items()}


def restore(model: HybridS2S, state: Mapping[str, Any], word_lists: WordLists) -> None:
    """Load a checkpoint's weights. Raises ConfigError if its words differ."""
    theirs = state.get("known", {})
    if other := [name for name, mine in as_lists(word_lists).items() if theirs.get(name) != mine]:
        raise ConfigError(
            f"Expected a checkpoint with the same {' and '.join(other)}, got others: the taught "
            "words have changed since it was written. Start in another folder (--runs), if you "
            "like from exported weights (--start)"
        )
    model.load_state_dict(state["model"])


def checkpoint_of(runs: Path, *stages: str) -> dict[str, Any] | None:
    """The checkpoint of the first of these stages that ran. Raises ConfigError if unfinished."""
    for stage in stages:
        path = runs / stage / CHECKPOINT
        if not path.exists():
            continue
        if not path.with_name(READY).exists():
            raise ConfigError(
                f"Expected a finished stage in {path.parent}, but {READY} is missing: let "
                f"`python -m workers.training {stage}` finish, or remove the folder to skip it"
            )
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return found
    return None
