"""Neighbours of a number, counting up and down, comparing, even and odd. Pure."""

from fractions import Fraction
from typing import Final

from workers.engines.cascade.exact.pattern import (
    ASKING,
    Slot,
    Tool,
    of_type,
    one_of,
    tool,
    without,
    words,
)
from workers.engines.cascade.exact.quantity import LARGEST, capitalized, spoken
from workers.models.text_to_speech.number_words import cardinal

MOST_COUNTED: Final = 30
_STEPS: Final = {"twos": 2, "threes": 3, "fours": 4, "fives": 5, "tens": 10, "hundreds": 100}
SLOTS: Final[dict[str, Slot]] = {
    "a": of_type(int, Fraction),
    "b": of_type(int, Fraction),
    "i": of_type(int),
    "j": of_type(int),
    "step": one_of(_STEPS),
    "big": words("bigger larger greater more higher biggest largest greatest highest"),
    "small": words("smaller less lower fewer smallest least lowest littler"),
}
GLUE: Final = f"{ASKING} number numbers next right"


def _after(i: int) -> str:
    return f"After {cardinal(i)} comes {cardinal(i + 1)}." if i < LARGEST else ""


def _before(i: int) -> str:
    return f"Before {cardinal(i)} comes {cardinal(i - 1)}." if i <= LARGEST else ""


def _between(i: int, j: int) -> str:
    low, high = sorted((i, j))
    if high - low != 2 or high > LARGEST:
        return ""
    return capitalized(f"{cardinal(low + 1)} is between {cardinal(low)} and {cardinal(high)}.")


def counted(i: int, j: int, step: int = 1) -> str:
    """ "Three, four, five."; down if `j` is the smaller; "" if it would take too long."""
    numbers = range(i, j + 1, step) if j >= i else range(i, j - 1, -step)
    if not 1 < len(numbers) <= MOST_COUNTED or max(i, j) > LARGEST:
        return ""
    return capitalized(", ".join(map(cardinal, numbers)) + ".")


def _down_from(i: int) -> str:
    return counted(i, 1)


_COUNT_GLUE: Final = (
    without(GLUE, "number", "numbers") + " out loud aloud all start starting begin beginning"
)
COUNTS: Final[Tool] = tool(
    _COUNT_GLUE,
    SLOTS,
    (
        """
        count down|backwards|backward|back from {i} to|until {j}
        count from {i} down|backwards|backward|back to {j}
        countdown from {i} to {j}
        numbers from {i} down|backwards to {j}
        numbers backwards|backward from {i} to {j}
        at|with|from {i} and count down|backwards to {j}
        count from|at|with {i} to|till|until {j}
        count up from {i} to|till|until {j}
        count from {i} up to {j}
        count to {j} from {i}
        numbers from|between {i} to|till|until|through|and {j}
        numbers from {i} up to {j}
        at|with|from {i} and count [up] [on] to|till|until {j}
        count {i} to|through {j}
        [go] from {i} to|until {j} count
        """,
        counted,
    ),
    (
        """
        count down|backwards|backward|back from|at|with {i} [on] [down] [to] [zero]
        countdown from|of {i}
        count from {i} down|backwards|backward
        count backwards|down {i}
        countdown {i}
        """,
        _down_from,
    ),
    (
        """
        count [up] to|till|until|2|at {j}
        numbers [up] to {j}
        count {j}
        """,
        lambda j: counted(1, j),
    ),
    (
        """
        count [up] by|in {step} [up] to|until {j}
        count [up] to {j} by|in {step}
        {step} [up] to|until {j}
        """,
        lambda step, j: counted(step, j, step),
    ),
    ("[count] even [numbers] [up] to|until|below|under {j}", lambda j: counted(2, j, 2)),
    ("[count] odd [numbers] [up] to|until|below|under {j}", lambda j: counted(1, j, 2)),
    ("[count] even [numbers] from {i} to {j}", lambda i, j: counted(i + i % 2, j, 2)),
    ("[count] odd [numbers] from {i} to {j}", lambda i, j: counted(i + 1 - i % 2, j, 2)),
)  # fmt: skip
NEIGHBOURS: Final[Tool] = tool(
    f"{without(GLUE, 'that', 'this', 'there')} count counting goes reach up comes come directly "
    "immediately straight",
    SLOTS,
    (
        """
        [that] after {i} [what]
        follows|succeeds {i}
        at {i} comes
        {i} after
        following {i}
        1 more than {i}
        1 up from {i}
        [1] above {i}
        {i} followed by
        """,
        _after,
    ),
    (
        """
        [that] before {i} [what]
        {i} before
        precedes {i}
        preceding {i}
        1 less than {i}
        [1] below|under {i}
        """,
        _before,
    ),
    ("between {i} and {j}", _between),
)  # fmt: skip


# Comparing.


def _bigger(a: int | Fraction, b: int | Fraction) -> str:
    if a == b:
        return "They are the same."
    low, high = (spoken(Fraction(value)) for value in sorted((a, b)))
    return capitalized(f"{high} is bigger than {low}.") if low and high else ""


def _smaller(a: int | Fraction, b: int | Fraction) -> str:
    if a == b:
        return "They are the same."
    low, high = (spoken(Fraction(value)) for value in sorted((a, b)))
    return capitalized(f"{low} is smaller than {high}.") if low and high else ""


def _is_bigger(a: int | Fraction, b: int | Fraction) -> str:
    if a == b:
        return "No, they are the same."
    return f"{'Yes' if a > b else 'No'}, {_lowered(_bigger(a, b))}"


def _is_smaller(a: int | Fraction, b: int | Fraction) -> str:
    if a == b:
        return "No, they are the same."
    return f"{'Yes' if a < b else 'No'}, {_lowered(_smaller(a, b))}"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _even(i: int) -> str:
    kind = "odd" if i % 2 else "even"
    return f"{capitalized(cardinal(i))} is an {kind} number." if abs(i) <= LARGEST else ""


def _is_even(i: int) -> str:
    return f"{'No' if i % 2 else 'Yes'}, {_lowered(_even(i))}" if _even(i) else ""


def _is_odd(i: int) -> str:
    return f"{'Yes' if i % 2 else 'No'}, {_lowered(_even(i))}" if _even(i) else ""


COMPARED: Final[Tool] = tool(
    f"{GLUE} between of from these numbers value called call",
    SLOTS,
    (
        """
        {big} [1] {a} or|and {b}
        {a} or|and {b} {big} [1]
        out {a} and|or {b} [1] {big} [1]
        """,
        _bigger,
    ),
    (
        """
        {small} [1] {a} or|and {b}
        {a} or|and {b} {small} [1]
        out {a} and|or {b} [1] {small} [1]
        """,
        _smaller,
    ),
    (
        """
        even or odd {i}
        odd or even {i}
        {i} even or odd
        {i} odd or even
        even or {i} odd
        {i} even or uneven
        even {i} or odd
        odd {i} or even
        kind {i} odd or even
        kind {i} even or odd
        """,
        _even,
    ),
)  # fmt: skip
# "Is five more than three?" keeps "is", since "what is five more than three?" is a sum.
ARE_THEY: Final[Tool] = tool(
    f"{without(GLUE, 'is', 'what', 'which', 'how', 'if')} true correct reckon believe suppose",
    SLOTS,
    (
        """
        is|if|that {a} [is] {big} than {b}
        [do|would] {a} is {big} than {b}
        """,
        _is_bigger,
    ),
    (
        """
        is|if|that {a} [is] {small} than {b}
        [do|would] {a} is {small} than {b}
        """,
        _is_smaller,
    ),
    (
        """
        is|if {i} [is] even
        {i} is even
        """,
        _is_even,
    ),
    (
        """
        is|if {i} [is] odd|uneven
        {i} is odd
        """,
        _is_odd,
    ),
)
