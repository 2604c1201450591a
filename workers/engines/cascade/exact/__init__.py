"""Computes answers to questions that have an exact one, from the caller's words alone. Pure.

A small language model says wrong sums and spells wrongly. So arithmetic, counting, comparing, the
calendar, the clock, units and letters are computed here, and the model does not answer such a turn.

How it decides: `tokens.py` makes words of a turn into tokens. Each tool drops the words that carry
nothing for it ("please", "what is") and tries its patterns (`pattern.py`). A pattern must cover
every token that is left. So a turn with any word that a tool does not know goes to the model. Only
of stories (`stories.py`) and around plain sums (`embedded.py`) not every word must be known.

When callers ask for something that they told in an earlier turn, the tools find it. `recall.py` has
grammars for some facts. `said_back.py` repeats any other statement as the caller made it. Both
respect corrections (`told.py`). `repeated.py` says the last reply again when callers ask for it.
`echo.py` says words after them. `ellipsis.py` makes a whole question of a follow-up such as "and a
dog?".

The tools have limits. They know no date, time or fact of the world. They read the turn alone, and
the turns before it only for follow-ups and for what the caller told. `misheard.py` corrects number
words, operators and question words that Whisper mishears, and only where an answer follows. The
tools leave results beyond a million and long decimals to the model.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Final

from workers.engines.cascade.exact.arithmetic import CLAIMS, REASONED, STORIES, TOGETHER
from workers.engines.cascade.exact.calendar import SEASON, WEEK, WEEKEND
from workers.engines.cascade.exact.counting import ARE_THEY, COMPARED, COUNTS, NEIGHBOURS
from workers.engines.cascade.exact.echo import echoed
from workers.engines.cascade.exact.ellipsis import whole_question
from workers.engines.cascade.exact.embedded import embedded
from workers.engines.cascade.exact.follow_ups import followed, result_of
from workers.engines.cascade.exact.letters import ALPHABET, SPELLING
from workers.engines.cascade.exact.measures import CLOCK, CONVERSIONS, TEMPERATURES
from workers.engines.cascade.exact.misheard import mended, plain, rejoined
from workers.engines.cascade.exact.pattern import without_phrases
from workers.engines.cascade.exact.quantity import capitalized
from workers.engines.cascade.exact.recall import recalled
from workers.engines.cascade.exact.said_back import said_back
from workers.engines.cascade.exact.series import SERIES, UNKNOWN
from workers.engines.cascade.exact.stories import story
from workers.engines.cascade.exact.tokens import tokens
from workers.engines.cascade.exact.year import NAMES, YEAR

TOOLS: Final = (
    CLAIMS, ARE_THEY, COUNTS, UNKNOWN, STORIES, REASONED, TOGETHER, COMPARED, NEIGHBOURS, SERIES,
    WEEK, WEEKEND, YEAR, NAMES, SEASON, SPELLING, ALPHABET, CONVERSIONS, TEMPERATURES, CLOCK,
)  # fmt: skip
MOST_CHAINED: Final = 8  # turns of "and plus five?" that go back to one sum
MOST_TOKENS: Final = 30  # of a turn: a longer one has more in it than a question to compute
# Between two questions of one turn.
_QUESTIONS: Final = re.compile(
    r"(?:\?|,? and|[.,]) (?=(?:what|where|who|when|how|which|do|can|tell)\b)", re.IGNORECASE
)
_AFTER_THAT: Final = re.compile(
    r"(?:(?:and|so|okay|then|what|what's|which|comes?|is|the|one|day|month|number|letter|right) )*"
    r"(?P<step>after|before) (?:that|this|it)(?: one)?"
)


def exact_answer(words: str, earlier: Sequence[str] = ()) -> str:
    """The computed answer to a caller's whole turn, or "". `earlier`: the turns before it."""
    found = _answered_in_parts(words, earlier) or _answered(words, earlier) or echoed(words)
    whole = "" if found else whole_question(words, earlier)
    return found or (_answered(whole, earlier) if whole else "")


def _answered(words: str, earlier: Sequence[str]) -> str:
    return (
        computed(words)
        or _followed(words, earlier)
        or _next_to_that(words, earlier)
        or _story_over_turns(words, earlier)
        or recalled(words, earlier)
        or said_back(words, earlier)
    )


def _answered_in_parts(words: str, earlier: Sequence[str]) -> str:
    """The answers to two or more questions in one turn, if each has one."""
    parts = _QUESTIONS.split(words)
    answers = [_answered(part, earlier) for part in parts] if len(parts) > 1 else []
    return " ".join(answers) if all(answers) else ""


def computed(words: str) -> str:
    """The answer that follows from this turn alone, or ""."""
    found = without_phrases(tokens(words))
    if len(found) > MOST_TOKENS:
        return ""
    answers = (one.answer(found) for one in TOOLS)
    return next(filter(None, answers), "") or story(found) or embedded(found)


def likely(texts: Sequence[str]) -> str:
    """The likeliest of a doubtful turn's texts from which an answer can be computed; "" if none.

    texts: the likeliest first. A text may be mended for it. Callers ask what makes sense, so such a
    text is likelier than Whisper thinks.
    """
    whole = rejoined(texts[0])
    split = [] if whole == plain(texts[0]) else [whole]  # "7 to plus 41" is no 7 plus 41
    for text in chain(split, texts, *map(mended, texts)):
        if computed(text):
            return text if text in texts else f"{capitalized(text)}."
    return ""


def _next_to_that(words: str, earlier: Sequence[str]) -> str:
    """The answer to "and after that?": what comes after the answer before."""
    found = _AFTER_THAT.fullmatch(words.lower().strip(" ?."))
    before = tokens(_answered(earlier[-1], earlier[:-1])) if found and earlier else ()
    if found is None or not before:
        return ""
    last = f"the letter {before[-1]}" if len(str(before[-1])) == 1 else before[-1]
    return computed(f"what comes {found['step']} {before[-1]}") or computed(
        f"what letter comes {found['step']} {last}"
    )


def _story_over_turns(words: str, earlier: Sequence[str]) -> str:
    """The answer to a question about the numbers in the statement before it."""
    if not earlier or earlier[-1].rstrip().endswith("?"):
        return ""
    return story(tokens(f"{earlier[-1]} {words}"))


def _followed(words: str, earlier: Sequence[str]) -> str:
    """The answer to a turn that goes on with the result of the turn before."""
    if not earlier or len(words.split()) > MOST_TOKENS:
        return ""
    result: Fraction | None = None
    for turn in earlier[-MOST_CHAINED:]:
        answer = computed(turn)
        if not answer and result is not None:
            answer = followed(turn, result)
        result = result_of(answer) if answer else None
    return followed(words, result) if result is not None else ""
