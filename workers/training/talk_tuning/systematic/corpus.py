"""The families of the corpus, how many exchanges each gives, and their order in the file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation
from workers.training.talk_tuning.systematic import (
    animals,
    arithmetic,
    arithmetic_talks,
    clock,
    counting,
    dates,
    geography,
    memory,
    repeating,
    spelling,
    things,
    unclear,
    units,
    word_problems,
    word_questions,
)

# A family that repeats itself this often in a row has run out of new openings.
MOST_REPEATS: Final = 2000


@dataclass(frozen=True, slots=True)
class Family:
    """A source of conversations without end, and the number of exchanges to take from it."""

    name: str
    conversations: Callable[[Random], Iterator[Conversation]]
    exchanges: int


FAMILIES: Final = (
    Family("sums", arithmetic.additions, 330),
    Family("differences", arithmetic.subtractions, 250),
    Family("products", arithmetic.multiplications, 150),
    Family("divisions", arithmetic.divisions, 70),
    Family("halves and doubles", arithmetic.halves_and_doubles, 50),
    Family("arithmetic over turns", arithmetic_talks.follow_ups, 400),
    Family("chains", arithmetic_talks.chains, 50),
    Family("claims", arithmetic_talks.claims, 60),
    Family("word problems", word_problems.problems, 130),
    Family("too large", word_problems.too_large, 12),
    Family("counting", counting.counts, 80),
    Family("neighbors of numbers", counting.neighbors, 70),
    Family("comparing numbers", counting.comparisons, 45),
    Family("even and odd", counting.parities, 35),
    Family("spelling", spelling.spellings, 190),
    Family("first letters", spelling.first_letters, 30),
    Family("last letters", spelling.last_letters, 30),
    Family("letter counts", spelling.letter_counts, 40),
    Family("rhymes", spelling.rhymes, 70),
    Family("days, months, seasons", dates.neighbors, 70),
    Family("days ahead and back", dates.shifts, 50),
    Family("lengths of months", dates.month_lengths, 24),
    Family("places of months", dates.places, 20),
    Family("calendar facts", dates.fixed, 36),
    Family("holidays", dates.holidays, 50),
    Family("years and centuries", dates.years, 40),
    Family("clock", clock.shifts, 60),
    Family("time spans", clock.spans, 20),
    Family("clock readings", clock.readings, 24),
    Family("units", units.conversions, 85),
    Family("rough conversions", units.rough, 36),
    Family("temperatures", units.temperatures, 24),
    Family("fixed counts", units.counts, 50),
    Family("countries", geography.facts, 110),
    Family("countries over turns", geography.journeys, 170),
    Family("capitals reversed", geography.capitals_reversed, 60),
    Family("opposites", word_questions.opposites, 150),
    Family("plurals", word_questions.plurals, 55),
    Family("past tenses", word_questions.pasts, 70),
    Family("translations", word_questions.translations, 170),
    Family("foreign words", word_questions.meanings, 30),
    Family("animals", animals.animals, 120),
    Family("colors", things.colors, 55),
    Family("fruits and vegetables", things.fruits, 40),
    Family("origins", things.origins, 40),
    Family("recalls", memory.recalls, 220),
    Family("two facts", memory.two_facts, 80),
    Family("facts together", memory.together, 60),
    Family("facts not told", memory.not_told, 40),
    Family("repeats", repeating.repeats, 120),
    Family("the caller's own words", repeating.my_words, 90),
    Family("unclear", unclear.garbled, 110),
    Family("single words", unclear.alone, 55),
    Family("single words after answers", unclear.after_answers, 50),
)


def generate(family: Family, seed: int, openings: set[str]) -> list[Conversation]:
    """The family's conversations; adds their openings to `openings` and repeats none of them."""
    found: list[Conversation] = []
    count = repeats = 0
    for conversation in family.conversations(Random(f"{seed} {family.name}")):
        if count >= family.exchanges:
            break
        if conversation.opening in openings:
            repeats += 1
            if repeats > MOST_REPEATS:
                raise ValueError(f"Expected {family.exchanges} from {family.name}, got {count}")
            continue
        repeats = 0
        openings.add(conversation.opening)
        found.append(conversation)
        count += len(conversation.turns)
    return found


def corpus(seed: int) -> dict[str, list[Conversation]]:
    """The conversations of every family; the same seed gives the same corpus."""
    openings: set[str] = set()
    return {family.name: generate(family, seed, openings) for family in FAMILIES}
