"""Questions from the tables of words: opposites, plurals, past tenses and translations."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several
from workers.training.talk_tuning.systematic.numbers import capitalized
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck
from workers.training.talk_tuning.systematic.word_tables import (
    LANGUAGES,
    OPPOSITES,
    PASTS,
    PLURALS,
    TRANSLATIONS,
)

TOPIC: Final = "words and grammar"
OPPOSITE: Final = (
    *["the opposite of {w}", "the opposite of {w}", "the opposite of the word {w}"],
    "a word that means the opposite of {w}",
)
OPPOSITE_WHOLE: Final = (
    "What is the contrary of {w}?",
    "Which word is the opposite of {w}?",
    "What's not {w}, but the opposite?",
    "Give me the opposite of {w}.",
    "Can you name the opposite of {w}?",
    "What do you call the opposite of {w}?",
    "{w} and its opposite?",
    "If it's not {w}, what's the opposite?",
    "How do you say the opposite of {w}?",
)
OPPOSITE_ANSWERS: Final = (
    "The opposite of {w} is {a}.",
    "The opposite of {w} is {a}.",
    "{A} is the opposite of {w}.",
    "{A}.",
    "That would be {a}.",
)
PLURAL: Final = ("the plural of {w}", "the plural of {w}", "the plural form of {w}")
PLURAL_WHOLE: Final = (
    "One {w}, two what?",
    "I have one {w}. If I had two, what would I call them?",
    "How do you say more than one {w}?",
    "What do you call several of a {w}?",
    "Give me the plural of {w}.",
    "How do I make {w} plural?",
    "What do you say for two, when one is a {w}?",
    "How is the plural of {w} formed?",
)
PLURAL_ANSWERS: Final = (
    "The plural of {w} is {a}.",
    "The plural of {w} is {a}.",
    "One {w}, two {a}.",
    "{A}.",
    "It's {a}.",
)
PAST: Final = (
    "the past tense of {w}",
    "the past tense of {w}",
    "the past of {w}",
    "the past form of {w}",
)
PAST_WHOLE: Final = (
    "How do you say {w} in the past?",
    "How do you say {w} in the past tense?",
    "Today I {w}. What about yesterday?",
    "Put {w} in the past tense.",
    "What does {w} become in the past?",
    "Give me the past tense of {w}.",
    "What's {w} in the past tense?",
    "Which form of {w} do I use for yesterday?",
)
PAST_ANSWERS: Final = (
    "The past tense of {w} is {a}.",
    "The past tense of {w} is {a}.",
    "In the past it's {a}.",
    "{A}.",
)
MORE: Final = ("And {w}?", "And of {w}?", "What about {w}?", "And for {w}?", "How about {w}?")


def _table(
    random: Random,
    pairs: tuple[tuple[str, str], ...],
    nouns: tuple[str, ...],
    wholes: tuple[str, ...],
    answers: tuple[str, ...],
) -> Iterator[Conversation]:
    """One pair, or two or three pairs in a row."""
    caller, cards = Caller(random), Deck(pairs, random)
    noun_deck, whole_deck = Deck(nouns, random), Deck(wholes, random)
    answer_deck, more = Deck(answers, random), Deck(MORE, random)

    def answer(word: str, found: str) -> str:
        return answer_deck.deal().format(w=word, a=found, A=capitalized(found))

    while True:
        word, found = cards.deal()
        if random.random() < 0.6:
            asked = caller.about(noun_deck.deal().format(w=word))
        else:
            asked = caller.ask(whole_deck.deal().format(w=word))
        turns = [(asked, answer(word, found))]
        if random.random() < 0.22:
            for _ in range(random.choice((1, 1, 2))):
                other, other_found = cards.deal()
                turns.append((more.deal().format(w=other), answer(other, other_found)))
        yield several(TOPIC, *turns)


def opposites(random: Random) -> Iterator[Conversation]:
    return _table(random, OPPOSITES, OPPOSITE, OPPOSITE_WHOLE, OPPOSITE_ANSWERS)


def plurals(random: Random) -> Iterator[Conversation]:
    return _table(random, PLURALS, PLURAL, PLURAL_WHOLE, PLURAL_ANSWERS)


def pasts(random: Random) -> Iterator[Conversation]:
    return _table(random, PASTS, PAST, PAST_WHOLE, PAST_ANSWERS)


TRANSLATE: Final = (
    "How do you say {w} in {l}?",
    "How do you say {w} in {l}?",
    "How do I say {w} in {l}?",
    "What is {w} in {l}?",
    "What's {w} in {l}?",
    "What's the {l} word for {w}?",
    "What is the {l} word for {w}?",
    "Translate {w} into {l}.",
    "Can you translate {w} into {l}?",
    "Please translate {w} to {l}.",
    "What do you call {w} in {l}?",
    "Tell me {w} in {l}.",
    "Do you know the {l} word for {w}?",
    "Say {w} in {l}.",
    "How would I say {w} in {l}?",
    "I want to say {w} in {l}.",
    "I need the {l} word for {w}.",
    "I'm learning {l}. What's {w}?",
    "In {l}, how do you say {w}?",
    "{w} in {l}?",
    "Could you tell me {w} in {l}?",
    "I forgot the {l} word for {w}.",
    "How do they say {w} in {l}?",
    "What would {w} be in {l}?",
    "Give me the {l} for {w}.",
    "Which {l} word means {w}?",
)
TRANSLATED: Final = (
    "In {l}, {w} is {a}.",
    "{W} in {l} is {a}.",
    "The {l} word for {w} is {a}.",
    "{A}.",
    "You say {a}.",
)
MEANS: Final = (
    "What does {a} mean in {l}?",
    "What does the {l} word {a} mean?",
    "What's {a} in English?",
    "Translate {a} from {l}.",
    "The {l} word {a}, what is that in English?",
)


class Translator:
    """Asks for words of the four languages."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.caller = Caller(random)
        self._frames, self._answers = Deck(TRANSLATE, random), Deck(TRANSLATED, random)
        self.cards = Deck([(row, n) for row in TRANSLATIONS for n in range(4)], random)

    def answer(self, word: str, language: int, found: str) -> str:
        fill = {"w": word, "W": capitalized(word), "a": found, "A": capitalized(found)}
        text = self._answers.deal()
        if " word " in text and " " in word:
            text = "In {l}, {w} is {a}."
        return text.format(l=LANGUAGES[language], **fill)

    def turn(self, row: tuple[str, ...], language: int) -> tuple[str, str]:
        frame = self._frames.deal()
        if " word" in frame and " " in row[0]:
            frame = "How do you say {w} in {l}?"
        asked = self.caller.ask(frame.format(w=row[0], l=LANGUAGES[language]))
        return asked, self.answer(row[0], language, row[language + 1])

    def more(self, row: tuple[str, ...], language: int) -> tuple[str, str]:
        """The same word in another language."""
        asked = self.random.choice(("And in {l}?", "What about in {l}?", "And {l}?"))
        asked = asked.format(l=LANGUAGES[language])
        return asked, self.answer(row[0], language, row[language + 1])


def translations(random: Random) -> Iterator[Conversation]:
    """From English; sometimes then in another language or another word."""
    translator = Translator(random)
    while True:
        row, language = translator.cards.deal()
        turns = [translator.turn(row, language)]
        draw = random.random()
        if draw < 0.2:
            others = random.sample([n for n in range(4) if n != language], random.choice((1, 1, 2)))
            turns += [translator.more(row, other) for other in others]
        elif draw < 0.32:
            other_row, _ = translator.cards.deal()
            answer = translator.answer(other_row[0], language, other_row[language + 1])
            turns.append(
                (random.choice(("And {w}?", "What about {w}?")).format(w=other_row[0]), answer)
            )
        yield several("translations", *turns)


def meanings(random: Random) -> Iterator[Conversation]:
    """Into English, for words that no two rows share."""
    caller, frames = Caller(random), Deck(MEANS, random)
    every = [word for row in TRANSLATIONS for word in row]
    cards = Deck(
        [(r, n) for r in TRANSLATIONS for n in range(4) if every.count(r[n + 1]) == 1], random
    )
    while True:
        row, language = cards.deal()
        found, name = row[language + 1], LANGUAGES[language]
        asked = caller.ask(frames.deal().format(a=found, l=name))
        answer = random.choice(
            (f"{capitalized(found)} is {name} for {row[0]}.", f"It means {row[0]}.")
        )
        yield several("translations", (asked, answer))
