"""How much of its log a session still needs: the rest is trimmed with the next commit."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from shared.log.records import OutputRecord, Speech

KEEP_PLAYED_FRAMES: Final = 100  # 2 s that a caller who comes back may still ask for
KEEP_FRAMES: Final = 750  # 15 s kept at most, heard or not
KEEP_RECORDS: Final = 64  # the newest stay in any case: the gateway has yet to read them


class Retention:
    """The output records that hold speech, oldest first, as far as the log keeps them."""

    def __init__(self) -> None:
        self._spoken: deque[tuple[int, int]] = deque()  # (record, its last frame)
        self._given_up = 0  # the last speech that need not be kept

    def note(self, records: Iterable[tuple[int, OutputRecord]]) -> None:
        """These were written."""
        self._spoken.extend(
            (m, record.frame + record.frames - 1)
            for m, record in records
            if isinstance(record, Speech)
        )

    def oldest_output(self, last: int, frame: int, played: int) -> int:
        """The first output record to keep, when `last` and `frame` were written last."""
        horizon = max(played - KEEP_PLAYED_FRAMES, frame - KEEP_FRAMES)
        while self._spoken and self._spoken[0][1] <= horizon:
            self._given_up = self._spoken.popleft()[0]
        # What stands between two records of speech (a reply's start, its words) is the later's.
        oldest = self._given_up + 1 if self._spoken else last + 1
        return max(1, min(oldest, last + 1 - KEEP_RECORDS))
