"""Units: how many of one in another, rough miles, temperatures, and fixed counts."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.numbers import capitalized, with_article, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "units and measures"
# Small unit, large unit, how many small ones make one large one.
EXACT: Final = tuple(
    (small, large, plural, int(count))
    for small, large, plural, count in (
        line.split("|")
        for line in (
            "seconds|minute|minutes|60",
            "minutes|hour|hours|60",
            "hours|day|days|24",
            "days|week|weeks|7",
            "months|year|years|12",
            "years|decade|decades|10",
            "years|century|centuries|100",
            "inches|foot|feet|12",
            "feet|yard|yards|3",
            "inches|yard|yards|36",
            "centimeters|meter|meters|100",
            "millimeters|centimeter|centimeters|10",
            "meters|kilometer|kilometers|1000",
            "grams|kilogram|kilograms|1000",
            "kilograms|metric ton|metric tons|1000",
            "ounces|pound|pounds|16",
            "milliliters|liter|liters|1000",
            "teaspoons|tablespoon|tablespoons|3",
            "tablespoons|cup|cups|16",
            "fluid ounces|cup|cups|8",
            "cups|pint|pints|2",
            "pints|quart|quarts|2",
            "quarts|gallon|gallons|4",
            "cups|quart|quarts|4",
            "eggs|dozen|dozen|12",
            "cents|dollar|dollars|100",
            "quarters|dollar|dollars|4",
            "dimes|dollar|dollars|10",
            "nickels|dollar|dollars|20",
            "nickels|quarter|quarters|5",
            "pennies|dime|dimes|10",
            "degrees|right angle|right angles|90",
        )
    )
)
HOW_MANY: Final = (
    "How many {s} are in {l}?",
    "How many {s} are there in {l}?",
    "How many {s} does {l} have?",
    "How many {s} make {l}?",
    "How many {s} in {l}?",
    "{L} is how many {s}?",
    "{L} has how many {s}?",
    "{L} in {s}?",
    "What is {l} in {s}?",
    "What's {l} in {s}?",
    "Can you tell me how many {s} are in {l}?",
    "Could you tell me how many {s} make {l}?",
    "Do you know how many {s} are in {l}?",
    "I need to know how many {s} are in {l}.",
    "I forgot how many {s} are in {l}.",
    "Tell me how many {s} are in {l}.",
    "Tell me how many {s} {l} has.",
    "I'm wondering how many {s} there are in {l}.",
    "Convert {l} to {s}.",
    "Can you convert {l} to {s}?",
    "If I have {l}, how many {s} is that?",
    "How many {s} do I get from {l}?",
    "Please tell me how many {s} are in {l}.",
    "My son asks how many {s} are in {l}.",
    "{L}, how many {s} is that?",
)


def conversions(random: Random) -> Iterator[Conversation]:
    """One unit, a half or several; sometimes the second turn asks for several."""
    caller, frames = Caller(random), Deck(HOW_MANY, random)
    facts = Deck(EXACT, random)

    def stated(count: int, small: str, large: str, plural: str, each: int) -> tuple[str, str]:
        """The noun phrase of the question and the answer."""
        total = words(count * each)
        if count == 1:
            noun = with_article(large).replace("a hour", "an hour")
            return noun, random.choice(
                (
                    f"There are {total} {small} in {noun}.",
                    f"{capitalized(noun)} is {total} {small}.",
                )
            )
        have = f"{capitalized(words(count))} {plural} {'is' if large == 'dozen' else 'are'}"
        return f"{caller.written(count)} {plural}", f"{have} {total} {small}."

    while True:
        small, large, plural, each = facts.deal()
        count = 1 if random.random() < 0.55 else random.randint(2, 10)
        noun, answer = stated(count, small, large, plural, each)
        text = frames.deal().format(s=small, l=noun, L=capitalized(noun))
        if count > 1:
            text = text.replace(" does ", " do ").replace(
                f"{small} {noun} has", f"{small} {noun} have"
            )
            text = text.replace(f"{capitalized(noun)} has", f"{capitalized(noun)} have")
            text = text.replace(f"{capitalized(noun)} is", f"{capitalized(noun)} are")
        turns = [(caller.transcribed(text), answer)]
        if count == 1 and random.random() < 0.25:
            more = random.randint(2, 9)
            phrase, second = stated(more, small, large, plural, each)
            turns.append((random.choice(("And in {p}?", "And {p}?")).format(p=phrase), second))
        yield several(TOPIC, *turns)


DISTANCE: Final = (
    "How many {b} is {x} {a}?",
    "How much is {x} {a} in {b}?",
    "What's {x} {a} in {b}?",
    "Convert {x} {a} to {b}.",
    "{x} {a}, how many {b} is that?",
    "How far is {x} {a} in {b}?",
    "Can you turn {x} {a} into {b}?",
    "About how many {b} are {x} {a}?",
)
KILOMETERS_PER_MILE: Final = 1.609344
POUNDS_PER_KILOGRAM: Final = 2.204623
CENTIMETERS_PER_INCH: Final = 2.54


def rough(random: Random) -> Iterator[Conversation]:
    """Kilometers and miles, kilograms and pounds, inches and centimeters, to the whole number."""
    caller, frames = Caller(random), Deck(DISTANCE, random)
    pairs = (
        ("miles", "kilometers", KILOMETERS_PER_MILE),
        ("kilometers", "miles", 1 / KILOMETERS_PER_MILE),
        ("kilograms", "pounds", POUNDS_PER_KILOGRAM),
        ("pounds", "kilograms", 1 / POUNDS_PER_KILOGRAM),
        ("inches", "centimeters", CENTIMETERS_PER_INCH),
    )
    while True:
        source, target, factor = random.choice(pairs)
        number = random.choice((5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 200))
        found = round(number * factor)
        asked = frames.deal().format(x=caller.written(number), a=source, b=target)
        verb = "is" if random.random() < 0.5 else "are"
        answer = f"{capitalized(words(number))} {source} {verb} about {words(found)} {target}."
        yield single(TOPIC, caller.ask(asked), answer)


TEMPERATURES: Final = (
    *((c, c * 9 // 5 + 32) for c in range(0, 105, 5) if c <= 45 or c in (50, 60, 100)),
)
DEGREES: Final = (
    "What's {x} degrees {a} in {b}?",
    "How much is {x} degrees {a} in {b}?",
    "Convert {x} {a} to {b}.",
    "{x} degrees {a}, what is that in {b}?",
    "{x} {a} is how many degrees {b}?",
    "How warm is {x} degrees {a} in {b}?",
    "My oven shows {b}. What's {x} degrees {a}?",
    "What is {x} {a} in degrees {b}?",
)


def temperatures(random: Random) -> Iterator[Conversation]:
    """Celsius values with a whole Fahrenheit value, both ways."""
    caller, frames = Caller(random), Deck(DEGREES, random)
    while True:
        celsius, fahrenheit = random.choice(TEMPERATURES)
        sides = [("Celsius", celsius), ("Fahrenheit", fahrenheit)]
        if random.random() < 0.4:
            sides.reverse()
        (source, number), (target, found) = sides
        asked = frames.deal().format(x=caller.written(number), a=source, b=target)
        answer = (
            f"{capitalized(words(number))} degrees {source} is {words(found)} degrees {target}."
        )
        yield single(TOPIC, caller.ask(asked), answer)


# A question in several wordings, separated by "/", and its answer.
COUNTS: Final = (
    (
        "At what temperature does water boil?/When does water boil?/How hot is boiling water?",
        "At sea level, at one hundred degrees Celsius, or two hundred twelve Fahrenheit.",
    ),
    (
        "At what temperature does water freeze?/When does water freeze?",
        "Water freezes at zero degrees Celsius, or thirty-two degrees Fahrenheit.",
    ),
    (
        "What is a normal body temperature?/How warm is the human body?",
        "About thirty-seven degrees Celsius, or ninety-eight point six Fahrenheit.",
    ),
    (
        "How many days are in a year?/A year has how many days?",
        "A year has three hundred sixty-five days.",
    ),
    (
        "How many weeks are in a year?/A year has how many weeks?",
        "A year has about fifty-two weeks.",
    ),
    ("How many letters are in the alphabet?", "There are twenty-six letters in the alphabet."),
    ("How many sides does a triangle have?", "A triangle has three sides."),
    ("How many sides does a square have?", "A square has four equal sides."),
    ("How many sides does a pentagon have?", "A pentagon has five sides."),
    ("How many sides does a hexagon have?", "A hexagon has six sides."),
    ("How many sides does an octagon have?", "An octagon has eight sides."),
    ("How many degrees are in a circle?", "A full circle has three hundred sixty degrees."),
    ("How many cards are in a deck?", "A standard deck has fifty-two cards, without the jokers."),
    ("How many keys does a piano have?", "A standard piano has eighty-eight keys."),
    ("How many strings does a guitar have?", "Most guitars have six strings."),
    ("How many strings does a violin have?", "A violin has four strings."),
    ("How many planets are there?", "There are eight planets in our solar system."),
    ("How many continents are there?", "Seven continents, as most schools count them."),
    ("How many feet are in a mile?", "A mile has five thousand two hundred eighty feet."),
    ("How long is a marathon?", "A marathon is about forty-two kilometers, or twenty-six miles."),
    ("How many players are on a soccer team?", "Eleven players, including the goalkeeper."),
    ("How many players are on a basketball team?", "Five players for each team on the court."),
    ("How many squares are on a chessboard?", "A chessboard has sixty-four squares."),
    ("How many years are in a millennium?", "A millennium is one thousand years."),
    (
        "How many minutes are in a day?",
        "There are one thousand four hundred forty minutes in a day.",
    ),
    ("How many seconds are in an hour?", "An hour has three thousand six hundred seconds."),
    ("How many things are in a pair?", "A pair is two things."),
    ("How many zeros are in a million?", "A million has six zeros."),
    ("How many zeros are in a thousand?", "A thousand has three zeros."),
    ("How many wheels does a bicycle have?", "A bicycle has two wheels."),
    ("How many wheels does a tricycle have?", "A tricycle has three wheels."),
    ("How many fingers do people have?", "Ten, counting the thumbs, five on each hand."),
    ("How many states are in the United States?", "There are fifty states in the United States."),
    ("How many minutes are in half an hour?", "Half an hour is thirty minutes."),
    ("How many minutes are in a quarter of an hour?", "A quarter of an hour is fifteen minutes."),
    ("How many months are in half a year?", "Half a year is six months."),
    ("How many hours are in half a day?", "Half a day is twelve hours."),
    ("How many is half a dozen?", "Half a dozen is six."),
    ("How many grams is half a kilogram?", "Half a kilogram is five hundred grams."),
    ("How many milliliters is a cup?", "An American cup is about two hundred forty milliliters."),
    ("How many milliliters is a teaspoon?", "A teaspoon is about five milliliters."),
    ("How many milliliters is a tablespoon?", "A tablespoon is about fifteen milliliters."),
    ("How many grams is an ounce?", "An ounce is about twenty-eight grams."),
    (
        "How many grams is a stick of butter?",
        "A stick of butter is about one hundred thirteen grams.",
    ),
    ("How many liters are in a gallon?", "An American gallon is about three point eight liters."),
    ("How many colors are in a rainbow?", "Seven are usually named, from red to violet."),
)


def counts(random: Random) -> Iterator[Conversation]:
    caller = Caller(random)
    pairs = [(q, answer) for questions, answer in COUNTS for q in questions.split("/")]
    deck = Deck(pairs, random)
    while True:
        question, answer = deck.deal()
        yield single(TOPIC, caller.ask(question), answer)
