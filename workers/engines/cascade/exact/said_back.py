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
     rf"(?:in|at|on|to|from|near|under|behind|inside|by|beside|next)(?! (?:{MONTHS}|{DAYS})\b)"
     r"|here|home|outside"),
    (r"when\b|what (?:time|day|date|month|year)|which (?:day|date|month|year)", _TIME),
    (r"how (?:many|much)\b", rf"{NUMBERS}|a|an|half|few|many|couple|dozen|no"),
    (r"how (?:old|long|far|tall|often|big)\b", rf"{NUMBERS}|half|few|couple|every|once|twice"),
    (r"(?:what|which) (?:colou?r)\b", COLORS),
    (r"why\b", r"because|since|as"),
)  # fmt: skip
# What is asked in words that no statement has.
_REWORDED: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\bin (?:my|our) (?:free|spare) time\b", "as my hobby"),
        (r"\b(?:like|love) to (eat|drink|do|read|watch|play)\b", r"like \1"),
        (r"\b(?:my|our) plans? for\b", "i doing"),
        (r"\bthe (day|date|time) of (my|our)\b", r"what \1 is \2"),
        (r"\bwould (i|we) like to\b", r"do \1 like"),
        (r"\b(?:should you|did i (?:ask|tell|want) you to|i (?:asked|told|wanted) you to)"
         r" remember\b", "is the one to remember"),
    )
)  # fmt: skip
# What is told in words that no question has.
_RETOLD: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\b(?:can't|cannot|can not) (?:stand|bear)\b|\b(?:don't|do not) (?:really )?like\b"
         r"|\b(?:dislike|detest|despise|loathe)\b", "hate"),
        (r"\bi(?:'m| am) (?:\w+ )?(?:into|keen on|passionate about|a (?:big )?fan of)\b"
         r"|\bin my (?:free|spare) time i\b", "i like as my hobby"),
        (r"\bi(?:'d| would) (?:like|love) to\b|\b(?:i|we) (?:plan|hope|mean|intend) to\b"
         r"|\bi(?:'m| am) (?:going|planning|hoping) to\b|\bi dream of\b", "i want"),
        (r"\b(?:adore|fond of)\b", "like"),
    )
)  # fmt: skip
# Of these questions a statement may lack a word: "when do I see the dentist?".
_LOOSELY: Final = re.compile(
    r"(?:when|where|who|which .+|what (?:time|day|kind|sort|type|color|colour) .*"
    r"|how (?:many|much|old|long|far|tall|often).*)"
)
# Preferences, and what was or is done: of "what do I need?" advice may be wanted.
_OF_ME: Final = re.compile(
    r" ?(?:i|we) (?:like|hate|want|prefer|enjoy|play|collect)\b.*"
    r"|.*\b(?:i|we) (?:just )?(?:\w+ed|say|said|tell|told)\b.*"
)
_I_WORK: Final = (
    r"\bI(?:'m| am|'ve been| have been) (?:working as )?an? \w+( \w+)?(?: for .+)?$"
    r"|\bI (?:work|make my living|earn my living) (?:as|in|at|for)\b"
)
_OF_WORK: Final = re.compile(r"\bfor a living\b|\bwork as\b")
_MENTIONED: Final = re.compile(
    rf"{_BEFORE}(?:(?:what|which) (?P<kind>[a-z]+) (?:did i|i) (?:just )?"
    r"(?:mention(?:ed)?|said|say|told you|tell you|named?|talk about)(?: you)?(?: about)?"
    r"(?: before| earlier)?|(?:what(?:'s| is| was) )?my favou?rite (?P<favorite>colou?r)"
    r"|(?:what|which) (?P<best>colou?r) do i (?:like|love|prefer)(?: best| most| the most)?)"
)
_PLACE: Final = (
    rf"\b(?:in|to|from|at) (?!(?:{MONTHS}|{DAYS})\b)(?-i:[A-Z])|(?-i:[A-Z])\w+ is where I\b"
)
_PREFERS: Final = re.compile(r"\b(?:favou?rite|like|love|prefer|best|pick|colou?rs?)\b")
_MENTIONED_KINDS: Final = {
    "color": rf"\b(?:{COLORS})\b", "colour": rf"\b(?:{COLORS})\b", "day": rf"\b{DAYS}\b",
    "month": rf"\b(?:{MONTHS})\b", "number": rf"\b(?:{NUMBERS})\b",
    "city": _PLACE, "country": _PLACE, "town": _PLACE, "place": _PLACE,
    "food": r"\bfood\b|\beat\b|\bI (?:really )?(?:love|like)\b", "job": _I_WORK,
}  # fmt: skip
_WHAT_TO_DO: Final = re.compile(
    r"\b(?:i|we) (?:need|get|use|buy|choose|take|invite|cook|make|give|wear|tell|call|fix|clean"
    r"|keep|say|go|put|start|find|do|add|wash|bake|water|feed)\b"
)
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
        (r"(?:what(?:'s| is| was) )?(?:my|our) (?:job|profession|occupation)", _I_WORK),
        (r"what (?:do i do (?:for (?:a living|work)|at work)|am i by profession|do i work as"
         r"|did i say i (?:do|work as)(?: for a living)?|i do(?: for (?:a living|work)))", _I_WORK),
        (r"what(?: does|'s| is| was)(?: my)? (?P<who>(?!my)[a-z]+?)(?:'s)?"
         r" (?:do(?: for (?:a living|work))?|job)",
         r"\b{who}(?:'s| is| was) an? \w+( \w+)?$|\b{who} works\b"
         r"|\b{who}\b.*, and s?he(?:'s| is| was) an? \w+$"),
    )
)  # fmt: skip
_SMALL: Final = frozenset(
    """a an the is are was were am be been i i'm i've i'd we my our me us it its this that do does
    did have has had got get what which where when who why how and or but of to in on at for with
    from by so called named name names told tell say said just mentioned mention again now still
    today please more than most best really very wrong matter again time day date month year
    kind sort type color city town country place many much old long far often you there earlier
    before right go going one
    better doing plan plans planned planning
    thing things any some am happen happening happened about as because since up out
    first""".split()
)
_SAME: Final = {
    "like": "favorite", "love": "favorite", "prefer": "favorite", "enjoy": "favorite",
    "favourite": "favorite", "left": "leave", "bought": "buy", "went": "go",
    "hated": "hate",
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
_YOU: Final = re.compile(r"\b(?:you|older|younger)", re.IGNORECASE)
_HOW_WHY: Final = ("why", "how")
_COMMON: Final = (
    "the", "there", "there's", "a", "an", "today", "yesterday", "tomorrow", "last", "next", "this",
    "in", "on", "at", "what", "every", "for", "when", "her", "his", "their",
)  # fmt: skip
_PERSON: Final = re.compile(
    r"(?<=\w )[A-Z][a-z]+|\b(?:mother|father|mom|mum|dad|brother|sister|aunt|uncle|cousin|wife"
    r"|husband|son|daughter|friend|boss|neighbou?r|teacher|doctor|grand\w+|cat|dog|boyfriend|girlfriend)s?\b"
)
_NAME: Final = re.compile(
    r"(?<!\bin )(?<!\bto )(?<!\bfrom )(?<!\bat )(?<!\bof )(?<!\bby )\b[A-Z][a-z]+\b"
)
_PRONOUN: Final = re.compile(r"\b(?:he|she|they)\b")
_NAMING: Final = re.compile(r"\b(?:called|calling|naming|names?|named|calls?)\b")
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
    if mentioned := _mentioned(text, earlier):
        return f"You said {_from_the_other_side(mentioned)}."
    found = next((found for one in _QUESTIONS if (found := one.fullmatch(text))), None)
    if found is None or _ADVICE.search(text) or _OF_WORK.search(text):
        return ""
    asked, kind, rest = found["asked"], found["kind"], found["rest"]
    counted = asked in ("how many", "how much")
    wanted = set(_content(f"{kind} {rest}" if counted else rest)) or set(_content(kind or asked))
    for statement in statements(earlier):
        held = _held(statement)
        new = held - wanted or " or " in rest or asked in _YES_OR_NO
        if not wanted or not wanted <= held or not new or _lacks_color(text, statement):
            continue
        if _fits(f"{asked}{kind}", statement) and _told_of(asked + kind, rest, statement, wanted):
            return f"You said {_from_the_other_side(statement)}."
    nearest = _nearest(text, asked + kind, rest, earlier)
    return f"You said {_from_the_other_side(nearest)}." if nearest else ""


def _lacks_color(asked: str, statement: str) -> bool:
    return bool(re.search(r"\bmy favou?rite colou?r\b", asked)) and not re.search(
        rf"\bcolou?rs?\b|\b(?:{COLORS})\b", statement, re.IGNORECASE
    )


def _held(statement: str) -> set[str]:
    text = _bare(statement)
    for pattern, plain in _RETOLD:
        text = pattern.sub(plain, text)
    return set(_content(text))


def _nearest(text: str, asked: str, rest: str, earlier: Sequence[str]) -> str:
    """The one statement about the caller that has half of the question's words or more; or ""."""
    did = re.search(r"\b(?:did|was|were|am|are)\b", text)
    known = did or _OF_ME.fullmatch(rest) or _LOOSELY.fullmatch(asked)
    advice = not did and _WHAT_TO_DO.search(rest)
    if not known or not _ABOUT.search(rest) or asked in _HOW_WHY or advice:
        return ""
    wanted = set(_content(f"{asked.partition(' ')[2]} {rest}"))
    if wanted == {_stem("favorite")}:
        return ""
    shared: dict[str, int] = {}
    for statement in statements(earlier):
        count = len(wanted & _held(statement))
        mine = _ABOUT.search(_bare(statement).replace("'", " ")) and not _YOU.search(statement)
        if mine and 2 * count >= len(wanted) and count and _fits(asked, statement):
            shared[statement] = count
    best = [one for one, count in shared.items() if count == max(shared.values())]
    return best[0] if len(best) == 1 else ""


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


def _mentioned(text: str, earlier: Sequence[str]) -> str:
    """The latest statement with a color, a city, a number, if the question asks which it was."""
    found = _MENTIONED.fullmatch(text)
    kind = next(filter(None, found.groups()), "") if found else ""
    if kind not in _MENTIONED_KINDS:
        return ""
    pattern = re.compile(_MENTIONED_KINDS[kind], re.IGNORECASE)
    about = _ABOUT if found and found["kind"] else _PREFERS
    mine = [
        one
        for one in statements(earlier)
        if about.search(_bare(one).replace("'", " ")) or " to remember " in one
    ]
    return next((one for one in mine if pattern.search(one) and not _YOU.search(one)), "")


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
    if _YOU.search(statement):
        return False
    if _NAMING.search(rest) and not _NAMED.search(statement):
        return False
    if found := _PRONOUN.search(rest):  # "where does he live?" after "Tom is here, and he ..."
        return re.search(rf"\b{found[0]}\b", statement.lower()) is not None
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
