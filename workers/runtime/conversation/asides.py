"""Interprets short words over a reply: a back-channel, a request to stop, or more words. Pure.

English only, because the engines that read such words read English.
"""

import re
from typing import Final

# What listeners say while they listen. Whisper writes "mm hmm" in many ways.
_LISTENING: Final = frozenset(
    "ah aha alright great ha haha hm hmm huh mhm mm mmhm mmhmm mmm nice oh ok okay right sure uh "
    "uhhuh um umm wow yeah yep yes yup cool exactly good".split()
)
_LISTENING_PHRASES: Final = re.compile(r"\b(?:all right|i see|got it|uh oh|of course)\b")
# What people say to make a voice stop.
_STOP: Final = re.compile(
    r"\b(?:stop|wait|no|nope|enough|quiet|pause|cancel|hey|sorry|hold on|hang on|shut up|be quiet"
    r"|excuse me|never ?mind|one (?:moment|second)|not that|okay stop)\b"
)


def is_listening(words: str) -> bool:
    """Whether the words are a back-channel ("yeah", "mm hmm"), or none at all."""
    text = _LISTENING_PHRASES.sub(" ", _plain(words))
    return all(word in _LISTENING for word in text.split())


def means_stop(words: str) -> bool:
    """Whether the words ask a voice to be silent ("wait", "hold on")."""
    return _STOP.search(_plain(words)) is not None


def _plain(words: str) -> str:
    """Lower case without marks; "Mm-hmm." -> "mm hmm"."""
    return re.sub(r"[^a-z ]+", " ", words.lower().replace("'", ""))
