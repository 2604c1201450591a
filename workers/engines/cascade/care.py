"""Answers that a small model must not improvise: distress, emergencies, requests to do harm. Pure.

English phrases, few and plain, that leave no doubt. Everything else is the model's. A model that is
trusted to handle such turns (THINK) is asked itself.
"""

import re
from typing import Final

DISTRESS: Final = (
    "I'm really sorry you feel this way. Please call a crisis line or your local emergency number "
    "now, and tell someone you trust. I'm here to listen."
)
EMERGENCY: Final = (
    "Please call your local emergency number right now. Stay where you are until help comes."
)
REFUSAL: Final = (
    "I won't help with that, because someone could get hurt. If something is troubling you, "
    "I'm happy to listen."
)

_PEOPLE: Final = (
    r"(?:someone|somebody|anyone|people|a person|him|her|them|my (?:wife|husband|boss|brother"
    r"|sister|mother|father|mom|dad|neighbou?r|teacher|friend|girlfriend|boyfriend|partner|ex))"
)
_DISTRESS: Final = re.compile(
    r"\b(?:kill|hurt|harm|cut) myself\b|\bend (?:my|it) (?:life|all)\b|\bsuicid|\bwant to die\b"
    r"|\bwish i (?:was|were) dead\b|\bno reason to live\b"
    r"|\b(?:don't|do not) want to (?:live|be alive|exist)\b"
)
_EMERGENCY: Final = re.compile(
    r"\bswallowed\b.*\b(?:bleach|cleaner|cleaning|detergent|poison|battery|pills?|medicine)\b"
    r"|\bcan(?:'t|not) breathe\b|\b(?:heart attack|having a stroke|overdosed?)\b"
    r"|\b(?:is|are|fell) unconscious\b|\b(?:is|are) not breathing\b|\bmy house is on fire\b"
)
_HARM: Final = re.compile(
    r"\b(?:make|build|create|construct) (?:a |an |some )?(?:pipe |homemade )?"
    r"(?:bombs?|explosives?|grenades?|meth|crystal meth|poison)\b"
    rf"|\b(?:poison|kill|murder|strangle|stab|shoot|drug|kidnap) {_PEOPLE}\b"
    r"|\bhack (?:into )?(?:someone|somebody|my (?:neighbou?r|ex|boss|wife|husband)|a bank)"
    r"|\b(?:buy|get) (?:illegal drugs|a fake passport)\b"
)


def careful_answer(words: str) -> str:
    """The fixed answer to a caller's turn; "" where the model may answer."""
    text = words.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for pattern, answer in ((_DISTRESS, DISTRESS), (_EMERGENCY, EMERGENCY), (_HARM, REFUSAL)):
        if pattern.search(text):
            return answer
    return ""
