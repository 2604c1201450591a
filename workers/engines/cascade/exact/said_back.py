"""Says back what a caller told earlier in the call, when they ask for it. Pure.

    I left my keys on the kitchen table.  Where are my keys?
    ->  You said you left your keys on the kitchen table.

It needs no list of things that callers may tell. The question must be about the caller, and one
statement of theirs must hold its words and something of the kind that is asked for: a place for
"where", a number for "how many". The statement is said back as a whole, from the other side.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_BEFORE: Final = (
    r"(?:(?:so|and|okay|ok|hey|um|uh|well|please|now|antiphon|wait|sorry|but|then)[ ,]+)*"
    r"(?:(?:do|can|could|would) you (?:still |please |even )?"
    r"(?:remember|know|recall|tell me|say|guess) |tell me |remind me |i forgot )?"
    r"(?:again |please )?"
)
_ABOUT: Final = r"(?:i|we|my|our)\b"
_QUESTION: Final = re.compile(
    rf"{_BEFORE}(?P<asked>(?:what|which|where|when|who|why|how)(?: (?!should|can|could|would|may|"
    rf"must|will)[a-z]+){{0,2}}?)(?:'s| is|'re| are| was| were| am| do| did| does| have| has| had"
    rf"|'d)? (?={_ABOUT})(?P<rest>.+)"
)
_CHOICE: Final = re.compile(rf"{_BEFORE}(?:do|did|am|was|is|are) (?={_ABOUT})(?P<rest>.+ or .+)")
_ADVICE: Final = re.compile(
    r"\b(?:should|can|could|would|might|ought|shall|will|need to|have to|going to do|in all)\b"
    r"|\bhow(?:'s| is| are| am)\b|\bsay to\b|\bhow (?:many|much) (?:more|fewer|less)\b"
    r"|\b(?:left|altogether|together|total)\b"
    r"|\b(?:does|do|did) my \w+ do$|\bin the (?:story|game|poem|song)\b"
)
# What a question asks for, by its first words, and what a statement must hold to answer it.
_TIME: Final = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|today|tomorrow|tonight|yesterday|morning|noon|afternoon"
    r"|evening|night|midnight|o'clock|week|weekend|month|year|spring|summer|autumn|fall|winter|at"
    r"|in|on|ago|christmas|easter|halloween|new year's"
)
_AMOUNT: Final = (
    r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred"
    r"|thousand|million|a|an|half|few|many|couple|dozen|no"
)
_KINDS: Final = (
    (r"where\b", r"in|at|on|to|from|near|under|behind|inside|by|beside|next|here|home|outside"),
    (r"when\b|what (?:time|day|date|month|year)|which (?:day|date|month|year)", _TIME),
    (r"how (?:many|much|old|long|far|tall|often|big)\b", _AMOUNT),
    (r"what (?:colou?r)\b", r"red|orange|yellow|green|blue|purple|violet|pink|brown|black|white"
                            r"|gr[ae]y|silver|gold|golden|beige|turquoise"),
    (r"why\b", r"because|since|as"),
)  # fmt: skip
_SMALL: Final = frozenset(
    """a an the is are was were am be been i i'm i've i'd we my our me us it its this that do does
    did have has had got get what which where when who why how and or but of to in on at for with
    from by so called named name told tell say said just mentioned mention again now still today
    please more than most best really very again time day date month year kind sort type color city
    town country place many much old long far often you there earlier before right go going one
    thing things any some am happen happening happened about as because since up out
    first""".split()
)
_SAME: Final = {
    "like": "favorite", "love": "favorite", "prefer": "favorite", "enjoy": "favorite",
    "favourite": "favorite", "left": "leave", "bought": "buy", "went": "go", "ate": "eat",
    "drank": "drink", "saw": "see", "found": "find", "lost": "lose", "met": "meet", "sold": "sell",
    "kept": "keep", "made": "make", "wrote": "write", "drove": "drive", "grew": "grow",
    "taught": "teach", "won": "win", "broke": "break", "gave": "give", "took": "take",
    "mom": "mother", "dad": "father", "mum": "mother", "kid": "child", "kids": "child",
    "children": "child",
    "job": "work", "wedding": "marry", "married": "marry", "flies": "fly", "flew": "fly",
}  # fmt: skip
_SIDES: Final = {
    "i'm": "you're", "i am": "you are", "i was": "you were", "i've": "you've", "i'd": "you'd",
    "i'll": "you'll", "am i": "are you", "i": "you", "my": "your", "mine": "yours", "me": "you",
    "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've", "our": "your",
    "ours": "yours", "us": "you", "we'll": "you'll",
}  # fmt: skip
_SIDE: Final = re.compile(
    r"\b(?:" + "|".join(sorted(_SIDES, key=len, reverse=True)) + r")(?![\w'])", re.IGNORECASE
)
_COMMON: Final = (
    "the", "there", "a", "an", "today", "yesterday", "tomorrow", "last", "next", "this", "in", "on",
    "at", "every", "for", "when", "her", "his", "their",
)  # fmt: skip
_PARTS: Final = re.compile(
    r"(?<=[a-z0-9])[.!;]+(?:\s+|$)|[,;]? (?:and|but|so) (?=(?:i|i'm|i've|my|we|he|she|it|he's|she's"
    r"|it's)\b)",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(
    r"^(?:(?:well|so|hi|hey|hello|okay|ok|um|uh|oh|yes|no|yeah|actually|anyway|antiphon|and|but|please|"
    r"by the way|just so you know|you know|listen|guess what)[ ,.]+|(?:remember|note|imagine|know)"
    r"(?: that|:|,)? )+",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"(?:what|which|where|when|who|why|how|do|does|did|is|are|am|was|were|can|could|would|will"
    r"|should|tell|have you|give|say|let's|if)\b",
    re.IGNORECASE,
)


def said_back(words: str, earlier: Sequence[str]) -> str:
    """The answer to a question about what was stated in these earlier turns; "" otherwise."""
    text = _bare(words)
    found = _QUESTION.fullmatch(text) or _CHOICE.fullmatch(text)
    if found is None or _ADVICE.search(text):
        return ""
    asked = found.groupdict().get("asked") or ""
    wanted = set(_content(f"{asked} {found['rest']}"))
    for turn in reversed(earlier):
        for statement in _statements(turn):
            held = set(_content(_bare(statement)))
            if wanted and wanted <= held and held - wanted and _fits(asked, statement):
                return f"You said {_from_the_other_side(statement)}."
    return ""


def _fits(asked: str, statement: str) -> bool:
    """Whether a statement holds something of the kind that is asked for."""
    low = statement.lower()
    for question, kind in _KINDS:
        if re.match(question, asked):
            return re.search(rf"\b(?:{kind})\b", low) is not None
    return True


def _statements(turn: str) -> Iterator[str]:
    """What a turn states about the caller, a clause each."""
    if turn.rstrip().endswith("?"):
        return
    turn = turn.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for part in _PARTS.split(turn):
        clause = _OPENING.sub("", part.strip(" ,")).strip(" ,.!")
        about = re.search(r"\b(?:i|i'm|i've|i'd|my|we|we're|we've|our)(?![\w'])", clause.lower())
        if about and not _ASKS.match(clause) and not re.search(r"\byou", clause.lower()):
            yield clause


def _content(text: str) -> Iterator[str]:
    """The stems of the words that carry something."""
    for word in text.replace("'s", "").split():
        if word not in _SMALL:
            yield _stem(word)


def _stem(word: str) -> str:
    word = _SAME.get(word, word)
    for ending in ("ing", "ed", "es", "s", "e"):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            word = word[: -len(ending)]
            break
    return _SAME.get(word, word[:-1] if len(word) > 3 and word[-1] == word[-2] else word)


def _from_the_other_side(clause: str) -> str:
    """ "My keys are here" -> "your keys are here". A first word that may be a name stays."""
    turned = _SIDE.sub(lambda found: _SIDES[found[0].lower()], clause)
    first, gap, rest = turned.partition(" ")
    return f"{first.lower() if first.lower() in _COMMON else first}{gap}{rest}"


def _bare(text: str) -> str:
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(re.sub(r"[?!.,;:\"]+", " ", text).split())
