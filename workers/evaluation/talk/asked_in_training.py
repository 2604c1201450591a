"""Which written questions the tuning corpus asks as well, in the same or nearly the same words.

The questions and the corpus were written apart, so common questions ("Tell me a joke.") are in
both. The evaluation reports them in a row of their own.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Final

from workers.evaluation.talk.cases import Case, plain
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.finetune import EXCHANGES
from workers.training.talk_tuning.systematic.corpus import corpus

SEED: Final = 1  # of the systematic part that the shipped adapter was tuned on
KNOWN: Final = "known"  # the kind of a case that the corpus asks as well
# Two questions are nearly the same if they differ only in these words.
SMALL: Final = frozenset(
    """a an the is are was do does did you i me my what who how of to in for it can could please
    tell that this what's who's i'm""".split()
)
MOST_MORE: Final = 4  # small words


@cache
def trained() -> frozenset[str]:
    """Every caller's line of the corpus, as plain words."""
    written = (said for one in conversations.read([EXCHANGES]) for said, _ in one.turns)
    systematic = (
        exchange.caller
        for found in corpus(SEED).values()
        for one in found
        for exchange in one.turns
    )
    return frozenset(map(plain, [*written, *systematic]))


@cache
def _by_content() -> dict[frozenset[str], list[int]]:
    """The lines' words without the small ones -> how many words each line has."""
    found: dict[frozenset[str], list[int]] = {}
    for line in trained():
        words = line.split()
        found.setdefault(frozenset(words) - SMALL, []).append(len(set(words)))
    return found


def asked_in_training(text: str) -> bool:
    """Whether the corpus has this line, or a line that differs only in small words."""
    line = plain(text)
    if line in trained():
        return True
    words = frozenset(line.split())
    content = words - SMALL
    sizes = _by_content().get(content, []) if content else []
    return any(abs(size - len(words)) <= MOST_MORE for size in sizes)


def sorted_out(cases: Iterable[Case]) -> list[Case]:
    """Open questions that the corpus asks as well become a kind of their own."""
    return [
        replace(case, kind=KNOWN)
        if case.kind == "open" and asked_in_training(case.say[0])
        else case
        for case in cases
    ]
