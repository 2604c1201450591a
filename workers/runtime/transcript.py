"""What the caller seems to have said, letter by letter or in words, and when to tell it."""

from typing import Any, Final

from shared.messages import Heard

MAX_LETTERS: Final = 1_000  # 20 s hold no more; the rest is left out


class Transcript:
    """The rough words of one turn."""

    def __init__(self) -> None:
        self._text = ""
        self._told = 0  # letters of it that were told

    def begin(self) -> None:
        """Another turn, or another part of one."""
        self._text, self._told = "", 0

    def hear(self, letters: str) -> None:
        """More of it."""
        self._text = (self._text + letters)[:MAX_LETTERS].lstrip()

    def correct(self, words: str) -> None:
        """What the turn was after all, where the model knows words; '': the letters stay."""
        self._text = words[:MAX_LETTERS] or self._text

    def running(self) -> list[Heard]:
        """The turn so far, when another word of it is over."""
        whole = self._text.rfind(" ")
        if whole <= self._told:
            return []
        self._told = whole
        return [Heard(self._text[:whole], final=False)]

    def end(self) -> list[Heard]:
        """The turn, if anything was heard in it; what follows is another."""
        text = self._text.strip()
        self.begin()
        return [Heard(text, final=True)] if text else []

    def state(self) -> list[Any]:
        """What `restore` needs, as msgpack takes it."""
        return [self._text, self._told]

    def restore(self, state: list[Any]) -> None:
        """Go on as the one that gave this state."""
        self._text, self._told = state
