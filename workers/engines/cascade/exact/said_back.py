"""Says back what a caller told earlier in the call, when they ask for it. Pure.

    I left my keys on the kitchen table.  Where are my keys?
    ->  You said you left your keys on the kitchen table.

It needs no list of things that callers may tell. One of their statements (`told.py`) must contain
the question's words and something of the kind that the question asks for. "Where" asks for a place,
"how many" for a number. A question that is not about the caller must name a thing ("the key") or a
person of whom they told. The reply repeats the whole statement, from the other side.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workers.engines.cascade.exact.told import COLORS, DAYS, MONTHS, NUMBERS, statements

_BEFORE: Final = (
    r"(?:(?:so|and|okay|ok|hey|um|uh|well|please|now|antiphon|wait|sorry|but|then)[ ,]+)*"
    r"(?:(?:do|can|could|would) you (?:still |please |even )?"
    r"(?:remember|know|recall|tell me|say|guess) |tell me |remind me |i forgot )?"
    r"(?:again |please )?(?:(?:at|in|on|from|to|for|with|by) )?"
)
_VERB: Final = r"(?:'s|'re|'d| is| are| was| were| am| do| did| does| have| has| had)(?= |$)"
_WHAT: Final = (
    r"(?P<asked>what|which|where|when|whom|who|why|how(?: many| much| old| long| far| tall| often"
    r"| big)?)\b"
)
_KIND: Final = (
    r"(?P<kind>(?: (?!(?:should|can|could|would|may|must|will|if|about|i|we)\b)[a-z']+?){0,4}?)"
)
_QUESTIONS: Final = tuple(
    re.compile(f"{_BEFORE}{pattern}")
    for pattern in (
        r"(?P<asked>(?:who|which|do|did|am|was|is|are)\b)(?P<kind>)(?P<rest> .+ or .+)",
        r"(?P<asked>(?:do|did|am|was|have|is|are)\b)(?P<kind>)(?P<rest> (?:i|we|my|our)\b.+)",
        rf"{_WHAT}{_KIND}{_VERB}(?P<rest> .+)",
        rf"{_WHAT}(?P<kind>)(?P<rest> .+)",
    )
)
_ABOUT: Final = re.compile(r"\b(?:i|me|my|mine|we|us|our)\b")
_YES_OR_NO: Final = ("do", "did", "am", "was", "have", "is", "are")
_ADVICE: Final = re.compile(
    r"\b(?:should|can|could|would|might|ought|shall|will|have to|going to do|in all)\b"
    r"|\bhow(?:'s| is| are| am)\b|\bsay to\b|\bhow (?:many|much) (?:more|fewer|less)\b"
    r"|\b(?:left|altogether|together|total)\b|\bhow many\b.*\bstill\b"
    r"|\b(?:does|do|did) my \w+ do$|\bin the (?:story|game|poem|song)\b"
)
# What a question asks for, by its first words, and what a statement must hold to answer it.
_TIME: Final = (
    rf"{DAYS}|{MONTHS}|today|tomorrow|tonight|yesterday|morning|noon|afternoon|evening|night"
    r"|midnight|o'clock|week|weekend|month|year|spring|summer|autumn|fall|winter|at|in|on|ago"
    r"|christmas|easter|halloween|new year's"
)
_KINDS: Final = (
    (r"where\b|.*\b(?:city|town|country|place|street|room)\b",
     r"in|at|on|to|from|near|under|behind|inside|by|beside|next|here|home|outside"),
    (r"when\b|what (?:time|day|date|month|year)|which (?:day|date|month|year)", _TIME),
    (r"how (?:many|much)\b", rf"{NUMBERS}|a|an|half|few|many|couple|dozen|no"),
    (r"how (?:old|long|far|tall|often|big)\b", rf"{NUMBERS}|half|few|couple|every|once|twice"),
    (r"what (?:colou?r)\b", COLORS),
    (r"why\b", r"because|since|as"),
)  # fmt: skip
# What is asked in words that no statement has.
_REWORDED: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\bin (?:my|our) (?:free|spare) time\b", "as my hobby"),
        (r"\b(?:like|love) to (eat|drink|do|read|watch|play)\b", r"like \1"),
        (r"\bmy plans? for\b", "i doing"),
        (r"\bwould (i|we) like to\b", r"do \1 like"),
        (r"\b(?:should you|did i (?:ask|tell|want) you to|i (?:asked|told|wanted) you to)"
         r" remember\b", "is the one to remember"),
    )
)  # fmt: skip
_MAY_I: Final = re.compile(
    rf"{_BEFORE}(?:is it okay if|can|could|may|should) i (?:eat|have|drink|try|order|take)"
    r"(?P<rest> .+)"
)
_NOT_BORNE: Final = re.compile(
    r"\bI(?:'m| am) (?:\w+ )?(?:allergic|intolerant) to (?P<what>.+)", re.IGNORECASE
)
# Questions for work, and the statements that answer them.
_WORK: Final = tuple(
    (re.compile(_BEFORE + asked), told)
    for asked, told in (
        (r"what(?:'s| is| was) (?:my|our) (?:job|profession|occupation)",
         r"\bI(?:'m| am) (?:working as )?an? \w+( \w+)?$|\bI work (?:as|in|at|for)\b"),
        (r"what (?:do i do (?:for (?:a living|work)|at work)|am i by profession|do i work as)",
         r"\bI(?:'m| am) (?:working as )?an? \w+( \w+)?$|\bI work (?:as|in|at|for)\b"),
        (r"what(?: does|'s| is)(?: my)? (?P<who>(?!my)[a-z]+?)(?:'s)?"
         r" (?:do(?: for (?:a living|work))?|job)",
         r"\b{who}(?:'s| is) an? \w+( \w+)?$|\b{who} works\b"),
    )
)  # fmt: skip
_SMALL: Final = frozenset(
    """a an the is are was were am be been i i'm i've i'd we my our me us it its this that do does
    did have has had got get what which where when who why how and or but of to in on at for with
    from by so called named name names told tell say said just mentioned mention again now still
    today please more than most best really very wrong matter again time day date month year
    kind sort type color city town country place many much old long far often you there earlier
    before right go going one
    thing things any some am happen happening happened about as because since up out
    first""".split()
)
_SAME: Final = {
    "like": "favorite", "love": "favorite", "prefer": "favorite", "enjoy": "favorite",
    "favourite": "favorite", "left": "leave", "bought": "buy", "went": "go",
    "drank": "drink", "saw": "see", "found": "find", "lost": "lose", "met": "meet", "sold": "sell",
    "kept": "keep", "made": "make", "wrote": "write", "grew": "grow",
    "taught": "teach", "won": "win", "broke": "break", "gave": "give", "took": "take",
    "mom": "mother", "dad": "father", "mum": "mother", "kid": "child", "kids": "child",
    "children": "child",
    "job": "work", "wedding": "marry", "married": "marry", "flies": "fly", "flew": "fly",
    "eat": "food", "ate": "food", "meal": "food", "dish": "food", "drive": "car", "drove": "car",
    "dollars": "money", "euros": "money", "pounds": "money", "used": "use",
    "loves": "favorite", "likes": "favorite", "baking": "make", "bake": "make",
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
    "the", "there", "there's", "a", "an", "today", "yesterday", "tomorrow", "last", "next", "this",
    "in", "on", "at", "every", "for", "when", "her", "his", "their",
)  # fmt: skip
_PERSON: Final = re.compile(
    r"(?<=\w )[A-Z][a-z]+|\b(?:mother|father|mom|mum|dad|brother|sister|aunt|uncle|cousin|wife"
    r"|husband|son|daughter|friend|boss|neighbou?r|teacher|doctor|grand\w+|cat|dog|boyfriend|girlfriend)s?\b"
)
_NAME: Final = re.compile(
    r"(?<!\bin )(?<!\bto )(?<!\bfrom )(?<!\bat )(?<!\bof )(?<!\bby )\b[A-Z][a-z]+\b"
)
_NAMING: Final = re.compile(r"\b(?:called|names?|named|calls?)\b")
_NAMED: Final = re.compile(rf"{_NAMING.pattern}|(?:,|and) [A-Z]|^[A-Z][a-z]+ is ")
_NAMED_SUBJECT: Final = re.compile(
    r"\b[A-Z][a-z]+(?= (?:is|was|will|has|went|left|came|\w+s|\w+ed)\b)"
)


def said_back(words: str, earlier: Sequence[str]) -> str:
    """The answer to a question about what was stated in these earlier turns; "" otherwise."""
    text = _reworded(_bare(words))
    if kept_from := _kept_from(text, earlier):
        return f"Better not. You said {_from_the_other_side(kept_from)}."
    if work := _work(text, earlier):
        return f"You said {_from_the_other_side(work)}."
    found = next((found for one in _QUESTIONS if (found := one.fullmatch(text))), None)
    if found is None or _ADVICE.search(text):
        return ""
    asked, kind, rest = found["asked"], found["kind"], found["rest"]
    counted = asked in ("how many", "how much")
    wanted = set(_content(f"{kind} {rest}" if counted else rest)) or set(_content(kind or asked))
    for statement in statements(earlier):
        held = set(_content(_bare(statement)))
        new = held - wanted or " or " in rest or asked in _YES_OR_NO
        if not wanted or not wanted <= held or not new:
            continue
        if _fits(f"{asked}{kind}", statement) and _told_of(asked + kind, rest, statement, wanted):
            return f"You said {_from_the_other_side(statement)}."
    return ""


def _kept_from(text: str, earlier: Sequence[str]) -> str:
    """The statement that the caller does not bear what they ask to eat or drink; "" otherwise."""
    found = _MAY_I.fullmatch(text)
    wanted = set(_content(found["rest"])) if found else set()
    return next(
        (
            one
            for one in statements(earlier)
            if (bad := _NOT_BORNE.search(one)) and wanted & set(_content(_bare(bad["what"])))
        ),
        "",
    )


def _work(text: str, earlier: Sequence[str]) -> str:
    """The statement that says what somebody works as, if the question asks for it."""
    for asked, told in _WORK:
        if found := asked.fullmatch(text):
            pattern = re.compile(told.format(**found.groupdict()), re.IGNORECASE)
            return next((one for one in statements(earlier) if pattern.search(one)), "")
    return ""


def _reworded(text: str) -> str:
    for pattern, plain in _REWORDED:
        text = pattern.sub(plain, text)
    return text


def _fits(asked: str, statement: str) -> bool:
    """Whether a statement holds something of the kind that is asked for."""
    low = statement.lower()
    for question, kind in _KINDS:
        if re.match(question, asked):
            return re.search(rf"\b(?:{kind})\b", low) is not None
    return not asked.startswith("who") or _PERSON.search(statement) is not None


def _told_of(asked: str, rest: str, statement: str, wanted: set[str]) -> bool:
    """Whether a question is about what only the caller can know."""
    # Whom "you" means would change. Of "two years older" the age must be computed.
    if re.search(r"\b(?:you|older|younger)", statement.lower()):
        return False
    if _NAMING.search(rest) and not _NAMED.search(statement):
        return False
    if _ABOUT.search(rest):
        return _ABOUT.search(_bare(statement).replace("'", " ")) is not None
    place = asked.split()[0] in ("where", "when")
    named = (_NAMED_SUBJECT if place else _NAME).findall(statement)
    names = set(_content(" ".join(named).lower())) & wanted
    if asked == "what" and len(wanted) < 2:
        subject = re.match(r"(.+?)(?: (?:is|are|was|were)\b|'s )", statement)
        about = set(_content(subject[1].lower())) if subject else set()
        return " the " in f" {rest}" and wanted <= about
    return bool(names) or asked.startswith("who") or " the " in f" {rest}"


def _content(text: str) -> Iterator[str]:
    """The stems of the words that carry something."""
    for word in text.replace("'s", "").split():
        if word not in _SMALL:
            yield _stem(word)


def _stem(word: str) -> str:
    bare = word[:-1] if word.endswith("s") else word
    word = _SAME.get(word) or _SAME.get(bare, word)
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
