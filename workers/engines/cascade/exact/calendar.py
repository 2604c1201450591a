"""Days of the week, months and dates: before, after, how long, which place. Pure.

Nothing here knows today's date: what is computed follows from the caller's words alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from workers.engines.cascade.exact.pattern import (
    ASKING,
    Slot,
    Tool,
    of_type,
    one_of,
    tool,
    without,
)
from workers.engines.cascade.exact.quantity import capitalized
from workers.engines.cascade.exact.tokens import Nth, Token
from workers.models.text_to_speech.number_words import cardinal, ordinal

DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SEASONS: Final = "spring summer autumn winter".split()
LEAP: Final = "in a leap year"
MOST_AHEAD: Final = 10_000  # days or months


def _places(names: Sequence[str]) -> dict[str, int]:
    """Each name, and it with an s or 'st of Whisper's, -> its place from 0."""
    return {name.lower() + end: at for at, name in enumerate(names) for end in ("", "s")}


def _date(tokens: Sequence[Token], at: int) -> Iterator[tuple[tuple[int, int], int]]:
    """ "March third", "March 3", "the third of March" -> month from 0, day from 1."""
    months = _places(MONTHS)
    for place, nth in ((0, 1), (1, 0), (2, 0)):
        part = tokens[at : at + 1 + max(place, nth)]
        if len(part) <= max(place, nth) or (place == 2 and part[1] != "of"):
            continue
        month, day = part[place], part[nth]
        number = day.number if isinstance(day, Nth) else day
        if not (isinstance(month, str) and month in months and isinstance(number, int)):
            continue
        if 1 <= number <= LENGTHS[months[month]]:
            yield (months[month], number), at + len(part)


def _count(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    """A number, or what Whisper writes for one before "days"."""
    if at < len(tokens):
        word = tokens[at]
        number = {"to": 2, "too": 2, "for": 4, "a": 1, "ate": 8}.get(str(word), word)
        if isinstance(number, int) and 0 <= number <= MOST_AHEAD:
            yield number, at + 1


SLOTS: Final[dict[str, Slot]] = {
    "d": one_of(_places(DAYS)),
    "s": one_of({**_places(SEASONS), "fall": 2}),
    "m": one_of(_places(MONTHS)),
    "date": _date,
    "i": _count,
    "nth": of_type(Nth),
}
GLUE: Final = f"""{without(ASKING, "this")} comes come coming call called right directly immediately
    next week date weekday falls happens later at on"""


def _near(names: Sequence[str], kind: str, step: int) -> Callable[..., str]:
    word = "after" if step > 0 else "before"

    def answer(**found: Any) -> str:
        place = next(iter(found.values()))
        return f"The {kind} {word} {names[place]} is {names[(place + step) % len(names)]}."

    return answer


def _shifted(names: Sequence[str], kind: str, sign: int) -> Callable[..., str]:
    word = "after" if sign > 0 else "before"

    def answer(i: int, **found: Any) -> str:
        place = next(iter(found.values()))
        number = capitalized(cardinal(i))
        kinds = kind if i == 1 else kind + "s"
        return (
            f"{number} {kinds} {word} {names[place]} is {names[(place + sign * i) % len(names)]}."
        )

    return answer


def _weeks(d: int, i: int) -> str:
    weeks = "week" if i == 1 else "weeks"
    return f"{capitalized(cardinal(i))} {weeks} after {DAYS[d]} is {DAYS[d]} again."


def _then(step: int, told: str) -> Callable[[int], str]:
    return lambda d: f"{told} {DAYS[(d + step) % 7]}."


WEEK: Final[Tool] = tool(
    f"{GLUE} of year",
    SLOTS,
    (
        """
        today {d} tomorrow [day]
        today {d} day tomorrow
        {d} today tomorrow
        {d} today day tomorrow
        day tomorrow today {d}
        tomorrow today {d}
        tomorrow day today {d}
        day tomorrow {d} today
        day after today {d}
        """,
        _then(1, "Then tomorrow is"),
    ),
    (
        """
        today {d} [but] [day] yesterday [day]
        {d} today [but] [day] yesterday
        [day] yesterday [day] today {d}
        day yesterday {d} today
        """,
        _then(-1, "Then yesterday was"),
    ),
    (
        """
        today {d} [but] [day] tomorrow [day]
        {d} today [but] [day] tomorrow
        """,
        _then(1, "Then tomorrow is"),
    ),
    (
        """
        today {d} [day] after tomorrow
        {d} today [day] after tomorrow
        [day] after tomorrow today {d}
        """,
        _then(2, "Then the day after tomorrow is"),
    ),
    (
        """
        today {d} [day] before yesterday
        {d} today [day] before yesterday
        """,
        _then(-2, "Then the day before yesterday was"),
    ),
    (
        """
        yesterday {d} [day] today
        [day] today yesterday {d}
        """,
        _then(1, "Then today is"),
    ),
    (
        """
        tomorrow {d} [day] today
        [day] today tomorrow {d}
        """,
        _then(-1, "Then today is"),
    ),
    ("yesterday {d} [day] tomorrow", _then(2, "Then tomorrow is")),
    (
        """
        [day] after|follows|following {d}
        [day] after {d} [day]
        after {d} [day]
        {d} over [day]
        {d} [day] after
        """,
        _near(DAYS, "day", 1),
    ),
    (
        """
        [day] [just] before {d} [day]
        {d} [day] before
        [day] preceding|precedes {d}
        """,
        _near(DAYS, "day", -1),
    ),
    (
        """
        [day] {i} day|days after|from|past {d}
        {i} day|days after|from|past {d} [day]
        day {i} day|days {d} after
        today {d} [day] in {i} day|days
        {d} today [day] in {i} day|days
        [day] in {i} day|days today {d}
        [day] in {i} day|days {d} today
        {d} plus {i} days
        [day] {d} in {i} days
        today {d} [day] {i} day|days from
        {d} today [day] {i} days from
        {d} and {i} days
        count|add {i} days from|to {d}
        [day] in {i} days from {d}
        """,
        _shifted(DAYS, "day", 1),
    ),
    (
        """
        [day] {i} day|days before|until|till|to|prior {d}
        {i} day|days before {d} [day]
        today {d} [day] {i} day|days ago|back|before
        {d} today [day] {i} day|days ago|back
        [day] {i} day|days ago today {d}
        {d} minus {i} days
        [day] {i} days ago {d} today
        """,
        _shifted(DAYS, "day", -1),
    ),
    (
        """
        [day] {i} weeks|week after|from {d}
        today {d} [day] in {i} weeks|week
        """,
        _weeks,
    ),
)  # fmt: skip


SEASON: Final[Tool] = tool(
    f"{GLUE} of year",
    SLOTS,
    (
        """
        [season] after|follows|following {s} [season]
        {s} over season
        """,
        _near(SEASONS, "season", 1),
    ),
    ("[season] before|precedes {s} [season]", _near(SEASONS, "season", -1)),
)


def _place(m: int) -> str:
    return f"{MONTHS[m]} is the {ordinal(m + 1)} month of the year."


def _nth_month(nth: Nth) -> str:
    if not 1 <= nth.number <= 12:
        return ""
    return f"The {ordinal(nth.number)} month of the year is {MONTHS[nth.number - 1]}."


def _nth_day(nth: Nth) -> str:
    if not 1 <= nth.number <= 7:
        return ""
    return f"The {ordinal(nth.number)} day of the week is {DAYS[nth.number - 1]}."


def _length(m: int) -> str:
    more = ", or twenty-nine in a leap year" if m == 1 else ""
    return f"{MONTHS[m]} has {cardinal(LENGTHS[m])} days{more}."


def _said(month: int, day: int) -> str:
    return f"{MONTHS[month]} {ordinal(day)}"


def _next_date(date: tuple[int, int]) -> str:
    month, day = date
    if date == (1, 28):
        return f"The day after {_said(1, 28)} is March first, or the twenty-ninth {LEAP}."
    after = (month, day + 1) if day < LENGTHS[month] else ((month + 1) % 12, 1)
    return f"The day after {_said(*date)} is {_said(*after)}."


def _last_date(date: tuple[int, int]) -> str:
    month, day = date
    if date == (2, 1):
        return f"The day before March first is {_said(1, 28)}, or the twenty-ninth {LEAP}."
    before = (month, day - 1) if day > 1 else ((month - 1) % 12, LENGTHS[month - 1])
    return f"The day before {_said(*date)} is {_said(*before)}."


YEAR: Final[Tool] = tool(
    GLUE,
    SLOTS,
    (
        """
        [month] [of] [year] after|follows|following {m} [month]
        {m} over [month]
        {m} [month] after
        """,
        _near(MONTHS, "month", 1),
    ),
    (
        """
        [month] [of] [year] [last] [just] before {m} [month]
        last [month] before {m}
        [month] preceding|precedes {m}
        {m} [month] before
        """,
        _near(MONTHS, "month", -1),
    ),
    (
        """
        [month] [of] [year] {i} month|months after|from|past {m}
        {i} month|months after|from|past {m} [month]
        {m} [month] in {i} month|months
        [month] in {i} month|months {m}
        today {m} [month] in {i} months
        {m} plus|and {i} months
        [month] in {i} months from {m}
        """,
        _shifted(MONTHS, "month", 1),
    ),
    (
        """
        [month] [of] [year] {i} month|months before {m}
        {i} month|months before {m} [month]
        {m} [month] {i} months ago|back
        [month] {i} months ago {m}
        {m} minus {i} months
        """,
        _shifted(MONTHS, "month", -1),
    ),
    (
        """
        [of] {nth} month [of|in] [year]
        month {nth} month [of] [year]
        month {nth} [in|of] [year]
        month of [year] {nth}
        """,
        _nth_month,
    ),
    ("{nth} day [of|in] week", _nth_day),
    (
        """
        month [of] [year] {m}
        place [of] {m} [in|among] [year|months|calendar]
        where in|of [year] {m}
        place {m} in [year]
        {m} month [of] [year]
        month {m} [in|of] [year]
        {m} place [in] [year]
        {m} place of [year]
        place in year of|for {m}
        {m} in year place
        number [month] [in] [year] {m}
        month [of] [year] {m} by number
        {m} number month
        """,
        _place,
    ),
    (
        """
        [number] [many] [of] days [long] [in|of] {m} [year]
        {m} [many] days [long]
        [days] long {m}
        length of {m}
        {m} long
        """,
        _length,
    ),
    (
        """
        [day] after {date}
        after {date}
        today {date} [day] tomorrow
        {date} today [day] tomorrow
        [day] tomorrow today {date}
        {date} over day
        tomorrow {date} today
        [day] [that] after {date} [day]
        """,
        _next_date,
    ),
    (
        """
        [day] [just] before {date}
        before {date}
        today {date} [day] yesterday
        {date} today [day] yesterday
        [day] yesterday today {date}
        """,
        _last_date,
    ),
)  # fmt: skip
