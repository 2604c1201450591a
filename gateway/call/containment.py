"""Keeps a fault in one session from reaching the others."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final

from gateway.protocol.errors import CallError, ErrorCode

logger: Final = logging.getLogger(__name__)


class Containment:
    """A context in which an exception ends one session.

    It is a class, since a generator as a context takes much longer, and each chunk passes several.
    """

    __slots__ = ("_fail", "_message", "_sid")

    def __init__(self, sid: str, message: str, fail: Callable[[CallError], None]) -> None:
        """`fail` closes the session's socket; `message` is what its client reads of a fault."""
        self._sid = sid
        self._message = message
        self._fail = fail

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """End the session with the block's exception; a cancellation and the like pass."""
        if error is None or not isinstance(error, Exception):
            return False
        if not isinstance(error, CallError):
            logger.error("session %s: %s", self._sid, self._message, exc_info=error)
            error = CallError(ErrorCode.INTERNAL, self._message)
        self._fail(error)
        return True
