"""Months and dates: before, after, between, how long, which place; days by number. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from workers.engines.cascade.exact import calendar
from workers.engines.cascade.exact.calendar import DAYS, GLUE, between, near, places, shifted
from workers.engines.cascade.exact.pattern import Slot, Tool, one_of, tool, without
from workers.engines.cascade.exact.quantity import capitalized
from workers.engines.cascade.exact.tokens import Nth, Token
from workers.models.text_to_speech.number_words import cardinal, ordinal

MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MOST_DAYS: Final = 300
LEAP: Final = "in a leap year"


def _date(tokens: Sequence[Token], at: int) -> Iterator[tuple[tuple[int, int], int]]:
    """ "March third", "March 3", "the third of March" -> month from 0, day from 1."""
    months = places(MONTHS)
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


SLOTS: Final[dict[str, Slot]] = {
    **calendar.SLOTS,
    "m": one_of(places(MONTHS)),
    "m2": one_of(places(MONTHS)),
    "date": _date,
}


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


def _months_with(i: int) -> str:
    """How many months have so many days."""
    count = sum(length >= i if i <= 28 else length == i for length in LENGTHS)
    if i == 29 or not count:
        return ""
    return f"{capitalized(cardinal(count))} months have {cardinal(i)} days."


def _order(m: int, m2: int, word: str, right: bool) -> str:
    other = {"before": "after", "after": "before"}[word]
    return f"{'Yes' if right else 'No'}, {MONTHS[m]} comes {word if right else other} {MONTHS[m2]}."


def _leap_year(i: int) -> str:
    leap = i % 4 == 0 and (i % 100 != 0 or i % 400 == 0)
    return f"{'Yes' if leap else 'No'}, {cardinal(i)} {'is' if leap else 'is not'} a leap year."


def _said(month: int, day: int) -> str:
    return f"{MONTHS[month]} {ordinal(day)}"


def _next_date(date: tuple[int, int]) -> str:
    month, day = date
    if date == (1, 28):
        return f"The day after {_said(1, 28)} is March first, or the twenty-ninth {LEAP}."
    after = (month, day + 1) if day < LENGTHS[month] else ((month + 1) % 12, 1)
    return f"The day after {_said(*date)} is {_said(*after)}."


def _days_after(i: int, date: tuple[int, int]) -> str:
    """The date so many days later, unless a leap year's February lies between."""
    month, day = date
    for _ in range(i):
        month, day = (month, day + 1) if day < LENGTHS[month] else ((month + 1) % 12, 1)
    if i > MOST_DAYS or date[0] <= 1 < month or (date[0] > month >= 1):
        return ""
    days = "day" if i == 1 else "days"
    return f"{capitalized(cardinal(i))} {days} after {_said(*date)} is {_said(month, day)}."


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
        [month|months] [of] [year] [arrives|starts|begins] after|follows|following {m} [month]
        month succeeds|behind {m}
        {m} followed by [month]
        {m} over|ends|done|passed|finished [month] [begins|starts]
        month {m} over|done|passed|finished
        {m} and
        this month {m} [but] month
        {m} over [month]
        {m} [month] after
        before month {m}
        month after [month] [of] {m}
        """,
        near(MONTHS, "month", 1),
    ),
    (
        """
        [month|months] [of] [year] [last] [just] before {m} [month]
        last [month] before {m}
        [month] preceding|precedes {m}
        {m} [month] before
        after month {m}
        month before [month] [of] {m}
        """,
        near(MONTHS, "month", -1),
    ),
    (
        """
        [month] [of] [year] {i} month|months after|from|past {m}
        {i} month|months after|from|past {m} [in] [month]
        {m} [month] in {i} months
        {m} [month] in {i} month|months
        [month] in {i} month|months {m}
        today {m} [month] in {i} months
        {m} plus|and {i} months
        [month] in {i} months from {m}
        """,
        shifted(MONTHS, "month", 1),
    ),
    (
        """
        [month] [of] [year] {i} month|months before {m}
        {i} month|months before {m} [in] [month]
        {m} [month] {i} months ago|back
        [month] {i} months ago {m}
        {m} minus {i} months
        """,
        shifted(MONTHS, "month", -1),
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
    ("{nth} day of|in", _nth_day),
    ("last day of|in", lambda: _nth_day(Nth(7))),
    ("last month [of|in] [year]", lambda: _nth_month(Nth(12))),
    ("[month] [lies] between {m} and {m2} [month]", between(MONTHS, "month")),
    ("many months {i} days", _months_with),
    ("{m} before {m2}", lambda m, m2: _order(m, m2, "before", m < m2)),
    ("{m} after {m2}", lambda m, m2: _order(m, m2, "after", m > m2)),
    (
        "{nth} {m} or {m2}\n{m} or {m2} {nth}",
        lambda nth, m, m2: f"{MONTHS[min(m, m2)]} comes first." if nth.number == 1 else "",
    ),
    (
        """
        many days [in|of] [whole] year
        [number] [of] days in|of year
        year many days
        many days by in year
        """,
        lambda: "A year has three hundred sixty-five days, or one more in a leap year.",
    ),
    ("many days [in] leap year", lambda: "A leap year has three hundred sixty-six days."),
    ("{i} leap year", _leap_year),
    (
        """
        month [of] [year] {m}
        place [of] {m} [in|among] [year|months|calendar]
        where in|of [year] {m}
        where {m} [stand|stands|sit|sits|lie|lies] [among|in|within] [months|year|calendar|order]
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
        month number {m}
        """,
        _place,
    ),
    (
        """
        [number] [many] [of] days [long] [in|of] {m} [year]
        {m} [many] days [long]
        [days] long {m}
        days in|of {m} many
        length of {m}
        {m} long
        """,
        _length,
    ),
    (
        """
        [day] [date] [day] after|follows|following {date}
        day day after {date}
        {date} followed by [day]
        [day] 1 day after {date}
        today {date} [day] tomorrow
        {date} today [day] tomorrow
        [day] tomorrow today {date}
        {date} over day
        tomorrow {date} today
        [day] [that] after {date} [day]
        """,
        _next_date,
    ),
    ("[day] {i} day|days after|from {date}", lambda i, date: _days_after(i, date)),
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


def _in_a_row(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}."


NAMES: Final[Tool] = tool(
    f"{without(GLUE, 'week')} list recite order",
    SLOTS,
    ("all 7 [days|weekdays]\nall|7 weekdays", lambda: _in_a_row(DAYS)),
    ("all 12 months\n[all] [12] months named|names", lambda: _in_a_row(MONTHS)),
    ("[all] [7] days [of|in] week", lambda: _in_a_row(DAYS)),
    ("[all] [12] months [of|in] year", lambda: _in_a_row(MONTHS)),
    ("[2] days [of|in] [on] weekend", lambda: _in_a_row(DAYS[5:])),
)
