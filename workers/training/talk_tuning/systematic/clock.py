"""Clock arithmetic: hours after and before, half hours, and how long between two times."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, single
from workers.training.talk_tuning.systematic.numbers import capitalized, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "clock"
LATER: Final = (
    "What time is {n} hours after {t}?",
    "What time is it {n} hours after {t}?",
    "It's {t} now. What time will it be in {n} hours?",
    "If it's {t}, what time is it in {n} hours?",
    "{n} hours after {t} is what time?",
    "My train leaves at {t} and takes {n} hours. When do I arrive?",
    "I start at {t} and work for {n} hours. When do I finish?",
    "The film begins at {t} and lasts {n} hours. When does it end?",
    "At {t} I put it in the oven for {n} hours. When is it done?",
    "I go to bed at {t} and sleep {n} hours. When do I wake up?",
    "Can you tell me what's {n} hours after {t}?",
    "What's {t} plus {n} hours?",
)
EARLIER: Final = (
    "What time is {n} hours before {t}?",
    "What time was it {n} hours before {t}?",
    "It's {t}. What time was it {n} hours ago?",
    "{n} hours before {t} is what time?",
    "I have to be there at {t}, and the drive takes {n} hours. When must I leave?",
    "Dinner is at {t}, and cooking takes {n} hours. When do I start?",
    "I woke up at {t} after {n} hours of sleep. When did I fall asleep?",
    "What's {t} minus {n} hours?",
)
BETWEEN: Final = (
    "How many hours are there between {a} and {b}?",
    "How long is it from {a} to {b}?",
    "How many hours from {a} to {b}?",
    "I work from {a} to {b}. How many hours is that?",
    "The shop is open from {a} to {b}. How many hours?",
    "From {a} until {b}, how long is that?",
)
HALF_LATER: Final = (
    "What time is half an hour after {t}?",
    "It's {t}. What time is it in 30 minutes?",
    "What time will it be half an hour after {t}?",
    "If it's {t}, what time is it in half an hour?",
)
READINGS: Final = (
    "How do you say {d}?",
    "How do I read {d} on a clock?",
    "What's another way to say {d}?",
    "The clock says {d}. How do I say that?",
)


def on_dial(hour: int) -> int:
    """The hour on a twelve-hour dial."""
    return (hour - 1) % 12 + 1


def shifts(random: Random) -> Iterator[Conversation]:
    """ "Two hours after nine is eleven o'clock." """
    caller = Caller(random)
    later, earlier = Deck(LATER, random), Deck(EARLIER, random)
    while True:
        hour = random.randint(1, 12)
        written = caller.written(hour)
        time = written if random.random() < 0.4 else f"{written} o'clock"
        is_later = random.random() < 0.6
        frame = (later if is_later else earlier).deal()
        word = "after" if is_later else "before"
        count = random.randint(2, 4 if "When" in frame else 9)
        step = count if is_later else -count
        found = f"{words(on_dial(hour + step))} o'clock"
        asked = frame.format(n=caller.written(count), t=time)
        full = f"{capitalized(words(count))} hours {word} {words(hour)} is {found}."
        answer = full if random.random() < 0.75 else f"At {found}."
        if answer != full and ("what time" in asked.lower() or "what's" in asked.lower()):
            answer = full
        yield single(TOPIC, caller.ask(asked), answer)


def spans(random: Random) -> Iterator[Conversation]:
    """Both times lie on the same half of the day."""
    caller, frames = Caller(random), Deck(BETWEEN, random)
    while True:
        start = random.randint(1, 9)
        end = random.randint(start + 2, 12)
        mark = random.choice(("", "", " o'clock"))
        a, b = caller.written(start), f"{caller.written(end)}{mark}"
        asked = frames.deal().format(a=a, b=b)
        hours = words(end - start)
        answer = random.choice(
            (
                f"From {words(start)} to {words(end)} is {hours} hours.",
                f"That's {hours} hours, from {words(start)} to {words(end)}.",
            )
        )
        yield single(TOPIC, caller.ask(asked), answer)


def readings(random: Random) -> Iterator[Conversation]:
    """Half hours and quarters: "half past three", "quarter to four"."""
    caller = Caller(random)
    later, read = Deck(HALF_LATER, random), Deck(READINGS, random)
    while True:
        hour = random.randint(1, 12)
        here, following = words(hour), words(on_dial(hour + 1))
        if random.random() < 0.4:
            time, end = random.choice(
                (
                    (f"{hour} o'clock", f"half past {here}"),
                    (f"{hour}:30", f"{following} o'clock"),
                    (f"{hour}:15", f"a quarter to {following}"),
                    (f"{hour}:45", f"a quarter past {following}"),
                )
            )
            answer = f"In half an hour it's {end}."
            yield single(TOPIC, caller.ask(later.deal().format(t=time)), answer)
        else:
            minute, answer = random.choice(
                (
                    (15, f"A quarter past {here}, or {here} fifteen."),
                    (30, f"Half past {here}, or {here} thirty."),
                    (45, f"A quarter to {following}, or {here} forty-five."),
                    (10, f"Ten past {here}, or {here} ten."),
                    (50, f"Ten to {following}, or {here} fifty."),
                )
            )
            yield single(TOPIC, caller.ask(read.deal().format(d=f"{hour}:{minute}")), answer)
