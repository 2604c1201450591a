"""Arithmetic over several turns, chains, and claims that Antiphon confirms or corrects."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.arithmetic import TOPIC, Sums
from workers.training.talk_tuning.systematic.equations import (
    Equation,
    Operation,
    draw_difference,
    draw_division,
    draw_product,
    draw_sum,
)
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

NEXT_STEPS: Final = {
    Operation.PLUS: (
        "And plus {y}?",
        "Plus {y}?",
        "Now add {y}.",
        "Add {y} to that.",
        "And {y} more?",
        "And if I add {y}?",
        "What's that plus {y}?",
        "Then plus {y}, please.",
        "And then another {y}?",
    ),
    Operation.MINUS: (
        "And minus {y}?",
        "Minus {y}?",
        "Now take away {y}.",
        "Subtract {y} from that.",
        "And {y} less?",
        "And if I take {y} away?",
        "What's that minus {y}?",
        "Now minus {y}, please.",
    ),
    Operation.TIMES: (
        "Times {y}?",
        "And times {y}?",
        "Now multiply that by {y}.",
        "What's that times {y}?",
        "And {y} times that?",
        "And if I multiply it by {y}?",
    ),
    Operation.DIVIDED: (
        "Divided by {y}?",
        "And divided by {y}?",
        "Now divide that by {y}.",
        "What's that divided by {y}?",
        "And if I share that between {y} people?",
    ),
}
DOUBTS: Final = (
    "Are you sure?",
    "Really?",
    "Sure?",
    "Is that right?",
    "Are you certain?",
    "Is that correct?",
    "Hmm, are you sure about that?",
    "Can you check that?",
    "Did you calculate that right?",
    "You're sure?",
    "I don't believe it.",
    "Check again, please.",
)
ASSURANCES: Final = ("Yes, {e}.", "I'm sure. {E}.", "Yes, I'm sure. {E}.", "That's right, {e}.")
OBJECTIONS: Final = (
    "No, it's {w}.",
    "I think it's {w}.",
    "Isn't it {w}?",
    "I thought it was {w}.",
    "My friend says it's {w}.",
    "I got {w}.",
    "Wrong, it's {w}.",
)
DISAGREEMENTS: Final = (
    "I get {r}. {E}.",
    "It isn't {w}. {E}.",
    "No, {e}.",
    "I'd stay with {r}. {E}.",
)
REPEATS: Final = (
    "What was that?",
    "Say that again.",
    "How much?",
    "Sorry, how much?",
    "Can you repeat that?",
    "Come again?",
    "I didn't hear you.",
    "What did you say?",
)
MORE: Final = (
    "And {n}?",
    "What about {n}?",
    "Okay, and {n}?",
    "Now {n}.",
    "And what's {n}?",
    "{n}?",
)
CLAIMS: Final = (
    "Is {n} {w}?",
    "{n} is {w}, right?",
    "Does {n} make {w}?",
    "I think {n} is {w}.",
    "{n} is {w}. Is that correct?",
    "Is it true that {n} is {w}?",
    "My son says {n} is {w}.",
    "Am I right that {n} is {w}?",
    "{n}, that's {w}, isn't it?",
    "Did I get it right, {n} is {w}?",
)


def draw(random: Random) -> Equation:
    """Any operation; sums and differences most often."""
    draws = (draw_sum, draw_sum, draw_difference, draw_difference, draw_product, draw_division)
    return random.choice(draws)(random)


def draw_step(random: Random, start: int) -> Equation | None:
    """A next step from a result; None when the draw leaves the range or is held out."""
    operation = random.choice((*Operation, Operation.PLUS, Operation.MINUS))
    right = random.randint(2, 12 if operation in (Operation.PLUS, Operation.MINUS) else 5)
    if operation in (Operation.PLUS, Operation.MINUS) and random.random() < 0.3:
        right = random.randint(1, 50)
    step = Equation(start, operation, right)
    return step if start > 0 and step.is_allowed else None


class Talks:
    """Makes the later turns of conversations about sums."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sums = Sums(random)
        self._steps = {name: Deck(texts, random) for name, texts in NEXT_STEPS.items()}
        self._doubts, self._assurances = Deck(DOUBTS, random), Deck(ASSURANCES, random)
        self._objections = Deck(OBJECTIONS, random)
        self._disagreements = Deck(DISAGREEMENTS, random)
        self._repeats, self._more = Deck(REPEATS, random), Deck(MORE, random)

    def step(self, equation: Equation) -> tuple[str, str]:
        y = self.sums.caller.written(equation.right)
        caller = self._steps[equation.operation].deal().format(y=y)
        return caller, f"{capitalized(equation.spoken())}."

    def doubt(self, equation: Equation) -> tuple[str, str]:
        stated = equation.spoken()
        answer = self._assurances.deal().format(e=stated, E=capitalized(stated))
        return self._doubts.deal(), answer

    def objection(self, equation: Equation) -> tuple[str, str]:
        wrong = equation.result + self.random.choice((-2, -1, 1, 2, 10))
        wrong = wrong if wrong >= 0 else equation.result + 1
        stated = equation.spoken()
        answer = self._disagreements.deal().format(
            e=stated, E=capitalized(stated), r=words(equation.result), w=words(wrong)
        )
        return self._objections.deal().format(w=self.sums.caller.written(wrong)), answer

    def repeat(self, equation: Equation) -> tuple[str, str]:
        return self._repeats.deal(), f"{capitalized(equation.spoken())}."

    def another(self) -> tuple[tuple[str, str], Equation]:
        equation = draw(self.random)
        x, y = equation.left, equation.right
        noun = self._more.deal().format(n=f"{x} {equation.operation.value} {y}")
        return (noun, f"{capitalized(equation.spoken())}."), equation

    def next_turn(self, equation: Equation) -> tuple[tuple[str, str], Equation]:
        """A turn that fits after the equation, and the equation it leaves open."""
        step = draw_step(self.random, equation.result)
        kind = self.random.random()
        if step and kind < 0.55:
            return self.step(step), step
        if kind < 0.66:
            return self.doubt(equation), equation
        if kind < 0.74:
            return self.objection(equation), equation
        if kind < 0.82:
            return self.repeat(equation), equation
        return self.another()


def follow_ups(random: Random) -> Iterator[Conversation]:
    """Two to four turns: a question, then steps on its result, doubts or another question."""
    talks = Talks(random)
    while True:
        equation = draw(random)
        turns = [(talks.sums.question(equation), talks.sums.answer(equation))]
        for _ in range(random.choice((1, 1, 2, 2, 3))):
            turn, equation = talks.next_turn(equation)
            turns.append(turn)
        yield several(TOPIC, *turns)


CHAIN_FRAMES: Final = (
    "What's {n}?",
    "What is {n}?",
    "{n}?",
    "{n}.",
    "How much is {n}?",
    "Calculate {n}.",
    "Can you work out {n}?",
    "Please work out {n}.",
    "Can you tell me what {n} is?",
    "Could you calculate {n}, please?",
    "I need {n}.",
    "Do you know what {n} is?",
    "And what's {n}?",
    "Um, what's {n}?",
    "A long one, {n}?",
    "Here's a harder one, {n}?",
    "Can you do {n}?",
    "How about {n}?",
    "Let's try {n}.",
    "My homework is {n}.",
    "Okay, what's {n}?",
    "So how much is {n}?",
    "Tell me {n}.",
    "What do I get for {n}?",
    "What does {n} make?",
)


def chains(random: Random) -> Iterator[Conversation]:
    """ "Three plus four is seven, and seven plus five is twelve." """
    caller = Caller(random)
    frames = Deck(CHAIN_FRAMES, random)
    while True:
        first = draw_sum(random, 40) if random.random() < 0.7 else draw_difference(random, 60)
        second = draw_step(random, first.result)
        if second is None or second.operation not in (Operation.PLUS, Operation.MINUS):
            continue
        x, y, z = (caller.written(n) for n in (first.left, first.right, second.right))
        noun = f"{x} {first.operation.value} {y} {second.operation.value} {z}"
        stated = f"{capitalized(first.spoken())}, and {second.spoken()}."
        yield single(TOPIC, caller.transcribed(frames.deal().format(n=noun)), stated)


def claims(random: Random) -> Iterator[Conversation]:
    """The caller states a result; half of the time it is wrong."""
    caller = Caller(random)
    frames = Deck(CLAIMS, random)
    while True:
        equation = draw(random)
        is_right = random.random() < 0.5
        wrong = equation.result + random.choice((-1, 1, 2, 10))
        if wrong < 0:
            continue
        claimed = equation.result if is_right else wrong
        noun = f"{caller.written(equation.left)} {equation.operation.value} {equation.right}"
        text = frames.deal().format(n=noun, w=caller.written(claimed))
        yes = (
            random.choice(("Yes", "That's right"))
            if is_right
            else random.choice(("No", "Not quite"))
        )
        yield single(TOPIC, caller.ask(text), f"{yes}, {equation.spoken()}.")
