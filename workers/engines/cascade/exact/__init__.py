"""Computes answers to questions that have an exact one, from the caller's words alone. Pure.

A small language model says wrong sums and spells wrongly. So arithmetic, counting, comparing, the
calendar, the clock, units and letters are computed here, and the model does not answer such a turn.

How it decides: `tokens.py` makes words of a turn into tokens. Each tool drops the words that carry
nothing for it ("please", "what is") and tries its patterns (`pattern.py`). A pattern must cover
every token that is left. So a turn with any word that a tool does not know goes to the model.

What it does not do: it knows no date, time or fact of the world, and reads nothing but the turn,
and for "plus five?" the turns before it. It corrects no transcript beyond the number words and
operators that Whisper mishears. Results beyond a million and long decimals are left to the model.
"""

from typing import Final

from workers.engines.cascade.exact.arithmetic import CLAIMS, REASONED, STORIES, TOGETHER
from workers.engines.cascade.exact.calendar import SEASON, WEEK, YEAR
from workers.engines.cascade.exact.counting import ARE_THEY, COMPARED, COUNTS, NEIGHBOURS
from workers.engines.cascade.exact.letters import SPELLING
from workers.engines.cascade.exact.measures import CLOCK, CONVERSIONS, TEMPERATURES
from workers.engines.cascade.exact.pattern import without_phrases
from workers.engines.cascade.exact.tokens import tokens

TOOLS: Final = (
    CLAIMS, ARE_THEY, COUNTS, STORIES, REASONED, TOGETHER, COMPARED, NEIGHBOURS,
    WEEK, YEAR, SEASON, SPELLING, CONVERSIONS, TEMPERATURES, CLOCK,
)  # fmt: skip
MOST_TOKENS: Final = 30  # of a turn: a longer one has more in it than a question to compute


def exact_answer(words: str) -> str:
    """The computed answer to a caller's whole turn, or ""."""
    found = without_phrases(tokens(words))
    if len(found) > MOST_TOKENS:
        return ""
    return next((answer for one in TOOLS if (answer := one.answer(found))), "")
