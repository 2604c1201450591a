"""Finds the one sum in a turn whose other words no tool knows: "maths: ninety minus six". Pure.

Both numbers and the operator must be said, and no other number. "Times" is no operator here: "I
rang five times two days ago" is no sum. Nor is a turn that asks for more than the result.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from workers.engines.cascade.exact.expression import expression
from workers.engines.cascade.exact.quantity import stated
from workers.engines.cascade.exact.tokens import Clock, Nth, Token

MOST_BEFORE: Final = 9  # words before the sum
MOST_AFTER: Final = 5
_SIGNS: Final = frozenset("plus + minus multiplied divided".split())
_MORE: Final = frozenset(
    "why story explain teach learn prove joke song poem book film movie called named wrong degrees "
    "celsius percent oclock age rated score wrote said says means".split()
)
_ELSE: Final = frozenset(
    "and but what which who where when how why do can".split()
)  # asked after it
# Beside a number one of these makes it something else.
_UNITS: Final = frozenset(
    "minutes hours days weeks months years euros dollars pounds am pm".split()
)


def embedded(found: Sequence[Token]) -> str:
    """The answer to the one sum among these tokens; "" if there is none, or more."""
    at = next((at for at, token in enumerate(found) if _number(token)), None)
    whole = next(expression(found, at), None) if at is not None else None
    if whole is None or at is None:
        return ""
    quantity, end = whole
    before, inside, after = found[:at], found[at:end], found[end:]
    if not _SIGNS & set(inside) or len(before) > MOST_BEFORE or len(after) > MOST_AFTER:
        return ""
    others = {*before, *after}
    if quantity.guessed or any(map(_numeric, others)) or others & (_MORE | _UNITS):
        return ""
    if _ELSE & set(after):
        return ""
    return stated(quantity)


def _number(token: Token) -> bool:
    return isinstance(token, int | Fraction)


def _numeric(token: Token) -> bool:
    return isinstance(token, int | Fraction | Nth | Clock)
