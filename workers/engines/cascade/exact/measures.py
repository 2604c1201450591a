"""Units of time, length, weight, volume and count; temperatures; hours of the clock. Pure."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from workers.engines.cascade.exact.pattern import ASKING, Slot, Tool, tool, without, words
from workers.engines.cascade.exact.quantity import LARGEST, capitalized, spoken
from workers.engines.cascade.exact.tokens import Clock, Nth, Token
from workers.models.text_to_speech.number_words import cardinal


class Unit(NamedTuple):
    """A unit: how many of its kind's base it is."""

    kind: str
    size: Fraction
    one: str
    many: str


# Kind, then name, plural (if it is not with an s) and size in the kind's base.
_TABLE: Final = """
time: second 1, minute 60, hour 3600, day 86400, week 604800, fortnight 1209600
years: month 1, year 12, decade 120, century/centuries 1200, millennium/millennia 12000
length: millimeter 1, centimeter 10, meter 1000, kilometer 1000000, inch/inches 25.4,
  foot/feet 304.8, yard 914.4, mile 1609344
weight: milligram 0.001, gram 1, kilogram 1000, ton 1000000, ounce 28.349523125, pound 453.59237
volume: milliliter 1, liter 1000
cups: teaspoon 1, tablespoon 3, cup 48, pint 96, quart 192, gallon 768
count: thing 1, egg 1, pair 2, dozen/dozen 12, score/score 20
money: cent 1, nickel 5, dime 10, quarter 25, dollar 100
"""
_OTHER_NAMES: Final = {
    "metre": "meter", "centimetre": "centimeter", "millimetre": "millimeter",
    "kilometre": "kilometer", "litre": "liter", "millilitre": "milliliter", "kilo": "kilogram",
    "item": "thing", "penny": "cent", "pennie": "cent", "km": "kilometer",
    "cm": "centimeter", "kg": "kilogram", "mm": "millimeter", "gramme": "gram", "tonne": "ton",
    "hr": "hour", "min": "minute", "sec": "second", "lb": "pound", "oz": "ounce",
}  # fmt: skip


def _units() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _TABLE.replace(",\n", ",").strip().splitlines():
        kind, _, entries = line.partition(": ")
        for entry in entries.split(","):
            names, size = entry.split()
            one, _, many = names.partition("/")
            unit = Unit(kind, Fraction(size), one, many or one + "s")
            found[one] = found[unit.many] = unit
    for other, name in _OTHER_NAMES.items():
        found[other] = found[other + "s"] = found[name]
    found["pennies"] = found["cent"]
    return found


UNITS: Final = _units()


def _unit(tokens: Sequence[Token], at: int) -> Iterator[tuple[Unit, int]]:
    if at < len(tokens):
        word = "second" if tokens[at] == Nth(2) else tokens[at]
        if isinstance(word, str) and word in UNITS:
            yield UNITS[word], at + 1


def _amount(tokens: Sequence[Token], at: int) -> Iterator[tuple[Fraction, int]]:
    """A number, "half a", "a quarter of a"."""
    if at < len(tokens):
        match tokens[at]:
            case int() | Fraction() as number:
                half = tuple(tokens[at + 1 : at + 4]) == ("and", "a", "half")
                yield (
                    (Fraction(number) + Fraction(1, 2), at + 4)
                    if half
                    else (Fraction(number), at + 1)
                )
            case "a" if tokens[at + 1 : at + 2] in (["half"], ["quarter"]):
                yield from _amount(tokens, at + 1)
            case "half":
                yield Fraction(1, 2), at + 1 + (tokens[at + 1 : at + 2] in (["a"], ["an"]))
            case "quarter":
                of = at + 1 + (tokens[at + 1 : at + 2] == ["of"])
                yield Fraction(1, 4), of + (tokens[of : of + 1] in (["a"], ["an"]))


def _amount_or_one(tokens: Sequence[Token], at: int) -> Iterator[tuple[Fraction, int]]:
    """An amount, "a", or nothing, which means one."""
    yield from _amount(tokens, at)
    yield Fraction(1), at + (tokens[at : at + 1] in (["a"], ["an"]))


def _beside_hour(part: int, after: Sequence[Token], end: int) -> Iterator[tuple[int, int]]:
    """ "Ten past five", "a quarter to six"."""
    side, hour = after
    if side in ("past", "to") and isinstance(hour, int) and 1 <= hour <= 12 and part < 60:
        yield (hour * 60 + (part if side == "past" else -part)) % 720, end


def _time(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    """ "3:30", "three o'clock", "half past two", "noon" -> minutes after twelve."""
    if at >= len(tokens):
        return
    after = tokens[at + 1 : at + 3]
    match tokens[at]:
        case Clock(minutes):
            yield minutes, at + 1 + (list(after[:1]) in (["am"], ["pm"], ["oclock"]))
        case int(hour) if 1 <= hour <= 12:
            marked = list(after[:1]) in (["am"], ["pm"], ["oclock"])
            yield hour % 12 * 60, at + 1 + marked
            if len(after) == 2:
                yield from _beside_hour(hour, after, at + 3)
        case int(part) if len(after) == 2:
            yield from _beside_hour(part, after, at + 3)
        case "noon" | "midnight":
            yield 0, at + 1
        case "quarter" if len(after) == 2:
            yield from _beside_hour(15, after, at + 3)
        case "half" if len(after) == 2 and after[0] == "past" and isinstance(after[1], int):
            yield after[1] % 12 * 60 + 30, at + 3


def _any(tokens: Sequence[Token], at: int) -> Iterator[tuple[None, int]]:
    """Any one word: what begins, or what is done for so long."""
    if at < len(tokens) and isinstance(tokens[at], str):
        yield None, at + 1


SLOTS: Final[dict[str, Slot]] = {
    "x": _amount, "one": _amount_or_one, "from": _unit, "to": _unit,
    "t": _time, "u": _time, "c": _amount, "any": _any,
    "end": words("end ends over finish finishes finished done arrive arrives"),
}  # fmt: skip
GLUE: Final = f"""{without(ASKING, "a", "an")} much make makes number of metric have has full far
    contain contains equal equals long about roughly get convert turn change exactly hold holds"""


def _converted(x: Fraction, **units: Unit) -> str:
    source, target = units["from"], units["to"]
    if source.kind != target.kind or source == target:
        return ""
    found = x * source.size / target.size
    result, about = spoken(found), ""
    if not result:
        about, result = "about ", spoken(Fraction(round(found, 1 if found < 20 else 0)))
    if not result or abs(found) > LARGEST or abs(x) > LARGEST:
        return ""
    amount = {Fraction(1, 2): "half a", Fraction(1, 4): "a quarter of a"}.get(x, spoken(x))
    name = source.one if x <= 1 else source.many
    if amount.endswith(" a") and name == "hour":
        amount += "n"
    verb = "is" if x <= 1 else "are"
    return capitalized(f"{amount} {name} {verb} {about}{result} {_plural(target, found)}.")


def _plural(unit: Unit, count: Fraction) -> str:
    return unit.one if count == 1 else unit.many


def _greater(x: Fraction, first: Unit, y: Fraction, second: Unit) -> str:
    """Which of two amounts is more."""
    a, b = x * first.size, y * second.size
    if first.kind != second.kind or a == b:
        return ""
    amount, unit = (x, first) if a > b else (y, second)
    article = "an" if unit.one in ("hour", "inch", "ounce", "egg") else "a"
    name = f"{article} {unit.one}" if amount == 1 else f"{spoken(amount)} {unit.many}"
    return capitalized(f"{name} is more.")


CONVERSIONS: Final[Tool] = tool(
    GLUE,
    SLOTS,
    (
        """
        many {to} [are] [in|per|from|to|into] {one} {from}
        many {to} fit|go|goes|fits [by] [in|into] {one} {from}
        {to} in {one} {from}
        many {to} up {one} {from}
        {one} {from} [in|to|into] many {to}
        in {one} {from} many {to}
        """,
        lambda one, **u: _converted(one, **u),
    ),
    (
        """
        {x} {from} [in|to|into] {to}
        {to} in|per|from {x} {from}
        """,
        _converted,
    ),
    (
        """
        {one} {from} in|to|into {to}
        {to} per {from}
        """,
        lambda one=Fraction(1), **u: _converted(one, **u),
    ),
    (
        """
        a|an {from} and a half in|to|into {to}
        many {to} [are|in] a|an {from} and a half
        """,
        lambda **u: _converted(Fraction(3, 2), **u),
    ),
    (
        "longer|heavier|bigger|more|further|larger {one} {from} or {x} {to}",
        lambda one, x, **u: _greater(one, u["from"], x, u["to"]),
    ),
    (
        "longer|heavier|bigger|more|further|larger {one} {from} or [a|an] {to}",
        lambda one, **u: _greater(one, u["from"], Fraction(1), u["to"]),
    ),
)  # fmt: skip


def _fahrenheit(c: Fraction) -> str:
    return _degrees(c, "Celsius", c * 9 / 5 + 32, "Fahrenheit")


def _celsius(c: Fraction) -> str:
    return _degrees(c, "Fahrenheit", (c - 32) * 5 / 9, "Celsius")


def _degrees(x: Fraction, source: str, found: Fraction, target: str) -> str:
    exact = spoken(found)
    result = exact or f"about {cardinal(round(found))}"
    given = spoken(x)
    if not given or abs(found) > LARGEST:
        return ""
    return capitalized(f"{given} degrees {source} is {result} degrees {target}.")


TEMPERATURES: Final[Tool] = tool(
    f"{without(GLUE, 'is')} is many hot warm cold",
    SLOTS,
    (
        """
        {c} [degrees|degree] celsius|centigrade [in|to|into] [degrees|degree] fahrenheit
        {c} [degrees|degree] celsius|centigrade [degrees|degree] fahrenheit
        """,
        _fahrenheit,
    ),
    (
        """
        {c} [degrees|degree] fahrenheit [in|to|into] [degrees|degree] celsius|centigrade
        {c} [degrees|degree] fahrenheit [degrees|degree] celsius|centigrade
        """,
        _celsius,
    ),
)


def _clock(minutes: int) -> str:
    hour, rest = divmod(minutes % 720, 60)
    name = cardinal(hour or 12)
    if not rest:
        return f"{name} o'clock"
    return f"{name} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def _later(t: int, one: Fraction, sign: int = 1, **units: Unit) -> str:
    unit = units["from"]
    minutes = one * unit.size / 60
    if unit.kind != "time" or minutes.denominator != 1 or minutes > LARGEST:
        return ""
    amount = {Fraction(1, 2): "half an"}.get(one, spoken(one))
    name = unit.one if one <= 1 else unit.many
    word = "after" if sign > 0 else "before"
    found = _clock(t + sign * int(minutes))
    return capitalized(f"{amount} {name} {word} {_clock(t)} is {found}.")


def _earlier(t: int, one: Fraction, **units: Unit) -> str:
    return _later(t, one, -1, **units)


def _span(t: int, u: int) -> str:
    minutes = (u - t) % 720 or 720
    hours, rest = divmod(minutes, 60)
    parts = [f"{cardinal(hours)} hour{'s' * (hours != 1)}"] if hours else []
    parts += [f"{cardinal(rest)} minutes"] if rest else []
    return f"From {_clock(t)} to {_clock(u)} is {' and '.join(parts)}."


CLOCK: Final[Tool] = tool(
    f"{without(ASKING, 'a', 'an')} time clock now today ",
    SLOTS,
    (
        """
        {one} {from} after|past|from {t}
        {t} in {one} {from}
        {t} plus {one} {from}
        {t} and {one} {from} later
        {t} {one} {from} later
        in {one} {from} {t}
        [{any}] [starts|begins|leaves|opens] at {t} [and] lasts|takes|runs {one} {from} [{end}]
        {t} [and] [{any}] lasts|takes|runs {one} {from} [{end}]
        [{any}] [{any}] lasts|takes|runs {one} {from} and starts|begins|leaves at {t} [{end}]
        add {one} {from} to {t}
        """,
        _later,
    ),
    (
        """
        {one} {from} before {t}
        {t} {one} {from} ago|earlier|before
        {t} minus {one} {from}
        {one} {from} ago {t}
        """,
        _earlier,
    ),
    (
        """
        many hours [are] between {t} and {u}
        long from {t} to|until|till {u}
        many hours from {t} to|until|till {u}
        from {t} to|until|till {u} many hours
        from {t} to|until {u} long
        long between {t} and {u}
        long [from] {t} [from] to|until|till {u}
        [{any}] [{any}] [from] {t} to|until|till {u} many hours
        """,
        _span,
    ),
)  # fmt: skip
