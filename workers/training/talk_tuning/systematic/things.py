"""Colors of things, fruits and vegetables, and what things come from."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.numbers import capitalized, with_article
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck
from workers.training.talk_tuning.systematic.word_tables import (
    BOTH,
    COLORS,
    FRUITS,
    ORIGINS,
    VEGETABLES,
)

COLOR: Final = (
    "What color is {t}?",
    "What color is {t}?",
    "Which color does {t} have?",
    "What's the color of {t}?",
    "What is the color of {t}?",
    "Which color is {t}?",
    "Tell me the color of {t}.",
    "{t} is what color?",
    "What color do I need to paint {t}?",
    "I want to draw {t}. Which color do I take?",
    "Do you know what color {t} is?",
    "Can you tell me the color of {t}?",
)


def colors(random: Random) -> Iterator[Conversation]:
    """One thing, sometimes followed by another."""
    caller, frames, deck = Caller(random), Deck(COLOR, random), Deck(COLORS, random)

    def answer(thing: str, color: str) -> str:
        short = f"{capitalized(color)}."
        full = f"{capitalized(thing)} is {color}."
        return random.choice((full, full, short, f"It's {color}."))

    while True:
        thing, color = deck.deal()
        turns = [(caller.ask(frames.deal().format(t=thing)), answer(thing, color))]
        if random.random() < 0.2:
            thing, color = deck.deal()
            asked = random.choice((f"And {thing}?", f"What about {thing}?"))
            turns.append((asked, answer(thing, color)))
        yield several("colors", *turns)


KIND: Final = (
    "Is {a} a fruit or a vegetable?",
    "Is {a} a vegetable or a fruit?",
    "{a}, fruit or vegetable?",
    "Fruit or vegetable, {a}?",
    "What is {a}, a fruit or a vegetable?",
    "Would you call {a} a fruit or a vegetable?",
    "Does {a} count as a fruit or a vegetable?",
    "My kids ask if {a} is a fruit or a vegetable.",
)
IS_FRUIT: Final = ("Is {a} a fruit?", "{a} is a fruit, right?")
IS_VEGETABLE: Final = ("Is {a} a vegetable?", "{a} is a vegetable, right?")
MASS: Final = frozenset(
    "cabbage spinach lettuce broccoli cauliflower celery asparagus kale garlic".split()
)


def fruits(random: Random) -> Iterator[Conversation]:
    caller, both = Caller(random), Deck(KIND, random)
    deck = Deck([*FRUITS, *VEGETABLES, *BOTH], random)
    while True:
        name = deck.deal()
        noun = name if name in MASS else with_article(name)
        start, kind = capitalized(noun), "fruit" if name in FRUITS else "vegetable"
        draw = random.random()
        if name in BOTH:
            asked = caller.ask(both.deal().format(a=noun))
            answer = f"{start} is a fruit to a botanist, but cooks treat it as a vegetable."
        elif draw < 0.6:
            asked, answer = caller.ask(both.deal().format(a=noun)), f"{start} is a {kind}."
        else:
            asks_fruit = draw < 0.8
            frames = IS_FRUIT if asks_fruit else IS_VEGETABLE
            asked = caller.ask(random.choice(frames).format(a=noun))
            yes = "Yes" if asks_fruit == (kind == "fruit") else "No"
            answer = f"{yes}, {noun} is a {kind}."
        yield single("food", asked, answer)


ORIGIN: Final = (
    "Where does {t} come from?",
    "Where do we get {t} from?",
    "What does {t} come from?",
    "What's the source of {t}?",
    "How do we get {t}?",
    "Tell me where {t} comes from.",
    "Do you know where {t} comes from?",
    "I wonder where {t} comes from.",
    "My daughter asks where {t} comes from.",
)
MADE: Final = (
    "What is {t} made of?",
    "What's {t} made from?",
    "What do you make {t} from?",
    "What do they make {t} out of?",
    "{t} is made of what?",
    "Tell me what {t} is made of.",
    "How is {t} made, I mean out of what?",
)
GROWN: Final = frozenset(
    "milk,honey,wool,silk,eggs,ham,bacon,beef,pork,salt,wood,cotton,pearls,feathers,amber,cork,"
    "vanilla,cinnamon,pepper,coffee,tea,rubber,maple syrup,sugar,leather,linen".split(",")
)
PLURAL: Final = frozenset("eggs,pearls,feathers,raisins,prunes,bricks,french fries".split(","))


def origins(random: Random) -> Iterator[Conversation]:
    """Natural things come from somewhere; others are made of something."""
    caller, origin, made = Caller(random), Deck(ORIGIN, random), Deck(MADE, random)
    deck = Deck(ORIGINS, random)
    while True:
        thing, source = deck.deal()
        is_grown, is_plural = thing in GROWN, thing in PLURAL
        text = (origin if is_grown else made).deal().format(t=thing)
        if is_plural:
            text = text.replace("does ", "do ").replace("comes", "come")
            text = text.replace(f"is {thing}", f"are {thing}").replace(
                f"{thing} is", f"{thing} are"
            )
            text = text.replace("What's", "What are") if "made" in text else text
        if is_grown:
            verb = "come from" if is_plural else "comes from"
        else:
            verb = "are made from" if is_plural else "is made from"
        yield single(
            "what things are made of", caller.ask(text), f"{capitalized(thing)} {verb} {source}."
        )
