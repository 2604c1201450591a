"""Sums, the largest and the next of three numbers or more; the missing number of a sum. Pure."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from workers.engines.cascade.exact.arithmetic import GLUE, SLOTS
from workers.engines.cascade.exact.expression import operand
from workers.engines.cascade.exact.pattern import Slot, Tool, tool, without, words
from workers.engines.cascade.exact.quantity import (
    LARGEST,
    Quantity,
    capitalized,
    combined,
    plain,
    spoken,
    stated,
)
from workers.engines.cascade.exact.tokens import Token

_PLURALS: Final = {
    name: number
    for number, name in enumerate(
        "ones twos threes fours fives sixes sevens eights nines tens elevens twelves".split(), 1
    )
}


_Numbers = Sequence[int]


def _list(tokens: Sequence[Token], at: int) -> Iterator[tuple[list[int], int]]:
    """Three whole numbers or more, with "and" and "plus" between them or not."""
    found: list[int] = []
    while at < len(tokens):
        token = tokens[at]
        if isinstance(token, int):
            found.append(token)
        elif token not in ("and", "plus", "or"):
            break
        at += 1
    if len(found) > 2 and isinstance(tokens[at - 1], int):
        yield found, at


def _plural(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    if at < len(tokens) and (number := _PLURALS.get(str(tokens[at]))):
        yield number, at + 1


_SLOTS: Final[dict[str, Slot]] = {
    **SLOTS,
    "list": _list,
    "c": operand,
    "plural": _plural,
    "big": words("biggest largest greatest highest bigger larger greater most maximum"),
    "small": words("smallest lowest least smaller lower fewest minimum"),
}


def _total(list: _Numbers) -> str:
    total = plain(list[0])
    for number in list[1:]:
        total = combined(total, "plus", plain(number))
    return stated(total)


def _next(list: _Numbers) -> str:
    """The next number where all steps are equal, or all ratios."""
    steps = {b - a for a, b in pairwise(list)}
    if len(steps) == 1:
        return _comes(Fraction(list[-1] + steps.pop()))
    if 0 in list:
        return ""
    ratios = {Fraction(b, a) for a, b in pairwise(list)}
    return _comes(list[-1] * ratios.pop()) if len(ratios) == 1 else ""


def _comes(number: Fraction) -> str:
    said = spoken(number)
    return f"The next number is {said}." if said and abs(number) <= LARGEST else ""


def _extreme(pick: Callable[[Sequence[int]], int], kind: str) -> Callable[..., str]:
    return lambda list, **_: capitalized(f"{spoken(Fraction(pick(list)))} is the {kind}.")


def _missing(sign: str) -> Callable[[Quantity, Quantity], str]:
    """The number that, with `sign` after `a`, gives `c`."""
    inverse = {"plus": "minus", "times": "divided by"}[sign]

    def answer(a: Quantity, c: Quantity) -> str:
        return _check(a, sign, combined(c, inverse, a), c)

    return answer


def _check(a: Quantity, sign: str, found: Quantity, c: Quantity) -> str:
    if found.value is None or found.value < 0 or not spoken(found.value):
        return ""
    return stated(combined(a, sign, plain(found.value))) if c.value is not None else ""


def _taken(a: Quantity, c: Quantity) -> str:
    """ "What must I take from ten to get four?" """
    return _check(a, "minus", combined(a, "minus", c), c)


def _percent(a: Quantity, b: Quantity) -> str:
    if not a.value or b.value is None or not (share := spoken(100 * b.value / a.value)):
        return ""
    return capitalized(f"{b.said} is {share} percent of {a.said}.")


def _taken_from(b: Quantity, c: Quantity) -> str:
    """ "What minus three is seven?" """
    whole = combined(c, "plus", b)
    return stated(combined(plain(whole.value), "minus", b)) if whole.value is not None else ""


UNKNOWN: Final[Tool] = tool(
    f"{without(GLUE, 'what', 'is', 'equals', 'equal', 'get', 'make', 'how', 'much')} number",
    _SLOTS,
    (
        """
        {a} plus|and what|how [much] is|make|makes|equals|equal|gives|get {c}
        what [is] plus|and|+ {a} is|make|makes|equals|equal|gives {c}
        what [is] add|added to {a} [to] is|make|makes|equals|equal|gives|get|reach {c}
        how much add|added to {a} [to] make|get|reach {c}
        how [much] more [from] {a} to get|make|reach {c}
        """,
        _missing("plus"),
    ),
    (
        """
        what [is] times|multiplied [by] {a} is|make|makes|equals|equal|gives {c}
        {a} times|multiplied [by] what|how [much] is|make|makes|equals|equal|gives {c}
        """,
        _missing("times"),
    ),
    (
        """
        {a} minus what|how [much] is|make|makes|equals|equal|gives {c}
        what|how [much] take|subtract|subtracted [away] from {a} [to] is|make|get|gives|reach {c}
        """,
        _taken,
    ),
    (
        """
        what percent|percentage [of] {a} is {b}
        {b} is what percent|percentage of {a}
        """,
        lambda a, b: _percent(a, b),
    ),
    ("what [is] minus {b} is|make|makes|equals|equal|gives {c}", _taken_from),
)
SERIES: Final[Tool] = tool(
    f"{GLUE} numbers series sequence goes continue these following among",
    _SLOTS,
    (
        """
        sum|total [of] {list}
        add [up] {list} [up|together]
        {list} together|altogether|total
        """,
        _total,
    ),
    (
        """
        next [in] {list}
        next [in] [of] {list}
        after {list}
        {list} next
        """,
        _next,
    ),
    ("{big} [of|from] {list}\n{list} {big}", _extreme(max, "biggest")),
    ("{small} [of|from] {list}\n{list} {small}", _extreme(min, "smallest")),
    (
        "{a} {plural} [make]\n{a} times {plural}",
        lambda a, plural: stated(combined(a, "times", plain(plural))),
    ),
    (
        "{plural} [in|into|fit] [in|into] {a}",
        lambda a, plural: stated(combined(a, "divided by", plain(plural))),
    ),
    (
        "[put] [in] order [of] {list}\n[put|order] {list} [in] order\nsort|order {list}",
        lambda list: capitalized(", ".join(spoken(Fraction(one)) for one in sorted(list)) + "."),
    ),
)
