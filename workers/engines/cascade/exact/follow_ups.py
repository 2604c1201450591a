"""Turns that go on with the result before: "and plus five?", "times two", "now add ten". Pure."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from workers.engines.cascade.exact.arithmetic import GLUE, SLOTS
from workers.engines.cascade.exact.expression import expression, operand
from workers.engines.cascade.exact.pattern import Tool, tool, without_phrases
from workers.engines.cascade.exact.quantity import Quantity, spoken, stated
from workers.engines.cascade.exact.tokens import Token, tokens

_NEXT: Final[Tool] = tool(
    f"{GLUE} it together more",
    SLOTS,
    ("add {b} [to]\n{b} add\nand {b}", lambda b: _step("plus", b)),
    ("subtract|deduct {b} [from]\ntake [away] {b} [away] [from]", lambda b: _step("minus", b)),
    ("multiply by|with {b}\nmultiplied by {b}", lambda b: _step("times", b)),
    ("divide by {b}\nsplit by|into {b}", lambda b: _step("divided by", b)),
    ("half [of]\nhalve", lambda: "half of"),
    ("double [of]\ndoubled", lambda: "double"),
)


def _step(sign: str, right: Quantity) -> str:
    """The step in words that `tokens` reads; "" if it is more than one number."""
    return "" if right.steps else f"{sign} {right.said}"


def followed(words: str, result: Fraction) -> str:
    """The answer to a turn that goes on with this result; "" if it does not."""
    said = spoken(result)
    found = without_phrases(tokens(words))
    left = [token for token in found if token not in _NEXT.glue]
    if not said or not left:
        return ""
    step = _NEXT.answer(found)
    if step in ("half of", "double"):
        return _whole([*tokens(step), *_value(result)])
    return _whole([*_value(result), *(tokens(step) if step else left)])


def _value(result: Fraction) -> list[Token]:
    number: Token = int(result) if result.denominator == 1 else result
    return [number]


def _whole(parts: Sequence[Token]) -> str:
    """The answer to an expression that covers all of the parts."""
    for found, end in (*operand(parts, 0), *expression(parts, 0)):
        if end == len(parts) and found.steps:
            return stated(found)
    return ""


def result_of(answer: str) -> Fraction | None:
    """The number that an answer of arithmetic ends with; None if it ends with none."""
    *before, last = tokens(answer) or ("",)
    if not isinstance(last, int | Fraction):
        return None
    return -Fraction(last) if before and before[-1] == "minus" else Fraction(last)
