"""Mends what Whisper typically writes instead of number words, operators and question words. Pure.

    "How much is it times for?"  ->  "how much is eight times four?"

Whisper hears little context in "eight times four", so it writes likelier words that sound the same.
Here these words are put right where the words around them show what they were: beside a number or
an operator. The cascade asks this module only if Whisper was unsure. It takes a mended text only
if a computed answer follows from it (`exact.likely`).
"""

import re
from collections.abc import Iterator
from typing import Final

# What is written for a number, each beside an operator or a verb of arithmetic.
_WRITTEN_FOR: Final = {
    "one": "won|wan",
    "two": "to|too|do|due",
    "three": "free|tree|the|three thing",
    "four": "for|fore|or|full",
    "five": "fine|fife|far|hive|find",
    "six": "sex|sick|sicks|sake|seek|seeks|zeke|sics|sixth|week|weeks",
    "seven": "saven|savin|save an|save in|save and|heaven|several",
    "eight": "it|ate|at|eat|aid|age|hate|fade|a|ape|it's",
    "nine": "i|i'm|i am|i die|die|eye|mine|i'll|i'd|line|nigh|night",
    "ten": "tin|tan|then|tend",
    "eleven": "ever|every|in ever|in every|a lever|evan|even|event|11th|leaven|love in",
    "twelve": "dwell|twelfth|delve|well",
    "thirteen": "starting|sorting|third team|dirty in",
    "fourteen": "for teen|for team|4 teen|4 team",
    "seventeen": "save and team|save in team|save an team|seven team|7 team|7 teen",
    "eighteen": "a team|a teen|8 team|8 teen",
    "nineteen": "nine team|9 team|9 teen",
}
_SAID: Final = {
    wrong: right for right, written in _WRITTEN_FOR.items() for wrong in written.split("|")
}
_ANY: Final = "|".join(sorted(map(re.escape, _SAID), key=len, reverse=True))
_UNITS: Final = "one two three four five six seven eight nine".split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_TEENS: Final = (
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
)
_TEN: Final = rf"(?:{'|'.join(_TENS)}|[2-9]0)"
_NUMBER: Final = (
    rf"(?:\d+|(?:{'|'.join(_TENS)})(?: (?:{'|'.join(_UNITS)}))?|{'|'.join([*_TEENS, *_UNITS])})"
)
_SIGN: Final = (
    r"(?:plus|minus|times|divided by|take away|takes away|less|multiplied by|multiply by|over"
    r"|[-+*/x])"
)
_VERB: Final = (
    r"(?:multiply|add|divide|subtract|double of|twice|half of|(?:product|sum|difference) "
    r"(?:of|between)|divided by|by)"
)
_DAYS: Final = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
)

Rules = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*pairs: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), right) for pattern, right in pairs)


_FRAMES: Final = _rules(
    # Verbs and operators.
    (r"\b(?:device|divine|the ?void|survive|advice|decide|the wide)(?= \S+ by\b)", "divide"),
    (r"\b(?:multicly|multifly|multi-?ply|multiplied|more to ply)(?= \S+ by\b)", "multiply"),
    (r"\b(?:some|sub|sob) ?(?:tracked|tract)\b", "subtract"),
    (rf"\b({_NUMBER}) (?:close|lost|costs?|class|pose|posts?|place|bless|pluss) (?={_NUMBER})",
     r"\1 plus "),
    (rf"\b({_NUMBER}) (?:minors?|mine is|mines|my next|minced|my nose) (?={_NUMBER})",
     r"\1 minus "),
    (rf"\b({_NUMBER}) (?:time|time is|dimes|thames|type|types|tons) (?=\S)", r"\1 times "),
    (rf"\b({_NUMBER}) (?:can we|come with|k with|stay away|taking away|take a way|day away)"
     rf"(?: from)? (?={_NUMBER})", r"\1 take away "),
    (r"\b(?:the |that )?(?:summer|sun|son|song|some|months?|that's|i'm)(?: (?:of|on|at|off))? "
     rf"(?={_NUMBER}\S* and {_NUMBER})", "the sum of "),
    (r"\b(?:men|man|on|have|at|an|ad|had|ask) (?=\S+ (?:to|and) \S+$)", "add "),
    (rf"^(?:and|at|had) (?={_NUMBER}\S* and {_NUMBER})", "add "),
    (r"\b(?:what|well|but|was|once|with|that's?|went|where)(?: in| is| and)? "
     rf"(?={_NUMBER})", "what is "),
    (rf"^(?:for|was) (?={_NUMBER})", "what is "),
    (r"\bhow much (?:in|and|it|you)\b", "how much is"),
    (r"\bhow many i\b", "how many are"),
    (rf"\bmultiply ({_NUMBER}|{_ANY}) (?=(?:{_NUMBER}|{_ANY})$)", r"multiply \1 by "),
    (r"\b(?:aim|lame|main|names?) (?=(?:the|them) )", "name "),
    (r"\bwhat(?: is|'s) (?:life|like|twice a|why|wise) (?=\d)", "what is twice "),
    (r"\b(?:tunnel|medal|dabble|dub'll|doubles?|bubble) (?:on|of|from) (?=\d)", "double of "),
    (r"\bin (?:half|have|hall|health)\b", "in half"),
    # Counting, the calendar, letters.
    (r"\b(?:humbers|hummus|numbness|members)\b", "numbers"),
    (r"\bsave (?:a|the) numbers\b", "say the numbers"),
    (r"\b(?:like|when is|back once|back words|back what's|backers)(?: 1)? from (?=\d)",
     "backwards from "),
    (rf"({_NUMBER}) (?:pounds?|town|dawn) to\b", r"\1 down to"),
    (r"\bcount (?:out|town|dawn|dome) from\b", "count down from"),
    (r"\b(?:they|game|air) (comes?|is|was)\b", r"day \1"),
    (r"\b(what|which) (?:they|game|date|air|they'll)\b", r"\1 day"),
    (r"\b(?:mandi|man day|money) ?(?=$|is|what)", "monday "),
    (r"\b(?:this|days?) after\b", "days after"),
    (r"\b(after|before|follows) (?:me|my)\b", r"\1 may"),
    (r"\b(after|before|follows) (?:mark|much|marsh)\b", r"\1 march"),
    (r"\b(?:them once|the months|the monster|them when|the one|once|monts?|one thing) "
     rf"(?=(?:that comes |is |comes )?(?:after|before|for) (?:{_MONTHS}))", "the month "),
    (rf"\bmonth for (?={_MONTHS})", "month before "),
    (r"\b(?:event|relevant) month\b", "eleventh month"),
    (r"\b(\d+) months? of the year\b", r"\1th month of the year"),
    (r"^(how(?: is|'s| do you)?) (\w+) (?:failed|filled|sailed|sales|smelled|spilled|spell it)$",
     r"\1 \2 spelled"),
    (r"\bthe (?:latest|later|letter|ladders?) (?:on|of|in) (?=\w+$)", "the letters of "),
)  # fmt: skip


# Without one of these words no tool answers.
_COMPUTES: Final = re.compile(
    rf"\b(?:{_NUMBER}|{_DAYS}|{_MONTHS}|[0-9]+th|months?|days?|spell\w*|letters?)\b"
)


def rejoined(text: str) -> str:
    """The text with whole numbers that were written in two parts: "7 to plus" -> "72 plus"."""
    return _compounded(plain(text))


def mended(text: str) -> Iterator[str]:
    """Texts that may have been said instead, the nearest first; none if nothing is to mend."""
    heard = plain(text)
    frames = _framed(heard)
    whole = _compounded(_numbered(frames))
    found = (_compounded(heard), _numbered(heard), frames, _numbered(frames), whole, *_core(whole))
    for one in dict.fromkeys(found):
        if one != heard and _COMPUTES.search(one):
            yield one


def plain(text: str) -> str:
    """Lower case without marks; "12-year" in two words."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"[?!;:\"]+|[.,](?!\d)|(?<=[a-z])-(?=[a-z])", " ", text)
    text = re.sub(r"(?<=[a-z])-(?=\d)|(?<=\d)-(?=[a-z])", " ", text)
    return " ".join(text.split())


def _framed(text: str) -> str:
    for pattern, right in _FRAMES:
        text = pattern.sub(right, text)
    return text


_BESIDE: Final = (
    re.compile(rf"(?P<keep>\b{_SIGN} )(?P<word>{_ANY})(?=$| )"),
    re.compile(rf"(?P<keep>\b{_VERB} )(?P<word>{_ANY})(?=$| (?:and|by|to|from|with)\b)"),
    re.compile(rf"(?P<keep>\b(?:is|'s|much|if|add|get|please|what|^) ?)(?P<word>{_ANY})"
               rf"(?= {_SIGN} )"),
    re.compile(rf"(?P<keep>\b{_NUMBER} and )(?P<word>{_ANY})$"),
    re.compile(rf"(?P<keep>\bof |\badd |\bwhat is |\bwhat's )(?P<word>{_ANY})(?= and {_NUMBER})"),
    re.compile(rf"(?P<keep>\btake |\bsubtract )(?P<word>{_ANY})(?= from {_NUMBER})"),
    re.compile(rf"(?P<keep>\b(?:after|before|to|from) )(?P<word>{_ANY})$"),
)  # fmt: skip


def _numbered(text: str) -> str:
    """Words that sound like numbers, where the words around them ask for one."""
    for pattern in _BESIDE:
        text = pattern.sub(lambda found: found["keep"] + _SAID[found["word"]], text)
    return text


_AFTER_TEN: Final = re.compile(rf"\b({_TEN})[ -](to|too|do|for|free|tree|ate|it|a|won|sex|[1-9])\b")
# At the end of a sum any word that sounds like a digit: "minus 70 weeks" is minus 76.
_LAST_UNIT: Final = re.compile(
    rf"(?<=(?:plus|inus|imes|away|from|less| and) )({_TEN}) (?:and )?"
    r"(too?|do|for|fore|free|tree|five|fine|find|fife|hive|sex|sick|sicks|weeks?|seeks|heaven"
    r"|several|ate|it|aid|hate|nine|mine|line|night|won)$"
)
_LOST_TEN: Final = re.compile(rf"\b([2-9]) (to|too|for|free|ate)(?= {_SIGN} | and | from |$)")
_FORTY: Final = re.compile(
    rf"\bfor (?:the|d|t|tea) ([1-9]|i|eye|{'|'.join(_UNITS)})(?:st|nd|rd|th)?\b"
)


def _compounded(text: str) -> str:
    """Numbers that were written in two parts: "50 for" -> 54, "7 to plus" -> 72 plus."""
    text = _FORTY.sub(lambda found: f"4{_digit(found[1])}", text)
    text = _LAST_UNIT.sub(lambda found: f"{_tens(found[1])}{_digit(found[2])}", text)
    text = _AFTER_TEN.sub(lambda found: f"{_tens(found[1])}{_digit(found[2])}", text)
    return _LOST_TEN.sub(lambda found: f"{found[1]}{_digit(found[2])}", text)


def _tens(word: str) -> str:
    return word[0] if word[0].isdigit() else str(_TENS.index(word) + 2)


def _digit(word: str) -> str:
    return word if word.isdigit() else str(_UNITS.index(_SAID.get(word, word)) + 1)


_CORES: Final = (
    re.compile(rf"^(?:[a-z']+ ){{0,5}}?({_NUMBER}(?: {_SIGN} {_NUMBER})+)(?: [a-z']+)?$"),
    re.compile(
        r"^(?:what|was|but|well|that's|tell|with|add)\b(?: [a-z']+){0,3}? "
        rf"({_NUMBER} and {_NUMBER})$"
    ),
)


def _core(text: str) -> Iterator[str]:
    """A sum among a few words that make no sense: "I've been to 18 plus 68, please"."""
    for pattern in _CORES:
        if found := pattern.fullmatch(text):
            yield f"what is {found[1]}"
