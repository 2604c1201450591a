"""Finds what a caller said about themselves earlier in the call, when they ask for it. Pure.

    recalled("What's my dog's name?", ["I have a dog called Rex."])  ->  "Your dog's name is Rex."

`STATED` holds how callers state a thing, `ASKED` how they ask for one. Both name it in the same
words: "my favorite color", "the place". The latest statement counts. A thing that was not stated is
left to the model, and so is every question with other words in it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workers.engines.cascade.exact.told import MONTHS, NUMBERS, told_part, turns_told

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
        ("name", r"(?:^|, |there |hello |hi )(?-i:(?P<value>[A-Z][a-z]+)) here(?=[.!,]|$)"),
        ("name", rf"(?:^|[.!?,] ?)the name{_IS} {_VALUE}{_END}"),
        ("name", r"\b(?:(?:you're|you are) (?:talking|speaking) (?:to|with)|i'm called|i am called)"
                 rf" {_VALUE}{_END}"),
        ("name", r"\b(?:it's|this is) (?-i:(?P<value>[A-Z][a-z]+)) (?:speaking|here|again)\b"),
        ("{}'s name", rf"\bmy {_THING} (?:answers to|goes by)(?: the name)?(?: of)?"
                      rf" {_VALUE}{_END}"),
        ("{}'s name", rf"\ban? (?:new )?{_THING},? (?:and )?(?:i|we)(?:'re|'ve|'m| are| have| am)? "
                      rf"(?:call|name)(?:d|ed|ing)? (?:him|her|it) {_VALUE}{_END}"),
        ("nickname", rf"\b(?:every(?:one|body)|people|friends|they) calls? me {_VALUE}{_END}"),
        ("name", rf"(?:^|[.!?,] ?|\byou can |\bplease )(?:call me|i go by) {_VALUE}{_END}"),
        ("name", r"\b(?:i'm|i am|this is) (?-i:(?P<value>[A-Z][a-z]+))(?=[.!?,;]|$| and\b)"),
        ("home", rf"\b(?:i|we) (?:live|am living) in {_VALUE}{_END}"),
        ("home", r"\b(?:i|we)(?:'ve| have)? (?:just |recently )?moved (?:from \w+(?: \w+)? )?to "
                 rf"{_VALUE}(?=[.!?,;]|$| (?:and|but|last|this|in|a|two|three|recently|when)\b)"),
        ("home", rf"\b(?:i'm|i am|we're|we are) (?:based|living|staying) in {_VALUE}{_END}"),
        ("home", rf"\bmy home{_IS} (?:in )?{_VALUE}{_END}"),
        ("home", rf"(?:^|[.!?,] ?){_VALUE} is where (?:i|we) live\b"),
        ("origin", r"\b(?:i(?:'ve)? gr[eo]wn? up in|my family (?:is|comes) from|i was raised in)"
                   rf" {_VALUE}{_END}"),
        ("origin", rf"\bi(?:'m| am| come|'ve come) from {_VALUE}{_END}"),
        ("birthday", r"\bi was born (?:in|on) "
                     rf"(?P<value>(?:the )?(?:[\w' ]+ )?(?:{MONTHS})\b[\w ]*)"),
        ("birthplace", rf"\bi was born in (?!(?:{MONTHS})\b){_VALUE}{_END}"),
        ("age", r"\bi(?:'m| am|'ve just turned| just turned| turned) (?:already )?"
                r"(?P<value>\d+|(?:[a-z]+ty[- ]?)?[a-z]+)(?: years old| years of age)"),
        ("age", r"\bi(?:'ve)?(?: just| recently)? turned "
                rf"(?P<value>(?:{NUMBERS})(?:[ -](?:{NUMBERS}))?)\b"),
        ("age", rf"\bi(?:'m| am) (?P<value>(?:{NUMBERS})(?:[ -](?:{NUMBERS}))?)"
                r"(?=[.!?,;]|$| (?:and|now|already|today)\b)"),
        ("number", r"\b(?:remember|memori[sz]e|keep)(?: in mind)? (?:the|this|my) number"
                   rf"(?: in mind)?(?: is|:|,)? {_VALUE}(?: in mind| for me)?{_END}"),
        ("word", r"\b(?:the|my) (?:pass)?word(?: for you| to remember)?(?: is|:|,) "
                 rf"(?:the word )?{_VALUE}{_END}"),
        ("word", r"\b(?:remember|memori[sz]e|keep)(?: in mind)? (?:the|this|my) word(?: in mind)?"
                 rf"(?: is|:|,)? {_VALUE}(?: in mind| for me)?{_END}"),
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
        ("{}'s name", rf"what (?:do|did) (?:i|we) (?:call|name) (?:my|the) {_THING}"),
        ("{}'s name", rf"what{_IS} the {_THING} (?:called|named)"),
        ("{}'s name", rf"what{_IS} the {_THING}'s name"),
        ("name", r"(?:who am i|who is this|who(?:'s| is) speaking"
                 r"|what am i called|who i am|what i am called)"),
        ("nickname", r"what do(?:es)? (?:people|every(?:one|body)|they|my \w+) call me"),
        ("home", r"(?:where do (?:i|we) live|where (?:i|we) live|where (?:am i|are we) living"
                 r"|(?:what|which) (?:city|town|country|place) do i live in"
                 r"|(?:what|which) (?:city|town|place) am i in)"),
        ("origin", r"(?:where (?:am i|do i come|i am|i'm|i come|did i say i come) from"
                   r"|where from i am"
                   r"|(?:what|which) (?:city|town|country|place) (?:am i|do i come) from)"),
        ("birthday", r"(?:when (?:was i|i was) born"
                     r"|(?:what|which) (?:month|day) (?:was i|i was) born"
                     r"(?: in| on)?|(?:what|which) (?:month|day) is my birthday(?: in| on)?)"),
        ("word", r"(?:(?:what|which) (?:word )?)?(?:(?:was|is) )?(?:the |that |my )?(?:pass)?word"
                 r"(?: from before| to remember| from earlier| was it)?"),
        ("word", r"(?:(?:what|which) )?(?:(?:was|is) )?(?:the )?word (?:did )?i "
                 r"(?:just )?(?:gave|give|told|tell|asked|ask|wanted|want|said|say)(?: to)?"
                 r"(?: you)?(?: to remember)?"),
        ("word", r"(?:what|which) word should you remember"),
        ("number", r"(?:what|which) number should you remember"),
        ("birthplace", r"(?:where (?:was i|i was) born)"),
        ("age", r"(?:how old (?:am i|i am|i was|did i say i (?:am|was)))"),
        ("job", r"(?:what do i (?:do for a living|work as)|what i do for a living)"),
    )
)  # fmt: skip
_SAID: Final = {
    "name": "Your name is {}.", "home": "You live in {}.", "origin": "You're from {}.",
    "birthplace": "You were born in {}.", "age": "You are {} years old.",
    "word": "The word is {}.", "job": "You work as a {}.", "nickname": "People call you {}.",
}  # fmt: skip
# What answers too where the thing itself was not told.
_NEXT_BEST: Final = {"name": "nickname", "origin": "birthplace"}
_OUR: Final = re.compile(r"\bour\b", re.IGNORECASE)
_TITLE: Final = re.compile(r"\b(Mrs?|Ms|Dr)\.")
_SAME: Final = {"favourite": "favorite", "colour": "color"}


def recalled(words: str, earlier: Sequence[str]) -> str:
    """The answer to a question for something stated in these earlier turns; "" otherwise."""
    text = _OUR.sub("my", _plain(words))
    for asked, pattern in ASKED:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        thing = asked.format(found.groupdict().get("thing") or "")
        other = _NEXT_BEST.get(thing, thing)
        if value := _latest(thing, earlier) or _latest(other, earlier):
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
    text = told_part(turn).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = _OUR.sub("my", _TITLE.sub(r"\1", text))
    for thing, pattern in STATED:
        for found in pattern.finditer(text):
            named = _plain(found.groupdict().get("thing") or "")
            yield thing.format(named), found["value"]


def _plain(text: str) -> str:
    """Lower case without marks, in American spelling."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    words = re.sub(r"[?!.,;:\"]+", " ", text).split()
    return " ".join(_SAME.get(word, word) for word in words)
