"""Keeps the transcript of the caller's turn, in letters or words, and decides when to report it."""

from dataclasses import dataclass
from typing import Final

from shared.log.records import Heard

# Two minutes of fast speech have half as much. The log takes no record with a longer text.
MAX_BYTES: Final = 4_000


@dataclass(slots=True)
class Transcript:
    """The transcript of one turn: rough letters until an engine gives words."""

    letters: str = ""
    words: str = ""
    reported: int = 0  # how many letters of the text were reported
    finished_words: int = 0  # words of the turn's parts that have ended
    due: bool = False  # the turn is over, and its words are still to come
    # What `end` cleared, for a turn that is reopened.
    ended_letters: str = ""
    ended_words: str = ""
    ended_finished_words: int = 0

    def begin(self) -> None:
        """Start another turn."""
        self.letters, self.words, self.reported, self.finished_words = "", "", 0, 0
        self.ended_letters, self.ended_words, self.ended_finished_words = "", "", 0
        self.due = False

    def add_letters(self, letters: str) -> None:
        """Append more rough letters."""
        self.letters = _clipped(self.letters + letters).lstrip()

    def set_words(self, words: str) -> None:
        """Replace the words by all words of the turn so far; "" keeps those known."""
        words = " ".join(words.split()[self.finished_words :])
        if words and not self.words:
            self.reported = 0  # those were letters
        self.words = _clipped(words) or self.words

    def running(self) -> list[Heard]:
        """The turn so far, whenever another word of it is complete."""
        text = self._text
        whole = text.rfind(" ")
        if whole <= self.reported:
            return []
        self.reported = whole
        return [Heard(text=text[:whole], final=False, rough=self._rough)]

    def end(self) -> list[Heard]:
        """The whole turn, if it has any text; what follows is another turn or its next part."""
        text, rough = self._text.strip(), self._rough
        letters, words, finished = self.letters, self.words, self.finished_words
        self.begin()
        self.ended_letters, self.ended_words, self.ended_finished_words = letters, words, finished
        self.finished_words = finished + len(words.split())
        return [Heard(text=text, final=True, rough=rough)] if text else []

    def reopen(self) -> None:
        """The turn that ended last goes on: what follows is more of it."""
        if self.due:  # it was not reported as ended
            self.due, self.reported = False, 0
            return
        letters, words, finished = self.ended_letters, self.ended_words, self.ended_finished_words
        self.begin()
        self.letters, self.words, self.finished_words = letters, words, finished

    @property
    def _text(self) -> str:
        return self.words or self.letters

    @property
    def _rough(self) -> bool:
        return not self.words


def _clipped(text: str) -> str:
    """The text, or as much of it as a record may hold."""
    return text.encode()[:MAX_BYTES].decode(errors="ignore")
