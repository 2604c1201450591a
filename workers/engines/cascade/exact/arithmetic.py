"""Sums, differences, products, quotients, halves, percentages, and claims about them. Pure.

A quotient of whole numbers has a rest only if nothing else follows. Any other result that is no
decimal with two places is left to the model.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import isqrt
from typing import Final

from workers.engines.cascade.exact.expression import double, expression, operand, times
from workers.engines.cascade.exact.pattern import ASKING, Slot, Tool, of_type, tool, without, words
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

MOST_POWER: Final = 20


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
    stuck on find quickly fast starting maths math sums"""


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


def _middle(a: Quantity, b: Quantity) -> str:
    if a.value is None or b.value is None or not (middle := spoken((a.value + b.value) / 2)):
        return ""
    return capitalized(f"{middle} is halfway between {a.said} and {b.said}.")


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
        """
        [to|of|with|for|on|at|take] {e} [to] [make|makes|gives|together|altogether] [head]
        sum [of] {e}
        """,
        lambda e: stated(e),
    ),
    (
        """
        sum|total [of] [up] {a} and|plus {b}
        {a} and {b} add [up] [to]
        adding {a} and|to|with {b} [gives|makes]
        of adding {a} and|to|with {b}
        {a} with {b} added
        increase|raise {a} by {b}
        {b} top of {a}
        [take|start] [at|with] {a} and [then] add {b}
        add|adding {b} onto {a}
        [put|combine] together {a} and|with|plus {b} [together]
        combine {a} and|with {b}
        {a} and {b} [put] together|combined
        add [up] {a} and|to|plus|with {b} [up]
        {a} and {b} [up] add
        {a} and {b} [and] add [them|up]
        {a} and {b} make [and] add [them]
        {a} [and] {b} more
        {a} and another {b}
        bring together {a} and|with {b}
        {a} up by {b}
        {a} more than {b}
        {a} and {b} [make] sum
        sum make|makes {a} and {b}
        sum {a} and {b} make|makes
        """,
        lambda a, b, **_: stated(combined(a, "plus", b)),
    ),
    (
        """
        subtract|deduct|subtracting {b} from {a} [gives]
        take|takes|taking [away] {b} [away] from {a} [gives]
        {a} reduced|decreased|lowered by {b}
        reduce|decrease|lower {a} by {b}
        {a} with {b} taken|removed [away|off]
        [take|start] [at|with] {a} and subtract|deduct|remove [away] {b}
        [start] [at|with] {a} and back {b}
        from {a} take|subtract|remove [away] {b}
        {b} subtracted|taken|deducted|less [away] from|than {a}
        remove {b} from {a}
        {b} less than {a}
        {a} and take|lose [away] {b} [away]
        {a} take {b}
        take {b} off {a}
        {b} off {a}
        knock {b} off {a}
        {a} [and] go|goes|going down by {b}
        {a} down by {b}
        """,
        lambda b, a: stated(combined(a, "minus", b)),
    ),
    (
        """
        difference|gap|distance between|of|from {a} and|to|from {b}
        far from {a} to {b}
        more|less|fewer [of] {a} than {b}
        by {a} bigger|greater|larger|higher|more|smaller|less|lower than {b}
        bigger|greater|larger {a} than {b} by
        """,
        _difference,
    ),
    (
        """
        multiply|multiplying {a} by|and|with|times {b} [gives|makes]
        {b} multiplied|taken {a} times
        {a} times as as {b}
        product of {a} and|times {b}
        {a} and {b} [make] [and] multiply [them]
        {a} and {b} multiply [make]
        {a} groups|sets|lots|rows|piles of {b} [make|makes]
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
        lambda a: stated(Quantity(times(a, Fraction(1, 2)), f"half of {a.said}", 1)),
    ),
    (
        """
        {a} doubled
        doubled {a}
        double [of] {a}
        """,
        lambda a: stated(double(a)),
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
    (
        "[lies] halfway|midway between {a} and {b}\n[lies] in middle between|of {a} and {b}",
        lambda a, b: _middle(a, b),
    ),
    ("square root [of] {a}", lambda a: _root(a)),
)
TOGETHER: Final[Tool] = tool(
    without(GLUE, "what", "which", "how", "much"),
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
        how {a} and {b} [make|makes]
        {a} and {b} what that together
        {a} and {b} [what|how] [much] [that] to
        what {a} and {b} to
        """,
        _with("plus"),
    ),
    ("how much bigger|greater|larger|higher|smaller|lower {a} than {b}", _difference),
    ("what|which {a} bigger|greater|higher|larger than {b}", _with("plus")),
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
