"""Puts further words around a trained English question: openings, indirect questions, endings.

The model learns a few phrasings of a form as wholes, and then takes another beginning for another
question. Random words around each question teach it that these words carry no meaning.
"""

import random
import re
from typing import Final


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


OPENED: Final = 0.1  # share of questions with an opening
INDIRECT: Final = 0.2  # share that becomes indirect, of those that can
ENDED: Final = 0.07  # share of questions with an ending

# For questions, and for requests such as "count to ten".
OPENINGS: Final = _listed(
    "let me ask you, | my question is, | quick question, | next question, | i have a question, "
    "| here is another one, | excuse me, | listen, | one more thing, | this is important,"
)
REQUEST_OPENINGS: Final = _listed("excuse me, | listen, | one more thing, | be so kind,")
ENDINGS: Final = _listed("please | if i may ask | can you say")
REQUEST_ENDINGS: Final = _listed("please | for me | if you can | if you would")
KNOWING: Final = _listed(
    "i would like to know | i need to know | i have forgotten | remind me | i am not sure "
    "| explain to me | i must know | i never know | say"
)
WANTING: Final = _listed("give me | i need | let me hear | i want to hear | just say")
SAID_AROUND: Final = (
    *(OPENINGS + REQUEST_OPENINGS + ENDINGS + REQUEST_ENDINGS),
    *(KNOWING + WANTING),
)

# Questions for a thing that can be given: the double of five, but not the job of a builder.
_THING: Final = re.compile(
    r"(?:what is|tell me) (half of [^,?]+|the (?:(?:next|last|capital) )?"
    r"(?:sum|double|half|number|day|month|opposite|capital|city|colour) [^,?]+)\??"
)
_NO_THING: Final = r"(?!left|bigger|smaller|more|less|it\b)"
_IS: Final = re.compile(
    rf"(what|who|where|how much|(?:what|which) colour) (is|are) {_NO_THING}([^,?]+)(?<! for)\?"
)
_SUBJECT: Final = re.compile(
    r"(?:what|which|how many) (?!country)\w+ (?:comes?|is|are) (?!it\b|there\b)[^,?]+\?"
)
_ASKS_ALREADY: Final = re.compile(r"\bplease\b|\bright\?|\bnot\?")


def _indirect(text: str, rng: random.Random) -> str | None:
    """`what is x?` as `i need to know what x is`; None if no rule applies."""
    ways: list[str] = []
    if found := _THING.fullmatch(text):
        ways.append(f"{rng.choice(WANTING)} {found[1]}")
    if found := _IS.fullmatch(text):
        ways.append(f"{rng.choice(KNOWING)} {found[1]} {found[3]} {found[2]}")
    elif _SUBJECT.fullmatch(text):
        ways.append(f"{rng.choice(KNOWING)} {text.rstrip('?')}")
    return rng.choice(ways) if ways else None


def reworded(text: str, rng: random.Random) -> str:
    """The question, unchanged or with more words around it."""
    if rng.random() < INDIRECT:
        text = _indirect(text, rng) or text
    asks = text.endswith("?")
    opened, ended = rng.random() < OPENED, rng.random() < ENDED
    if ended and not _ASKS_ALREADY.search(text) and text[-1] not in ".!":
        ending = rng.choice(ENDINGS if asks else REQUEST_ENDINGS)
        text = f"{text.rstrip('?')}, {ending}{'?' * asks}"
    if opened:
        text = f"{rng.choice(OPENINGS if asks else REQUEST_OPENINGS)} {text}"
    return text
