"""Varied wordings of what a caller says, written as Whisper writes speech."""

from collections.abc import Sequence
from random import Random
from typing import Final, Generic, TypeVar

from workers.training.talk_tuning.systematic.numbers import capitalized, words

T = TypeVar("T")

# Frames around a noun phrase: "the capital of Peru", "38 plus 47". {N} starts a sentence.
NOUN_FRAMES: Final = (
    "What's {n}?",
    "What is {n}?",
    "What's {n}?",
    "What is {n}?",
    "Tell me {n}.",
    "Please tell me {n}.",
    "Can you tell me {n}?",
    "Could you tell me {n}?",
    "Could you tell me what {n} is?",
    "Can you tell me what {n} is, please?",
    "Do you know {n}?",
    "Do you know what {n} is?",
    "Do you happen to know {n}?",
    "I'd like to know {n}.",
    "I want to know {n}.",
    "I need {n}.",
    "{N}?",
    "{N}.",
    "{N}, please.",
    "Um, what's {n}?",
    "Uh, {n}?",
    "Hey, what's {n}?",
    "Hi, what is {n}?",
    "So what's {n}?",
    "Okay, what's {n}?",
    "And what is {n}?",
    "Well, I was wondering what {n} is.",
    "I was wondering about {n}.",
    "Would you mind telling me {n}?",
    "What was {n} again?",
    "I forgot {n}.",
    "I can't remember {n}.",
    "I don't know {n}.",
    "Remind me, what's {n}?",
    "Quick question, what's {n}?",
    "My daughter is asking me what {n} is.",
    "My son wants to know {n}.",
    "Help me out, what's {n}?",
    "Any idea what {n} is?",
    "What would you say is {n}?",
    "Antiphon, what's {n}?",
    "Excuse me, what is {n}?",
    "Sorry, but what is {n}?",
    "Now tell me {n}.",
    "Next question, what's {n}?",
    "I have to know {n} for school.",
    "Let me ask you, what is {n}?",
    "You know {n}?",
    "What is {n} please?",
    "How about {n}?",
)
# Frames that fit before any question or request.
OPENINGS: Final = (
    *["{Q}"] * 16,
    "Um, {q}",
    "Uh, {q}",
    "Hey, {q}",
    "Hi, {q}",
    "Okay, {q}",
    "So, {q}",
    "Well, {q}",
    "And {q}",
    "Please, {q}",
    "Antiphon, {q}",
    "Excuse me, {q}",
    "Sorry, {q}",
    "Now, {q}",
    "Hmm, {q}",
    "Hello. {Q}",
    "Help me, please. {Q}",
)
# Frames that need a question word after them.
QUESTION_OPENINGS: Final = (
    *["{Q}"] * 12,
    "Tell me, {q}",
    "Can you tell me, {q}",
    "Quick question, {q}",
    "I have a question. {Q}",
    "Another question. {Q}",
    "I'm curious, {q}",
    "Let me ask you, {q}",
    "My son is asking, {q}",
    "My little girl asks, {q}",
    "For my homework, {q}",
    "Just checking, {q}",
    "I was wondering, {q}",
    "Hey, {q}",
    "So, {q}",
    "Um, {q}",
)
QUESTION_WORDS: Final = frozenset(
    "what what's which how where where's when who is are does".split()
)
LOWERED: Final = frozenset(
    "what what's which how how's is are am do does did can could who where where's when tell "
    "give name say spell count if add please the in on would there take one two three after "
    "before was will calculate let's let has it it's a an at of my today tomorrow somebody "
    "begin start convert translate dinner fruit even from with rhyme do find".split()
)


# Words that a small recognizer confuses, with a meaning that can still be guessed.
MISHEARD: Final = (
    ("capital", "capitol"),
    ("opposite of", "opposite off"),
    ("plural of", "plural off"),
    ("rhymes with", "rimes with"),
    ("currency", "current sea"),
    ("language", "languages"),
    ("color", "caller"),
    ("letters", "letter"),
    (" times ", " time "),
    (" divided ", " divide "),
    (" minus ", " minors "),
    ("comes after", "come after"),
    ("comes before", "come before"),
    ("What's the ", "What the "),
    ("What is the ", "What is "),
    ("Can you tell me ", "Can tell me "),
    ("Do you know ", "Do know "),
    ("How do you say", "How you say"),
    ("How many ", "How many of "),
    ("a baby ", "baby "),
    ("Which ", "Witch "),
    ("o'clock", "a clock"),
)


class Deck(Generic[T]):
    """Deals the items in a random order, all of them once before any comes again."""

    def __init__(self, cards: Sequence[T], random: Random) -> None:
        if not cards:
            raise ValueError("Expected at least one card, got none")
        self._cards = list(cards)
        self._random = random
        self._left: list[T] = []

    def deal(self) -> T:
        if not self._left:
            self._left = self._random.sample(self._cards, len(self._cards))
        return self._left.pop()


def lowered(question: str) -> str:
    """The question with a small first letter, unless its first word is a name or "I"."""
    first = question.split()[0].strip(",.?")
    return question[0].lower() + question[1:] if first.lower() in LOWERED else question


class Caller:
    """Turns noun phrases and questions into caller texts; every frame has its turn."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._nouns = Deck(NOUN_FRAMES, random)
        self._openings = Deck(OPENINGS, random)
        self._question_openings = Deck(QUESTION_OPENINGS, random)

    def about(self, noun: str) -> str:
        """A question that names the thing: "What's the capital of Peru?"."""
        return self.transcribed(self._nouns.deal().format(n=noun, N=capitalized(noun)))

    def ask(self, question: str) -> str:
        """The question itself, bare or with an opening before it."""
        is_plain = question.split()[0].lower() in QUESTION_WORDS
        deck = (
            self._question_openings if is_plain and self.random.random() < 0.6 else self._openings
        )
        frame = deck.deal()
        text = frame.format(q=lowered(question), Q=capitalized(question))
        return self.transcribed(text)

    def transcribed(self, text: str) -> str:
        """The text as Whisper writes it: it sometimes loses a word, the case or the end mark."""
        if self.random.random() < 0.07:
            text = self._misheard(text)
        draw = self.random.random()
        if draw < 0.06:
            return lowered(text).rstrip(".?!")
        if draw < 0.09:
            return text.rstrip(".?!")
        return capitalized(text)

    def _misheard(self, text: str) -> str:
        found = [pair for pair in MISHEARD if pair[0] in text]
        return text.replace(*self.random.choice(found), 1) if found else text

    def written(self, number: int) -> str:
        """A number as Whisper writes it: mostly digits, sometimes words."""
        draw = self.random.random()
        if draw < (0.55 if number <= 10 else 0.8):
            return f"{number:,}"
        return words(number) if draw < 0.93 else words(number).replace("-", " ")
