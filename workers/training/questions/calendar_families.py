"""Families of questions about days, months and dates."""

from typing import Final

from workers.training.questions.question_families import (
    QuestionFamily,
    form,
    neighbours,
    number,
    ordinal,
)

DAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS: Final = (
    "january february march april may june july august september october november december"
).split()
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _beyond(words: list[str], counts: range, sign: int) -> tuple[dict[str, str], ...]:
    return tuple(
        {"n": number(n), "x": word, "y": words[(i + sign * n) % len(words)]}
        for n in counts
        for i, word in enumerate(words)
    )


def _dates() -> tuple[dict[str, str], ...]:
    """Each date and the one after it, in a year of 365 days."""
    found = []
    for i, (month, length) in enumerate(zip(MONTHS, _LENGTHS, strict=True)):
        for day in range(1, length + 1):
            last = day == length
            after = MONTHS[(i + 1) % 12] if last else month
            following = ordinal(1 if last else day + 1)
            found.append({"x": month, "d": ordinal(day), "y": after, "e": following})
    return tuple(found)


DAY_AFTER: Final = QuestionFamily(
    "day after",
    neighbours(DAYS, 1),
    (
        form(
            "the day after {x} is {y}.",
            "what day comes after {x}? | which day is after {x}? | what is the day after {x}?"
            "| tell me the day after {x}"
            "| the day after {x} | what comes after {x}? | give me the day after {x}"
            "| which day of the week comes after {x}? | i need the day that comes after {x}"
            "| when {x} is over, what day comes next? | please name the day after {x}",
            "do you know which day comes after {x}? | which day follows after {x}?",
        ),
        form(
            "if today is {x}, then tomorrow is {y}.",
            "if today is {x}, what day is tomorrow? | today is {x}. what day is tomorrow?"
            "| it is {x} today. what day is tomorrow?"
            "| if it is {x} today, what day is it tomorrow? | today is {x}, so what is tomorrow?"
            "| tell me what day tomorrow is if today is {x}"
            "| what will tomorrow be if today is {x}?"
            "| i know that today is {x}, but what day is tomorrow?",
            "when today is {x}, which day is tomorrow?",
        ),
    ),
    result="y",
    weight=2.0,
)
DAY_BEFORE: Final = QuestionFamily(
    "day before",
    neighbours(DAYS, -1),
    (
        form(
            "the day before {x} is {y}.",
            "what day comes before {x}? | which day is before {x}? | what is the day before {x}?"
            "| tell me the day before {x}"
            "| the day before {x} | what comes before {x}? | give me the day before {x}"
            "| which day of the week comes before {x}? | i need the day that comes before {x}"
            "| what day do we have just before {x}? | please name the day before {x}",
            "do you know which day comes before {x}? | which day is right before {x}?",
        ),
        form(
            "if today is {x}, then yesterday was {y}.",
            "if today is {x}, what day was yesterday? | today is {x}. what day was yesterday?"
            "| it is {x} today. what day was yesterday?"
            "| if it is {x} today, what day was it yesterday?"
            "| today is {x}, so what was yesterday?"
            "| tell me what day yesterday was if today is {x}"
            "| what was yesterday if today is {x}?"
            "| i know that today is {x}, but what day was yesterday?",
            "when today is {x}, which day was yesterday?",
        ),
    ),
    result="y",
    weight=2.0,
)
DAYS_AFTER: Final = QuestionFamily(
    "days after",
    _beyond(DAYS, range(2, 8), 1),
    (
        form(
            "{n} days after {x} is {y}.",
            "what day comes {n} days after {x}? | which day is {n} days after {x}?"
            "| what is {n} days after {x}? | tell me the day {n} days after {x}"
            "| what day is it {n} days after {x}?"
            "| {n} days after {x} | give me the day {n} days after {x}"
            "| if today is {x}, what day is it in {n} days?"
            "| what day will it be {n} days after {x}? | {n} days after {x} is what day?"
            "| i need the day that is {n} days after {x}"
            "| which day of the week is {n} days after {x}?",
            "do you know which day comes {n} days after {x}?"
            "| what day do we have {n} days after {x}?",
        ),
    ),
    compositional=True,
    result="y",
    weight=3.0,
)
DAYS_BEFORE: Final = QuestionFamily(
    "days before",
    _beyond(DAYS, range(2, 8), -1),
    (
        form(
            "{n} days before {x} is {y}.",
            "what day comes {n} days before {x}? | which day is {n} days before {x}?"
            "| what is {n} days before {x}? | tell me the day {n} days before {x}"
            "| what day is it {n} days before {x}?"
            "| {n} days before {x} | give me the day {n} days before {x}"
            "| if today is {x}, what day was it {n} days ago?"
            "| what day was it {n} days before {x}? | {n} days before {x} is what day?"
            "| i need the day that is {n} days before {x}"
            "| which day of the week is {n} days before {x}?",
            "do you know which day comes {n} days before {x}?"
            "| what day do we have {n} days before {x}?",
        ),
    ),
    compositional=True,
    result="y",
    weight=3.0,
)
MONTH_AFTER: Final = QuestionFamily(
    "month after",
    neighbours(MONTHS, 1),
    (
        form(
            "the month after {x} is {y}.",
            "what month comes after {x}? | which month is after {x}? | what is the month after {x}?"
            "| tell me the month after {x} | what is the next month after {x}?"
            "| the month after {x} | what comes after {x}? | give me the month after {x}"
            "| which month of the year comes after {x}? | i need the month that comes after {x}"
            "| when {x} is over, what month comes next? | please name the month after {x}",
            "do you know which month comes after {x}? | which month follows after {x}?",
        ),
    ),
    result="y",
    weight=2.0,
)
MONTH_BEFORE: Final = QuestionFamily(
    "month before",
    neighbours(MONTHS, -1),
    (
        form(
            "the month before {x} is {y}.",
            "what month comes before {x}? | which month is before {x}?"
            "| what is the month before {x}? | tell me the month before {x}"
            "| what is the last month before {x}?"
            "| the month before {x} | what comes before {x}? | give me the month before {x}"
            "| which month of the year comes before {x}? | i need the month that comes before {x}"
            "| what month do we have just before {x}? | please name the month before {x}",
            "do you know which month comes before {x}? | which month is right before {x}?",
        ),
    ),
    result="y",
    weight=2.0,
)
MONTHS_AFTER: Final = QuestionFamily(
    "months after",
    _beyond(MONTHS, range(2, 7), 1),
    (
        form(
            "{n} months after {x} comes {y}.",
            "what month comes {n} months after {x}? | which month is {n} months after {x}?"
            "| what is {n} months after {x}? | tell me the month {n} months after {x}"
            "| {n} months after {x} | give me the month {n} months after {x}"
            "| if it is {x} now, what month will it be in {n} months?"
            "| what month will it be {n} months after {x}? | {n} months after {x} is what month?"
            "| i need the month that is {n} months after {x}"
            "| which month of the year is {n} months after {x}?",
            "do you know which month comes {n} months after {x}?"
            "| what month do we have {n} months after {x}?",
        ),
    ),
    compositional=True,
    result="y",
    weight=3.0,
)
MONTH_PLACES: Final = QuestionFamily(
    "month place",
    tuple({"x": month, "n": ordinal(i + 1)} for i, month in enumerate(MONTHS)),
    (
        form(
            "{x} is the {n} month of the year.",
            "which month of the year is {x}? | what place has {x} in the year?"
            "| where in the year is {x}?"
            "| the place of {x} in the year | what number month is {x}?"
            "| {x} is which month of the year? | what place does {x} have in the year?"
            "| what is the place of {x} among the months?"
            "| i would like to know what place {x} has in the year",
            "do you know which month of the year {x} is?",
        ),
        form(
            "the {n} month of the year is {x}.",
            "what is the {n} month of the year? | which month is the {n} month?"
            "| tell me the {n} month of the year"
            "| the {n} month of the year | give me the {n} month of the year"
            "| what is the name of the {n} month? | please name the {n} month of the year"
            "| which month comes {n} in the year? | i need the name of the {n} month"
            "| i would like to know which month is the {n}",
            "do you know the {n} month of the year?",
        ),
    ),
    weight=2.0,
)
MONTH_LENGTHS: Final = QuestionFamily(
    "month length",
    tuple(
        {"x": month, "n": number(length)} for month, length in zip(MONTHS, _LENGTHS, strict=True)
    ),
    (
        form(
            "{x} has {n} days.",
            "how many days has {x}? | how many days are in {x}? | how long is {x}?"
            "| how many days does {x} have?"
            "| the number of days in {x} | how many days are there in {x}?"
            "| {x} has how many days?"
            "| give me the number of days in {x} | how many days long is {x}?"
            "| i would like to know how many days {x} has",
            "do you know how many days are in {x}? | tell me how long {x} is",
        ),
    ),
    weight=2.0,
)
DATES: Final = QuestionFamily(
    "date after",
    _dates(),
    (
        form(
            "the day after {x} {d} is {y} {e}.",
            "what is the day after {x} {d}? | what date comes after {x} {d}?"
            "| tell me the day after {x} {d} | which date is after {x} {d}?"
            "| the day after {x} {d} | give me the date after {x} {d}"
            "| if today is {x} {d}, what date is tomorrow?"
            "| it is {x} {d} today. what date is tomorrow? | what is the next date after {x} {d}?"
            "| i need the date that comes after {x} {d} | please say what day is after {x} {d}",
            "do you know which date comes after {x} {d}? | which date follows after {x} {d}?",
        ),
    ),
    compositional=True,
    weight=4.0,
)
WEEKENDS: Final = QuestionFamily(
    "weekend",
    tuple({"x": day, "z": "yes" if i > 4 else "no", "w": "weekend day" if i > 4 else "working day"}
          for i, day in enumerate(DAYS)),
    (
        form(
            "{z}, {x} is a {w}.",
            "is {x} a day off? | is {x} on the weekend? | do people rest on {x}?"
            "| is {x} a weekend day? | is {x} part of the weekend?"
            "| does {x} belong to the weekend? | is {x} a free day for most people?"
            "| i would like to know if {x} is on the weekend | do people have {x} off?"
            "| do people stay home from work on {x}?",
            "tell me, is {x} on the weekend?",
        ),
    ),
    weight=1.5,
)  # fmt: skip

CALENDAR: Final = (
    DAY_AFTER,
    DAY_BEFORE,
    DAYS_AFTER,
    DAYS_BEFORE,
    MONTH_AFTER,
    MONTH_BEFORE,
    MONTHS_AFTER,
    MONTH_PLACES,
    MONTH_LENGTHS,
    DATES,
    WEEKENDS,
)
