"""Says the last reply again, or the caller's last words, when they ask for it. Pure."""

import re
from typing import Final

_BEFORE: Final = (
    r"(?:(?:sorry|i'm sorry|pardon|excuse me|huh|wait|oh|please|and|so|okay|ok|um|uh|hey|antiphon)"
    r"[ ,]+)*"
)
_AGAIN: Final = r"(?: (?:again|once more|one more time|another time|please|for me|now))*"
_THAT: Final = r"(?:that|it|this|your (?:last )?(?:answer|words|sentence)|what you (?:just )?said)"
_REPLY: Final = re.compile(
    rf"{_BEFORE}(?:what did you (?:just )?(?:say|tell me)(?: just now| before)?"
    r"|what (?:was|is) (?:that|your (?:last )?answer)(?: again)?"
    rf"|(?:(?:can|could|would|will) you )?(?:please )?repeat(?: {_THAT})?"
    rf"|(?:(?:can|could|would|will) you )?(?:please )?(?:say|tell me) {_THAT} "
    r"(?:again|once more|one more time)"
    r"|i (?:didn't|did not|couldn't) (?:quite )?(?:hear|catch) (?:you|that|it|what you said)"
    rf"|come again|pardon(?: me)?|once more|one more time){_AGAIN}"
)
_CALLER: Final = re.compile(
    rf"{_BEFORE}what (?:did i (?:just )?(?:say|ask)(?: you)?|was my (?:last )?question){_AGAIN}"
)
NOTHING_YET: Final = "I haven't said anything yet. What would you like to talk about?"


def repeated(words: str, caller: str, reply: str) -> str:
    """The answer to "what did you say?" after these words and their reply; "" to other turns.

    Of a reply that was interrupted nothing is said again: its end is missing.
    """
    text = words.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = " ".join(re.sub(r"[?!.,;:]+", " ", text).split())
    if _REPLY.fullmatch(text):
        if not reply:
            return "" if caller else NOTHING_YET
        return reply if reply.endswith((".", "!", "?")) else ""
    if caller and _CALLER.fullmatch(text):
        return f"You {'asked' if caller.endswith('?') else 'said'}: {caller}"
    return ""
