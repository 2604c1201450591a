"""Single questions of arithmetic, in the words callers use for them."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, single
from workers.training.talk_tuning.systematic.equations import (
    EQUALS,
    Equation,
    Operation,
    draw_difference,
    draw_division,
    draw_product,
    draw_sum,
)
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "arithmetic"
NOUNS: Final = {
    Operation.PLUS: ("{x} plus {y}", "{x} plus {y}", "{x} plus {y}", "{x} + {y}", "{x} + {y}"),
    Operation.MINUS: ("{x} minus {y}", "{x} minus {y}", "{x} minus {y}", "{x} - {y}", "{x} - {y}"),
    Operation.TIMES: ("{x} times {y}", "{x} times {y}", "{x} times {y}", "{x} x {y}"),
    Operation.DIVIDED: ("{x} divided by {y}", "{x} divided by {y}", "{x} / {y}"),
}
# Frames for any sum: {n} is "38 plus 47".
FRAMES: Final = (
    *["What's {n}?", "What is {n}?", "{n}?", "How much is {n}?"] * 4,
    "{n}",
    "{n}.",
    "{n} is?",
    "{n} equals?",
    "{n} equals what?",
    "{n} makes how much?",
    "How much does {n} make?",
    "What does {n} make?",
    "What does {n} equal?",
    "Calculate {n}.",
    "Calculate {n}, please.",
    "Please calculate {n} for me.",
    "Can you calculate {n}?",
    "Can you work out {n}?",
    "Could you work out {n} for me?",
    "Work out {n}.",
    "Tell me {n}.",
    "Can you tell me {n}?",
    "Can you tell me what {n} is?",
    "Could you please tell me how much {n} is?",
    "Do you know what {n} is?",
    "Do you know {n}?",
    "Do you happen to know how much {n} is?",
    "I need {n}.",
    "I'd like to know what {n} is.",
    "I want to know how much {n} is.",
    "Um, what's {n}?",
    "Uh, {n}?",
    "Well, what would {n} be?",
    "Hey, what's {n}?",
    "So what's {n}?",
    "And what's {n}?",
    "Okay, {n}?",
    "Quick, what's {n}?",
    "Quick question, how much is {n}?",
    "What do I get for {n}?",
    "What do you get with {n}?",
    "My homework says {n}.",
    "In my homework it says {n}. What's that?",
    "Math question, what's {n}?",
    "I can't figure out {n}.",
    "I'm stuck on {n}.",
    "Help me with {n}.",
    "Help me, please, how much is {n}?",
    "Can you do {n} in your head?",
    "Let me test you, {n}.",
    "Let's see, {n}?",
    "Solve {n}.",
    "What is the answer to {n}?",
    "What's the result of {n}?",
    "My teacher asked me {n}.",
    "Antiphon, what is {n}?",
    "Would you mind telling me what {n} is?",
    "Is it hard to say what {n} is?",
    "How many is {n}?",
    "Please, {n}.",
)
WHOLE: Final = {
    Operation.PLUS: (
        "Add {x} and {y}.",
        "Please add {x} and {y}.",
        "Can you add {x} and {y}?",
        "Could you add {x} and {y} for me?",
        "What do {x} and {y} make?",
        "How much do {x} and {y} make together?",
        "{x} and {y} make how much?",
        "{x} and {y}, what's that together?",
        "What's the sum of {x} and {y}?",
        "Tell me the sum of {x} and {y}.",
        "If I add {x} and {y}, what do I get?",
        "What do I get if I add {x} and {y}?",
        "I have to add {x} and {y}.",
        "What's {x} and {y}?",
        "What's {x} and {y} more?",
    ),
    Operation.MINUS: (
        "Take {y} away from {x}.",
        "Subtract {y} from {x}.",
        "Can you subtract {y} from {x}?",
        "Please take {y} from {x}.",
        "What's left if I take {y} from {x}?",
        "What is {x} take away {y}?",
        "{x} take away {y}?",
        "{x} less {y}?",
        "What's {x} less {y}?",
        "How much is {x} without {y}?",
        "What's the difference between {x} and {y}?",
        "Tell me the difference between {x} and {y}.",
        "If I take {y} away from {x}, what's left?",
        "What do I get if I subtract {y} from {x}?",
        "How much more is {x} than {y}?",
    ),
    Operation.TIMES: (
        "Multiply {x} by {y}.",
        "Multiply {x} and {y}.",
        "Can you multiply {x} by {y}?",
        "Please multiply {x} by {y}.",
        "What's {x} multiplied by {y}?",
        "How much is {x} multiplied by {y}?",
        "What's the product of {x} and {y}?",
        "What do I get if I multiply {x} by {y}?",
        "If I multiply {x} by {y}, what do I get?",
        "{x} multiplied by {y}?",
    ),
    Operation.DIVIDED: (
        "Divide {x} by {y}.",
        "Can you divide {x} by {y}?",
        "Please divide {x} by {y}.",
        "What do I get if I divide {x} by {y}?",
        "If I divide {x} by {y}, what do I get?",
        "I have to divide {x} by {y}.",
    ),
}
# Words that Whisper writes for small numbers when it mishears them.
MISHEARD: Final = {2: "to", 4: "for", 8: "ate"}
OFFERS: Final = ("Would you like another one?", "Do you want a harder one?", "Shall we go on?")


class Sums:
    """Wordings of questions and answers for one family of equations."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.caller = Caller(random)
        self._frames = Deck(FRAMES, random)
        self._whole = {name: Deck(texts, random) for name, texts in WHOLE.items()}
        self._nouns = {name: Deck(texts, random) for name, texts in NOUNS.items()}
        self._equals = Deck(EQUALS, random)

    def question(self, equation: Equation) -> str:
        x, y = self.caller.written(equation.left), self.caller.written(equation.right)
        if self.random.random() < 0.3:
            text = self._whole[equation.operation].deal().format(x=x, y=y)
            return self.caller.transcribed(text)
        noun = self._nouns[equation.operation].deal()
        if len(noun.split()[1]) == 1:  # Whisper writes signs only between digits.
            x, y = f"{equation.left}", f"{equation.right}"
        elif equation.right in MISHEARD and self.random.random() < 0.12:
            y = MISHEARD[equation.right]
        text = self._frames.deal().format(n=noun.format(x=x, y=y))
        return self.caller.transcribed(text)

    def answer(self, equation: Equation) -> str:
        """Mostly the bare equation: a small model learns one shape best."""
        stated = capitalized(equation.spoken(self._equals.deal()))
        draw = self.random.random()
        if draw < 0.04:
            return f"{stated}. {self.random.choice(OFFERS)}"
        return f"{stated}."


def _questions(random: Random, draw: Callable[[Random], Equation]) -> Iterator[Conversation]:
    sums = Sums(random)
    while True:
        equation = draw(random)
        yield single(TOPIC, sums.question(equation), sums.answer(equation))


def additions(random: Random) -> Iterator[Conversation]:
    """Sums to 100; a third of them small, which callers ask most."""
    return _questions(random, lambda r: draw_sum(r, 20 if r.random() < 0.35 else 100))


def subtractions(random: Random) -> Iterator[Conversation]:
    return _questions(random, lambda r: draw_difference(r, 20 if r.random() < 0.35 else 100))


def multiplications(random: Random) -> Iterator[Conversation]:
    return _questions(random, draw_product)


def divisions(random: Random) -> Iterator[Conversation]:
    return _questions(random, draw_division)


HALVES: Final = (
    "half of {x}",
    "half of {x}",
    "one half of {x}",
)
DOUBLES: Final = ("double {x}", "twice {x}", "two times {x}", "the double of {x}")


def halves_and_doubles(random: Random) -> Iterator[Conversation]:
    """ "Half of ninety is forty-five", "double seventeen is thirty-four"."""
    caller = Caller(random)
    while True:
        number = random.randint(1, 50)
        if random.random() < 0.5:
            noun, answer = random.choice(HALVES), f"Half of {words(2 * number)} is {words(number)}."
            yield single(TOPIC, caller.about(noun.format(x=caller.written(2 * number))), answer)
        else:
            noun, answer = random.choice(DOUBLES), f"Double {words(number)} is {words(2 * number)}."
            if random.random() < 0.4:
                answer = f"Twice {words(number)} is {words(2 * number)}."
            yield single(TOPIC, caller.about(noun.format(x=caller.written(number))), answer)
