"""Days, months, seasons, fixed holidays, years and centuries."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.models.text_to_speech.number_words import ordinal, year
from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.numbers import capitalized, listed, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "days, months and dates"
DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
SEASONS: Final = "spring summer autumn winter".split()
MONTH_DAYS: Final = dict(zip(MONTHS, (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
CYCLES: Final = {"day": DAYS, "month": MONTHS, "season": SEASONS}
AFTER: Final = (
    "What {k} comes after {x}?",
    "Which {k} comes after {x}?",
    "Which {k} is after {x}?",
    "What {k} follows {x}?",
    "What's the {k} after {x}?",
    "What comes after {x}?",
    "After {x} comes what {k}?",
    "What's the next {k} after {x}?",
    "Tell me the {k} after {x}.",
    "Can you tell me what {k} comes after {x}?",
    "Do you know which {k} comes after {x}?",
    "I forgot what {k} comes after {x}.",
    "When {x} is over, which {k} is it?",
)
BEFORE: Final = (
    "What {k} comes before {x}?",
    "Which {k} comes before {x}?",
    "Which {k} is before {x}?",
    "What's the {k} before {x}?",
    "What comes before {x}?",
    "Before {x} comes what {k}?",
    "Tell me the {k} before {x}.",
    "Can you tell me which {k} is just before {x}?",
    "Do you know which {k} comes before {x}?",
    "I forgot what {k} comes before {x}.",
)
SAME_AGAIN: Final = ("And after that?", "And then?", "And the next one?", "What comes after that?")


def neighbors(random: Random) -> Iterator[Conversation]:
    """The day, month or season after or before, with "and after that?"."""
    caller = Caller(random)
    after, before = Deck(AFTER, random), Deck(BEFORE, random)
    again = Deck(SAME_AGAIN, random)
    items = Deck([(k, n) for k, names in CYCLES.items() for n in names], random)
    while True:
        kind, name = items.deal()
        names = CYCLES[kind]
        place = names.index(name)
        is_after = random.random() < 0.6
        step = 1 if is_after else -1
        word, deck = ("after", after) if is_after else ("before", before)
        found, known = names[(place + step) % len(names)], name
        answer = random.choice((f"{found} comes {word} {known}.", f"{word} {known} comes {found}."))
        turns = [(caller.ask(deck.deal().format(k=kind, x=name)), capitalized(answer))]
        if is_after and random.random() < 0.4:
            third = names[(place + 2) % len(names)]
            turns.append((again.deal(), capitalized(f"{third} comes after {found}.")))
        yield several(TOPIC, *turns)


DAY_SHIFTS: Final = (
    ("What day is {n} days after {x}?", 1, "{N} days after {x} is {r}."),
    ("If today is {x}, what day is it in {n} days?", 1, "{N} days after {x} is {r}."),
    ("Today is {x}. What day will it be in {n} days?", 1, "In {n} days it'll be {r}."),
    ("It's {x} today. Which day was it {n} days ago?", -1, "{N} days ago it was {r}."),
    ("What day is {n} days before {x}?", -1, "{N} days before {x} is {r}."),
    ("If today is {x}, which day was {n} days ago?", -1, "{N} days before {x} it was {r}."),
)
DAY_NEXT: Final = (
    ("If today is {x}, what day is tomorrow?", 1, "Then tomorrow is {r}."),
    ("Today is {x}. What's tomorrow?", 1, "Tomorrow is {r}."),
    ("If today is {x}, what was yesterday?", -1, "Then yesterday was {r}."),
    ("It's {x} today. What day was yesterday?", -1, "Yesterday was {r}."),
    ("If yesterday was {x}, what's today?", 1, "Then today is {r}."),
    ("Tomorrow is {x}. So what's today?", -1, "Then today is {r}."),
    ("Today is {x}. What's the day after tomorrow?", 2, "The day after tomorrow is {r}."),
)
MONTH_SHIFTS: Final = (
    ("What month is {n} months after {x}?", 1, "{N} months after {x} comes {r}."),
    ("It's {x} now. Which month will it be in {n} months?", 1, "In {n} months it'll be {r}."),
    ("Which month is {n} months before {x}?", -1, "{N} months before {x} comes {r}."),
)


def shifts(random: Random) -> Iterator[Conversation]:
    """ "Three days after Tuesday is Friday." """
    caller = Caller(random)
    while True:
        kind = random.random()
        names = MONTHS if kind > 0.8 else DAYS
        frames = MONTH_SHIFTS if kind > 0.8 else DAY_NEXT if kind > 0.45 else DAY_SHIFTS
        text, direction, answer = random.choice(frames)
        count = random.randint(2, 6)
        steps = direction * (count if "{n}" in text else 1)
        place = random.randrange(len(names))
        fill = {"x": names[place], "r": names[(place + steps) % len(names)]}
        asked = text.format(n=caller.written(count), **fill)
        told = answer.format(n=words(count), N=capitalized(words(count)), **fill)
        yield single(TOPIC, caller.ask(asked), told)


MONTH_LENGTHS: Final = (
    "How many days does {m} have?",
    "How many days are in {m}?",
    "How many days are there in {m}?",
    "How long is {m}?",
    "{m} has how many days?",
    "Tell me how many days {m} has.",
    "I forgot how many days {m} has.",
    "Does {m} have thirty or thirty-one days?",
    "What's the number of days in {m}?",
    "Is the 31st of {m} a real date?",
)


def month_lengths(random: Random) -> Iterator[Conversation]:
    caller, frames = Caller(random), Deck(MONTH_LENGTHS, random)
    months = Deck(MONTHS, random)
    while True:
        month, frame = months.deal(), frames.deal()
        days = f"{words(MONTH_DAYS[month])} days"
        if month == "February":
            answer = "February has twenty-eight days, and twenty-nine in a leap year."
        else:
            answer = random.choice((f"{month} has {days}.", f"There are {days} in {month}."))
        if "31st" in frame:
            yes = "Yes" if MONTH_DAYS[month] == 31 else "No"
            answer = (
                f"{yes}, {answer}" if answer.startswith(month) else f"{yes}, {month} has {days}."
            )
        elif "thirty or" in frame and month == "February":
            answer = f"Neither. {answer}"
        yield single(TOPIC, caller.ask(frame.format(m=month)), answer)


def places(random: Random) -> Iterator[Conversation]:
    """The third month of the year, and which number a month has."""
    caller = Caller(random)
    while True:
        number = random.randint(1, 12)
        month, rank = MONTHS[number - 1], ordinal(number)
        if random.random() < 0.5:
            digits = {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
            written = digits if random.random() < 0.4 else rank
            noun = random.choice(("the {n} month", "the {n} month of the year", "month number {d}"))
            asked = caller.about(noun.format(n=written, d=number))
            answer = random.choice(
                (f"The {rank} month is {month}.", f"{month} is the {rank} month of the year.")
            )
            yield single(TOPIC, asked, answer)
        else:
            question = random.choice(
                (
                    f"Which number in the year is {month}?",
                    f"Which month of the year is {month}, by number?",
                    f"What number month is {month}?",
                    f"If January is the first month, what is {month}?",
                )
            )
            yield single(TOPIC, caller.ask(question), f"{month} is the {rank} month of the year.")


# A question in several wordings, separated by "/", and its answer.
FIXED: Final = (
    (
        "What are the days of the week?/Name the days of the week./"
        "Tell me all the days of the week./Can you list the days of the week?/"
        "Which days are in a week?",
        f"{listed(DAYS)}.",
    ),
    (
        "What are the months of the year?/Name the months./Tell me all twelve months./"
        "Can you list the months of the year in order?/Say the months in order.",
        f"{listed(MONTHS)}.",
    ),
    (
        "What are the four seasons?/Name the seasons./What seasons are there?/"
        "Tell me the seasons of the year./Can you list the seasons?",
        "Spring, summer, autumn and winter.",
    ),
    (
        "How many seasons are there?/How many seasons does a year have?",
        "There are four seasons, spring, summer, autumn and winter.",
    ),
    (
        "How many days are in a leap year?/How long is a leap year?/"
        "What's the number of days in a leap year?",
        "A leap year has three hundred sixty-six days.",
    ),
    (
        "How often is there a leap year?/When is a leap year?/How often do leap years come?",
        "Nearly always every four years. It's the year in which February has twenty-nine days.",
    ),
    (
        "Which is the shortest month?/What month has the fewest days?/Which month has 28 days?",
        "February is the shortest month, with twenty-eight days, or twenty-nine in a leap year.",
    ),
    (
        "Which days are the weekend?/What days are on the weekend?/When is the weekend?",
        "The weekend is Saturday and Sunday.",
    ),
    (
        "Which months have 30 days?/What months have thirty days?/Name the months with 30 days.",
        "April, June, September and November have thirty days.",
    ),
    (
        "Which months have 31 days?/What months have thirty-one days?",
        "January, March, May, July, August, October and December have thirty-one days.",
    ),
    (
        "Which months are in summer?/What are the summer months?/When is summer?",
        "In the northern half of the world, summer is June, July and August.",
    ),
    (
        "Which months are in winter?/What are the winter months?/When is winter?",
        "In the northern half of the world, winter is December, January and February.",
    ),
    (
        "Which months are in spring?/What are the spring months?/When is spring?",
        "In the northern half of the world, spring is March, April and May.",
    ),
    (
        "Which months are in autumn?/What are the fall months?/When is fall?",
        "In the northern half of the world, autumn is September, October and November.",
    ),
    ("What's another word for autumn?/Is fall the same as autumn?", "Autumn is also called fall."),
    (
        "What's the last day of the year?/On what date does the year end?",
        "The last day of the year is December thirty-first.",
    ),
    (
        "What's the first day of the year?/On what date does the year start?",
        "The first day of the year is January first.",
    ),
)


def fixed(random: Random) -> Iterator[Conversation]:
    caller = Caller(random)
    pairs = [(q, answer) for questions, answer in FIXED for q in questions.split("/")]
    deck = Deck(pairs, random)
    while True:
        question, answer = deck.deal()
        yield single(TOPIC, caller.ask(question), answer)


HOLIDAYS: Final = tuple(
    line.split("|")
    for line in (
        "Christmas Day|December 25",
        "Christmas Eve|December 24",
        "New Year's Day|January 1",
        "New Year's Eve|December 31",
        "Valentine's Day|February 14",
        "Saint Patrick's Day|March 17",
        "April Fools' Day|April 1",
        "Halloween|October 31",
        "American Independence Day|July 4",
        "Bastille Day|July 14",
        "Canada Day|July 1",
        "Australia Day|January 26",
        "All Saints' Day|November 1",
        "Boxing Day|December 26",
        "Earth Day|April 22",
        "International Women's Day|March 8",
        "Groundhog Day|February 2",
        "Cinco de Mayo|May 5",
        "Juneteenth|June 19",
        "Saint Nicholas Day|December 6",
        "German Unity Day|October 3",
        "Guy Fawkes Night|November 5",
        "Burns Night|January 25",
        "Pi Day|March 14",
        "Veterans Day|November 11",
        "Epiphany|January 6",
        "Saint Andrew's Day|November 30",
        "Saint George's Day|April 23",
        "May Day|May 1",
        "the leap day|February 29",
    )
)
MOVING: Final = (
    ("Thanksgiving", "In the United States, Thanksgiving is the fourth Thursday of November."),
    ("Mother's Day", "In the United States, Mother's Day is the second Sunday of May."),
    ("Father's Day", "In the United States, Father's Day is the third Sunday of June."),
    ("Labor Day", "In the United States, Labor Day is the first Monday of September."),
    ("Memorial Day", "In the United States, Memorial Day is the last Monday of May."),
    ("Easter", "The date of Easter changes. It's always a Sunday in March or April."),
)
WHEN: Final = (
    "When is {h}?",
    "What date is {h}?",
    "What's the date of {h}?",
    "On what day is {h}?",
    "Which day is {h} on?",
    "When do people celebrate {h}?",
    "When do we have {h}?",
    "Can you tell me when {h} is?",
    "Do you know when {h} is?",
    "In which month is {h}?",
    "I forgot when {h} is.",
    "Tell me the date of {h}.",
)


def holidays(random: Random) -> Iterator[Conversation]:
    caller, frames = Caller(random), Deck(WHEN, random)
    deck = Deck([*HOLIDAYS, *([name, answer] for name, answer in MOVING)], random)
    while True:
        name, date = deck.deal()
        asked = caller.ask(frames.deal().format(h=name))
        if date.endswith("."):
            yield single("holidays", asked, date)
            continue
        month, day = date.split()
        spoken = f"{month} {ordinal(int(day))}"
        title = capitalized(name)
        answer = random.choice((f"{title} is on {spoken}.", f"{title} is {spoken}."))
        if random.random() < 0.2:
            answer = f"It's on {spoken}."
        yield single("holidays", asked, answer)


CENTURY: Final = (
    "Which century was {y} in?",
    "What century is the year {y} in?",
    "The year {y} belongs to which century?",
    "In which century was {y}?",
    "Was {y} in the {a} century?",
    "Can you tell me the century of the year {y}?",
)
SPANS: Final = (
    "How many years are there between {a} and {b}?",
    "How many years from {a} to {b}?",
    "How long was it from {a} to {b}?",
    "Somebody was born in {a}. How old were they on their birthday in {b}?",
)


def years(random: Random) -> Iterator[Conversation]:
    """Centuries of years, and the years between two years."""
    caller = Caller(random)
    century, spans = Deck(CENTURY, random), Deck(SPANS, random)
    while True:
        if random.random() < 0.6:
            number = random.randint(1101, 1999)
            rank = -(-number // 100)
            asked_rank = rank if random.random() < 0.5 else rank - 1
            frame = century.deal()
            asked = caller.ask(frame.format(y=number, a=ordinal(asked_rank)))
            answer = f"{year(number)} was in the {ordinal(rank)} century."
            if "{a}" in frame:
                answer = f"{'Yes' if asked_rank == rank else 'No'}, {answer}"
            yield single("years", asked, capitalized(answer))
        else:
            start = random.randrange(1900, 1990, 5)
            span = random.randrange(5, 35, 5)
            frame = spans.deal()
            asked = caller.ask(frame.format(a=start, b=start + span))
            if "born" in frame:
                answer = f"They were {words(span)} years old."
            else:
                answer = f"From {year(start)} to {year(start + span)} it's {words(span)} years."
            yield single("years", asked, answer)
