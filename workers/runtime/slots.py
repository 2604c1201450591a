"""The sessions that this worker holds: a slot of the batch each, and what Redis still owes them."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from shared.errors import SessionLost
from shared.log.writes import Answer, Receipt, StepCommit
from workers.engines.base import Opening
from workers.runtime.conversation.conversation import Conversation

# Redis with AOF everysec may lose its last second; two are kept to append them again.
KEEP_COMMITS_S: Final = 2.5
KEEP_COMMITS: Final = 128  # per session; about 5 KB each while it speaks


@dataclass(slots=True)
class Seat:
    """One session in its slot."""

    sid: str
    owner: str
    slot: int
    talk: Conversation
    read_to: int  # last input record fetched
    alive_at: float  # when the caller's side was last heard of, monotonic seconds
    opening: Opening | None = None  # the engine has yet to open the slot with it
    pending: deque[StepCommit] = field(default_factory=deque)  # not acknowledged, oldest first
    refused: bool = False  # the last commit failed, for no reason that the log gave
    stale: bool = False  # the engine failed: the log alone says where the session stands
    fetched: bool = False  # its input was read since it was seated or rebuilt
    alone_until: int = 0  # up to this step it is stepped by itself
    _kept: deque[tuple[float, StepCommit]] = field(
        default_factory=lambda: deque(maxlen=KEEP_COMMITS)
    )

    @property
    def able(self) -> bool:
        """Whether it may be stepped: nothing runs ahead of the log or of the engine's state."""
        return not (self.pending or self.stale or self.opening)

    @property
    def alone(self) -> bool:
        """Whether it is stepped by itself."""
        return self.talk.step < self.alone_until

    def again(self, talk: Conversation, opening: Opening) -> None:
        """Go on from what the log says, as a worker that takes it over does."""
        self.talk, self.opening = talk, opening
        self.read_to = talk.cursor
        self.stale = self.fetched = False

    def received(self, receipt: Receipt, now: float) -> None:
        """What the log said to the oldest pending commit. Raises SessionLost."""
        if receipt.ok:
            self._kept.append((now, self.pending.popleft()))
            while self._kept[0][0] < now - KEEP_COMMITS_S:
                self._kept.popleft()
        elif receipt.answer is Answer.GAP:
            self._repair(receipt.last)
        else:
            raise SessionLost(f"Expected commits of {self.sid} stored, got {receipt.answer}")

    def _repair(self, last: int) -> None:
        """The log ends at step `last`: what it lost goes first again. Raises SessionLost."""
        again = [commit for _, commit in self._kept if commit.first_step > last]
        if not again or again[0].first_step != last + 1:
            wanted = self.pending[0].first_step
            raise SessionLost(
                f"Expected the log of {self.sid} at step {wanted - 1}, got {last}: too much is lost"
            )
        self._kept = deque((kept for kept in self._kept if kept[1] not in again), KEEP_COMMITS)
        self.pending.extendleft(reversed(again))


class Slots:
    """Fixed slots; a session takes the lowest free one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seats: dict[str, Seat] = {}
        self._free = list(range(count - 1, -1, -1))

    @property
    def free(self) -> int:
        """How many are free."""
        return len(self._free)

    def take(
        self,
        sid: str,
        owner: str,
        talk: Conversation,
        now: float,
        opening: Opening | None = None,
    ) -> Seat:
        """Seat a session. Raises IndexError when no slot is free."""
        seat = Seat(sid, owner, self._free.pop(), talk, talk.cursor, now, opening)
        self.seats[sid] = seat
        return seat

    def leave(self, seat: Seat) -> None:
        """Free a session's slot."""
        del self.seats[seat.sid]
        self._free.append(seat.slot)
        self._free.sort(reverse=True)
