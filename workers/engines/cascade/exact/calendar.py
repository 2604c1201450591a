"""Days of the week and seasons: before, after, between. Pure. Months and dates: `year.py`.

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
from workers.models.text_to_speech.number_words import cardinal

DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SEASONS: Final = "spring summer autumn winter".split()
MOST_AHEAD: Final = 10_000  # days or months


def places(names: Sequence[str]) -> dict[str, int]:
    """Each name, and it with an s or 'st of Whisper's, -> its place from 0."""
    return {name.lower() + end: at for at, name in enumerate(names) for end in ("", "s")}


def count(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    """A number, or what Whisper writes for one before "days"."""
    if at < len(tokens):
        word = tokens[at]
        number = {"to": 2, "too": 2, "for": 4, "a": 1, "ate": 8}.get(str(word), word)
        if isinstance(number, int) and 0 <= number <= MOST_AHEAD:
            yield number, at + 1


SLOTS: Final[dict[str, Slot]] = {
    "d": one_of(places(DAYS)),
    "s": one_of({**places(SEASONS), "fall": 2}),
    "d2": one_of(places(DAYS)),
    "i": count,
    "nth": of_type(Nth),
}
GLUE: Final = f"""{without(ASKING, "this")} comes come coming call called right directly immediately
    next week date weekday falls happens later at on once forget"""


def near(names: Sequence[str], kind: str, step: int) -> Callable[..., str]:
    word = "after" if step > 0 else "before"

    def answer(**found: Any) -> str:
        place = next(iter(found.values()))
        return f"The {kind} {word} {names[place]} is {names[(place + step) % len(names)]}."

    return answer


def shifted(names: Sequence[str], kind: str, sign: int) -> Callable[..., str]:
    word = "after" if sign > 0 else "before"

    def answer(i: int, **found: Any) -> str:
        place = next(iter(found.values()))
        number = capitalized(cardinal(i))
        kinds = kind if i == 1 else kind + "s"
        return (
            f"{number} {kinds} {word} {names[place]} is {names[(place + sign * i) % len(names)]}."
        )

    return answer


def between(names: Sequence[str], kind: str) -> Callable[..., str]:
    """What lies between two names, if it is one."""

    def answer(**found: int) -> str:
        first, last = found.values()
        if (last - first) % len(names) != 2:
            return ""
        between = names[(first + 1) % len(names)]
        return f"The {kind} between {names[first]} and {names[last]} is {between}."

    return answer


def _left_in_week(d: int) -> str:
    left = DAYS[d + 1 :]
    days = "day is" if len(left) == 1 else "days are"
    named = f": {', '.join(left)}" if left else ""
    return f"{capitalized(cardinal(len(left)))} {days} left after {DAYS[d]}{named}."


def _days_to(d: int, d2: int) -> str:
    count = (d2 - d) % 7 or 7
    days = "day" if count == 1 else "days"
    return f"From {DAYS[d]} to {DAYS[d2]} is {cardinal(count)} {days}."


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
        {d} [day] tomorrow [day]
        tomorrow [day] {d} [day]
        """,
        _then(1, "Then tomorrow is"),
    ),
    (
        """
        today {d} [but] [day] yesterday [day]
        {d} today [but] [day] yesterday
        [day] yesterday [day] today {d}
        {d} [day] yesterday [day]
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
        today {d} [day] [day] after tomorrow
        {d} today [day] [day] after tomorrow
        [day] after tomorrow today {d}
        """,
        _then(2, "Then the day after tomorrow is"),
    ),
    (
        """
        today {d} [day] [day] before yesterday
        {d} today [day] [day] before yesterday
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
        [day] [arrives|starts|begins|is] after|follows|following|succeeds|behind {d}
        {d} followed by [day]
        {d} over|ends|done|passed|finished [day] [begins|starts]
        day {d} over|done|passed|finished
        {d} and
        [day] after {d} [day]
        after {d} [day] [in]
        {d} over [day]
        {d} [day] after
        before day {d}
        day day after {d}
        """,
        near(DAYS, "day", 1),
    ),
    (
        """
        [day] [just] before {d} [day]
        {d} [day] before
        [day] preceding|precedes {d}
        after day {d}
        day day before {d}
        """,
        near(DAYS, "day", -1),
    ),
    (
        """
        [day] {i} day|days after|from|past {d}
        {i} day|days after|from|past {d} [on] [day]
        {d} [day] [in] {i} day|days [day]
        {d} [day] {i} day|days [from] now|later [day]
        in {i} day|days [day] {d}
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
        shifted(DAYS, "day", 1),
    ),
    (
        """
        [day] {i} day|days before|until|till|to|prior {d}
        {i} day|days before {d} [day]
        {d} [day] {i} day|days ago|back|earlier [day]
        today {d} [day] {i} day|days ago|back|before
        {d} today [day] {i} day|days ago|back
        [day] {i} day|days ago today {d}
        {d} minus {i} days
        [day] {i} days ago {d} today
        """,
        shifted(DAYS, "day", -1),
    ),
    (
        """
        [day] {i} weeks|week after|from {d}
        today {d} [day] in {i} weeks|week
        """,
        _weeks,
    ),
    ("[day] [lies] between {d} and {d2} [day]", between(DAYS, "day")),
    ("many days from {d} to|until|till {d2}", _days_to),
    ("many days left|remain|remaining [in] after {d} [in]", _left_in_week),
)  # fmt: skip


def _weekend(d: int) -> str:
    return f"{'Yes' if d > 4 else 'No'}, {_kind_of_day(d)}"


def _working_day(d: int) -> str:
    return f"{'No' if d > 4 else 'Yes'}, {_kind_of_day(d)}"


def _kind_of_day(d: int) -> str:
    return f"{DAYS[d]} is a {'weekend' if d > 4 else 'working'} day."


WEEKEND: Final[Tool] = tool(
    f"""{without(GLUE, "weekday")} part of belong belongs count counts counted considered on in as
    during most usually normally for true lie lies fall falls a an the already""",
    SLOTS,
    (
        """
        {d} [to] weekend [day]
        {d} day off|free [people]
        {d} free [day] [people]
        {d} off [people]
        people off|free {d}
        people {d} off|free
        people rest|relax {d}
        people stay home [from] work {d}
        people stay at home {d}
        {d} day people rest|off|free
        """,
        _weekend,
    ),
    (
        """
        {d} work|working|business day
        {d} weekday|workday
        people work {d}
        {d} day people work
        people go to work {d}
        people to work {d}
        """,
        _working_day,
    ),
)  # fmt: skip
SEASON: Final[Tool] = tool(
    f"{GLUE} of year",
    SLOTS,
    (
        "[4] seasons [in]\nmany seasons [are] [in]\n[4] seasons names|named",
        lambda: "There are four seasons: spring, summer, autumn and winter.",
    ),
    (
        """
        [season] after|follows|following {s} [season]
        {s} over season
        before season {s}
        """,
        near(SEASONS, "season", 1),
    ),
    ("[season] before|precedes {s} [season]", near(SEASONS, "season", -1)),
)
