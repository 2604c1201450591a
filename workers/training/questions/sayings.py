"""Families of requests about words: repeat a word, or spell it."""

from typing import Final

from workers.training.questions.lexicon import ordinary_words, pronunciations
from workers.training.questions.question_families import QuestionFamily, form

REPEATED: Final = 1400
SPELLED: Final = 260
_FIRST: Final = 150  # the most frequent words are short and sound alike
# Words that the assistant must not say.
_LEFT_OUT: Final = frozenset(
    "fuck fucking fucked shit bullshit bitch bitches ass asshole damn goddamn bastard bastards "
    "dick cock pussy whore whores slut tits sex sexy porn rape raped nigga niggas nigger faggot "
    "cunt crap piss pissed hell nazi nazis kill killed murder suicide jesus allah".split()
)


def _plain(word: str) -> bool:
    return 4 <= len(word) <= 9 and word not in _LEFT_OUT


def _repeated() -> list[str]:
    """Frequent words with different pronunciations."""
    found: dict[tuple[str, ...], str] = {}
    for word in ordinary_words()[_FIRST:]:
        if _plain(word):
            found.setdefault(pronunciations()[word], word)
        if len(found) == REPEATED:
            break
    return list(found.values())


_WORDS: Final = _repeated()

REPEATS: Final = QuestionFamily(
    "repeat",
    tuple({"x": word} for word in _WORDS),
    (
        form(
            "you said {x}.",
            "repeat after me, {x} | please say {x} | say the word {x} | can you say {x}?"
            "| please repeat the word {x}"
            "| say {x} after me | let me hear you say {x} | would you repeat {x} for me?"
            "| i would like to hear the word {x} | the word to say is {x} | try to say {x}",
            "could you say the word {x}? | i want you to say {x}",
        ),
    ),
    compositional=True,
    weight=8.0,
)
SPELLINGS: Final = QuestionFamily(
    "spelling",
    tuple(
        {"x": word, "letters": ", ".join(word)}
        for word in [word for word in _WORDS if len(word) <= 6][:SPELLED]
    ),
    (
        form(
            "{x} is spelled {letters}.",
            "how do you spell {x}? | how is {x} spelled? | spell the word {x} | please spell {x}"
            "| can you spell {x}?"
            "| what is the spelling of {x}? | give me the letters of {x} | spell {x} for me"
            "| i need the spelling of {x} | which letters make the word {x}?"
            "| how would you write {x}?",
            "could you spell the word {x}? | tell me how to spell {x}",
        ),
    ),
    compositional=True,
    weight=4.0,
)

SAYINGS: Final = (REPEATS, SPELLINGS)
