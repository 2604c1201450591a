"""Which sessions this worker owns: new ones from the queue, orphans, those of dead workers.

A worker is dead when its beat stood still for the lease by OUR monotonic clock, counting only
time in which we could look: while Redis is away, everybody's beat stands still.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from shared.config import Settings
from shared.control import Control
from shared.errors import AntiphonError
from shared.streams import Answer, Meta, SessionLog
from shared.telemetry import REDIS_ERRORS, SESSIONS_ENDED, TAKEOVERS
from workers.engines.base import Opening
from workers.runtime.conversation import Conversation
from workers.runtime.rebuild import rebuild

ROUND_S: Final = 0.02
BEAT_S: Final = 0.1
WATCH_S: Final = 0.1
SWEEP_S: Final = 1.0
ORPHAN_S: Final = 1.0  # unowned for so long, a session is in nobody's hands
TAKE_AT_ONCE: Final = 4  # new sessions a round, so that several workers share a rush
HAND_BACK_AT_ONCE: Final = 4
# So long must a worker have stood still before its death is a session's last strike.
LAST_CHANCE_LEASES: Final = 5
RETRY_S: Final = 0.2
_LOOK_GAP_S: Final = 3 * WATCH_S  # a longer pause between two looks does not count as standing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session that was claimed and read; it waits for its seat."""

    sid: str
    owner: str
    talk: Conversation
    opening: Opening


class Watch:
    """How long each worker's beat has stood still, by this process's clock."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._seen: dict[str, tuple[int | None, float]] = {}  # beat, seconds it stood still
        self._looked_at: float | None = None

    def look(self, beats: Mapping[str, int | None], now: float) -> None:
        """The beats as Redis shows them now; None for a worker that shows none."""
        before = now if self._looked_at is None else self._looked_at
        passed = min(now - before, _LOOK_GAP_S)
        self._looked_at = now
        seen = {}
        for worker, beat in beats.items():
            known, still = self._seen.get(worker, (beat, -passed))
            seen[worker] = (beat, still + passed if beat == known else 0.0)
        self._seen = seen

    def dead(self, leases: float = 1) -> set[str]:
        """The workers that stood still for the lease, or for several."""
        least_s = leases * self.lease_s
        return {worker for worker, (_, still) in self._seen.items() if still >= least_s}


class Ownership:
    """Claims sessions for this worker and tells the others that it lives."""

    def __init__(
        self,
        sessions: SessionLog,
        control: Control,
        settings: Settings,
        worker: str,
        *,
        gated: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = sessions
        self.control = control
        self.settings = settings
        self.worker = worker
        self.gated = gated
        self.arrivals: list[Arrival] = []
        self._clock = clock
        self._watch = Watch(settings.lease_ms / 1_000)
        self._owners: set[str] = set()  # workers that some session names as its owner
        self._orphans: dict[str, float] = {}  # session -> since when it is in nobody's hands
        self.lost: list[tuple[str, str]] = []  # (session, owner) seen to be ours no more
        self._due = dict.fromkeys(("beat", "watch", "sweep"), 0.0)
        self._beat = -1

    async def run(
        self,
        status: Callable[[], dict[str, Any]],
        held: Callable[[], dict[str, str]],
        stopping: asyncio.Event,
    ) -> None:
        """Until `stopping`. `status` is published; its "beat" counts the loop's completed turns.

        `held`: the sessions that have a seat here, and their owners.
        """
        while not stopping.is_set():
            try:
                await self.round(status(), held())
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                log.warning("claiming sessions waits for Redis: %s", error)
                await asyncio.sleep(RETRY_S)
            except Exception:  # the task's boundary: an odd record must not end every caller's
                log.exception("claiming sessions failed; trying again")
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(ROUND_S)

    async def round(self, status: dict[str, Any], held: Mapping[str, str]) -> None:
        """What is due now. A loop that completed no turn since neither beats nor claims."""
        if status["beat"] == self._beat:
            return
        self._beat = status["beat"]
        free = int(status["free"]) - len(self.arrivals)
        if self._is_due("beat", BEAT_S):
            await self.control.beat(self.worker, {**status, "free": max(0, free)})
        died = self._is_due("watch", WATCH_S) and await self._look()
        if self._is_due("sweep", SWEEP_S) or died:
            free -= await self._sweep(held, free)
        for sid in await self.control.take(min(free, TAKE_AT_ONCE)):
            await self._claim(sid, "")

    def _is_due(self, what: str, every_s: float) -> bool:
        now = self._clock()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    async def _look(self) -> bool:
        """Look at the other workers; whether one has died since."""
        shown = await self.control.workers()
        known_dead = self._watch.dead()
        beats: dict[str, int | None] = dict.fromkeys(self._owners - {self.worker})
        beats |= {w: int(s["beat"]) for w, s in shown.items() if w != self.worker}
        self._watch.look(beats, self._clock())
        return bool(self._watch.dead() - known_dead)

    async def _sweep(self, held: Mapping[str, str], free: int) -> int:
        """Mend the hints and take what is in nobody's hands; how many were claimed."""
        listed = set(await self.control.sessions())
        sids = sorted(listed | set(held))
        metas = await self.log.metas(sids) if sids else []
        live = {meta.sid: meta for meta in metas if meta is not None and meta.state == "live"}
        await self.control.forget(listed - set(live))
        await self.control.mend((set(held) & set(live)) - listed)
        self.lost += [
            (sid, owner)
            for sid, owner in held.items()
            if sid not in live or live[sid].owner != owner
        ]
        self._owners = {meta.worker for meta in live.values()} - {""}
        dead = self._watch.dead()
        claimed = 0
        trying = any(meta.suspect and meta.strikes for s, meta in live.items() if s in held)
        for meta in self._loose(live.values(), held, dead):
            # Their workers died of one of them: one at a time, so that it takes nobody along.
            if claimed < free and not (meta.suspect and trying):
                trying = trying or meta.suspect
                claimed += await self._claim(meta.sid, meta.owner)
        for worker in dead - self._owners:
            await self.control.bury(worker)
        return claimed

    def _loose(self, metas: Collection[Meta], held: Collection[str], dead: set[str]) -> list[Meta]:
        """Sessions of the dead at once; those of nobody, or ours unknown to us, after a while."""
        now = self._clock()
        mine = set(held) | {arrival.sid for arrival in self.arrivals}
        nobodys = [
            meta
            for meta in metas
            if not meta.owner or (meta.worker == self.worker and meta.sid not in mine)
        ]
        self._orphans = {meta.sid: self._orphans.get(meta.sid, now) for meta in nobodys}
        orphans = [meta for meta in nobodys if now - self._orphans[meta.sid] >= ORPHAN_S]
        # What looks like death may be a machine that is too slow: no call is given up for that.
        surely_dead = self._watch.dead(LAST_CHANCE_LEASES)
        deads = [m for m in metas if m.worker in (surely_dead if m.condemned else dead)]
        return deads + orphans

    async def _claim(self, sid: str, seen: str) -> bool:
        """Own a session whose owner is still `seen`, and read where it stands."""
        answer, owner = await self.log.claim(sid, seen, self.worker, secrets.token_hex(4))
        if answer is Answer.GONE:
            await self.control.forget([sid])
        if answer is Answer.POISONED:
            await self.quarantine(sid, owner, "its workers died with it")
        if answer is not Answer.STORED or (found := await self.recall(sid, owner)) is None:
            return False
        talk, opening = found
        if seen:
            TAKEOVERS.inc()
        log.info("session %s is ours (%s, it was %r)", sid, owner, seen)
        self.arrivals.append(Arrival(sid, owner, talk, opening))
        return True

    async def recall(self, sid: str, owner: str) -> tuple[Conversation, Opening] | None:
        """Where a session of ours stands by its log; None when that ended it."""
        try:
            return await rebuild(self.log, sid, self.settings, gated=self.gated)
        except AntiphonError as error:
            log.warning("session %s cannot go on: %s", sid, error)
            await self.give_up(sid, owner, "unreadable")
            return None

    async def strike(self, sid: str, owner: str, reason: str) -> bool:
        """Our engine failed at this session alone; whether it is still ours to try again."""
        answer = await self.log.strike(sid, owner)
        if answer is Answer.POISONED:
            await self.quarantine(sid, owner, reason)
        return answer is Answer.STORED

    async def quarantine(self, sid: str, owner: str, reason: str) -> None:
        """Give a session up; its log is kept for a day, and its caller is told."""
        log.error("session %s is given up: %s", sid, reason)
        SESSIONS_ENDED.labels("poisoned").inc()
        if await self.log.quarantine(sid, owner) is Answer.STORED:
            await self.control.list_dead(sid, self.worker, reason)

    async def give_up(self, sid: str, owner: str, reason: str) -> None:
        """End a session that is still `owner`'s, and forget it."""
        SESSIONS_ENDED.labels(reason).inc()
        if await self.log.end(sid, "owner", owner) is not Answer.FENCED:
            await self.control.forget([sid])

    async def hand_back(self, owned: Mapping[str, str]) -> None:
        """Leave: sessions (id -> owner) go back into the queue, this worker off the list.

        In small groups, so that the first ones go on elsewhere while the last ones are given back.
        """
        await self.control.bury(self.worker)  # no gateway counts on our slots any more
        pairs = list(owned.items())
        for at in range(0, len(pairs), HAND_BACK_AT_ONCE):
            group = pairs[at : at + HAND_BACK_AT_ONCE]
            answers = await asyncio.gather(
                *(self.log.release(*pair) for pair in group), return_exceptions=True
            )
            freed = [a is Answer.STORED for a in answers]
            await self.control.requeue(
                sid for (sid, _), free in zip(group, freed, strict=True) if free
            )
