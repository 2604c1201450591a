"""Spelling, the first and last letter, how many letters, and the alphabet. Pure."""

from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import Final

from workers.engines.cascade.exact.pattern import ASKING, Slot, Tool, of_type, tool, without
from workers.engines.cascade.exact.tokens import Nth, Token
from workers.models.text_to_speech.number_words import cardinal, ordinal

MOST_LETTERS: Final = 20
# Words for a word that was said before, or for any.
_POINTING: Final = frozenset("it that this them these those words something alphabet".split())


def _word(tokens: Sequence[Token], at: int) -> Iterator[tuple[str, int]]:
    """One word; of a number, its word."""
    if at >= len(tokens):
        return
    match tokens[at]:
        case str(word) if word.isalpha() and len(word) <= MOST_LETTERS and word not in _POINTING:
            yield word, at + 1
        case int(number) if len(word := cardinal(number)) <= MOST_LETTERS and word.isalpha():
            yield word, at + 1
        case Nth(number) if len(word := ordinal(number)) <= MOST_LETTERS and word.isalpha():
            yield word, at + 1


def _letter(tokens: Sequence[Token], at: int) -> Iterator[tuple[str, int]]:
    if at < len(tokens) and isinstance(one := tokens[at], str) and one in ascii_lowercase:
        yield one, at + 1


SLOTS: Final[dict[str, Slot]] = {
    "w": _word,
    "letter": _letter,
    "nth": of_type(Nth),
    "i": of_type(int),
}
# At the beginning of a turn alone: the word itself may be any of these.
GLUE: Final = without(ASKING, "the", "is")


def _spelled(w: str) -> str:
    return f"{w.capitalize()} is spelled {', '.join(w.upper())}."


def _first(w: str) -> str:
    return f"{w.capitalize()} begins with {w[0].upper()}."


def _last(w: str) -> str:
    return f"{w.capitalize()} ends with {w[-1].upper()}."


def _nth(w: str, nth: Nth) -> str:
    if not 1 <= nth.number <= len(w):
        return f"{w.capitalize()} has only {cardinal(len(w))} letters."
    return f"The {ordinal(nth.number)} letter of {w} is {w[nth.number - 1].upper()}."


def _many(w: str) -> str:
    letters = "letter" if len(w) == 1 else "letters"
    return f"{w.capitalize()} has {cardinal(len(w))} {letters}: {', '.join(w.upper())}."


def _vowels(w: str) -> str:
    found = [letter for letter in w.upper() if letter in "AEIOU"]
    vowels = "vowel" if len(found) == 1 else "vowels"
    named = f": {', '.join(found)}" if found else ""
    return f"{w.capitalize()} has {cardinal(len(found))} {vowels}{named}."


def _occurs(letter: str, w: str) -> str:
    count = w.count(letter)
    times = {1: "once", 2: "twice"}.get(count, f"{cardinal(count)} times")
    return f"{w.capitalize()} has {letter.upper()} {times}."


def _yes_no(right: bool, answer: str) -> str:
    return f"{'Yes' if right else 'No'}, {answer[0].lower()}{answer[1:]}"


def _backwards(w: str) -> str:
    return f"{w.capitalize()} backwards is {', '.join(w[::-1].upper())}."


def _next_letter(letter: str) -> str:
    at = ascii_lowercase.index(letter) + 1
    if at == len(ascii_lowercase):
        return "Z is the last letter."
    return f"After {letter.upper()} comes {ascii_lowercase[at].upper()}."


def _previous_letter(letter: str) -> str:
    at = ascii_lowercase.index(letter) - 1
    return (
        f"Before {letter.upper()} comes {ascii_lowercase[at].upper()}."
        if at >= 0
        else "A is the first."
    )


def _letter_at(nth: Nth) -> str:
    if not 1 <= nth.number <= len(ascii_lowercase):
        return ""
    letter = ascii_lowercase[nth.number - 1].upper()
    return f"The {ordinal(nth.number)} letter of the alphabet is {letter}."


def _place(letter: str) -> str:
    return f"{letter.upper()} is letter number {cardinal(ascii_lowercase.index(letter) + 1)}."


def _alphabet() -> str:
    return f"There are {cardinal(len(ascii_lowercase))} letters in the alphabet."


SPELLING: Final[Tool] = tool(
    GLUE,
    SLOTS,
    ("[count] many letters are|does [there] [in] the alphabet [have]", _alphabet),
    (
        "many vowels are|does [there] [in] the [english] alphabet [have]",
        lambda: "The alphabet has five vowels: A, E, I, O, U.",
    ),
    ("many vowels are|does [there] [in] [the] [word] {w} [have]", _vowels),
    (
        """
        spell|spells [the] [word] {w} [correctly|out]
        [is] [the] [correct|right] spelling of|for|is [the] [word] {w}
        [the] [word] {w} is spelled|spelt
        is [the] [word] {w} spelled|spelt|written
        [the] [word] {w} spelled|spelt
        write [the] [word] {w}
        is [the] [word] {w} written
        [the] letters of|in|for [the] [word] {w}
        letters make|makes|are|is|do [up] [in] [the] [word] {w}
        to spell [the] [word] {w}
        letters for [the] [word] {w}
        to write [the] [word] {w} is [it] spelled
        [the] [word] {w} how do|would you|i|we spell|write [that|this|it]
        [the] [word] {w} how is that|it|this spelled|spelt
        [the] [word] {w} is that|it spelled
        misspell [the] [word] {w}
        always misspell [the] [word] {w}
        spell out [the] [word] {w}
        the letters that make [up] [the] [word] {w}
        """,
        _spelled,
    ),
    (
        """
        [is] the first|initial letter of|in [the] [word] {w}
        first letter of|in [the] [word] {w}
        letter does [the] [word] {w} start|starts|begin|begins with|in
        [the] [word] {w} start|starts|begin|begins with
        [the] [word] {w} start|starts|begin|begins with which|what letter
        with letter does [the] [word] {w} begin|start
        """,
        _first,
    ),
    (
        """
        [is] the last|final letter of|in [the] [word] {w}
        last|final letter of|in [the] [word] {w}
        letter does [the] [word] {w} end|ends with|in|on
        [the] [word] {w} end|ends with|in [which|what] [letter]
        with letter does [the] [word] {w} end
        """,
        _last,
    ),
    ("[is] [the] {nth} letter of|in [the] [word] {w}", _nth),
    (
        """
        [count] [to] many letter|letters [are] in|of [the] [word] {w}
        many letters are [there] in [the] [word] {w}
        many letters in [the] [word] {w}
        many letters does|has|do [the] [word] {w} [have|got]
        [the] [word] {w} has|have how many letters
        many letters [the] [word] {w} has
        count the letters in|of [the] [word] {w}
        the number of letters in|of [the] [word] {w}
        long is the word {w}
        """,
        _many,
    ),
    (
        """
        spell [the] [word] {w} backwards|backward
        [the] [word] {w} backwards|backward
        """,
        _backwards,
    ),
    (
        """
        [the] letter [comes|is|follows] after [the] [letter] {letter}
        comes after [the] letter {letter}
        [the] next letter after {letter}
        letter follows {letter}
        """,
        _next_letter,
    ),
    (
        """
        [the] letter [comes|is] before [the] [letter] {letter}
        comes before [the] letter {letter}
        """,
        _previous_letter,
    ),
    (
        """
        [is] [the] {nth} letter of|in the alphabet
        [the] {nth} letter in alphabet
        """,
        _letter_at,
    ),
    ("[is] [the] last letter of|in the alphabet", lambda: "Z is the last letter."),
    ("many [letter] {letter} [are] [there] in [the] [word] {w}", _occurs),
    (
        "[the] [word] {w} start|starts|begin|begins with [the] [letter] [an|a] {letter}",
        lambda w, letter: _yes_no(w[0] == letter, _first(w)),
    ),
    (
        "[the] [word] {w} end|ends with|in [the] [letter] [an|a] {letter}",
        lambda w, letter: _yes_no(w[-1] == letter, _last(w)),
    ),
    (
        """
        number letter is {letter}
        letter number is {letter}
        number is the letter {letter}
        """,
        _place,
    ),
    inside=False,
)  # fmt: skip
ALPHABET: Final[Tool] = tool(
    f"""{without(ASKING, "what", "a", "an", "idea")} recite sing list whole full entire english go
    out loud from start to end beginning finish""",
    {},
    (
        """
        alphabet
        [what] [all] [26] letters of|in alphabet
        all [26] letters
        """,
        lambda: f"{', '.join(ascii_lowercase.upper())}.",
    ),
)  # fmt: skip
