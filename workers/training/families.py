"""The intents the shipped voice is trained on, in families: what is asked, how, and the answer.

A family is a table of cases (the slot words of each intent) with the phrasings of its question and
the sentence of its reply. Everything is lower case, numbers spelled. `unseen` phrasings are never
trained; `dialogue.py` holds the rules of the split.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

Case = dict[str, str]

_ONES: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS: Final = ("twenty", "thirty", "forty", "fifty")
DAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


@dataclass(frozen=True, slots=True)
class Family:
    """Intents of one shape. `{name}` in a phrasing or reply is a slot of the case."""

    name: str
    cases: tuple[Case, ...]
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    reply: str
    # The combinations of slots can be recombined: some are held out of training.
    compositional: bool = False


def number(value: int) -> str:
    """0..59 in words, without hyphens."""
    if not 0 <= value < 60:
        raise ValueError(f"Expected a number in 0..59, got {value}")
    if value < 20:
        return _ONES[value]
    tens = _TENS[value // 10 - 2]
    return tens if value % 10 == 0 else f"{tens} {_ONES[value % 10]}"


def _numbers(pairs: list[tuple[int, int, int]]) -> tuple[Case, ...]:
    return tuple({"a": number(a), "b": number(b), "c": number(c)} for a, b, c in pairs)


def _neighbours(words: list[str], offset: int) -> tuple[Case, ...]:
    count = len(words)
    return tuple({"x": word, "y": words[(i + offset) % count]} for i, word in enumerate(words))


def _shifted_days() -> tuple[Case, ...]:
    return tuple(
        {"n": number(n), "x": day, "y": DAYS[(i + n) % 7]}
        for n in (2, 3)
        for i, day in enumerate(DAYS)
    )


def _pairs(text: str) -> tuple[Case, ...]:
    """`x:y` items, separated by semicolons."""
    items = (item.strip().split(":") for item in text.split(";"))
    return tuple({"x": x, "y": y} for x, y in items)


def _words(text: str) -> tuple[Case, ...]:
    return tuple({"x": word} for word in text.split())


def _counts() -> tuple[Case, ...]:
    return tuple(
        {"x": number(n), "list": ", ".join(number(i) for i in range(1, n + 1))}
        for n in range(3, 11)
    )


_ONE_TO_NINE: Final = range(1, 10)

SUMS: Final = Family(
    "sum",
    _numbers([(a, b, a + b) for a, b in product(_ONE_TO_NINE, repeat=2)]),
    (
        "what is {a} plus {b}?",
        "how much is {a} plus {b}?",
        "{a} plus {b}",
        "what do you get when you add {a} and {b}?",
        "what is the sum of {a} and {b}?",
        "please add {a} and {b}",
        "can you tell me what {a} plus {b} is?",
    ),
    ("could you work out {a} plus {b}?", "how much do {a} and {b} make when you add them?"),
    "{a} plus {b} is {c}.",
    compositional=True,
)
DIFFERENCES: Final = Family(
    "difference",
    _numbers([(a, b, a - b) for a, b in product(range(2, 11), _ONE_TO_NINE) if b < a]),
    (
        "what is {a} minus {b}?",
        "how much is {a} minus {b}?",
        "{a} minus {b}",
        "what is left when you take {b} from {a}?",
        "please subtract {b} from {a}",
        "can you tell me what {a} minus {b} is?",
    ),
    ("could you work out {a} minus {b}?", "what does {a} minus {b} give?"),
    "{a} minus {b} is {c}.",
    compositional=True,
)
PRODUCTS: Final = Family(
    "product",
    _numbers([(a, b, a * b) for a, b in product(range(2, 7), repeat=2)]),
    (
        "what is {a} times {b}?",
        "how much is {a} times {b}?",
        "{a} times {b}",
        "please multiply {a} by {b}",
        "what do you get when you multiply {a} by {b}?",
        "can you tell me what {a} times {b} is?",
    ),
    ("could you work out {a} times {b}?", "what does {a} times {b} make?"),
    "{a} times {b} is {c}.",
    compositional=True,
)
BIGGER: Final = Family(
    "bigger",
    tuple(
        {"a": number(a), "b": number(b), "x": number(max(a, b)), "y": number(min(a, b))}
        for a, b in product(_ONE_TO_NINE, repeat=2)
        if a != b and (a + 2 * b) % 2 == 0
    ),
    (
        "which is bigger, {a} or {b}?",
        "which number is bigger, {a} or {b}?",
        "what is more, {a} or {b}?",
        "is {a} or {b} the bigger number?",
    ),
    ("which one is more, {a} or {b}?", "tell me which is bigger, {a} or {b}"),
    "{x} is bigger than {y}.",
    compositional=True,
)
DAY_AFTER: Final = Family(
    "day after",
    _neighbours(DAYS, 1),
    (
        "what day comes after {x}?",
        "which day is after {x}?",
        "what is the day after {x}?",
        "tell me the day after {x}",
        "if today is {x}, what day is tomorrow?",
    ),
    ("do you know which day comes after {x}?", "which day follows after {x}?"),
    "the day after {x} is {y}.",
)
DAY_BEFORE: Final = Family(
    "day before",
    _neighbours(DAYS, -1),
    (
        "what day comes before {x}?",
        "which day is before {x}?",
        "what is the day before {x}?",
        "tell me the day before {x}",
        "if today is {x}, what day was yesterday?",
    ),
    ("do you know which day comes before {x}?", "which day is right before {x}?"),
    "the day before {x} is {y}.",
)
DAYS_AFTER: Final = Family(
    "days after",
    _shifted_days(),
    (
        "what day comes {n} days after {x}?",
        "which day is {n} days after {x}?",
        "what is {n} days after {x}?",
        "tell me the day {n} days after {x}",
        "what day is it {n} days after {x}?",
    ),
    ("do you know which day comes {n} days after {x}?", "what day do we have {n} days after {x}?"),
    "{n} days after {x} is {y}.",
    compositional=True,
)
MONTH_AFTER: Final = Family(
    "month after",
    _neighbours(MONTHS, 1),
    (
        "what month comes after {x}?",
        "which month is after {x}?",
        "what is the month after {x}?",
        "tell me the month after {x}",
        "what is the next month after {x}?",
    ),
    ("do you know which month comes after {x}?", "which month follows after {x}?"),
    "the month after {x} is {y}.",
)
MONTH_BEFORE: Final = Family(
    "month before",
    _neighbours(MONTHS, -1),
    (
        "what month comes before {x}?",
        "which month is before {x}?",
        "what is the month before {x}?",
        "tell me the month before {x}",
        "what is the last month before {x}?",
    ),
    ("do you know which month comes before {x}?", "which month is right before {x}?"),
    "the month before {x} is {y}.",
)
NEXT_NUMBER: Final = Family(
    "next number",
    tuple({"x": number(n), "y": number(n + 1)} for n in range(1, 20)),
    (
        "what number comes after {x}?",
        "which number is after {x}?",
        "what is the next number after {x}?",
        "tell me the number after {x}",
    ),
    ("do you know which number comes after {x}?", "which number follows after {x}?"),
    "after {x} comes {y}.",
)
OPPOSITES: Final = Family(
    "opposite",
    _pairs(
        "hot:cold; big:small; up:down; happy:sad; fast:slow; old:young; light:dark; open:closed; "
        "full:empty; early:late; strong:weak; rich:poor; wet:dry; hard:soft; left:right; "
        "loud:quiet; sweet:sour; clean:dirty; near:far; tall:short"
    ),
    (
        "what is the opposite of {x}?",
        "tell me the opposite of {x}",
        "which word is the opposite of {x}?",
        "what word means the opposite of {x}?",
        "the opposite of {x}, please",
    ),
    ("can you give me the opposite of {x}?", "do you know the opposite of {x}?"),
    "the opposite of {x} is {y}.",
)
CAPITALS: Final = Family(
    "capital",
    _pairs(
        "france:paris; germany:berlin; italy:rome; spain:madrid; england:london; japan:tokyo; "
        "china:beijing; russia:moscow; egypt:cairo; greece:athens; portugal:lisbon; "
        "austria:vienna; norway:oslo; canada:ottawa"
    ),
    (
        "what is the capital of {x}?",
        "tell me the capital of {x}",
        "which city is the capital of {x}?",
        "what is the capital city of {x}?",
        "the capital of {x}, please",
    ),
    ("can you give me the capital of {x}?", "do you know the capital of {x}?"),
    "the capital of {x} is {y}.",
)
COLOURS: Final = Family(
    "colour",
    _pairs(
        "the sky:blue; grass:green; snow:white; a banana:yellow; blood:red; coal:black; "
        "an orange:orange; chocolate:brown; an elephant:grey; a tomato:red; milk:white; "
        "a frog:green"
    ),
    (
        "what colour is {x}?",
        "which colour is {x}?",
        "tell me the colour of {x}",
        "what is the colour of {x}?",
        "can you tell me what colour {x} is?",
    ),
    ("do you know what colour {x} is?", "what colour does {x} have?"),
    "{x} is {y}.",
)
ANIMALS: Final = Family(
    "animal",
    _pairs("dog:woof; cat:meow; cow:moo; duck:quack; sheep:baa; horse:neigh; lion:roar; bee:buzz"),
    (
        "what does a {x} say?",
        "what sound does a {x} make?",
        "what noise does a {x} make?",
        "tell me what a {x} says",
        "which sound does a {x} make?",
    ),
    ("do you know what a {x} says?", "what is the sound of a {x}?"),
    "a {x} says {y}.",
)
REPEATS: Final = Family(
    "repeat",
    _words(
        "apple water music garden window mountain river coffee teacher butter pencil summer "
        "winter kitchen doctor paper silver rocket planet dinner"
    ),
    (
        "repeat after me, {x}",
        "please say {x}",
        "say the word {x}",
        "can you say {x}?",
        "please repeat the word {x}",
    ),
    ("could you say the word {x}?", "i want you to say {x}"),
    "you said {x}.",
)
COUNTS: Final = Family(
    "count",
    _counts(),
    (
        "count to {x}",
        "please count to {x}",
        "can you count to {x}?",
        "count from one to {x}",
        "please count from one to {x}",
    ),
    ("could you count to {x}?", "i want you to count to {x}"),
    "{list}.",
)

FAMILIES: Final = (
    SUMS,
    DIFFERENCES,
    PRODUCTS,
    BIGGER,
    DAY_AFTER,
    DAY_BEFORE,
    DAYS_AFTER,
    MONTH_AFTER,
    MONTH_BEFORE,
    NEXT_NUMBER,
    OPPOSITES,
    CAPITALS,
    COLOURS,
    ANIMALS,
    REPEATS,
    COUNTS,
)
