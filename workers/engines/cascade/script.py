"""Decides which words of a growing reply the voice can speak next. Pure.

The voice speaks a sentence in pieces while the model still writes it. A piece needs two words of
look-ahead, so that its melody continues. The first piece is short, so that it starts soon.
"""

import re
from dataclasses import dataclass
from typing import Final

FIRST_WORDS: Final = 3  # in the reply's first piece, where its first sentence is longer
PIECE_WORDS: Final = 6  # about 2.4 s: a piece must fit within the lead of 4 s
LOOK_AHEAD: Final = 2
# A sentence ends at its mark, and quotes after it, if a space or the text's end follows.
_END: Final = re.compile(r"[.!?]+[\"')\]]*(?=\s)|\n+")


@dataclass(frozen=True, slots=True)
class SpeechPiece:
    """The next words for the voice."""

    sentence: str  # the text so far, with the look-ahead
    since: int  # words of it already spoken
    whole: bool  # the sentence ends here


@dataclass(slots=True)
class Script:
    """The text of one reply, and how much of it the voice has spoken."""

    text: str = ""
    complete: bool = False  # the model has ended it
    sentence: int = 0  # character at which the present sentence begins
    said: int = 0  # words of the present sentence that were spoken

    def write(self, text: str, *, complete: bool) -> None:
        """Append to the reply's text."""
        self.text += text
        self.complete = self.complete or complete

    @property
    def over(self) -> bool:
        """Whether all of a complete reply was spoken."""
        return self.complete and not self.text[self.sentence :].strip()

    @property
    def waiting(self) -> int:
        """The number of words written and not yet spoken."""
        return max(0, len(self.text[self.sentence :].split()) - self.said)

    def next(self) -> SpeechPiece | None:
        """The next piece to speak; None if the text must grow first, or the reply is over."""
        sentence, whole = self._sentence()
        words = sentence.split()
        if not words:
            return None
        left = len(words) - self.said
        most = FIRST_WORDS if self.sentence == 0 and self.said == 0 else PIECE_WORDS
        if whole and left <= most + LOOK_AHEAD:
            return SpeechPiece(sentence.strip(), self.said, whole=True)
        if left < most + LOOK_AHEAD:
            return None
        known = words[: self.said + most + LOOK_AHEAD]
        return SpeechPiece(" ".join(known), self.said, whole=False)

    def spoken(self, piece: SpeechPiece, said: int) -> None:
        """Record that the voice has spoken a piece, and `said` words of its sentence by now."""
        if not piece.whole:
            self.said = said
            return
        self.sentence += len(self._sentence()[0])
        self.said = 0

    def _sentence(self) -> tuple[str, bool]:
        """The present sentence so far, with the space around it, and whether it is whole."""
        rest = self.text[self.sentence :]
        start = len(rest) - len(rest.lstrip())
        end = _END.search(rest, start)
        if end is not None:
            return rest[: end.end()], True
        # The last word may still grow while the model writes.
        if self.complete:
            return rest, True
        return rest[: max(rest.rfind(" "), 0)], False
