"""Counting, neighbors of a number, comparing, and even or odd."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "counting and numbers"
UP: Final = (
    "Count from {x} to {y}.",
    "Count to {y} from {x}.",
    "Can you count from {x} to {y}?",
    "Please count from {x} to {y}.",
    "Could you count from {x} to {y} for me?",
    "Count up from {x} to {y}, please.",
    "I want to hear you count from {x} to {y}.",
    "Start at {x} and count to {y}.",
    "Begin with {x} and count up to {y}.",
    "What are the numbers from {x} to {y}?",
    "Say the numbers from {x} to {y}.",
    "Tell me all the numbers from {x} to {y}.",
    "Which numbers come from {x} to {y}?",
    "Let's count from {x} to {y}.",
    "Would you count from {x} to {y}?",
    "I'd like you to count from {x} to {y}.",
)
DOWN: Final = (
    "Count down from {x} to {y}.",
    "Count backwards from {x} to {y}.",
    "Can you count backwards from {x} to {y}?",
    "Please count down from {x} to {y}.",
    "Could you count down from {x} to {y}?",
    "Start at {x} and count down to {y}.",
    "Say the numbers backwards from {x} to {y}.",
    "Do a countdown from {x} to {y}.",
    "Give me a countdown from {x} to {y}.",
    "Let's count down from {x} to {y}.",
)
STEPS: Final = (
    "Count by {s} to {y}.",
    "Count to {y} by {s}.",
    "Can you count by {s} up to {y}?",
    "Count in {s} to {y}, please.",
    "Please count by {s} up to {y}.",
    "Could you count to {y} in {s}?",
    "I'm learning to count by {s}. Can you go up to {y}?",
    "How do you count by {s} to {y}?",
    "Say the {s} up to {y}.",
    "Let's count by {s} until {y}.",
)
STEP_NAMES: Final = {2: "twos", 3: "threes", 5: "fives", 10: "tens"}
LONGEST: Final = 16


def run(start: int, end: int, step: int = 1) -> str:
    """ "Three, four, five." Counts down when `end` is the smaller."""
    numbers = range(start, end + 1, step) if start <= end else range(start, end - 1, -step)
    return capitalized(", ".join(map(words, numbers))) + "."


def counts(random: Random) -> Iterator[Conversation]:
    """Up, down, and by twos, threes, fives or tens."""
    caller = Caller(random)
    up, down, steps = Deck(UP, random), Deck(DOWN, random), Deck(STEPS, random)
    while True:
        kind, length = random.random(), random.randint(3, LONGEST - 1)
        x = 1 if random.random() < 0.3 else random.randint(1, 80)
        low, high = caller.written(x), caller.written(x + length)
        if kind < 0.45:
            text, answer = up.deal().format(x=low, y=high), run(x, x + length)
        elif kind < 0.75:
            text, answer = down.deal().format(x=high, y=low), run(x + length, x)
        else:
            step = random.choice(list(STEP_NAMES))
            end = step * random.randint(4, 10 if step == 10 else LONGEST)
            text = steps.deal().format(s=STEP_NAMES[step], y=caller.written(end))
            answer = run(step, end, step)
        yield single(TOPIC, caller.ask(text), answer)


AFTER: Final = (
    "What number comes after {x}?",
    "Which number comes after {x}?",
    "What comes after {x}?",
    "What's the next number after {x}?",
    "What is one more than {x}?",
    "Which number follows {x}?",
    "What comes next after {x} when I count?",
    "I'm counting. What's after {x}?",
    "After {x} comes what number?",
    "Tell me the number after {x}.",
)
BEFORE: Final = (
    "What number comes before {x}?",
    "Which number comes before {x}?",
    "What comes before {x}?",
    "What is one less than {x}?",
    "Which number is right before {x}?",
    "What's the number just before {x}?",
    "Before {x} comes what number?",
    "Tell me the number before {x}.",
)
BETWEEN: Final = (
    "What number is between {x} and {y}?",
    "Which number is between {x} and {y}?",
    "What comes between {x} and {y}?",
    "Tell me the number between {x} and {y}.",
)


def _after(number: int, random: Random) -> str:
    known, found = words(number), words(number + 1)
    return random.choice(
        (f"{capitalized(found)} comes after {known}.", f"After {known} comes {found}.")
    )


def _before(number: int, random: Random) -> str:
    known, found = words(number), words(number - 1)
    return random.choice(
        (f"{capitalized(found)} comes before {known}.", f"Before {known} comes {found}.")
    )


def neighbors(random: Random) -> Iterator[Conversation]:
    """The number after, before or between, sometimes followed by another one."""
    caller = Caller(random)
    after, before, between = Deck(AFTER, random), Deck(BEFORE, random), Deck(BETWEEN, random)
    while True:
        number, kind = random.randint(2, 199), random.random()
        x, y = caller.written(number), caller.written(number + 2)
        if kind < 0.4:
            caller_text, answer = after.deal().format(x=x), _after(number, random)
        elif kind < 0.75:
            caller_text, answer = before.deal().format(x=x), _before(number, random)
        else:
            caller_text = between.deal().format(x=x, y=y)
            stated = f"{words(number + 1)} is between {words(number)} and {words(number + 2)}."
            answer = capitalized(stated)
        turns = [(caller.ask(caller_text), answer)]
        if random.random() < 0.2:
            other = random.randint(2, 120)
            turns.append((f"And after {other}?", _after(other, random)))
            turns.append((f"And before {other}?", _before(other, random)))
        yield several(TOPIC, *turns)


WHICH_BIGGER: Final = (
    "Which is bigger, {x} or {y}?",
    "Which number is bigger, {x} or {y}?",
    "What's more, {x} or {y}?",
    "What is larger, {x} or {y}?",
    "Is {x} or {y} bigger?",
    "{x} or {y}, which is more?",
    "Which one is greater, {x} or {y}?",
    "Tell me the bigger number, {x} or {y}.",
)
WHICH_SMALLER: Final = (
    "Which is smaller, {x} or {y}?",
    "Which number is smaller, {x} or {y}?",
    "What's less, {x} or {y}?",
    "{x} or {y}, which is less?",
    "Is {x} or {y} smaller?",
    "Tell me the smaller number, {x} or {y}.",
)
IS_BIGGER: Final = (
    "Is {x} bigger than {y}?",
    "Is {x} more than {y}?",
    "Is {x} greater than {y}?",
    "Is {x} larger than {y}?",
)
IS_SMALLER: Final = ("Is {x} smaller than {y}?", "Is {x} less than {y}?")


def comparisons(random: Random) -> Iterator[Conversation]:
    """ "Twelve is bigger than seven." """
    caller = Caller(random)
    decks = [Deck(d, random) for d in (WHICH_BIGGER, WHICH_SMALLER, IS_BIGGER, IS_SMALLER)]
    while True:
        left, right = random.randint(0, 120), random.randint(0, 120)
        if left == right:
            continue
        kind = random.randrange(4)
        text = decks[kind].deal().format(x=caller.written(left), y=caller.written(right))
        low, high = words(min(left, right)), words(max(left, right))
        bigger, smaller = f"{high} is bigger than {low}", f"{low} is smaller than {high}"
        if kind < 2:
            answer = capitalized((bigger, smaller)[kind]) + "."
        else:
            is_true = (left > right) == (kind == 2)
            stated = bigger if left > right else smaller
            answer = f"{'Yes' if is_true else 'No'}, {stated}."
        yield single(TOPIC, caller.ask(text), answer)


EVEN_ODD: Final = (
    "Is {x} even or odd?",
    "Is {x} odd or even?",
    "Is the number {x} even or odd?",
    "{x}, is that even or odd?",
    "Even or odd, {x}?",
    "Would you say {x} is even or odd?",
    "Can you tell me if {x} is even or odd?",
    "I don't know if {x} is odd or even.",
)
IS_EVEN: Final = ("Is {x} an even number?", "Is {x} even?", "{x} is even, right?")
IS_ODD: Final = ("Is {x} an odd number?", "Is {x} odd?", "{x} is odd, right?")


def parities(random: Random) -> Iterator[Conversation]:
    caller = Caller(random)
    both, even, odd = Deck(EVEN_ODD, random), Deck(IS_EVEN, random), Deck(IS_ODD, random)
    while True:
        number, kind = random.randint(1, 120), random.random()
        parity = "odd" if number % 2 else "even"
        x, stated = caller.written(number), f"{words(number)} is {parity}"
        if kind < 0.6:
            yield single(TOPIC, caller.ask(both.deal().format(x=x)), f"{capitalized(stated)}.")
            continue
        asked, deck = ("even", even) if kind < 0.8 else ("odd", odd)
        yes = "Yes" if asked == parity else "No"
        reason = ""
        if parity == "odd" and random.random() < 0.4:
            reason = " It doesn't divide evenly by two."
        yield single(TOPIC, caller.ask(deck.deal().format(x=x)), f"{yes}, {stated}.{reason}")
