"""Families of questions about numbers; complete tables make the model learn to calculate."""

from itertools import product
from typing import Final

from workers.training.questions.question_families import QuestionFamily, form, number, numbers

SMALL: Final = range(11)
TEN: Final = range(1, 11)

SUMS: Final = QuestionFamily(
    "sum",
    numbers(*((a, b, a + b) for a, b in product(SMALL, repeat=2))),
    (
        form(
            "{a} plus {b} is {c}.",
            "what is {a} plus {b}? | how much is {a} plus {b}? | {a} plus {b}"
            "| what does {a} plus {b} make? | {a} and {b} make what? | {a} plus {b} equals what?"
            "| give me {a} plus {b} | i would like to know what {a} plus {b} is"
            "| i need the result of {a} plus {b} | what is the answer to {a} plus {b}?",
            "i wonder how much {a} plus {b} is",
        ),
        form(
            "the sum of {a} and {b} is {c}.",
            "what is the sum of {a} and {b}? | tell me the sum of {a} and {b}"
            "| the sum of {a} and {b} | give me the sum of {a} and {b}"
            "| what sum do {a} and {b} make? | i need the sum of {a} and {b}"
            "| please say what the sum of {a} and {b} is | how much is the sum of {a} and {b}?"
            "| find the sum of {a} and {b}",
            "do you know the sum of {a} and {b}?",
        ),
        form(
            "when you add {a} and {b}, you get {c}.",
            "what do you get when you add {a} and {b}? | please add {a} and {b}"
            "| add {a} to {b} | i want you to add {a} and {b}"
            "| if you add {a} to {b}, what do you get?"
            "| what do {a} and {b} make when you add them? | add up {a} and {b} for me"
            "| if i have {a} and get {b} more, how many do i have?",
            "what happens when you add {a} and {b}?",
        ),
        form(
            "of course. {a} plus {b} is {c}.",
            "can you tell me what {a} plus {b} is? | could you tell me what {a} plus {b} is?"
            "| would you tell me what {a} plus {b} is? | can you say what {a} plus {b} makes?"
            "| would you please give me {a} plus {b}?"
            "| could you please tell me how much {a} plus {b} makes?"
            "| can you give me the answer to {a} plus {b}?",
            "could you work out what {a} plus {b} is?",
        ),
    ),
    compositional=True,
    result="c",
    weight=9.0,
)
DIFFERENCES: Final = QuestionFamily(
    "difference",
    numbers(*((a, b, a - b) for a, b in product(SMALL, repeat=2) if b <= a)),
    (
        form(
            "{a} minus {b} is {c}.",
            "what is {a} minus {b}? | how much is {a} minus {b}? | {a} minus {b}"
            "| what is left of {a} minus {b}? | {a} minus {b} equals what? | {a} minus {b} is what?"
            "| give me {a} minus {b} | i would like to know what {a} minus {b} is"
            "| i need the result of {a} minus {b} | what is the difference between {a} and {b}?",
            "i wonder how much {a} minus {b} is",
        ),
        form(
            "when you take {b} from {a}, {c} is left.",
            "what is left when you take {b} from {a}? | please take {b} from {a}"
            "| take {b} away from {a} | subtract {b} from {a}"
            "| if you take {b} away from {a}, what is left? | what is {a} take away {b}?"
            "| i want you to take {b} from {a}"
            "| if i have {a} and lose {b}, how many do i still have?"
            "| what remains when you take {b} away from {a}?",
            "how much is left when you take {b} from {a}?",
        ),
        form(
            "of course. {a} minus {b} is {c}.",
            "can you tell me what {a} minus {b} is? | could you tell me what {a} minus {b} is?"
            "| would you tell me what {a} minus {b} is? | can you say what {a} minus {b} leaves?"
            "| would you please give me {a} minus {b}?"
            "| could you please tell me how much {a} minus {b} leaves?"
            "| can you give me the answer to {a} minus {b}?",
            "could you work out what {a} minus {b} is?",
        ),
    ),
    compositional=True,
    result="c",
    weight=8.0,
)
PRODUCTS: Final = QuestionFamily(
    "product",
    numbers(*((a, b, a * b) for a, b in product(range(11), repeat=2))),
    (
        form(
            "{a} times {b} is {c}.",
            "what is {a} times {b}? | how much is {a} times {b}? | {a} times {b}"
            "| what does {a} times {b} make? | {a} times {b} equals what? | {a} times {b} is what?"
            "| give me {a} times {b} | i would like to know what {a} times {b} is"
            "| i need the result of {a} times {b} | what is the product of {a} and {b}?",
            "i wonder how much {a} times {b} is",
        ),
        form(
            "when you multiply {a} by {b}, you get {c}.",
            "please multiply {a} by {b} | what do you get when you multiply {a} by {b}?"
            "| multiply {a} by {b} | what is {a} multiplied by {b}? | {a} multiplied by {b}"
            "| i want you to multiply {a} by {b} | if you multiply {a} by {b}, what do you get?"
            "| what do {a} and {b} make when you multiply them?",
            "what happens when you multiply {a} by {b}?",
        ),
        form(
            "of course. {a} times {b} is {c}.",
            "can you tell me what {a} times {b} is? | could you tell me what {a} times {b} is?"
            "| would you tell me what {a} times {b} is? | can you say what {a} times {b} makes?"
            "| would you please give me {a} times {b}?"
            "| could you please tell me how much {a} times {b} makes?"
            "| can you give me the answer to {a} times {b}?",
            "could you work out what {a} times {b} is?",
        ),
    ),
    compositional=True,
    result="c",
    weight=5.0,
)
QUOTIENTS: Final = QuestionFamily(
    "quotient",
    numbers(*((c * b, b, c) for c, b in product(TEN, repeat=2))),
    (
        form(
            "{a} divided by {b} is {c}.",
            "what is {a} divided by {b}? | how much is {a} divided by {b}? | {a} divided by {b}"
            "| please divide {a} by {b}"
            "| what do you get when you divide {a} by {b}? | give me {a} divided by {b}"
            "| {a} divided by {b} equals what? | how many times does {b} go into {a}?"
            "| i would like to know what {a} divided by {b} is | i want you to divide {a} by {b}"
            "| if you divide {a} by {b}, what do you get?",
            "i wonder how much {a} divided by {b} is | can you divide {a} by {b}?",
        ),
    ),
    compositional=True,
    result="c",
    weight=4.0,
)
DOUBLES: Final = QuestionFamily(
    "double",
    numbers(*((a, 2 * a) for a in range(1, 51))),
    (
        form(
            "the double of {a} is {b}.",
            "what is the double of {a}? | what is twice {a}? | double {a}"
            "| tell me the double of {a}"
            "| twice {a} | give me the double of {a} | what do you get when you double {a}?"
            "| what does twice {a} make? | i need the double of {a}"
            "| i would like to know what twice {a} is | what is {a} doubled?",
            "do you know the double of {a}? | how much is twice {a}?",
        ),
    ),
    compositional=True,
    result="b",
    weight=2.5,
)
HALVES: Final = QuestionFamily(
    "half",
    numbers(*((2 * a, a) for a in range(1, 51))),
    (
        form(
            "half of {a} is {b}.",
            "what is half of {a}? | how much is half of {a}? | tell me half of {a}"
            "| what is the half of {a}?"
            "| half of {a} | give me half of {a} | what does half of {a} come to?"
            "| i would like to know what half of {a} is | i need half of {a}"
            "| please divide {a} in half | if you cut {a} in half, what do you get?",
            "do you know half of {a}? | how much is the half of {a}?",
        ),
    ),
    compositional=True,
    result="b",
    weight=2.5,
)
NEXT_NUMBER: Final = QuestionFamily(
    "next number",
    numbers(*((a, a + 1) for a in range(100))),
    (
        form(
            "after {a} comes {b}.",
            "what number comes after {a}? | which number is after {a}?"
            "| what is the next number after {a}? | tell me the number after {a}"
            "| the number after {a} | give me the number after {a} | what comes after {a}?"
            "| i need the number that comes after {a}"
            "| when you count, what number do you say after {a}? | after {a}, what number is next?"
            "| please name the next number after {a}",
            "do you know which number comes after {a}? | which number follows after {a}?",
        ),
    ),
    compositional=True,
    result="b",
    weight=3.0,
)
LAST_NUMBER: Final = QuestionFamily(
    "last number",
    numbers(*((a + 1, a) for a in range(100))),
    (
        form(
            "before {a} comes {b}.",
            "what number comes before {a}? | which number is before {a}?"
            "| tell me the number before {a} | what is the number right before {a}?"
            "| the number before {a} | give me the number before {a} | what comes before {a}?"
            "| i need the number that comes before {a}"
            "| when you count, what number do you say before {a}?"
            "| please name the number just before {a}"
            "| i would like to know what number is before {a}",
            "do you know which number comes before {a}? | which number is right before {a}?",
        ),
    ),
    compositional=True,
    result="b",
    weight=3.0,
)
PARITIES: Final = QuestionFamily(
    "even or odd",
    tuple({"a": number(a), "x": "odd" if a % 2 else "even"} for a in range(61)),
    (
        form(
            "{a} is an {x} number.",
            "is {a} even or odd? | is {a} odd or even? | is {a} an even or an odd number?"
            "| tell me if {a} is even or odd"
            "| {a}, is that even or odd? | what is {a}, even or odd? | is {a} an even number?"
            "| is {a} an odd number? | i would like to know if {a} is even or odd"
            "| what kind of number is {a}, odd or even? | please say if {a} is odd or even",
            "do you know if {a} is even or odd? | is the number {a} even or odd?",
        ),
    ),
    compositional=True,
    weight=2.5,
)
_APART: Final = tuple((a, b) for a, b in product(range(31), repeat=2) if a != b)
BIGGER: Final = QuestionFamily(
    "bigger",
    tuple(
        {"a": number(a), "b": number(b), "x": number(max(a, b)), "y": number(min(a, b))}
        for a, b in _APART
        if (a + 2 * b) % 3 == 0
    ),
    (
        form(
            "{x} is bigger than {y}.",
            "which is bigger, {a} or {b}? | which number is bigger, {a} or {b}?"
            "| what is more, {a} or {b}? | is {a} or {b} the bigger number?"
            "| {a} or {b}, which is bigger? | which of {a} and {b} is bigger?"
            "| what is bigger, {a} or {b}? | give me the bigger number, {a} or {b}"
            "| between {a} and {b}, which is the bigger one?"
            "| i want to know which is bigger, {a} or {b}"
            "| which is the larger number, {a} or {b}?",
            "which one is more, {a} or {b}? | tell me which is bigger, {a} or {b}",
        ),
        form(
            "{y} is smaller than {x}.",
            "which is smaller, {a} or {b}? | which number is smaller, {a} or {b}?"
            "| what is less, {a} or {b}? | is {a} or {b} the smaller number?"
            "| {a} or {b}, which is smaller? | which of {a} and {b} is smaller?"
            "| what is smaller, {a} or {b}? | give me the smaller number, {a} or {b}"
            "| between {a} and {b}, which is the smaller one?"
            "| i want to know which is smaller, {a} or {b}"
            "| which is the lower number, {a} or {b}?",
            "which one is less, {a} or {b}? | tell me which is smaller, {a} or {b}",
        ),
    ),
    compositional=True,
    weight=5.0,
)
IS_BIGGER: Final = QuestionFamily(
    "is bigger",
    tuple(
        {
            "a": number(a),
            "b": number(b),
            "z": "yes" if a > b else "no",
            "x": number(max(a, b)),
            "y": number(min(a, b)),
        }
        for a, b in _APART
        if (a + 2 * b) % 3 == 1
    ),
    (
        form(
            "{z}, {x} is bigger than {y}.",
            "is {a} bigger than {b}? | is {a} more than {b}? | tell me, is {a} bigger than {b}?"
            "| is {a} larger than {b}? | is it true that {a} is bigger than {b}?"
            "| i would like to know if {a} is bigger than {b} | {a} is bigger than {b}, right?"
            "| is {a} a bigger number than {b}? | am i right that {a} is more than {b}?"
            "| please say if {a} is more than {b}",
            "do you think {a} is bigger than {b}? | would you say {a} is more than {b}?",
        ),
    ),
    compositional=True,
    weight=4.0,
)


def _list(first: int, last: int) -> str:
    step = 1 if last >= first else -1
    return ", ".join(number(n) for n in range(first, last + step, step))


COUNTS: Final = QuestionFamily(
    "count",
    tuple({"x": number(n), "list": _list(1, n)} for n in range(3, 21)),
    (
        form(
            "{list}.",
            "count to {x} | please count to {x} | can you count to {x}? | count from one to {x}"
            "| please count from one to {x}"
            "| count up to {x} | let me hear you count to {x} | say the numbers from one to {x}"
            "| start at one and count to {x} | would you please count up to {x}?"
            "| give me all the numbers up to {x}"
            "| i would like to hear the numbers from one to {x}",
            "could you count to {x}? | i want you to count to {x}",
        ),
    ),
    weight=4.0,
)
COUNTDOWNS: Final = QuestionFamily(
    "countdown",
    tuple({"x": number(n), "list": _list(n, 1)} for n in range(3, 16)),
    (
        form(
            "{list}.",
            "count down from {x} | count backwards from {x} | please count down from {x}"
            "| can you count backwards from {x}?"
            "| count down from {x} to one | count backwards from {x} to one"
            "| start at {x} and count down to one | let me hear you count backwards from {x}"
            "| would you please count backwards from {x}? | give me a countdown from {x}"
            "| say the numbers from {x} down to one",
            "could you count down from {x}? | i want you to count backwards from {x}",
        ),
    ),
    weight=3.0,
)
SPANS: Final = QuestionFamily(
    "count between",
    tuple(
        {"a": number(a), "b": number(a + n), "list": _list(a, a + n)}
        for a, n in product(range(2, 31), range(3, 8))
    ),
    (
        form(
            "{list}.",
            "count from {a} to {b} | please count from {a} to {b} | can you count from {a} to {b}?"
            "| say the numbers from {a} to {b} | start at {a} and count to {b}"
            "| count up from {a} to {b} | give me the numbers from {a} to {b}"
            "| let me hear you count from {a} to {b} | would you please count up from {a} to {b}?"
            "| i would like to hear the numbers from {a} to {b}",
            "could you count from {a} to {b}? | i want you to count from {a} to {b}",
        ),
    ),
    compositional=True,
    weight=4.0,
)

RECKONING: Final = (
    SUMS,
    DIFFERENCES,
    PRODUCTS,
    QUOTIENTS,
    DOUBLES,
    HALVES,
    NEXT_NUMBER,
    LAST_NUMBER,
    PARITIES,
    BIGGER,
    IS_BIGGER,
    COUNTS,
    COUNTDOWNS,
    SPANS,
)
