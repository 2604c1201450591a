"""Finds what a caller said about themselves earlier in the call, when they ask for it. Pure.

    recalled("What's my dog's name?", ["I have a dog called Rex."])  ->  "Your dog's name is Rex."

`STATED` holds how callers state a thing, `ASKED` how they ask for one. Both name it in the same
words: "my favorite color", "the place". The latest statement counts. A thing that was not stated is
left to the model, and so is every question with other words in it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workers.engines.cascade.exact.told import NUMBERS, turns_told

_ASKING: Final = (
    r"(?:(?:so|and|okay|ok|hey|um|uh|well|please|now|antiphon|wait|sorry)[ ,]+)*"
    r"(?:(?:do|can|could|would) you (?:still |please )?(?:remember|know|recall|tell me|say|guess)?"
    r"|tell me|remind me|i forgot|say|what did i (?:just )?(?:say|tell you)|did i tell you)?[ ,]*"
)
_AGAIN: Final = r"(?: again| now| then| please| today| for me| that i told you| i told you)*"
_THING: Final = r"(?P<thing>[a-z']+(?: [a-z']+){0,3}?)"
_VALUE: Final = r"(?P<value>[\w'-]+(?: [\w'-]+){0,4}?)"
_END: Final = r"(?=[.!?,;]|$| and (?:i|my|we)\b| but\b)"
_IS: Final = r"(?:'s| is| are| was| were)"
# Statements: a thing in fixed words (or "" where the statement names it), and how it is said.
STATED: Final = tuple(
    (thing, re.compile(pattern, re.IGNORECASE))
    for thing, pattern in (
        ("{}'s name", rf"\bmy {_THING}{_IS} (?:called|named) {_VALUE}{_END}"),
        ("{}'s name", rf"\b(?:have|got|own) an? {_THING} (?:called|named) {_VALUE}{_END}"),
        ("{}", rf"\bmy {_THING}{_IS} (?:in |on |at )?(?!called|named|not\b){_VALUE}{_END}"),
        ("{}", rf"(?:^|[.!?,] ?)(?:i think |well, )?{_VALUE}{_IS} my {_THING}{_END}"),
        ("{}'s name", r"\bmy (?P<thing>(?-i:[a-z]+)) (?-i:(?P<value>[A-Z][a-z]+))(?=[ ,.!]|$)"),
        ("nickname", rf"\b(?:every(?:one|body)|people|friends|they) calls? me {_VALUE}{_END}"),
        ("name", rf"(?:^|[.!?,] ?|\byou can |\bplease )(?:call me|i go by) {_VALUE}{_END}"),
        ("name", r"\b(?:i'm|i am|this is) (?-i:(?P<value>[A-Z][a-z]+))(?=[.!?,;]|$| and\b)"),
        ("home", rf"\b(?:i|we) (?:live|am living) in {_VALUE}{_END}"),
        ("home", rf"\b(?:i|we)(?:'ve| have)? (?:just )?moved to {_VALUE}{_END}"),
        ("origin", rf"\bi(?:'m| am| come|'ve come) from {_VALUE}{_END}"),
        ("birthplace", rf"\bi was born in {_VALUE}{_END}"),
        ("age", r"\bi(?:'m| am|'ve just turned| just turned| turned) (?:already )?"
                r"(?P<value>\d+|(?:[a-z]+ty[- ]?)?[a-z]+)(?: years old| years of age)"),
        ("age", rf"\bi(?:'m| am) (?P<value>(?:{NUMBERS})(?:[ -](?:{NUMBERS}))?)"
                r"(?=[.!?,;]|$| and\b)"),
        ("job", rf"\bi work as (?:a|an) {_VALUE}{_END}"),
    )
)  # fmt: skip
# Questions: the thing in fixed words, and the words that remain after the asking.
ASKED: Final = tuple(
    (thing, re.compile(_ASKING + pattern + _AGAIN))
    for thing, pattern in (
        ("{}'s name", rf"(?:what|how){_IS} my {_THING} (?:called|named)"),
        ("{}'s name", rf"(?:what )?my {_THING} (?:is|was) (?:called|named)"),
        ("{}'s name", rf"(?:what{_IS} )?the name of my {_THING}"),
        ("{}", rf"(?:what|who|when|where|which day|what day|how){_IS} my {_THING}"),
        ("{}", rf"(?:what |when |where )?my {_THING}(?: is| was)?"),
        ("name", r"(?:who am i|what am i called|who i am|what i am called)"),
        ("nickname", r"what do(?:es)? (?:people|every(?:one|body)|they|my \w+) call me"),
        ("home", r"(?:where do i live|where i live"
                 r"|(?:what|which) (?:city|town|country|place) do i live in"
                 r"|(?:what|which) (?:city|town|place) am i in)"),
        ("origin", r"(?:where (?:am i|do i come|i am|i'm|i come) from|where from i am"
                   r"|(?:what|which) (?:city|town|country|place) (?:am i|do i come) from)"),
        ("birthplace", r"(?:where (?:was i|i was) born)"),
        ("age", r"(?:how old (?:am i|i am|i was|did i say i (?:am|was)))"),
        ("job", r"(?:what do i (?:do for a living|work as)|what i do for a living)"),
    )
)  # fmt: skip
_SAID: Final = {
    "name": "Your name is {}.", "home": "You live in {}.", "origin": "You're from {}.",
    "birthplace": "You were born in {}.", "age": "You are {} years old.",
    "job": "You work as a {}.", "nickname": "People call you {}.",
}  # fmt: skip
_SAME: Final = {"favourite": "favorite", "colour": "color"}


def recalled(words: str, earlier: Sequence[str]) -> str:
    """The answer to a question for something stated in these earlier turns; "" otherwise."""
    text = _plain(words)
    for asked, pattern in ASKED:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        thing = asked.format(found.groupdict().get("thing") or "")
        value = _latest(thing, earlier)
        if value or (thing == "name" and (value := _latest("nickname", earlier))):
            return _SAID.get(thing, f"Your {thing} is {{}}.").format(value)
    return ""


def _latest(thing: str, earlier: Sequence[str]) -> str:
    stated = [
        value
        for turn in reversed(turns_told(earlier))
        for name, value in _stated(turn)
        if name == thing
    ]
    return stated[0] if stated else ""


def _stated(turn: str) -> Iterator[tuple[str, str]]:
    """Each thing that a turn states, and its value as it was written."""
    if turn.rstrip().endswith("?"):
        return
    text = turn.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for thing, pattern in STATED:
        for found in pattern.finditer(text):
            named = _plain(found.groupdict().get("thing") or "")
            yield thing.format(named), found["value"]


def _plain(text: str) -> str:
    """Lower case without marks, in American spelling."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    words = re.sub(r"[?!.,;:\"]+", " ", text).split()
    return " ".join(_SAME.get(word, word) for word in words)
