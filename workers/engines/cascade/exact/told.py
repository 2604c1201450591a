"""Lists what callers stated in earlier turns, clause by clause, with their corrections. Pure.

    ["I have a dog. His name is Rex.", "No, Max."]
    ->  "I have a dog, and his name is Max", "I have a dog, and his name is Rex", "I have a dog"

A clause about "he", "she" or "it" follows the clause before it. A correction ("no, four", "sorry, I
meant Nina") replaces a word of its kind in the statement before. Kinds are numbers, days, colors
and names. The corrected statement counts as a later one.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

MOST_WORDS: Final = 6  # of a correction: what is longer is a statement of its own
DAYS: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
MONTHS: Final = (
    r"january|february|march|april|may|june|july|august|september|october|november|december"
)
COLORS: Final = (
    r"red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|gr[ae]y|silver|gold|golden"
    r"|beige|turquoise"
)
NUMBERS: Final = (
    r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million"
)
_KINDS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:{NUMBERS})(?:[ :-](?:{NUMBERS}))*\b",
        rf"\b(?:{DAYS}|tomorrow|today)\b",
        rf"\b(?:{MONTHS})\b",
        rf"\b(?:{COLORS})\b",
        r"\ban? [a-z]+\b",
    )
)
_PARTS: Final = re.compile(
    r"(?<=[a-z0-9])(?<!\bmr)(?<!\bmrs)(?<!\bms)(?<!\bdr)[.!;]+(?:\s+|$)"
    r"|[,;]? (?:and|but|so) (?=(?:i|i'm|i've|my|we|our|he|she|it|his|her|its"
    r"|he's|she's|it's|they|they're)\b)",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    r"^(?:(?:well|so|hi|hey|hello|okay|ok|um|uh|oh|yes|no|yeah|actually|anyway|antiphon|and|but|please|"
    r"by the way|just so you know|you know|listen|guess what)[ ,.]+|(?:remember|note|imagine|know)"
    r"(?:(?: that|:|,) |(?: )(?=(?:i|i'm|i've|my|we|our)\b)))+",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"(?:what(?! (?:i|we) (?:like|love|enjoy|hate|want|need|eat|drink|do)\b.* (?:is|are)\b)"
    r"|which|where|when|who|why|how|do|does|did|is|are|am|was|were|can|could|would|will"
    r"|should|tell|have you|give|say|let's|if)\b",
    re.IGNORECASE,
)
_GOES_ON: Final = re.compile(
    r"(?:he|she|it|his|her|its|they|their)\b"
    r"|(?:i|we)(?:'re|'ve|'m| are| have| am)? (?:call|name)(?:d|ed|ing)? (?:him|her|it|them)\b",
    re.IGNORECASE,
)
_MARK: Final = r"(?:no|actually|sorry|wait|i mean|i meant|correction|oops|my mistake)"
_CORRECTION: Final = re.compile(
    rf"(?:(?:oh|um|uh|hm+|well|not|hang on|hold on|excuse me|{_MARK})[ ,.:!-]+)*?{_MARK}[ ,.:!-]+"
    rf"(?:(?:oh|um|uh|well|rather|{_MARK})[ ,.:!-]+)*"
    r"(?:(?:it|that|he|she|they|there|i)(?:'s| is| was| are| were| said| meant(?: to say)?| mean)"
    r" (?:actually |really |in fact )?)?(?P<value>.+?)(?:,? not .+)?[.!]*",
    re.IGNORECASE,
)
_NOT_BUT: Final = re.compile(
    r"(?:oh,? |no,? |it's |that's )*not (?P<old>[\w' ]+?)(?:, but|,| but) (?P<value>[\w' ]+)[.!]*",
    re.IGNORECASE,
)
_ONLY_NO: Final = re.compile(
    r"(?:oh,? )?no,? (?!actually|sorry|wait|i mean|it|that)", re.IGNORECASE
)
_IN_ONE_TURN: Final = re.compile(
    r"(?P<said>.+?)[,.;-]+ (?P<fix>(?:(?:oh|um|uh),? )?"
    r"(?:no,|no (?:wait|sorry)|sorry|wait|i mean|i meant)\b.+)",
    re.IGNORECASE,
)
_TO_REMEMBER: Final = re.compile(
    r"(?:remember|memori[sz]e|keep in mind|keep) (?:the|this|my) (?P<kind>number|word|name|code"
    r"|city|colou?r|animal|phrase|date|letter)(?: in mind)?(?: is)?[:,]? (?P<value>.+?)"
    r"(?: in mind)?",
    re.IGNORECASE,
)
_STATES: Final = re.compile(r"\b(?:i|i'm|i've|my|we|our|is|are|was|were|has|have)\b", re.IGNORECASE)
_AFTER_VERB: Final = re.compile(
    r"(?P<kept>.*\b(?:is|are|was|were|am|called|named|i'm|in|from|to|at|on)) (?P<value>.+)",
    re.IGNORECASE,
)


_PART_BEFORE: Final = re.compile(r"(?P<told>.+)[.!;,] .*\?", re.DOTALL)


def told_part(turn: str) -> str:
    """What a turn tells: of "I'm Ann, what's your name?" the first half; of a question nothing."""
    text = turn.strip()
    if not text.endswith("?"):
        return text
    found = _PART_BEFORE.fullmatch(text)
    return found["told"] if found and not _ASKS.match(_OPENING.sub("", found["told"])) else ""


def turns_told(earlier: Sequence[str]) -> list[str]:
    """The turns, each correction as the statement that it corrects; the oldest first."""
    told: list[str] = []
    for turn in earlier:
        text = turn.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
        before = told[-1] if told else ""
        found = _IN_ONE_TURN.fullmatch(text)
        if found and _STATES.search(found["said"]):
            before, text = found["said"], found["fix"]
            told.append(before)
        told.append(_corrected(before, text) or text)
    return told


def _corrected(before: str, text: str) -> str:
    """The statement with the correction in its place; "" if the text is none."""
    found = _CORRECTION.fullmatch(text)
    if found is None and (other := _NOT_BUT.fullmatch(text)):
        found = other if other["old"].lower() in before.lower() else None
    if found is None or not before or before.endswith("?"):
        return ""
    value = found["value"]
    if len(value.split()) > MOST_WORDS or _STATES.search(value) or value.endswith("?"):
        return ""
    before = before.rstrip(" .!")
    if new := next((new for kind in _KINDS if (new := kind.search(value))), None):
        spans = [old.span() for old in new.re.finditer(before)]
        return f"{before[: spans[-1][0]]}{new[0]}{before[spans[-1][1] :]}." if spans else ""
    after = _AFTER_VERB.fullmatch(before)
    if after is None or (_ONLY_NO.match(text) and not _both_names(value, after["value"])):
        return ""
    kept = after["kept"]
    return f"{kept} {value.removeprefix(kept.rsplit(maxsplit=1)[-1] + ' ')}."


def _both_names(value: str, old: str) -> bool:
    return value[0].isupper() and old[0].isupper()


def statements(earlier: Sequence[str]) -> Iterator[str]:
    """What the turns state, a clause each; the latest turn first."""
    told: list[list[str]] = []
    before = ""
    for turn in turns_told(earlier):
        clauses = list(_clauses(turn, before))
        told.append(clauses)
        before = clauses[-1] if clauses else ""
    for clauses in reversed(told):
        yield from clauses


def _clauses(turn: str, before: str) -> Iterator[str]:
    """The clauses of a turn, without those that ask."""
    for part in _PARTS.split(told_part(turn)):
        clause = _OPENING.sub("", part.strip(" ,")).strip(" ,.!")
        if not clause or _ASKS.match(clause):
            continue
        if kept := _TO_REMEMBER.fullmatch(clause):
            clause = f"the {kept['kind']} to remember is {kept['value']}"
        if before and _GOES_ON.match(clause):
            clause = f"{before}, and {clause[0].lower()}{clause[1:]}"
        yield clause
        before = clause
