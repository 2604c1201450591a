"""Makes a whole question of a follow-up that names only what is new: "And a dog?". Pure.

    How many legs does a spider have?  And a dog?  ->  How many legs does a dog have?

The new words replace words of their kind in the question before. Words are of one kind if they
follow the same preposition, have the same article, are numbers, or are names. Otherwise the new
words replace what the question's verb is about.
"""

import re
from collections.abc import Sequence
from typing import Final

MOST_WORDS: Final = 5  # of what is new
MOST_TURNS: Final = 6  # that may go back to one question
_FOLLOW_UP: Final = re.compile(
    r"(?:(?:so|okay|ok|um|uh|oh|well|hm+)[ ,]+)?"
    r"(?:and (?:what|how) about|(?:what|how) about|and|or|now)[ ,]+(?P<new>[^.?!,;]+?)"
    r"(?:,? (?:please|then|now))*[?.!]*",
    re.IGNORECASE,
)
_QUESTION: Final = re.compile(
    r"(?:what|which|where|when|who|how|is|are|does|do|can|spell|name|tell me)\b", re.IGNORECASE
)
_PERSONAL: Final = re.compile(
    r"\b(?:i|you|me|your|we|us|its|his|her|their|spell|say|tell|name|today|tomorrow|now|it|that|this|they|them|he|she|so|then|there|more|another"
    r"|else|what|why|how|who|when|where|which|is|are|was|do|does|did|can|could|will|would)\b",
    re.IGNORECASE,
)
_PREPOSITION: Final = "in|of|for|to|from|with|on|at|after|before|between|than|into|about"
_ARTICLE: Final = "a|an|the|my|our"
_NUMBER: Final = (
    r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ]\w+)?"
)
# A group of words ends before one of these.
_END: Final = (
    r"(?= (?:is|are|was|were|do|does|did|have|has|had|can|used|eat|live|make|say|use|need|cost"
    r"|called|spelled|look|come|comes|grow|sleep|work|in|of|for|to|from|with|on|at|than|or)\b|$)"
)
_SUBJECT: Final = re.compile(
    r"(?P<kept>.*?\b(?:do|does|did|are|is|can|spell|about)) "
    r"(?P<old>(?!(?:the|a|an|my|our|you|we|i|there)\b)[\w'-]+)"
    r"(?P<rest>(?: .*)?)",
    re.IGNORECASE,
)


def whole_question(words: str, earlier: Sequence[str]) -> str:
    """The whole question that a follow-up to these earlier turns means; "" if it is none."""
    turns = [*earlier[-MOST_TURNS:], words]
    before, whole = "", ""
    for turn in turns:
        turn = turn.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
        whole = _replaced(before, turn)
        before = whole or turn
    return whole


def _replaced(before: str, turn: str) -> str:
    """The question before with the new words of this turn in it; "" if they have no place."""
    found = _FOLLOW_UP.fullmatch(turn)
    if found is None or not _QUESTION.match(before):
        return ""
    new = found["new"].strip()
    if _PERSONAL.search(new) or len(new.split()) > MOST_WORDS:
        return ""
    asked = before.rstrip(" ?.!")
    whole = _by_preposition(asked, new) or _by_kind(asked, new) or _by_place(asked, new)
    return f"{whole}{'?' if before.endswith('?') else '.'}" if whole else ""


def _by_preposition(asked: str, new: str) -> str:
    """ "And of Italy?": what follows the last "of"."""
    found = re.match(rf"(?P<word>{_PREPOSITION}) (?P<rest>.+)", new, re.IGNORECASE)
    if found is None:
        return ""
    if re.fullmatch(_NUMBER, found["rest"], re.IGNORECASE):
        return _by_kind(asked, found["rest"])
    last = re.match(rf"(?P<kept>.*\b{found['word']}) .+", asked, re.IGNORECASE)
    return f"{last['kept']} {found['rest']}" if last else ""


def _by_kind(asked: str, new: str) -> str:
    """ "And a dog?": the last words with an article; a number; a name."""
    article = re.match(rf"(?:{_ARTICLE}) ", new, re.IGNORECASE)
    if best := re.fullmatch(r"the \w+est", new, re.IGNORECASE):
        old_best = re.search(r"\bthe \w+est\b", asked, re.IGNORECASE)
        return _at(asked, old_best, best[0]) if old_best else ""
    if article:
        words = len(new.split()) - 1
        for count in range(words, 0, -1):
            old = rf"\b(?:{_ARTICLE})(?: [\w'-]+){{{count}}}{_END}"
            if all_old := list(re.finditer(old, asked, re.IGNORECASE)):
                return _at(asked, all_old[-1], new)
        return ""
    if re.match(rf"(?:{_NUMBER})\b", new, re.IGNORECASE):
        size = rf"(?: [\w'-]+){{{len(new.split()) - 1}}}" if " " in new else ""
        found = list(re.finditer(rf"\b(?:{_NUMBER}){size}", asked, re.IGNORECASE))
        return _at(asked, found[-1], new) if found else ""
    names = list(re.finditer(r"(?<=[\w'] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*", asked))
    return _at(asked, names[-1], new) if names and new[0].isupper() else ""


def _at(asked: str, old: re.Match[str], new: str) -> str:
    return f"{asked[: old.start()]}{new}{asked[old.end() :]}"


def _by_place(asked: str, new: str) -> str:
    """ "And lions?": what the verb is about, or else the last word."""
    if re.match(rf"(?:{_ARTICLE}|{_NUMBER}|{_PREPOSITION})\b", new, re.IGNORECASE):
        return ""
    if found := _SUBJECT.fullmatch(asked):
        return f"{found['kept']} {new}{found['rest']}"
    if new.endswith("s") and (one := re.search(rf"\bdoes (?:a|an|the) [\w'-]+{_END}", asked)):
        return _at(asked, one, f"do {new}")
    return f"{asked.rpartition(' ')[0]} {new}"
