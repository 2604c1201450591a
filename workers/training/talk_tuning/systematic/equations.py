"""One step of arithmetic: its operands, its result, and how the answer states it."""

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from workers.training.talk_tuning.systematic.holdout import (
    is_difference_held_out,
    is_sum_held_out,
)
from workers.training.talk_tuning.systematic.numbers import words

LARGEST: Final = 100
EQUALS: Final = ("is", "is", "is", "equals", "makes")


class Operation(Enum):
    """The value is the operation's spoken word."""

    PLUS = "plus"
    MINUS = "minus"
    TIMES = "times"
    DIVIDED = "divided by"


@dataclass(frozen=True, slots=True)
class Equation:
    """Whole numbers only; a division comes out even."""

    left: int
    operation: Operation
    right: int

    @property
    def result(self) -> int:
        match self.operation:
            case Operation.PLUS:
                return self.left + self.right
            case Operation.MINUS:
                return self.left - self.right
            case Operation.TIMES:
                return self.left * self.right
            case Operation.DIVIDED:
                return self.left // self.right

    @property
    def is_allowed(self) -> bool:
        """Within the corpus's range and not held out."""
        match self.operation:
            case Operation.PLUS:
                return self.result <= LARGEST and not is_sum_held_out(self.left, self.right)
            case Operation.MINUS:
                return (
                    self.result >= 0
                    and self.left <= LARGEST
                    and not is_difference_held_out(self.left, self.right)
                )
            case Operation.TIMES:
                return self.result <= 144
            case Operation.DIVIDED:
                return self.right > 0 and self.left % self.right == 0

    def spoken(self, equals: str = "is") -> str:
        """ "thirty-eight plus forty-seven is eighty-five", without capital and period."""
        left, right, result = (words(n) for n in (self.left, self.right, self.result))
        return f"{left} {self.operation.value} {right} {equals} {result}"


def draw_sum(random: Random, largest: int = LARGEST) -> Equation:
    while True:
        left = random.randint(0 if random.random() < 0.05 else 1, largest - 1)
        right = random.randint(1, largest - left)
        if random.random() < 0.5:
            left, right = right, left
        equation = Equation(left, Operation.PLUS, right)
        if equation.is_allowed:
            return equation


def draw_difference(random: Random, largest: int = LARGEST) -> Equation:
    while True:
        left = random.randint(2, largest)
        equation = Equation(left, Operation.MINUS, random.randint(1, left))
        if equation.is_allowed and (equation.result or random.random() < 0.2):
            return equation


def draw_product(random: Random) -> Equation:
    left, right = random.randint(2, 12), random.randint(2, 12)
    if random.random() < 0.05:
        left = random.choice((0, 1))
    return Equation(left, Operation.TIMES, right)


def draw_division(random: Random) -> Equation:
    right = random.randint(2, 12)
    return Equation(right * random.randint(1, 12), Operation.DIVIDED, right)
