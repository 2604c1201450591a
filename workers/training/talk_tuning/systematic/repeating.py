"""The caller asks for the last answer again, or for what they said themselves."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several
from workers.training.talk_tuning.systematic.animals import YOUNG
from workers.training.talk_tuning.systematic.countries import COUNTRIES
from workers.training.talk_tuning.systematic.equations import (
    draw_difference,
    draw_product,
    draw_sum,
)
from workers.training.talk_tuning.systematic.memory import Facts
from workers.training.talk_tuning.systematic.numbers import capitalized, with_article
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck
from workers.training.talk_tuning.systematic.word_tables import (
    LANGUAGES,
    OPPOSITES,
    PASTS,
    PLURALS,
    TRANSLATIONS,
)

TOPIC: Final = "what did you say"
AGAIN: Final = (
    "Repeat that.",
    "Repeat that, please.",
    "Can you repeat that?",
    "Could you repeat that, please?",
    "Say that again.",
    "Say it again, please.",
    "Can you say that again?",
    "What did you say?",
    "What was that?",
    "Sorry, what?",
    "What?",
    "Pardon?",
    "Huh?",
    "Excuse me?",
    "Come again?",
    "One more time, please.",
    "Once more.",
    "I didn't catch that.",
    "I didn't hear that.",
    "I didn't get that, sorry.",
    "It was too loud here. What was it?",
    "Sorry, I missed that.",
    "Again, please.",
    "Would you repeat your answer?",
    "You were cut off. What was it?",
    "What was the answer again?",
    "Could you tell me that again?",
    "I wasn't listening. Say it again?",
)
SAID_AGAIN: Final = ("{a}", "{a}", "I said, {l}", "Of course. {a}", "Once more. {a}")
SLOWER: Final = (
    "Say it again more slowly.",
    "Slower, please.",
    "Can you say that more slowly?",
    "Could you speak more slowly?",
    "That was too fast.",
    "Please say it slowly.",
    "Not so fast, please.",
    "More slowly, please.",
    "You're too fast for me. Again, slowly?",
    "Can you repeat that a bit slower?",
    "Slow down, please.",
    "My English is not good. Slower, please?",
)
SAID_SLOWLY: Final = (
    "I can't slow my voice, but here it is again. {a}",
    "My speed is fixed, but I'll gladly say it again. {a}",
    "I only have one speed, sorry. Once more. {a}",
    "I can't speak more slowly, but I can repeat it. {a}",
)
MY_WORDS: Final = (
    "What did I just say?",
    "What did I just ask?",
    "What did I ask you?",
    "What was my question?",
    "Do you remember what I asked?",
    "What did I say?",
    "Can you repeat my question?",
    "What have I just asked you?",
    "What was I asking?",
    "Repeat what I said.",
    "Did you hear my question? What was it?",
    "Tell me what I just asked.",
)
MY_STATEMENT: Final = (
    "What did I just say?",
    "What did I say?",
    "Can you repeat what I said?",
    "What did I just tell you?",
    "What have I told you?",
    "Repeat what I said.",
    "Do you remember what I said?",
    "Tell me what I just said.",
    "What was it that I told you?",
    "Did you hear me? What did I say?",
)
ASKED: Final = ("You asked me for {n}.", "You wanted to know {n}.", "You asked for {n}.")
YOUR_ANSWER: Final = ("And what did you answer?", "And what was your answer?", "And you said?")


class Questions:
    """Questions about a noun phrase that can be named again in other words."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.caller = Caller(random)
        self._countries = Deck([c for c in COUNTRIES if c.capital], random)
        self._young, self._opposites = Deck(YOUNG, random), Deck(OPPOSITES, random)
        self._plurals, self._pasts = Deck(PLURALS, random), Deck(PASTS, random)
        self._rows = Deck(TRANSLATIONS, random)
        self._makers = Deck(
            (self._capital, self._capital, self._sum, self._opposite, self._other, self._foreign),
            random,
        )

    def _capital(self) -> tuple[str, str, str]:
        country = self._countries.deal()
        noun = f"the capital of {country.spoken}"
        return noun, noun, f"The capital of {country.spoken} is {country.capital}."

    def _sum(self) -> tuple[str, str, str]:
        draw = self.random.choice((draw_sum, draw_difference, draw_product))
        equation = draw(self.random)
        noun = f"{equation.left} {equation.operation.value} {equation.right}"
        stated = equation.spoken()
        return noun, stated.split(" is ")[0], f"{capitalized(stated)}."

    def _opposite(self) -> tuple[str, str, str]:
        word, found = self._opposites.deal()
        noun = f"the opposite of {word}"
        return noun, noun, f"The opposite of {word} is {found}."

    def _other(self) -> tuple[str, str, str]:
        draw = self.random.random()
        if draw < 0.4:
            word, found = self._plurals.deal()
            noun = f"the plural of {word}"
        elif draw < 0.7:
            word, found = self._pasts.deal()
            noun = f"the past tense of {word}"
        else:
            word, young = self._young.deal()
            noun, found = f"the word for a baby {word}", with_article(young)
        return noun, noun, f"{capitalized(noun)} is {found.removeprefix('a ').removeprefix('an ')}."

    def _foreign(self) -> tuple[str, str, str]:
        row, language = self._rows.deal(), self.random.randrange(4)
        noun = f"the {LANGUAGES[language]} for {row[0]}"
        return noun, noun, f"The {LANGUAGES[language]} for {row[0]} is {row[language + 1]}."

    def deal(self) -> tuple[tuple[str, str], str]:
        """The first turn, and the noun phrase as the answer may name it."""
        noun, spoken, answer = self._makers.deal()()
        return (self.caller.about(noun), answer), spoken


def _lowered(answer: str) -> str:
    return answer[0].lower() + answer[1:]


def repeats(random: Random) -> Iterator[Conversation]:
    """The answer again, as it was, or slowly."""
    questions = Questions(random)
    again, said_again = Deck(AGAIN, random), Deck(SAID_AGAIN, random)
    slower, said_slowly = Deck(SLOWER, random), Deck(SAID_SLOWLY, random)
    while True:
        (caller, answer), _ = questions.deal()
        fill = {"a": answer, "l": _lowered(answer)}
        turns = [(caller, answer)]
        kind = random.random()
        if kind < 0.65:
            turns.append((again.deal(), said_again.deal().format(**fill)))
        if kind > 0.5:
            turns.append((slower.deal(), said_slowly.deal().format(**fill)))
        yield several(TOPIC, *turns)


def my_words(random: Random) -> Iterator[Conversation]:
    """ "What did I just say?" after a question or after a statement."""
    questions, facts = Questions(random), Facts(random)
    mine, statement = Deck(MY_WORDS, random), Deck(MY_STATEMENT, random)
    asked, yours = Deck(ASKED, random), Deck(YOUR_ANSWER, random)
    while True:
        if random.random() < 0.5:
            (caller, answer), noun = questions.deal()
            turns = [(caller, answer), (mine.deal(), asked.deal().format(n=noun))]
            if random.random() < 0.25:
                turns.append((yours.deal(), answer))
        else:
            fact = facts.deal()
            report = f"You said that {fact.fill(fact.kind.reported)}."
            turns = [facts.told(fact), (statement.deal(), report)]
        yield several(TOPIC, *turns)
