"""Goes on from finished weights although the vocabulary has grown since.

Every tensor is taken over as it is; the rows of text embeddings by their word, and words that the
finished weights did not know keep their fresh rows.
"""

from pathlib import Path
from typing import Final

import torch

from workers.models.checkpoint import read_part
from workers.models.s2s import HybridS2S
from workers.models.vocabulary import CHARACTERS, MARKS, Vocabulary

BY_WORD: Final = ("text.weight", "to_text.weight", "to_text.bias", "depth.text.weight")


def same_rows(old: Vocabulary, new: Vocabulary) -> tuple[list[int], list[int]]:
    """Token numbers (in `old`, in `new`) of everything that both hold."""
    shared = MARKS + len(CHARACTERS)
    place = {word: shared + i for i, word in enumerate(old.words)}
    both = [(place[w], shared + i) for i, w in enumerate(new.words) if w in place]
    rows = [(i, i) for i in range(shared)] + both
    return [row for row, _ in rows], [row for _, row in rows]


@torch.no_grad()
def warm(model: HybridS2S, vocabulary: Vocabulary, weights: Path) -> None:
    """Fill `model` from the weights folder; raises ValueError where the sizes differ."""
    part = read_part(weights, "s2s")
    old, new = same_rows(Vocabulary(part.facts["words"]), vocabulary)
    for name, mine in model.state_dict().items():
        theirs = part.tensors[name]
        if name in BY_WORD:
            mine[new] = theirs[old]
        elif mine.shape == theirs.shape:
            mine.copy_(theirs)
        else:
            raise ValueError(
                f"Expected {name} of shape {tuple(mine.shape)} in {weights}, got "
                f"{tuple(theirs.shape)}: start from weights of the same preset"
            )
