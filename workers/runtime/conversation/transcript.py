"""What the caller seems to have said, letter by letter or in words, and when to tell it."""

from typing import Any, Final

from shared.log.records import Heard

MAX_LETTERS: Final = 1_000  # 20 s hold no more; the rest is left out


class Transcript:
    """The rough words of one turn: letters, until a model that knows words gives those."""

    def __init__(self) -> None:
        self._letters, self._words = "", ""
        self._told = 0  # letters of it that were told
        self._over = 0  # how many words the parts of the turn had that have ended

    def begin(self) -> None:
        """Another turn."""
        self._letters, self._words, self._told, self._over = "", "", 0, 0

    def hear(self, letters: str) -> None:
        """More letters of it."""
        self._letters = (self._letters + letters)[:MAX_LETTERS].lstrip()

    def correct(self, words: str) -> None:
        """All words of the turn so far, where the model knows them; '': what was known stays."""
        words = " ".join(words.split()[self._over :])
        if words and not self._words:
            self._told = 0  # of other letters
        self._words = words[:MAX_LETTERS] or self._words

    def running(self) -> list[Heard]:
        """The turn so far, when another word of it is over."""
        text = self._text
        whole = text.rfind(" ")
        if whole <= self._told:
            return []
        self._told = whole
        return [Heard(text[:whole], final=False)]

    def end(self) -> list[Heard]:
        """The turn, if anything was heard in it; what follows is another, or its next part."""
        text, over = self._text.strip(), self._over + len(self._words.split())
        self.begin()
        self._over = over
        return [Heard(text, final=True)] if text else []

    @property
    def _text(self) -> str:
        return self._words or self._letters

    def state(self) -> list[Any]:
        """What `restore` needs, as msgpack takes it."""
        return [self._letters, self._words, self._told, self._over]

    def restore(self, state: list[Any]) -> None:
        """Go on as the one that gave this state."""
        self._letters, self._words, self._told, self._over = state
