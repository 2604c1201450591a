"""Parses expressions of arithmetic in a caller's words. Pure.

    expression := term (("plus" | "minus" | ...) term)*
    term       := operand (("times" | "divided by" | ...) operand)*
    operand    := number | ("half of" | "double" | "minus" | ...) operand

Products and quotients bind before sums.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from workers.engines.cascade.exact.quantity import Quantity, combined, plain, spoken
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
    ("multiply", "by"): "times", ("multiplied", "with"): "times", ("time",): "times",
    ("by",): "times",
    ("/",): "divided by", ("divided", "by"): "divided by", ("divide", "by"): "divided by",
    ("over",): "divided by", ("divided", "into"): "divided by", ("divided",): "divided by",
    ("shared", "by"): "divided by",
}  # fmt: skip
_STRONG: Final = ("times", "divided by")
_SHARES: Final = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_NTH_SHARES: Final = {3: "third", 4: "fourth", 5: "fifth", 10: "tenth"}


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
            yield from _after(tokens, at + 1 + (tokens[at + 1 : at + 2] == ["of"]), double)
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
            times(q, Fraction(count, _SHARES[word])), f"{name} of {q.said}", q.steps + 1
        ),
    )


def _after(
    tokens: Sequence[Token], at: int, make: Callable[[Quantity], Quantity]
) -> Iterator[tuple[Quantity, int]]:
    for inner, end in operand(tokens, at):
        yield make(inner), end


def times(found: Quantity, factor: Fraction) -> Fraction | None:
    return None if found.value is None else found.value * factor


def _negative(found: Quantity) -> Quantity:
    return Quantity(times(found, Fraction(-1)), f"minus {found.said}", found.steps)


def double(found: Quantity) -> Quantity:
    return Quantity(times(found, Fraction(2)), f"double {found.said}", found.steps + 1)


def _part(found: Quantity, percent: int | Fraction) -> Quantity:
    said = f"{spoken(Fraction(percent))} percent of {found.said}"
    return Quantity(times(found, Fraction(percent) / 100), said, found.steps + 1)


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
