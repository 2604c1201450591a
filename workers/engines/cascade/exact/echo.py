"""Says words after the caller: "repeat after me, skin", "can you say hello?". Pure."""

import re
from typing import Final

from workers.engines.cascade.exact.quantity import capitalized

_OPENING: Final = (
    r"(?:(?:hey|hi|hello|okay|ok|so|now|um|uh|well|please|antiphon|and|then|just)[ ,]+)*"
    r"(?:(?:can|could|would|will) you (?:please |just )?|i (?:want|would like|need) you to "
    r"|i'd like you to |let me hear you |let's hear you |please |try to |would you mind )?"
)
_END: Final = r"(?:,? (?:please|for me|after me|now|again|out loud|aloud|back to me))*[.?!]*"
_WORD: Final = r"[,:]? (?P<words>[a-z][a-z'-]*)"
_WORDS: Final = r"(?P<words>[a-z][a-z'-]*(?:,? [a-z][a-z'-]*){0,5}?)"
_REQUESTS: Final = tuple(
    re.compile(pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"{_OPENING}(?:repeat|repeating|say|saying) after me[,:.]? {_WORDS}",
        rf"after me[,:.]? {_WORDS}",
        rf"{_OPENING}(?:repeat|repeating|say|saying|pronounce)(?: for me| to me)? "
        rf"(?:the|this|that|my) (?:word|one word)(?: for me)?{_WORD}",
        rf"{_OPENING}(?:repeat|say|pronounce|echo)(?: for me)?{_WORD}",
        rf"{_OPENING}(?:repeat|say|echo) {_WORDS} (?:after me|back to me)",
        r"(?:i would like|i'd like|i'd love|i want) to hear (?:you say )?(?:the|this) word"
        rf"(?: from you)?{_WORD}",
        rf"(?:the|my) word (?:to|for you to|you should|you must) (?:say|repeat) is{_WORD}",
        rf"{_OPENING}say(?: the)?{_WORD} (?:once|one time)",
    )
)
_NO_WORDS: Final = frozenset(
    "it that this them something anything nothing everything more again what why when who where "
    "how so which yourself me us one some your my his her the a an alphabet nicely".split()
)


def echoed(words: str) -> str:
    """The words that a caller wants said after them; "" if they want none."""
    text = words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace('"', "").strip()
    for request in _REQUESTS:
        if found := request.fullmatch(text):
            said = found["words"].rstrip(",")
            if said.lower().split()[0] not in _NO_WORDS:
                return f"{capitalized(said)}."
    return ""
