"""Solves short stories with two numbers: things that come, go, are shared, cost money or age. Pure.

    Tom has nine apples and eats two. How many are left?  ->  Nine minus two is seven.

A story has two whole numbers and asks one question for a number. What is asked ("left", "each",
"altogether") and what happens ("eats", "buys") decide the step. A story with neither is left to the
model.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from workers.engines.cascade.exact.pattern import without_phrases
from workers.engines.cascade.exact.quantity import combined, plain, stated
from workers.engines.cascade.exact.tokens import Nth, Token

MOST_TOKENS: Final = 34


def _any_of(words: str) -> str:
    return rf"\b(?:{'|'.join(words.split())})\b"


_LOSSES: Final = _any_of(
    "lose loses lost eat eats ate eaten give gives gave given sell sells sold spend spends spent "
    "use uses used take takes took taken drop drops dropped break breaks broke broken fly flies "
    "flew leave leaves left go goes went gone missing throw throws threw away burst pop popped "
    "drink drinks drank steal steals stole stolen disappear die died fall falls fell off out"
)
_GAINS: Final = _any_of(
    "get gets got buy buys bought find finds found win wins won receive receives received earn "
    "earns earned collect collects collected add adds added more another come comes came join "
    "joins joined arrive arrives arrived pick picks picked plus bake bakes baked"
)
_NUMBER: Final = r"(?P<{}>\d+)"
_A, _B = _NUMBER.format("a"), _NUMBER.format("b")
_HOW_MANY: Final = r"(?:how (?:many|much|old)|what)\b"
_LEFT: Final = r"\b(?:left|remain|remains|remaining|keep|keeps|still|over|free|available)\b"
_TOGETHER: Final = r"\b(?:altogether|together|in all|in total|total|both|combined)\b"
_EACH: Final = (
    r"\b(?:each|every|per|apiece|(?<!is )an? (?:piece|day|hour|week|month|year|minute))\b"
)
_SHARES: Final = r"\b(?:shares?|shared|splits?|divides?|divided|distribut\w+|deals?)\b"

_PERSON: Final = r"\b(?:my |her |his |the )?"
_BE: Final = r"(?:is|am|are)"
_THEN: Final = r"\b(?:now|have|has|there)\b"
# The person with a stated age, and a question for the age of somebody else.
_TOLD: Final = rf"{_PERSON}(?P<who>\w+) {_BE} {_A}\b.*\b{_BE} {_B} years?"
_ASKED: Final = rf".*how old {_BE} {_PERSON}(?!(?P=who)\b)\w+"
# The story's text with numbers as digits, and the step. The first that fits decides.
_STEPS: Final = tuple(
    (re.compile(pattern), step)
    for pattern, step in (
        (f"{_TOLD} older{_ASKED}", "plus"),
        (f"{_TOLD} younger{_ASKED}", "minus"),
        (rf"\b(?:{_BE}|i|he|she) {_A}\b.*how old (?:will|would) .*\bin {_B} years?", "plus"),
        (rf"\b(?:{_BE}|i|he|she) {_A}\b.*\bin {_B} years? how old (?:will|would)\b", "plus"),
        (rf"\b(?:{_BE}|i|he|she) {_A}\b.*how old (?:was|were) .*\b{_B} years? ago", "minus"),
        (rf"\b(?:{_BE}|i|he|she) {_A}\b.*how many years .*\b(?:be|am|is|turn) {_B}", "until"),
        # Shares and groups.
        (rf"{_SHARES} {_A}\b.*\b(?:among|between|with|to|by|into) {_B}\b.*{_HOW_MANY}",
         "divided by"),
        (rf"\b{_A} .*{_SHARES}.* (?:among|between|into) {_B}\b.*{_HOW_MANY}", "divided by"),
        (rf"\b{_B} [a-z]+ {_SHARES} {_A}\b.*{_EACH}", "divided by"),
        (rf"^(?!.*(?:{_EACH}.*{_HOW_MANY}|\bchange\b)).*?\b{_A}\b.*\b{_B}\b.*{_HOW_MANY}.*{_EACH}",
         "divided by"),
        (rf"^(?!.*(?:{_LEFT}|\bchange\b|{_SHARES}))(?=.*{_EACH}).*?\b{_A}\b.*\b{_B}\b", "times"),
        (rf"^(?!.*(?:{_LEFT}|\bchange\b))(?:if )?(?:1|a|an|the|every|each) (?P<one>\w+) "
         r"(?:costs?|has|is|weighs|takes|carries|holds|needs|eats|makes) "
         rf"{_A}\b.*{_HOW_MANY}.*\b{_B} (?P=one)\w*", "times"),
        (rf"^(?:.* )?{_A} [a-z]+ plus {_B} [a-z]+\b", "plus"),
        # What is left, and what there is together.
        (rf"^(?=.*{_LEFT})(?=.*{_LOSSES}).*?\b{_A}\b.*\b{_B}\b", "less"),
        (rf"\b{_A}\b.*{_LOSSES}.*\b{_B}\b.*how many (?:\w+ )?"
         r"(?:are there now|do|does|have|has)\b", "less"),
        (rf"^{_A} [a-z]+(?: [a-z]+)? and {_B} [a-z]+(?: [a-z]+)? how many\b(?!.*\bmore\b)", "plus"),
        (rf"^(?!.*{_EACH})(?=.*{_TOGETHER}).*?\b{_A}\b.*\b{_B}\b", "plus"),
        (rf"\b{_A}\b.*{_GAINS}.*\b{_B}\b.*how many\b.*{_THEN}", "plus"),
        (rf"\b{_A}\b.*\b{_B} more\b.*how many\b.*{_THEN}", "plus"),
    )
)  # fmt: skip


def story(found: Sequence[Token]) -> str:
    """The answer to a story; "" if it is none."""
    words = without_phrases(found)
    text = " ".join("nth" if isinstance(word, Nth) else str(word) for word in words)
    if len(words) > MOST_TOKENS or not re.search(rf"\b{_HOW_MANY}", text):
        return ""
    first = re.sub(r"^(?P<start>(?:if |when )?)1(?= \w+ costs?\b)", r"\g<start>a", text)
    first = re.sub(r"\beach 1\b", "each", first)
    if re.search(r"\b(?:a|per|every|each) day\b", first):
        first = re.sub(r"\b(?:a|1|the|per) week\b", "7 days", first)
    if len(re.findall(r"\d+", first)) != 2 or "/" in first:
        return ""
    for pattern, step in _STEPS:
        if match := pattern.search(first):
            return _step(int(match["a"]), int(match["b"]), step)
    return ""


def _step(a: int, b: int, step: str) -> str:
    if step == "until":
        a, b, step = b, a, "minus"
    if step == "less":
        a, b, step = max(a, b), min(a, b), "minus"
    if step == "minus" and a < b:
        return ""
    return stated(combined(plain(Fraction(a)), step, plain(Fraction(b))))
