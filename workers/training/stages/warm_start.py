"""What a stage goes on from: a checkpoint with the same words, or finished weights with others.

From finished weights every tensor is taken over as it is; the rows that belong to a word by their
word, and words that the finished weights did not know keep their fresh rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from shared.errors import ConfigError
from workers.models.checkpoint import read_part
from workers.models.s2s import HybridS2S
from workers.models.vocabulary import CHARACTERS, MARKS, Vocabulary
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.training_run import READY

BY_WORD: Final = ("text.weight", "to_text.weight", "to_text.bias", "depth.text.weight")
BY_CALLERS_WORD: Final = ("to_caller.1.weight", "to_caller.1.bias")

WordLists = Mapping[str, Sequence[str]]  # the words that rows of the model stand for
Rows = tuple[list[int], list[int]]  # in the finished weights, and in the new ones


def same_rows(old: Sequence[str], new: Sequence[str], marks: int) -> Rows:
    """The rows of everything that both hold; `marks` rows, alike, are before the first word."""
    place = {word: marks + i for i, word in enumerate(old)}
    both = [(place[w], marks + i) for i, w in enumerate(new) if w in place]
    rows = [(i, i) for i in range(marks)] + both
    return [row for row, _ in rows], [row for _, row in rows]


@torch.no_grad()
def warm(
    model: HybridS2S, vocabulary: Vocabulary, callers: CallerVocabulary, weights: Path
) -> None:
    """Fill `model` from the weights folder; raises ValueError where the sizes differ."""
    part = read_part(weights, "s2s")
    said = same_rows(part.facts["words"], vocabulary.words, MARKS + len(CHARACTERS))
    heard = same_rows(part.facts.get("caller_words", ()), callers.words, 1)
    rows = {**dict.fromkeys(BY_WORD, said), **dict.fromkeys(BY_CALLERS_WORD, heard)}
    for name, mine in model.state_dict().items():
        theirs = part.tensors.get(name)
        if theirs is None and name.startswith("to_caller"):
            continue  # trained before there was such a head
        free = 1 if name in rows else 0  # the dimension of words may differ
        if theirs is None or theirs.shape[free:] != mine.shape[free:]:
            raise ValueError(
                f"Expected {name} of shape {tuple(mine.shape)} in {weights}, got "
                f"{None if theirs is None else tuple(theirs.shape)}: start from weights of the "
                "same preset"
            )
        old, new = rows.get(name, (slice(None), slice(None)))
        mine[new] = theirs[old].to(mine.dtype)


def listed(known: WordLists) -> dict[str, list[str]]:
    """The words as a checkpoint keeps them."""
    return {name: list(words) for name, words in known.items()}


def take(model: HybridS2S, state: Mapping[str, Any], known: WordLists) -> None:
    """Go on from a checkpoint's weights. Raises ConfigError where its words are others."""
    theirs = state.get("known", {})
    if other := [name for name, mine in listed(known).items() if theirs.get(name) != mine]:
        raise ConfigError(
            f"Expected a checkpoint with the same {' and '.join(other)}, got others: what is "
            "taught has changed since it was made. Begin in another folder (--runs), from "
            "exported weights if you like (--start)"
        )
    model.load_state_dict(state["model"])


def before(runs: Path, *stages: str) -> dict[str, Any] | None:
    """The checkpoint of the first of these stages that was run. Raises ConfigError: unfinished."""
    for stage in stages:
        path = runs / stage / "checkpoint.pt"
        if not path.exists():
            continue
        if not path.with_name(READY).exists():
            raise ConfigError(
                f"Expected a finished stage in {path.parent}, but {READY} is missing: let "
                f"`python -m workers.training {stage}` end, or remove the folder to do without"
            )
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return found
    return None
