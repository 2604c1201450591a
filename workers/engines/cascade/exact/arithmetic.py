"""Sums, differences, products, quotients, halves, percentages, and claims about them. Pure.

    expression := term (("plus" | "minus" | ...) term)*
    term       := operand (("times" | "divided by" | ...) operand)*
    operand    := number | ("half of" | "double" | "minus" | ...) operand

Products and quotients bind before sums. A quotient of whole numbers has a rest only if nothing else
follows; any other result that is no decimal with two places is left to the model.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import isqrt
from typing import Final

from workers.engines.cascade.exact.pattern import ASKING, Slot, Tool, of_type, tool, without, words
from workers.engines.cascade.exact.quantity import (
    LARGEST,
    Quantity,
    combined,
    plain,
    spoken,
    stated,
)
from workers.engines.cascade.exact.tokens import Nth, Token
from workers.models.text_to_speech.number_words import cardinal

# What Whisper writes for numbers beside an operator: "seven times ate".
_SOUNDS_LIKE: Final = {
    "to": 2,
    "too": 2,
    "for": 4,
    "four": 4,
    "ate": 8,
    "won": 1,
    "tree": 3,
    "sex": 6,
    "tin": 10,
}
_SIGNS: Final = {
    ("plus",): "plus", ("+",): "plus", ("added", "to"): "plus",
    ("plus", "and"): "plus", ("pluss",): "plus", ("and", "add"): "plus",
    ("minus",): "minus", ("-",): "minus", ("less",): "minus", ("take", "away"): "minus",
    ("takeaway",): "minus", ("takes", "away"): "minus", ("without",): "minus",
    ("subtract",): "minus", ("minors",): "minus", ("minor",): "minus", ("minuses",): "minus",
    ("mine",): "minus", ("minced",): "minus", ("and", "take", "away"): "minus",
    ("times",): "times", ("*",): "times", ("x",): "times", ("multiplied", "by"): "times",
    ("multiply", "by"): "times", ("time",): "times", ("by",): "times",
    ("/",): "divided by", ("divided", "by"): "divided by", ("divide", "by"): "divided by",
    ("over",): "divided by", ("divided", "into"): "divided by", ("divided",): "divided by",
    ("shared", "by"): "divided by",
}  # fmt: skip
MOST_POWER: Final = 20
_STRONG: Final = ("times", "divided by")
_SHARES: Final = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_NTH_SHARES: Final = {3: "third", 4: "fourth", 5: "fifth", 10: "tenth"}


# The grammar.


def operand(
    tokens: Sequence[Token], at: int, near_sign: bool = False
) -> Iterator[tuple[Quantity, int]]:
    """A number, or a word in front of an operand: "half of ten"."""
    if at >= len(tokens):
        return
    match tokens[at]:
        case int() | Fraction() as number:
            if (
                at + 2 < len(tokens)
                and tokens[at + 1] in ("percent", "%")
                and tokens[at + 2] == "of"
            ):
                yield from _after(tokens, at + 3, lambda q: _part(q, number))
            if isinstance(number, int) and _several(tokens, at + 1):
                yield from _share(tokens, at + 1, _several(tokens, at + 1), number)
            if number == 1 and tokens[at + 1 : at + 2] and _shared(tokens[at + 1]):
                yield from operand(tokens, at + 1)
            yield plain(number), at + 1
        case "minus" | "-" | "negative":
            yield from _after(tokens, at + 1, _negative)
        case "double" | "twice":
            yield from _after(tokens, at + 1 + (tokens[at + 1 : at + 2] == ["of"]), _double)
        case token if word := _shared(token):
            yield from _share(tokens, at, word)
        case "dozen":
            yield Quantity(Fraction(12), "a dozen"), at + 1
        case str(word) if near_sign and word in _SOUNDS_LIKE:
            guess = _SOUNDS_LIKE[word]
            yield Quantity(Fraction(guess), cardinal(guess), guessed=True), at + 1


def _shared(token: Token) -> str:
    """The name of a share: "half", "quarter", 3rd; "" for other tokens."""
    if isinstance(token, Nth):
        return _NTH_SHARES.get(token.number, "")
    return token if isinstance(token, str) and token in _SHARES else ""


def _several(tokens: Sequence[Token], at: int) -> str:
    """ "thirds" of "two thirds of nine"; "" elsewhere."""
    word = str(tokens[at]) if at + 1 < len(tokens) and tokens[at + 1] == "of" else ""
    return word[:-1] if word[-1:] == "s" and word[:-1] in _SHARES else ""


def _share(
    tokens: Sequence[Token], at: int, word: str, count: int = 1
) -> Iterator[tuple[Quantity, int]]:
    """ "half of ten", "a third of nine", "three quarters of eight", from the share's word on."""
    name = "half" if word == "half" else f"a {word}"
    if count > 1:
        name = f"{cardinal(count)} {word}s"
    yield from _after(
        tokens,
        at + 1 + (tokens[at + 1 : at + 2] == ["of"]),
        lambda q: Quantity(
            _times(q, Fraction(count, _SHARES[word])), f"{name} of {q.said}", q.steps + 1
        ),
    )


def _after(
    tokens: Sequence[Token], at: int, make: Callable[[Quantity], Quantity]
) -> Iterator[tuple[Quantity, int]]:
    for inner, end in operand(tokens, at):
        yield make(inner), end


def _times(found: Quantity, factor: Fraction) -> Fraction | None:
    return None if found.value is None else found.value * factor


def _negative(found: Quantity) -> Quantity:
    return Quantity(_times(found, Fraction(-1)), f"minus {found.said}", found.steps)


def _double(found: Quantity) -> Quantity:
    return Quantity(_times(found, Fraction(2)), f"double {found.said}", found.steps + 1)


def _part(found: Quantity, percent: int | Fraction) -> Quantity:
    said = f"{spoken(Fraction(percent))} percent of {found.said}"
    return Quantity(_times(found, Fraction(percent) / 100), said, found.steps + 1)


def _sign(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """The operator at a place, the longest that fits, and the place after it; "" if none is."""
    for size in (3, 2, 1):
        sign = _SIGNS.get(tuple(map(str, tokens[at : at + size])))
        if sign and at + size <= len(tokens):
            return sign, at + size
    return "", at


def expression(tokens: Sequence[Token], at: int) -> Iterator[tuple[Quantity, int]]:
    """The longest expression at a place that has an operation in it."""
    start = _operand(tokens, at)
    if start is None:
        return
    parts, end = [start[0]], start[1]
    signs: list[str] = []
    while True:
        sign, after = _sign(tokens, end)
        following = _operand(tokens, after) if sign else None
        if following is None or not _sure(parts[-1], tokens[end], following[0]):
            break
        right, end = following
        if sign in _STRONG:
            parts[-1] = combined(parts[-1], sign, right)
        else:
            signs.append(sign)
            parts.append(right)
    total = parts[0]
    for sign, part in zip(signs, parts[1:], strict=True):
        total = combined(total, sign, part)
    if total.steps:
        yield total, end


def _sure(left: Quantity, sign: Token, right: Quantity) -> bool:
    """Whether words that sound like numbers may be taken for some: not beside each other."""
    guesses = left.guessed + right.guessed
    return guesses == 0 or (guesses == 1 and sign != "and")


def _operand(tokens: Sequence[Token], at: int) -> tuple[Quantity, int] | None:
    return next(operand(tokens, at, near_sign=True), None)


def _with(sign: str) -> Callable[[Quantity, Quantity], str]:
    return lambda a, b: stated(combined(a, sign, b))


def _difference(a: Quantity, b: Quantity) -> str:
    first, second = (a, b) if (a.value or 0) >= (b.value or 0) else (b, a)
    return stated(combined(first, "minus", second))


def _thing(tokens: Sequence[Token], at: int) -> Iterator[tuple[None, int]]:
    """One or two words that are no numbers: "apples", "red apples"."""
    for size in (1, 2):
        found = tokens[at : at + size]
        if len(found) == size and all(isinstance(word, str) for word in found):
            yield None, at + size


SLOTS: Final[dict[str, Slot]] = {
    "e": expression,
    "a": operand,
    "b": operand,
    "n": of_type(int, Fraction),
    "thing": _thing,
    "gain": words("get gets buy buys find finds win wins receive receives earn earns collect add"),
    "loss": words(
        "lose loses eat eats give gives sell sells spend spends use uses take takes drop"
    ),
}
GLUE: Final = f"""{ASKING} get gets much many number result answer equal equals making
    calculate compute figure work out solve come comes left leave leaves
    remain remains still result math problem homework teacher says head your test
    stuck on find"""


def _claim(e: Quantity, n: int | Fraction) -> str:
    """ "No, three plus four is seven." """
    answer = stated(e)
    if e.value is None or not answer:
        return answer
    return ("Yes, " if e.value == n else "No, ") + answer[0].lower() + answer[1:]


def _power(a: Quantity, b: Quantity, said: str) -> str:
    if a.value is None or b.value not in range(MOST_POWER + 1) or abs(a.value) > LARGEST:
        return ""
    return stated(Quantity(a.value ** int(b.value or 0), said, 1))


def _root(a: Quantity) -> str:
    """The square root if it is whole, or about."""
    if a.value is None or not 0 <= a.value <= LARGEST or a.value.denominator != 1:
        return ""
    root = isqrt(int(a.value))
    near = Fraction(round(float(a.value) ** 0.5, 1)).limit_denominator(10)
    exact = root * root == a.value
    about, found = ("", Fraction(root)) if exact else ("about ", near)
    return f"The square root of {a.said} is {about}{spoken(found)}."


REASONED: Final[Tool] = tool(
    GLUE,
    SLOTS,
    (
        "[to|of|with|for|on|at] {e} [to] [make|makes|together|altogether] [head]",
        lambda e: stated(e),
    ),
    (
        """
        sum|total [of] {a} and|plus {b}
        [put|combine] together {a} and|with|plus {b} [together]
        combine {a} and|with {b}
        {a} and {b} [put] together|combined
        add [up] {a} and|to|plus|with {b} [up]
        {a} and {b} [up] add
        {a} and {b} [and] add [them|up]
        {a} and {b} make [and] add [them]
        {a} [and] {b} more
        {a} more than {b}
        {a} and {b} [make] sum
        sum make|makes {a} and {b}
        sum {a} and {b} make|makes
        """,
        lambda a, b, **_: stated(combined(a, "plus", b)),
    ),
    (
        """
        subtract|deduct {b} from {a}
        take|takes|taking [away] {b} [away] from {a}
        {b} subtracted|taken|deducted|less [away] from|than {a}
        remove {b} from {a}
        {b} less than {a}
        {a} and take|lose [away] {b} [away]
        """,
        lambda b, a: stated(combined(a, "minus", b)),
    ),
    (
        """
        difference between|of|from {a} and|to|from {b}
        more|less|fewer [of] {a} than {b}
        by {a} bigger|greater|larger|higher|more|smaller|less|lower than {b}
        bigger|greater|larger {a} than {b} by
        """,
        _difference,
    ),
    (
        """
        multiply {a} by|and|with|times {b}
        product of {a} and|times {b}
        {a} and {b} [make] [and] multiply [them]
        {a} and {b} multiply [make]
        {a} groups|sets|lots of {b}
        """,
        _with("times"),
    ),
    (
        """
        divide|split|share {a} by|into|between|among {b} [equally|evenly|parts|people|ways]
        [quotient] [of] {a} divided [by] {b}
        quotient of {a} and {b}
        """,
        _with("divided by"),
    ),
    (
        """
        times {b} into {a}
        times {b} fit|fits [into|in] {a}
        {b} into {a}
        """,
        lambda b, a: stated(combined(a, "divided by", b)),
    ),
    (
        """
        divide|cut|split {a} in half
        halve {a}
        {a} halved
        """,
        lambda a: stated(Quantity(_times(a, Fraction(1, 2)), f"half of {a.said}", 1)),
    ),
    (
        """
        {a} doubled
        doubled {a}
        double [of] {a}
        """,
        lambda a: stated(_double(a)),
    ),
    (
        """
        square [of] {a}
        {a} squared
        """,
        lambda a: _power(a, plain(2), f"{a.said} squared"),
    ),
    ("{a} cubed", lambda a: _power(a, plain(3), f"{a.said} cubed")),
    (
        "{a} to power [of] {b}\n{a} raised to [power] [of] {b}",
        lambda a, b: _power(a, b, f"{a.said} to the power of {b.said}"),
    ),
    ("square root [of] {a}", lambda a: _root(a)),
)
TOGETHER: Final[Tool] = tool(
    without(GLUE, "what", "how", "much"),
    SLOTS,
    (
        """
        what {a} and {b} [more] [make|makes|together|altogether|equal|total] [together]
        how much {a} and {b} [more] [make|makes] [together]
        {a} and {b} make|makes what
        {a} and {b} make|makes how much
        what make|makes {a} and {b}
        {a} and {b} together
        {a} and {b} what
        how {a} and {b}
        {a} and {b} what that together
        """,
        _with("plus"),
    ),
    ("how much bigger|greater|larger|higher|smaller|lower {a} than {b}", _difference),
    ("what {a} bigger|greater|higher|larger than {b}", _with("plus")),
    ("what {b} smaller|lower than {a}", lambda b, a: stated(combined(a, "minus", b))),
)
# Short stories keep what is done with the things.
STORIES: Final[Tool] = tool(
    without(GLUE, "need", "get", "gets", "have", "has", "give"),
    SLOTS,
    (
        "have|has {a} [{thing}] and|then|but {gain} {b} [more] [{thing}] have|has [{thing}]",
        lambda a, b, **_: stated(combined(a, "plus", b)),
    ),
    (
        "have|has {a} [{thing}] and|then|but {loss} [away] {b} [{thing}] [have|has] [{thing}]",
        lambda a, b, **_: stated(combined(a, "minus", b)),
    ),
)
# A claim keeps "is", since it parts the sum from the number.
CLAIMS: Final[Tool] = tool(
    without(GLUE, "is", "equals", "equal"),
    SLOTS,
    (
        """
        [is] [right|true|correct] {e} is|equals|makes|make|equal [to] {n}
        {e} is|equals|makes|make {n} [is] right|correct|true|isnt
        is {e} {n}
        is {e} equal|equals to {n}
        """,
        _claim,
    ),
)
