"""Keeps the sessions that this worker holds, each with a slot of the batch and pending commits."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from msgspec import structs

from shared.errors import SessionLost
from shared.log.writes import Answer, Receipt, StepCommit
from workers.engines.base import Opening
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.step import Plan

# Redis with AOF everysec may lose its last second; the worker keeps two to append them again.
KEEP_COMMITS_S: Final = 2.5
KEEP_COMMITS: Final = 128  # per session; about 5 KB each while it speaks


@dataclass(slots=True)
class HeldSession:
    """One session in its slot."""

    sid: str
    owner: str
    slot: int
    conversation: Conversation
    read_to: int  # last input record fetched
    alive_at: float  # when the caller's side last wrote, monotonic seconds
    opening: Opening | None = None  # the engine has yet to open the slot with it
    planned: Plan | None = None  # its next step, for when the slot is open
    pending: deque[StepCommit] = field(default_factory=deque)  # not acknowledged, oldest first
    refused: bool = False  # the last commit failed with an error instead of an answer of the log
    stale: bool = False  # the engine failed: only the log has the session's state
    fetched: bool = False  # its input was read since it got its slot or was rebuilt
    isolated_until: int = 0  # up to this step the engine steps it alone
    _kept: deque[tuple[float, StepCommit]] = field(
        default_factory=lambda: deque(maxlen=KEEP_COMMITS)
    )

    @property
    def steppable(self) -> bool:
        """Whether it may be stepped: nothing runs ahead of the log or of the engine's state."""
        return not (self.pending or self.stale or self.opening)

    @property
    def resting(self) -> bool:
        """Whether a turn of the loop would do nothing for it."""
        held_up = self.pending or self.stale or self.opening or self.planned
        return not held_up and self.conversation.resting

    def hurries(self, may_continue: bool) -> bool:
        """Whether the loop's next turn can do something for it at once."""
        if self.pending:
            return not self.refused
        waits = self.opening or self.planned or self.stale
        return bool(waits) or self.conversation.ready(may_continue=may_continue)

    @property
    def isolated(self) -> bool:
        """Whether the engine steps it alone."""
        return self.conversation.state.step < self.isolated_until

    def restart(self, conversation: Conversation, opening: Opening) -> None:
        """Continue from the log, as a worker that takes the session over does."""
        self.conversation, self.opening = conversation, opening
        self.read_to = conversation.state.cursor
        self.stale = self.fetched = False
        self.planned = None

    def open_first(self, plan: Plan) -> None:
        """Open the slot with the plan's history, piece by piece, before the plan is stepped."""
        self.opening, self.planned = plan.opening, structs.replace(plan, opening=None)

    def receive(self, receipt: Receipt, now: float) -> None:
        """Take the log's answer to the oldest pending commit. Raises SessionLost."""
        if receipt.ok:
            self._kept.append((now, self.pending.popleft()))
            while self._kept[0][0] < now - KEEP_COMMITS_S:
                self._kept.popleft()
        elif receipt.answer is Answer.GAP:
            self._repair(receipt.last)
        else:
            raise SessionLost(f"Expected commits of {self.sid} stored, got {receipt.answer}")

    def _repair(self, last: int) -> None:
        """The log ends at step `last`: send the lost commits again first. Raises SessionLost."""
        lost = [commit for _, commit in self._kept if commit.first_step > last]
        if not lost or lost[0].first_step != last + 1:
            wanted = self.pending[0].first_step
            raise SessionLost(
                f"Expected the log of {self.sid} at step {wanted - 1}, got {last}: too much is lost"
            )
        self._kept = deque((kept for kept in self._kept if kept[1] not in lost), KEEP_COMMITS)
        self.pending.extendleft(reversed(lost))


class Slots:
    """Fixed slots; a session takes the lowest free one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.sessions: dict[str, HeldSession] = {}
        self.released = 0  # sessions that have left their slots since the start
        self._free = list(range(count - 1, -1, -1))

    @property
    def free(self) -> int:
        """How many slots are free."""
        return len(self._free)

    def take(
        self,
        sid: str,
        owner: str,
        conversation: Conversation,
        now: float,
        opening: Opening | None = None,
    ) -> HeldSession:
        """Give a session a slot. Raises IndexError when no slot is free."""
        session = HeldSession(
            sid=sid,
            owner=owner,
            slot=self._free.pop(),
            conversation=conversation,
            read_to=conversation.state.cursor,
            alive_at=now,
            opening=opening,
        )
        self.sessions[sid] = session
        return session

    def owners(self) -> dict[str, str]:
        """The sessions that have a slot, and the owner under which we hold each."""
        return {session.sid: session.owner for session in self.sessions.values()}

    def release(self, session: HeldSession) -> None:
        """Free a session's slot."""
        del self.sessions[session.sid]
        self.released += 1
        self._free.append(session.slot)
        self._free.sort(reverse=True)
