"""How long to pause while Redis fails. Sans I/O."""

from typing import Final

FIRST_PAUSE_S: Final = 0.008
MAX_PAUSE_S: Final = 0.5
MAX_DOUBLINGS: Final = 9  # keeps the power small; the pause reaches its maximum earlier


class Backoff:
    """Doubles its pause with each failure in a row."""

    def __init__(self) -> None:
        self.failures = 0  # in a row

    @property
    def pause_s(self) -> float:
        """How long to wait before the next try; 0 after a success."""
        if not self.failures:
            return 0.0
        doublings = min(self.failures - 1, MAX_DOUBLINGS)
        return min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0**doublings)

    def fail(self) -> None:
        """A try failed."""
        self.failures += 1

    def succeed(self) -> None:
        """A try succeeded."""
        self.failures = 0
