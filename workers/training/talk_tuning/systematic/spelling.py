"""Spelling, first and last letters, how many letters, and rhymes."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.numbers import capitalized, letters, listed, words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck
from workers.training.talk_tuning.systematic.word_list import COMMON, RHYMES

TOPIC: Final = "spelling"
WORDS: Final = tuple(dict.fromkeys(COMMON))
SPELL: Final = (
    "How do you spell {w}?",
    "How do you spell the word {w}?",
    "How is {w} spelled?",
    "How do I spell {w}?",
    "How do I write {w}?",
    "How do you write {w}?",
    "Spell {w}.",
    "Spell {w}, please.",
    "Spell the word {w}.",
    "Please spell {w}.",
    "Please spell {w} for me.",
    "Can you spell {w}?",
    "Can you spell {w} for me?",
    "Could you spell {w}, please?",
    "Could you spell the word {w}?",
    "What's the spelling of {w}?",
    "What is the correct spelling of {w}?",
    "What letters are in {w}?",
    "Which letters do I need for {w}?",
    "I don't know how to spell {w}.",
    "I always misspell {w}.",
    "I need to write {w}. How is it spelled?",
    "I forgot how to spell {w}.",
    "Tell me how to spell {w}.",
    "{w}, how do you spell that?",
    "{w}, how is that spelled?",
    "Would you spell {w} for me?",
    "Do you know how to spell {w}?",
    "My son wants to know how {w} is spelled.",
    "Give me the letters of {w}.",
)
SPELLED: Final = (
    "{L}.",
    "{L}.",
    "{W} is spelled {L}.",
    "{W} is spelled {L}.",
    "You spell {w} {L}.",
    "{W}. {L}.",
    "It's spelled {L}.",
)
MORE: Final = ("And {w}?", "And how about {w}?", "What about {w}?", "Now {w}.", "And the word {w}?")


def spellings(random: Random) -> Iterator[Conversation]:
    """One word, or two or three in a row."""
    caller = Caller(random)
    frames, answers, more = Deck(SPELL, random), Deck(SPELLED, random), Deck(MORE, random)
    deck = Deck(WORDS, random)

    def turn(frame: str, word: str) -> tuple[str, str]:
        answer = answers.deal().format(L=letters(word), w=word, W=capitalized(word))
        return caller.transcribed(frame.format(w=word)), answer

    while True:
        turns = [turn(frames.deal(), deck.deal())]
        if random.random() < 0.2:
            turns += [turn(more.deal(), deck.deal()) for _ in range(random.choice((1, 1, 2)))]
        yield several(TOPIC, *turns)


FIRST: Final = (
    "What's the first letter of {w}?",
    "Which letter does {w} start with?",
    "What letter does the word {w} begin with?",
    "What does {w} start with?",
    "{w} starts with which letter?",
    "Tell me the first letter of {w}.",
    "With what letter does {w} begin?",
    "Which is the first letter in {w}?",
    "I need the first letter of {w}.",
    "Does {w} start with a vowel? Which letter is it?",
)
LAST: Final = (
    "What's the last letter of {w}?",
    "Which letter does {w} end with?",
    "What letter does the word {w} end in?",
    "What does {w} end with?",
    "{w} ends with which letter?",
    "Tell me the last letter of {w}.",
    "With what letter does {w} end?",
    "Which is the last letter in {w}?",
    "I need the last letter of {w}.",
    "What is the final letter of {w}?",
)
HOW_MANY: Final = (
    "How many letters are in {w}?",
    "How many letters are there in the word {w}?",
    "How many letters does {w} have?",
    "Count the letters in {w}.",
    "Can you count the letters of {w}?",
    "What's the number of letters in {w}?",
    "How long is the word {w}?",
    "{w} has how many letters?",
    "Tell me how many letters {w} has.",
    "I want to know how many letters are in {w}.",
)


def first_letters(random: Random) -> Iterator[Conversation]:
    """Several wordings of the same question; a vowel question gets its yes or no."""
    caller, frames, deck = Caller(random), Deck(FIRST, random), Deck(WORDS, random)
    while True:
        word, frame = deck.deal(), frames.deal()
        letter = word[0].upper()
        if "vowel" in frame:
            is_vowel = letter in "AEIOU"
            answer = f"{'Yes' if is_vowel else 'No'}, {word} starts with {letter}."
        else:
            verb = random.choice(("starts with", "begins with", "starts with the letter"))
            answer = f"{capitalized(word)} {verb} {letter}."
        yield single(TOPIC, caller.ask(frame.format(w=word)), answer)


def last_letters(random: Random) -> Iterator[Conversation]:
    """Half of the answers spell the word first, which shows a small model the way."""
    caller, frames, deck = Caller(random), Deck(LAST, random), Deck(WORDS, random)
    while True:
        word = deck.deal()
        letter = word[-1].upper()
        answer = random.choice(
            (
                f"{capitalized(word)} is spelled {letters(word)}, so it ends with {letter}.",
                f"{capitalized(word)} ends with {letter}.",
            )
        )
        yield single(TOPIC, caller.ask(frames.deal().format(w=word)), answer)


def letter_counts(random: Random) -> Iterator[Conversation]:
    """Most answers spell the word first."""
    caller, frames, deck = Caller(random), Deck(HOW_MANY, random), Deck(WORDS, random)
    while True:
        word = deck.deal()
        count = f"{words(len(word))} letters"
        spelled = f"{letters(word)}. That's {count}."
        answer = random.choice(
            (spelled, spelled, f"{capitalized(word)} has {count}, {letters(word)}.")
        )
        yield single(TOPIC, caller.ask(frames.deal().format(w=word)), answer)


RHYME_TOPIC: Final = "rhymes"
RHYME: Final = (
    "What rhymes with {w}?",
    "What rhymes with the word {w}?",
    "Which words rhyme with {w}?",
    "Which word rhymes with {w}?",
    "Give me a rhyme for {w}.",
    "Give me a word that rhymes with {w}.",
    "Tell me a word that rhymes with {w}.",
    "Can you find a rhyme for {w}?",
    "Can you think of a word that rhymes with {w}?",
    "I need a rhyme for {w}.",
    "I need something that rhymes with {w}.",
    "I'm writing a poem. What rhymes with {w}?",
    "Do you know a word that rhymes with {w}?",
    "Do you know any rhymes for {w}?",
    "Is there a rhyme for {w}?",
    "Find me a rhyme for {w}, please.",
    "Rhyme with {w}.",
    "Something that rhymes with {w}?",
    "Name a word that rhymes with {w}.",
    "Which word sounds like {w}?",
    "What could I rhyme with {w}?",
    "Please rhyme {w} with something.",
    "My daughter needs a rhyme for {w}.",
    "Help me find a rhyme for {w}.",
    "A rhyme for {w}, please.",
)
ANOTHER: Final = ("Another one?", "One more, please.", "And another?", "Do you have another one?")


def rhymes(random: Random) -> Iterator[Conversation]:
    """One rhyme or several, yes and no questions, and "another one"."""
    caller, frames = Caller(random), Deck(RHYME, random)
    groups, another = Deck(RHYMES, random), Deck(ANOTHER, random)
    while True:
        group = random.sample(groups.deal(), 2)
        whole = next(g for g in RHYMES if set(group) <= set(g))
        word, rhyme = group
        others = [w for w in whole if w not in group]
        stated = f"{capitalized(rhyme)} rhymes with {word}"
        if random.random() < 0.25:
            yield _rhyme_check(caller, word, rhyme, random)
        elif others and random.random() < 0.3:
            first = (caller.ask(frames.deal().format(w=word)), f"{stated}.")
            second = (another.deal(), f"{capitalized(others[0])} also rhymes with {word}.")
            yield several(RHYME_TOPIC, first, second)
        else:
            end = f", and so does {others[0]}" if len(others) == 1 else ""
            if len(others) > 1:
                end = f", and so do {listed(others[:2])}"
            yield single(RHYME_TOPIC, caller.ask(frames.deal().format(w=word)), f"{stated}{end}.")


def _rhyme_check(caller: Caller, word: str, rhyme: str, random: Random) -> Conversation:
    """ "Do cat and hat rhyme?" Half of the pairs do not."""
    asked = rhyme
    if random.random() < 0.5:
        # The first sounds differ enough that no two of these groups rhyme with each other.
        other = random.choice([g for g in (RHYMES[0], RHYMES[1], RHYMES[10]) if word not in g])
        asked = random.choice(other[:2])
    is_rhyme = asked == rhyme
    frame = random.choice(
        ("Does {a} rhyme with {b}?", "Do {b} and {a} rhyme?", "Is {a} a rhyme for {b}?")
    )
    if is_rhyme:
        answer = f"Yes, {asked} and {word} rhyme."
    else:
        answer = f"No, {asked} doesn't rhyme with {word}, but {rhyme} does."
    return single(RHYME_TOPIC, caller.ask(frame.format(a=asked, b=word)), answer)
