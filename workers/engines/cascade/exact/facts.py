"""Answers questions for common knowledge from tables: capitals, opposites, colors, animals. Pure.

    What color is a lemon?  ->  A lemon is yellow.

A question must fit a phrasing as a whole, with nothing but words of asking before it, and name a
thing that its table holds. Everything else is the model's.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from workers.engines.cascade.exact import fact_tables as tables
from workers.engines.cascade.exact.misheard import plain
from workers.engines.cascade.exact.pattern import ASKING
from workers.engines.cascade.exact.quantity import capitalized

_ARTICLE: Final = r"(?:an? |the |some |your |my )?"
# Words before a question that change nothing in it.
_BEFORE: Final = frozenset(
    f"""{ASKING} and to name word term mean means called give i'd i'm list which city kind of work
    right true whether""".split()
) - {"how", "why", "when", "homework", "not", "cant", "dont"}  # fmt: skip
_AFTER: Final = re.compile(
    r"(?:,? (?:please|then|now|again|for me|thanks|thank you|antiphon|usually|normally|really))+$"
)
_SINGULAR: Final = {
    "mice": "mouse", "geese": "goose", "wolves": "wolf", "oxen": "ox", "people": "person",
    "women": "woman", "men": "man", "children": "child", "sheep": "sheep",
}  # fmt: skip
_MASS: Final = frozenset(
    """grass snow blood coal milk salt coffee gold mud butter sugar rice tea chocolate spinach
    broccoli flour licorice soil cinnamon ash lead lavender silver mustard corn honey soap glue
    sunscreen""".split()
)
_THE: Final = frozenset("sky sea sun moon".split())
_PLURAL_COUNTRIES: Final = (
    "netherlands",
    "philippines",
    "united",
    "bahamas",
    "maldives",
    "czech",
    "dominican",
)


def _keyed(table: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {plain(name): (name, value) for name, value in table.items()}


_OPPOSITES: Final = _keyed({b: a for a, b in tables.OPPOSITES.items()} | dict(tables.OPPOSITES))
_CAPITALS: Final = _keyed(tables.CAPITALS)
_COUNTRIES: Final = _keyed({city: country for country, city in tables.CAPITALS.items()})
_COLORS: Final = _keyed(tables.COLORS)
_SOUNDS: Final = _keyed(tables.SOUNDS)
_LEGS: Final = _keyed(tables.LEGS)
_YOUNG: Final = _keyed(tables.YOUNG)
_HOMES: Final = _keyed(tables.HOMES)
_JOBS: Final = _keyed(tables.JOBS)
_USES: Final = _keyed(tables.USES)
_PLURALS: Final = _keyed(tables.PLURALS)
_PASTS: Final = _keyed(tables.PASTS)
_ORIGINS: Final = _keyed(tables.ORIGINS)

Entry = tuple[str, str]


def _country(name: str) -> str:
    return f"the {name}" if plain(name).startswith(_PLURAL_COUNTRIES) else name


def _with_article(name: str) -> str:
    """ "lemon" -> "a lemon", "the sun", "milk"; plural names stay."""
    key = plain(name)
    if key in _MASS or (key.endswith("s") and key not in ("octopus", "iris", "compass")):
        return name
    if key in _THE:
        return f"the {name}"
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def _is(entry: Entry) -> str:
    """ "A lemon is yellow." """
    name = _with_article(entry[0])
    return f"{capitalized(name)} is {entry[1]}."


def _legs(entry: Entry) -> str:
    return f"{capitalized(_with_article(entry[0]))} has {entry[1]} legs."


def _use(entry: Entry) -> str:
    return f"You use {_with_article(entry[0])} to {entry[1]}."


_X: Final = rf"(?!(?:does|do|is|are|has|have|would|that) ){_ARTICLE}(?P<x>[\w' ]+?)"
# Phrasings, the table of {x}, and what is answered; the first that fits answers.
RULES: Final[tuple[tuple[str, Mapping[str, Entry], Callable[[Entry], str]], ...]] = (
    (
        rf"(?:the )?opposites? (?:of|to|for)(?: the word)? {_X}(?: called)?"
        rf"|{_X} is the opposite of what|(?:is )?opposite (?:to|of) {_X}",
        _OPPOSITES,
        lambda e: f"The opposite of {e[0]} is {e[1]}.",
    ),
    (
        rf"(?:the )?(?:name of the )?capital(?: city)? (?:of|in|for) {_X}(?: called)?"
        rf"|capital(?: city)? does {_X} have|{_X} has (?:what|which) capital",
        _CAPITALS,
        lambda e: f"The capital of {_country(e[0])} is {e[1]}.",
    ),
    (
        rf"(?:country )?(?:has|have|with) {_X} as (?:its|the|a) capital(?: city)?"
        rf"|country is {_X} the capital(?: city)? of|country {_X} is the capital(?: city)? of"
        rf"|{_X} is the capital(?: city)? of (?:which|what)(?: country)?|whose capital is {_X}"
        rf"|(?:the )?country (?:with|that has|which has) (?:the |a )?capital(?: city)?(?: of)? {_X}"
        rf"|(?:the )?country that has {_X} as its capital"
        rf"|(?:the )?capital(?: city)? {_X} belongs to (?:which|what) country"
        rf"|of (?:which|what) country is {_X} the capital",
        _COUNTRIES,
        lambda e: f"{e[0]} is the capital of {_country(e[1])}.",
    ),
    (
        rf"color would you say {_X} (?:is|are)|colors? (?:is|are|has|have) {_X}"
        rf"|color of {_X}|{_X} (?:is|are|has) (?:which|what) color"
        rf"|color {_X} (?:is|are|has)|color (?:does|do) {_X} have",
        _COLORS,
        _is,
    ),
    (
        rf"(?:sound|noise) (?:does|do) {_X} make|(?:does|do) {_X} say|(?:sound|noise) of {_X}"
        rf"|what {_X} says|how (?:does|do) {_X} sound|(?:sound|noise) (?:that )?{_X} makes?"
        rf"|(?:make )?(?:a |the )?(?:sound|noise) like {_X}"
        rf"|kind of (?:sound|noise) (?:does|do) {_X} make",
        _SOUNDS,
        lambda e: f"The {e[0]} {e[1]}.",
    ),
    (
        rf"how many legs (?:does|do|has|have|are on|are there on) {_X}(?: have| got| has)?"
        rf"|how many legs {_X} (?:has|have|got)|{_X} (?:has|have|got) how many legs"
        rf"|(?:the )?number of legs (?:of|on) {_X}|count the legs of {_X}",
        _LEGS,
        _legs,
    ),
    (
        rf"(?:is |do you call |you call |do we call )?(?:a |the )?(?:baby|young) (?P<x>[\w ]+?)"
        rf"(?: is)?(?: called)?(?: what)?"
        rf"|(?:name|word) (?:for|of) (?:a |the )?(?:baby|young) (?P<x2>[\w ]+)"
        rf"|(?:the )?young of {_X.replace('<x>', '<x3>')}(?: called)?",
        _YOUNG,
        lambda e: f"A baby {e[0]} is called {_with_article(e[1])}.",
    ),
    (
        rf"where (?:does|do) {_X} (?:live|sleep)"
        rf"|(?:where is |where's )?(?:the )?(?:home|house) of {_X}"
        rf"|where {_X} (?:lives?|sleeps?)"
        rf"|(?:in )?(?:what|which) place (?:does|do) {_X} live(?: in)?"
        rf"|where (?:does|do) {_X} have (?:its|their) home",
        _HOMES,
        lambda e: f"The {e[0]} lives {e[1]}.",
    ),
    (
        rf"(?:does|do) {_X} do(?: all day| for a living| at work| every day)?"
        rf"|what {_X} (?:does|do)(?: all day| for a living)?|(?:describe )?(?:the )?job of {_X}",
        _JOBS,
        lambda e: f"{capitalized(_with_article(e[0]))} {e[1]}.",
    ),
    (
        rf"(?:is|are) {_X} (?:used )?for"
        rf"|(?:do|can) (?:you|we|people|i) (?:use {_X} for|do with {_X})"
        rf"|{_X} (?:is|are) (?:used )?for|(?:the )?uses? of {_X}|why do (?:people|we|you) need {_X}"
        rf"|to do with {_X}",
        _USES,
        _use,
    ),
    (
        rf"plural (?:form )?of(?: the word)? {_X}",
        _PLURALS,
        lambda e: f"The plural of {e[0]} is {e[1]}.",
    ),
    (
        rf"past (?:tense |form )?of(?: the (?:verb|word))? (?:to )?{_X}",
        _PASTS,
        lambda e: f"The past tense of {e[0]} is {e[1]}.",
    ),
    (
        rf"where (?:does|do) {_X} come from|where {_X} comes? from",
        _ORIGINS,
        lambda e: f"{capitalized(e[0])} {'come' if e[0].endswith('s') else 'comes'} from {e[1]}.",
    ),
)  # fmt: skip


def _numbered_names(pattern: str) -> re.Pattern[str]:
    """The pattern with a name of its own for each {x}."""
    count = 0

    def name(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"(?P<x{count}>"

    found = re.sub(r"\(\?P<x\d*>", name, pattern)
    return re.compile(found)


_COMPILED: Final = tuple((_numbered_names(p), table, answer) for p, table, answer in RULES)
_NO_CITY: Final = _BEFORE | {"right", "true", "why", "how", "when"}
_CLAIMS: Final = (
    re.compile(r"is (?:it true that |it right that )?(?P<c>[\w' ]+?) (?:is )?"
               r"(?:really )?the capital(?: city)? of (?P<x>[\w' ]+)"),
    re.compile(r"is the capital(?: city)? of (?P<x>[\w' ]+?) (?P<c>[\w']+(?: [\w']+)?)"),
    re.compile(r"does (?P<x>[\w' ]+) have (?P<c>[\w' ]+) as (?:its|a|the) capital"),
    re.compile(r"(?P<c>[\w' ]+?) is the capital(?: city)? of (?P<x>[\w' ]+?)"
               r"(?: is it not| isn't it| right| correct| true)?"),
)  # fmt: skip


def fact(words: str) -> str:
    """The answer to a question for a fact of the tables; "" otherwise."""
    text = plain(words).replace("colour", "color").replace("grey", "gray")
    for whole in dict.fromkeys((text, _AFTER.sub("", text))):
        parts = whole.split()
        for at in range(len(parts)):
            if at and parts[at - 1].replace("'s", "") not in _BEFORE:
                break
            rest = " ".join(parts[at:])
            if found := _claimed(rest) or _told(rest) or _weekend(rest):
                return found
    return ""


def _told(question: str) -> str:
    """The answer to a question without words before it."""
    for pattern, table, answer in _COMPILED:
        if match := pattern.fullmatch(question):
            entry = _looked_up(table, next(filter(None, match.groups())))
            if entry is not None:
                return answer(entry)
    return ""


def _claimed(text: str) -> str:
    """The answer to "is Paris the capital of France?"."""
    for pattern in _CLAIMS:
        found = pattern.fullmatch(text)
        entry = _looked_up(_CAPITALS, found["x"]) if found else None
        if found is None or entry is None or _NO_CITY & set(found["c"].split()):
            continue
        said = "Yes" if plain(entry[1]) == found["c"].strip() else "No"
        return f"{said}, the capital of {_country(entry[0])} is {entry[1]}."
    return ""


_OFF: Final = frozenset(
    """is are was a the day days off free for most people do does have stay home at from work
    working works on rest weekend part of school we you kids usually go to it true that in count as
    i think and so""".split()
)
_DAY: Final = re.compile(r"(mon|tues|wednes|thurs|fri|satur|sun)days?")


def _weekend(text: str) -> str:
    """The answer to "do people work on Sunday?"."""
    words = text.split()
    days = [word for word in words if _DAY.fullmatch(word)]
    asked = bool({"is", "are", "do", "does"} & set(words))
    named = {"off", "free", "work", "working", "works", "rest", "weekend"} & set(words)
    if len(days) != 1 or not asked or not named or not set(words) <= {*_OFF, *days}:
        return ""
    day = capitalized(days[0].removesuffix("s") if days[0].endswith("days") else days[0])
    if day in ("Saturday", "Sunday"):
        return f"{day} is part of the weekend, when most people are off."
    return f"{day} is a working day for most people."


def _looked_up(table: Mapping[str, Entry], asked: str) -> Entry | None:
    """The entry of a thing, named in the singular or the plural, with an article or without."""
    name = re.sub(rf"^{_ARTICLE}", "", asked.strip())
    singular = _SINGULAR.get(name, name[:-1] if name.endswith("s") else name)
    short = name[:-2] if name.endswith("es") else name
    return next((table[key] for key in (name, singular, short) if key in table), None)
