"""Questions about countries: capital, continent, language and currency."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.countries import COUNTRIES, Country
from workers.training.talk_tuning.systematic.numbers import capitalized
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

TOPIC: Final = "countries"
QUESTIONS: Final = {
    "continent": (
        "Which continent is {c} on?",
        "What continent is {c} in?",
        "On which continent is {c}?",
        "What part of the world is {c} in?",
        "{c} is on which continent?",
        "Where in the world is {c}?",
        "Where is {c}?",
        "Where's {c}?",
    ),
    "language": (
        "What language do they speak in {c}?",
        "What do people speak in {c}?",
        "Which language is spoken in {c}?",
        "What's the language of {c}?",
        "What is the official language of {c}?",
        "I'm going to {c}. Which language do they speak there?",
        "What language will I hear in {c}?",
        "In {c}, what language do they speak?",
    ),
    "currency": (
        "What's the currency of {c}?",
        "What currency do they use in {c}?",
        "What money do they use in {c}?",
        "What do people pay with in {c}?",
        "Which currency does {c} have?",
        "What's the money in {c} called?",
        "I'm traveling to {c}. What money do I need?",
        "What kind of money do they have in {c}?",
    ),
}
HERE: Final = {
    "capital": ("What's the capital?", "And the capital?", "Which city is the capital?"),
    "continent": ("Which continent is that on?", "What continent is it on?", "And where is that?"),
    "language": (
        "What language do they speak there?",
        "And which language do they speak?",
        "What do they speak there?",
    ),
    "currency": (
        "And the money there?",
        "What currency do they use?",
        "What money do they use there?",
    ),
}
OTHERS: Final = ("And of {c}?", "And {c}?", "What about {c}?", "And for {c}?", "How about {c}?")


def stated(country: Country, field: str, random: Random) -> str:
    """The fact as a sentence, in one of several wordings."""
    name, start = country.spoken, capitalized(country.spoken)
    if field == "capital":
        city = country.capital
        return random.choice(
            (
                f"The capital of {name} is {city}.",
                f"{city} is the capital of {name}.",
                f"It's {city}.",
                f"{city}.",
            )
        )
    if field == "continent":
        return random.choice(
            (f"{start} is in {country.continent}.", f"{start} lies in {country.continent}.")
        )
    if field == "language":
        return random.choice(
            (
                f"In {name} people speak {country.language}.",
                f"{country.language}.",
                f"They speak {country.language} there.",
            )
        )
    return random.choice(
        (
            f"In {name} people pay with the {country.currency}.",
            f"The currency of {name} is the {country.currency}.",
            f"They use the {country.currency}.",
        )
    )


class Geography:
    """Asks for one field of a country."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.caller = Caller(random)
        self._questions = {field: Deck(texts, random) for field, texts in QUESTIONS.items()}
        self._here = {field: Deck(texts, random) for field, texts in HERE.items()}
        self._countries = {
            field: Deck([c for c in COUNTRIES if getattr(c, field)], random)
            for field in ("capital", "continent", "language", "currency")
        }

    def deal(self, field: str) -> Country:
        return self._countries[field].deal()

    def turn(self, country: Country, field: str) -> tuple[str, str]:
        if field == "capital":
            noun = self.random.choice(
                ("the capital of {c}", "the capital of {c}", "the capital city of {c}")
            )
            asked = self.caller.about(noun.format(c=country.spoken))
        else:
            asked = self.caller.ask(self._questions[field].deal().format(c=country.spoken))
        return asked, stated(country, field, self.random)

    def there(self, country: Country, field: str) -> tuple[str, str]:
        """A later question about the same country, which it no longer names."""
        return self._here[field].deal(), stated(country, field, self.random)


def facts(random: Random) -> Iterator[Conversation]:
    """One question."""
    geography = Geography(random)
    fields = Deck(("capital", "capital", "continent", "language", "currency"), random)
    while True:
        field = fields.deal()
        yield single(TOPIC, *geography.turn(geography.deal(field), field))


def journeys(random: Random) -> Iterator[Conversation]:
    """Several questions about one country, or one question about several countries."""
    geography, others = Geography(random), Deck(OTHERS, random)
    fields = ("capital", "continent", "language", "currency")
    while True:
        first = random.choice(fields)
        country = geography.deal(first)
        turns = [geography.turn(country, first)]
        for _ in range(random.choice((1, 1, 2, 3))):
            if random.random() < 0.5:
                field = random.choice([f for f in fields if f != first and getattr(country, f)])
                turns.append(geography.there(country, field))
                first = field
            else:
                country = geography.deal(first)
                if first == "capital":
                    asked = others.deal()
                else:
                    asked = random.choice(("And in {c}?", "And {c}?", "What about {c}?"))
                asked = asked.format(c=country.spoken)
                turns.append((asked, stated(country, first, random)))
        yield several(TOPIC, *turns)


OWNERS: Final = (
    "Which country has the capital {k}?",
    "{k} is the capital of which country?",
    "Of which country is {k} the capital?",
    "What country is {k} the capital of?",
    "Which country's capital is {k}?",
)
CHECKS: Final = (
    "Is {k} the capital of {c}?",
    "{k} is the capital of {c}, right?",
    "The capital of {c} is {k}, isn't it?",
    "Am I right that {k} is the capital of {c}?",
    "I think the capital of {c} is {k}.",
)


def capitals_reversed(random: Random) -> Iterator[Conversation]:
    """From the capital to the country, and capitals to confirm or correct."""
    caller = Caller(random)
    owners, checks = Deck(OWNERS, random), Deck(CHECKS, random)
    deck = Deck([c for c in COUNTRIES if c.capital and c.name not in c.capital], random)
    while True:
        country = deck.deal()
        fact = f"{country.capital} is the capital of {country.spoken}."
        if random.random() < 0.5:
            yield single(TOPIC, caller.ask(owners.deal().format(k=country.capital)), fact)
            continue
        claimed = country if random.random() < 0.5 else deck.deal()
        asked = caller.ask(checks.deal().format(k=claimed.capital, c=country.spoken))
        if claimed is country:
            yield single(TOPIC, asked, f"Yes, {fact}")
        else:
            fact = f"the capital of {country.spoken} is {country.capital}."
            yield single(TOPIC, asked, f"No, {fact}")
