"""A server of the tests in a thread of its own, so that a test can drive a browser meanwhile."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.patience import PATIENCE_S

_T = TypeVar("_T")


class LoopThread:
    """Opens when its block begins and stops at its end; both happen in the thread's loop."""

    port = 0  # at which it listens

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            self._run(self._stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _open(self) -> int:
        """Begin to serve; the port."""
        raise NotImplementedError

    async def _stop(self) -> None:
        """Serve no more."""
        raise NotImplementedError
