"""Ranks the texts that were heard in a turn, in one pass or in two. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from workers.models.speech_to_text.token_text import bare

# A text that one pass lacks is that much less probable there than the pass's least probable one.
MISSING: Final = 0.2

Texts = Sequence[tuple[str, float]]  # with their mean log probabilities a token


def ranked(
    passes: Sequence[Texts], weights: Sequence[float] | None = None
) -> list[tuple[str, float]]:
    """The different texts of all passes with their mean over the passes, the likeliest first.

    `weights`: of each pass, 1 in all; None: all weigh the same.
    Texts that differ in marks and capitals alone are the same; those without words are left out.
    """
    spellings: dict[str, str] = {}
    for text, _ in (pair for texts in passes for pair in texts):
        spellings.setdefault(bare(text), text)
    spellings.pop("", None)
    found = [_best(texts) for texts in passes]
    shares = weights or [1 / len(found)] * len(found)
    scores = {words: _mean(words, found, shares) for words in spellings}
    order = sorted(spellings, key=lambda words: -scores[words])
    return [(spellings[words], scores[words]) for words in order]


def _best(texts: Texts) -> dict[str, float]:
    best: dict[str, float] = {}
    for text, log_prob in texts:
        best[bare(text)] = max(log_prob, best.get(bare(text), log_prob))
    return best


def _mean(words: str, found: Sequence[Mapping[str, float]], shares: Sequence[float]) -> float:
    scores = [best.get(words, min(best.values()) - MISSING) for best in found]
    return sum(share * score for share, score in zip(shares, scores, strict=True))
