"""Small word problems: things that come, go, are shared, cost money or grow older."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.equations import (
    Equation,
    Operation,
    draw_difference,
    draw_sum,
)
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "word problems"
THINGS: Final = (
    "apples cookies coins marbles stickers balloons books eggs cards pencils candies oranges "
    "shells stamps toys flowers pears muffins buttons nuts cherries sandwiches tickets dollars "
    "peaches grapes plums stones crayons postcards"
).split()
PEOPLE: Final = (
    "Tom Anna Ben Lucy Max Emma Sam Mia Leo Nora Jack Ella Paul Rosa Finn Ida Omar Lena Carlos Ruth"
).split()
# Scene, question and the answer's end. {x} and {y} are the numbers, {t} the things, {p} a person.
GAINS: Final = (
    ("I have {x} {t} and get {y} more.", "How many do I have?", "you have {r} {t}"),
    ("{p} has {x} {t} and buys {y} more.", "How many {t} does {p} have now?", "{p} has {r} {t}"),
    (
        "There are {x} {t} in one bag and {y} in another.",
        "How many are there?",
        "there are {r} {t}",
    ),
    ("I've got {x} {t}, and my friend gives me {y}.", "How many now?", "you have {r} {t} now"),
    (
        "{p} finds {x} {t} on Monday and {y} on Tuesday.",
        "How many in all?",
        "that's {r} {t} in all",
    ),
    ("I put {x} {t} on the table and then {y} more.", "How many are there?", "there are {r} {t}"),
    ("{p} has {x} {t} and I have {y}.", "How many do we have together?", "you two have {r} {t}"),
    ("If I had {x} {t} and won {y} more,", "how many would I have?", "you would have {r} {t}"),
)
LOSSES: Final = (
    ("I have {x} {t} and give away {y}.", "How many are left?", "{r} {t} are left"),
    ("{p} has {x} {t} and loses {y}.", "How many does {p} still have?", "{p} still has {r} {t}"),
    ("There were {x} {t}, and {p} took {y}.", "How many are there now?", "there are {r} {t} now"),
    ("I had {x} {t}, and {y} are gone.", "How many do I have left?", "you have {r} {t} left"),
    ("{p} had {x} {t} and sold {y}.", "How many are left?", "{r} {t} are left"),
    ("If I have {x} {t} and {p} takes {y},", "how many do I keep?", "you keep {r} {t}"),
    ("Out of {x} {t}, {y} are missing.", "How many are here?", "{r} {t} are here"),
    ("I need {x} {t}, and I have {y}.", "How many more do I need?", "you need {r} more"),
)
GROUPS: Final = (
    ("There are {x} bags with {y} {t} each.", "How many {t} is that?", "that's {r} {t}"),
    ("{x} children have {y} {t} each.", "How many {t} do they have?", "they have {r} {t}"),
    ("I buy {x} boxes of {y} {t}.", "How many {t} do I get?", "you get {r} {t}"),
    ("{p} needs {y} {t} a day.", "How many in {x} days?", "that's {r} {t}"),
    ("There are {x} rows with {y} {t} in each.", "How many are there?", "there are {r} {t}"),
    ("One ticket costs {y} dollars.", "What do {x} tickets cost?", "they cost {r} dollars"),
)
SHARES: Final = (
    ("{y} friends share {x} {t} equally.", "How many does each one get?", "each gets {r}"),
    ("I have {x} {t} for {y} children.", "How many for each child?", "each child gets {r}"),
    ("We split {x} dollars between {y} people.", "What does each get?", "each gets {r} dollars"),
    ("I put {x} {t} into {y} boxes evenly.", "How many are in each box?", "each box has {r}"),
)
OLDER: Final = (
    ("I am {x}.", "How old will I be in {y} years?", "you'll be {r}"),
    ("{p} is {x} years old.", "How old will {p} be in {y} years?", "{p} will be {r}"),
    ("My brother is {x}, and I'm {y} years older.", "How old am I?", "you're {r}"),
    ("{p} is {x}, and her sister is {y} years older.", "How old is the sister?", "she's {r}"),
)
YOUNGER: Final = (
    ("I am {x}.", "How old was I {y} years ago?", "you were {r}"),
    ("My mom is {x}, and my dad is {y} years younger.", "How old is my dad?", "he's {r}"),
    ("{p} is {x}, and his brother is {y} years younger.", "How old is the brother?", "he's {r}"),
)
Scene = tuple[str, str, str]


def _draw(random: Random) -> tuple[Equation, tuple[Scene, ...]]:
    """An equation and the scenes it fits; results of zero or one would need other grammar."""
    kind = random.random()
    if kind < 0.34:
        return draw_sum(random, 20 if random.random() < 0.6 else 60), GAINS
    if kind < 0.68:
        return draw_difference(random, 20 if random.random() < 0.6 else 60), LOSSES
    if kind < 0.78:
        return Equation(random.randint(2, 10), Operation.TIMES, random.randint(2, 10)), GROUPS
    if kind < 0.86:
        right = random.randint(2, 6)
        return Equation(right * random.randint(2, 10), Operation.DIVIDED, right), SHARES
    if kind < 0.95:
        return Equation(random.randint(4, 60), Operation.PLUS, random.randint(2, 20)), OLDER
    return Equation(random.randint(20, 70), Operation.MINUS, random.randint(2, 15)), YOUNGER


def _drawn(random: Random) -> tuple[Equation, tuple[Scene, ...]]:
    while True:
        equation, scenes = _draw(random)
        if equation.is_allowed and min(equation.left, equation.right, equation.result) > 1:
            return equation, scenes


def problems(random: Random) -> Iterator[Conversation]:
    """One turn, or two: the scene first and the question next."""
    caller = Caller(random)
    things, people = Deck(THINGS, random), Deck(PEOPLE, random)
    while True:
        equation, scenes = _drawn(random)
        scene, question, end = random.choice(scenes)
        thing, person = things.deal(), people.deal()
        numbers = {"x": caller.written(equation.left), "y": caller.written(equation.right)}
        if "her sister" in scene:
            person = random.choice(("Anna", "Lucy", "Emma", "Mia", "Nora", "Ella", "Rosa"))
        elif "his brother" in scene:
            person = random.choice(("Tom", "Ben", "Max", "Leo", "Jack", "Paul", "Omar"))
        fill = {**numbers, "t": thing, "p": person}
        so = end.format(r=words(equation.result), t=thing, p=person)
        answer = f"{capitalized(equation.spoken())}, so {so}."
        scene, question = capitalized(scene.format(**fill)), question.format(**fill)
        if scene.endswith(".") and random.random() < 0.2:
            noted = random.choice(
                ("Okay.", "All right. What's the question?", "I'm listening.", "Yes?")
            )
            yield several(TOPIC, (scene, noted), (question, answer))
        else:
            yield single(TOPIC, caller.transcribed(f"{scene} {question}"), answer)


TOO_LARGE: Final = (
    "That's too big for me to do in my head. A calculator will give you the exact answer.",
    "Numbers that large are beyond me. A calculator is the safe way.",
    "I'd only guess with numbers that big, so please use a calculator.",
    "I'm good with small numbers only. A calculator can do that one.",
)


def too_large(random: Random) -> Iterator[Conversation]:
    """Products that a small model cannot work out."""
    caller = Caller(random)
    while True:
        left, right = random.randint(213, 9876), random.randint(123, 9876)
        sign = random.choice(("times", "multiplied by", "x"))
        yield single(TOPIC, caller.about(f"{left:,} {sign} {right:,}"), random.choice(TOO_LARGE))
