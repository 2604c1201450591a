"""Turns Whisper's tokens into text: cuts loops, removes remarks, recognises silence. Pure."""

import re
from collections.abc import Sequence
from typing import Final

# A phrase repeated this often in a row, with this many tokens in all, is a loop of Whisper's. A
# caller's "no, no, no" is shorter.
LOOP_COPIES: Final = 3
LOOP_TOKENS: Final = 9

# Fitted on 264 clips without speech (noises, tones, tunes, coughs, breaths, babble) against 392
# utterances of nine synthetic voices, clean and in noise. On 252 clips of 18 kinds and 406
# utterances of other voices: invented words .4 % (without: 88 %), speech lost 1.0 %, all of it
# single words.
NO_SPEECH: Final = 0.66  # above this probability, nobody spoke
# Ringing had words in 4 of 384 clips with .50 here, in none with .44. Of 165 utterances by other
# voices this loses none, and at 10 dB the same one as .50.
DOUBTFUL: Final = 0.38  # above this one too, if the words are improbable or a habit
IMPROBABLE: Final = -1.4  # mean log probability a token
# What Whisper writes for silence: the last words of videos that it was trained on.
HABITS: Final = frozenset(
    ("you", "you you", "thank you", "thank you very much", "thank you for watching",
     "thanks for watching", "bye", "bye bye")
)  # fmt: skip

_REMARK: Final = re.compile(r"\[[^\]]*\]?|\([^)]*\)?|\*[^*]*\*|[♪♫]+")
_SPACES: Final = re.compile(r"\s+")
_WORDS: Final = re.compile(r"[\w']+")


def bare(text: str) -> str:
    """The words alone, in lower case."""
    return " ".join(_WORDS.findall(text.lower()))


def is_said(text: str, no_speech: float, log_prob: float) -> bool:
    """Whether a caller said this; if not, Whisper made it up from silence, noise or music."""
    if not text or no_speech > NO_SPEECH:
        return False
    habit = bare(text) in HABITS
    return no_speech <= DOUBTFUL or not (habit or log_prob < IMPROBABLE)


def _byte_of_character() -> dict[str, int]:
    """GPT-2's table: each byte as a printable character."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


_BYTES: Final = _byte_of_character()


def spelled(tokens: Sequence[str]) -> str:
    """Tokens of a byte-level vocabulary -> text, without control tokens."""
    letters = "".join(t for t in tokens if not (t.startswith("<|") and t.endswith("|>")))
    return bytes(_BYTES[c] for c in letters if c in _BYTES).decode(errors="ignore")


def without_loop(tokens: Sequence[str]) -> list[str]:
    """The tokens up to the first copy of a phrase that Whisper then repeats in a loop."""
    for start in range(len(tokens)):
        for size in range(1, (len(tokens) - start) // LOOP_COPIES + 1):
            phrase = tokens[start : start + size]
            copies = 1
            while tokens[start + copies * size : start + (copies + 1) * size] == phrase:
                copies += 1
            if copies >= LOOP_COPIES and copies * size >= LOOP_TOKENS:
                return list(tokens[: start + size])
    return list(tokens)


def without_remarks(text: str) -> str:
    """The text without "[MUSIC]", "(laughs)" and notes; "" if no word is left."""
    plain = _SPACES.sub(" ", _REMARK.sub(" ", text)).strip().lstrip(".,;:!?-–— ")
    return plain if _WORDS.search(plain) else ""
