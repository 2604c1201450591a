"""The keys that a caller presses, as the words of a typed turn. Sans I/O."""

from typing import Final

PAUSE_S: Final = 2.0  # people look for the next key
END: Final = "#"  # ends a number at once, as callers know it
MAX_KEYS: Final = 32  # of one turn; the rest is dropped
_KNOWN: Final = frozenset("0123456789*#ABCD")


class Keys:
    """Collects the keys of one turn: up to `#`, or until none has come for PAUSE_S."""

    def __init__(self) -> None:
        self._pressed = ""
        self._at = 0.0  # when the last one came

    def press(self, key: str, now: float) -> str:
        """Note a key; the words of the turn if it ends one, else ""."""
        if key in _KNOWN and len(self._pressed) < MAX_KEYS:
            self._pressed += key
            self._at = now
        return self._take() if key == END else ""

    def due(self, now: float) -> str:
        """The words of a turn if its pause is over; else ""."""
        return self._take() if self._pressed and now - self._at >= PAUSE_S else ""

    def _take(self) -> str:
        pressed, self._pressed = self._pressed.removesuffix(END) or END, ""
        return f"The caller pressed {' '.join(pressed)}."
