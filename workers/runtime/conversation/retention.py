"""Decides how much of the output log a session still needs; commits trim the rest."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from shared.log.records import OutputRecord, Speech

KEEP_PLAYED_FRAMES: Final = 100  # 2 s that a caller who resumes may still ask for
KEEP_FRAMES: Final = 750  # 15 s kept at most, played or not
KEEP_RECORDS: Final = 64  # the newest always stay: the gateway has yet to read them


class Retention:
    """The output records that hold speech, oldest first, as far as the log keeps them."""

    def __init__(self) -> None:
        self._spoken: deque[tuple[int, int]] = deque()  # (record, its last frame)
        self._given_up = 0  # the last speech that need not be kept

    def note(self, records: Iterable[tuple[int, OutputRecord]]) -> None:
        """Remember these records, which were written."""
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
        # Records between two of speech (a reply's start, its words) belong to the later one.
        oldest = self._given_up + 1 if self._spoken else last + 1
        return max(1, min(oldest, last + 1 - KEEP_RECORDS))
