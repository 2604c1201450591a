"""Finds the result of an equation in a model's own reply: "sixty-one minus fifty-four is". Pure.

It depends on the reply's text alone, so a worker that takes the reply over forces the same tokens.
"""

import re
from typing import Final

from workers.engines.cascade.exact.expression import expression
from workers.engines.cascade.exact.quantity import LARGEST, Quantity, spoken
from workers.engines.cascade.exact.tokens import tokens

# A sentence that states an equation, and what follows its verb.
_EQUATION: Final = re.compile(r"[^.?!,;:]*?\b(?:is|equals|makes|=)(?P<after>[^.?!,;:=]*)$")
_CLAUSE: Final = re.compile(r"[.?!,;:]\s")


def forced(reply: str) -> str:
    """What a reply so far must go on with: the rest of an equation's result; "" if anything may."""
    clause = _CLAUSE.split(reply)[-1]
    found = _EQUATION.fullmatch(clause)
    if found is None:
        return ""
    after = found["after"]
    wanted = _result(clause[: len(clause) - len(after)])
    if not wanted or not wanted.startswith(after) or after == wanted:
        return ""
    return wanted[len(after) :]


def _result(equation: str) -> str:
    """The result, with a space before it, of the expression in front of the verb; "" if none is."""
    words = tokens(equation.rstrip("=").rsplit(maxsplit=1)[0])
    for start in range(len(words)):
        for quantity, end in expression(words, start):
            if end == len(words):
                return _said(quantity)
    return ""


def _said(found: Quantity) -> str:
    if found.value is None or abs(found.value) > LARGEST:
        return ""
    result = found.rest or spoken(found.value)
    return f" {result}" if result else ""
