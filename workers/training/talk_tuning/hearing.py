"""How a listener may write the same words down: in lower case, without marks, without the last."""

import random
import re
from typing import Final

LOWER: Final = 0.15  # of caller's turns: lower case, no marks at all
UNMARKED: Final = 0.10  # no marks but as written otherwise
OPEN: Final = 0.15  # only the final mark is missing
_MARKS: Final = re.compile(r"(?<!\d)[.,?!;:]+(?!\d)|[.,?!;:]+(?=\s|$)")


def as_heard(text: str, chance: random.Random) -> str:
    """A caller's words as written, or one of the plainer spellings."""
    draw = chance.random()
    if draw < LOWER:
        return without_marks(text).lower() or text
    if draw < LOWER + UNMARKED:
        return without_marks(text) or text
    if draw < LOWER + UNMARKED + OPEN:
        return text.rstrip(" .?!") or text
    return text


def without_marks(text: str) -> str:
    """No punctuation; that within numbers (3:30, 1,000) and words (don't) stays."""
    return " ".join(_MARKS.sub(" ", text).split())
