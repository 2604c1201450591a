"""Turns Whisper's tokens into text: cuts loops, removes remarks, recognises silence. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Final

# A phrase repeated this often in a row, with this many tokens in all, is a loop of Whisper's. A
# caller's "no, no, no" is shorter.
LOOP_COPIES: Final = 3
LOOP_TOKENS: Final = 9

# Fitted on 1,129 turns that the energy VAD made of 28 kinds of sounds without speech. The speech
# was 640 utterances and 450 single words, clean, faint and in noise. docs/evaluation.md has the
# figures.
# Above this no-speech probability of Whisper's, nobody spoke to the assistant. People who talk at
# once in the background have a median of .74, sounds without speech at least .53.
NO_SPEECH: Final = 0.66
DOUBTFUL: Final = 0.38  # above this one, it must sound like speech and not read like a guess
VOICED_S: Final = 0.2  # of speech by Silero; single words had .22 and more, other sounds up to .16
IMPROBABLE: Final = -1.4  # mean log probability a token
IMPROBABLE_SHORT: Final = -2.0  # of a single word, which Whisper is never sure of
SHORT_S: Final = 1.3
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


def is_said(
    text: str, *, no_speech: float, log_prob: float, seconds: float, voiced_s: Callable[[], float]
) -> bool:
    """Whether a caller said this; if not, Whisper made it up from silence, noise or music.

    `seconds`: how long the sound is; `voiced_s`: measures how much of it is speech, if need be.
    """
    if not text or no_speech > NO_SPEECH:
        return False
    if no_speech <= DOUBTFUL:
        return True
    least = IMPROBABLE_SHORT if seconds < SHORT_S else IMPROBABLE
    return bare(text) not in HABITS and log_prob >= least and voiced_s() >= VOICED_S


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
