"""Claims sessions for this worker: new ones from the queue, orphans, those of dead workers.

It claims and reads many at a time, because a dead worker leaves many sessions.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import RedisError

from shared.audio import CHUNK_MS
from shared.errors import AntiphonError, NewerFormat
from shared.log import formats
from shared.log.meta import Meta
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer
from shared.redis_client.trouble import TroubleLog
from shared.settings import Settings
from shared.telemetry import REDIS_ERRORS, SESSIONS_ENDED, TAKEOVERS
from workers.engines.base import Traits
from workers.monitoring import gauges
from workers.runtime.conversation.memory import Fold
from workers.runtime.ownership.liveness import WATCH_S, Watch
from workers.runtime.ownership.rebuild import Rebuilt, rebuild

ROUND_S: Final = 0.02
BEAT_S: Final = 0.1
SWEEP_S: Final = 1.0
ORPHAN_S: Final = 1.0  # a session without an owner for this long is an orphan
TAKE_AT_ONCE: Final = 4  # new sessions a round, so that several workers share a rush
CLAIM_AT_ONCE: Final = 8  # orphans; other workers get the next ones meanwhile
# A worker's death is a session's last strike only after this many leases without a beat.
LAST_CHANCE_LEASES: Final = 5
RETRY_S: Final = 0.2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A session that was claimed and read; it waits for its slot."""

    sid: str
    owner: str
    rebuilt: Rebuilt


class Ownership:
    """Claims sessions for this worker and publishes that it lives."""

    def __init__(
        self,
        sessions: SessionLog,
        registry: Registry,
        settings: Settings,
        worker: str,
        *,
        traits: Traits,
        fold: Fold,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = sessions
        self.registry = registry
        self.settings = settings
        self.worker = worker
        self.traits = traits
        self.fold = fold
        self.arrivals: list[Arrival] = []
        self._clock = clock
        self._order = random.Random(worker)  # each worker begins with different orphans
        self._watch = Watch(settings.lease_ms / 1_000)
        self._owners: set[str] = set()  # workers that own some session
        self._orphans: dict[str, float] = {}  # session -> since when it has no owner
        self._newer: set[str] = set()  # sessions in a format that only a newer release reads
        self.lost: list[tuple[str, str]] = []  # (session, owner) that are no longer ours
        self._due = dict.fromkeys(("beat", "watch", "sweep"), 0.0)
        self._beat = -1
        self._shown_free = -1  # as last published
        self.takeovers = 0  # sessions that were another's, since the start

    async def run(
        self,
        status: Callable[[], dict[str, Any]],
        held: Callable[[], dict[str, str]],
        stopping: asyncio.Event,
    ) -> None:
        """Claim until `stopping`; publish `status`. Its "beat" counts the loop's turns.

        `held`: the sessions that have a slot here, and their owners.
        """
        trouble = TroubleLog()
        while not stopping.is_set():
            try:
                await self.round(status(), held())
            except (RedisError, OSError) as error:
                REDIS_ERRORS.inc()
                self._watch.blind(self._clock())
                if said := trouble.fail(error, self._clock()):
                    log.warning("no session is claimed: %s", said)
                await asyncio.sleep(RETRY_S)
            except Exception:  # the task's boundary: an odd record must not end every caller's
                log.exception("claiming sessions failed; trying again")
                await asyncio.sleep(RETRY_S)
            else:
                trouble.succeed()
            await asyncio.sleep(ROUND_S)

    async def round(self, status: dict[str, Any], held: Mapping[str, str]) -> None:
        """Do what is due. If the loop completed no turn since, neither beat nor claim."""
        if status["beat"] == self._beat:
            return
        self._beat = status["beat"]
        free = int(status["free"]) - len(self.arrivals)
        # Publish a freed slot at once: a caller may be waiting for it.
        if self._is_due("beat", BEAT_S) or free != self._shown_free:
            await self._show(status, free)
        died = self._is_due("watch", WATCH_S) and await self._look()
        if self._is_due("sweep", SWEEP_S) or died:
            free -= await self._sweep(held, free, slow=self._slow(status))
        if not self._slow(status):
            sids = await self.registry.take(min(free, TAKE_AT_ONCE))
            if claimed := await self._claim(dict.fromkeys(sids, "")):
                # Off the queue, they must count as taken slots before a gateway looks again.
                await self._show(status, free - claimed)

    async def _show(self, status: Mapping[str, Any], free: int) -> None:
        """Publish the status with this many free slots."""
        shown = {**status, "free": max(0, free)}
        gauges.show(shown)
        await self.registry.publish_worker(self.worker, shown)
        self._shown_free = free

    def _slow(self, status: Mapping[str, Any]) -> bool:
        """Whether one more caller would slow down the current ones.

        A worker without callers does not count as slow: only a caller can show its speed.
        """
        busy = int(status["free"]) < int(status["slots"])
        scale = float(status.get("step_limit_ms", CHUNK_MS)) / CHUNK_MS
        budget_ms = self.settings.gateway_step_budget_ms * scale
        return busy and float(status["step_p95_ms"]) > budget_ms

    def _is_due(self, what: str, every_s: float) -> bool:
        now = self._clock()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    async def _look(self) -> bool:
        """Look at the other workers; return whether one has died since."""
        shown, gateways = await self.registry.processes()
        self.log.writes = formats.common([*shown.values(), *gateways.values()])
        known_dead = self._watch.dead()
        beats: dict[str, int | None] = dict.fromkeys(self._owners - {self.worker})
        beats |= {w: int(s["beat"]) for w, s in shown.items() if w != self.worker}
        slowest = {w: s.get("slowest_step_ms", 0.0) / 1_000 for w, s in shown.items()}
        self._watch.look(beats, self._clock(), slowest)
        quiet = self._watch.quiet(self._clock())
        clients = {w: s["client"] for w, s in shown.items() if w in quiet and s.get("client")}
        if clients and (here := await self.registry.connected(clients.values())) is not None:
            self._watch.cut([worker for worker, client in clients.items() if client not in here])
        died = self._watch.dead() - known_dead
        for worker in sorted(died):
            cause = "its connection is gone" if worker in clients else "its beat stands still"
            log.warning("worker %s is dead: %s", worker, cause)
        return bool(died)

    async def _sweep(self, held: Mapping[str, str], free: int, *, slow: bool) -> int:
        """Repair the hints and claim sessions without a worker; return how many."""
        listed = set(await self.registry.sessions())
        sids = sorted(listed | set(held))
        metas = await self.log.metas(sids) if sids else []
        live = {meta.sid: meta for meta in metas if meta is not None and meta.state == "live"}
        await self.registry.forget(listed - set(live))
        await self.registry.relist((set(held) & set(live)) - listed)
        self.lost += [
            (sid, owner)
            for sid, owner in held.items()
            if sid not in live or live[sid].owner != owner
        ]
        self._owners = {meta.worker for meta in live.values()} - {""}
        self._newer &= set(live)
        dead = self._watch.dead()
        trying = any(meta.suspect and meta.strikes for s, meta in live.items() if s in held)
        loose = self._loose(live.values(), held, dead)
        # A new caller may find a faster worker; a call in progress must not wait.
        wanted = [meta for meta in loose if meta.k or not slow]
        claimed = await self._claim_orphans(_chosen(wanted, trying=trying)[:free])
        for worker in dead - self._owners:
            await self.registry.remove_worker(worker)
        return claimed

    def _loose(self, metas: Collection[Meta], held: Collection[str], dead: set[str]) -> list[Meta]:
        """The sessions of dead workers at once; after a while those without an owner here."""
        now = self._clock()
        mine = set(held) | {arrival.sid for arrival in self.arrivals}
        ownerless = [
            meta
            for meta in metas
            if not meta.owner or (meta.worker == self.worker and meta.sid not in mine)
        ]
        self._orphans = {meta.sid: self._orphans.get(meta.sid, now) for meta in ownerless}
        orphans = [meta for meta in ownerless if now - self._orphans[meta.sid] >= ORPHAN_S]
        # A worker on a slow machine looks dead too, and no call may end because of that.
        surely_dead = self._watch.dead(LAST_CHANCE_LEASES)
        deads = [m for m in metas if m.worker in (surely_dead if m.condemned else dead)]
        self._order.shuffle(deads)
        return deads + orphans

    async def _claim_orphans(self, metas: Sequence[Meta]) -> int:
        """Claim a few sessions at a time, since other workers claim too; return how many we got."""
        claimed = 0
        for at in range(0, len(metas), CLAIM_AT_ONCE):
            claimed += await self._claim({m.sid: m.owner for m in metas[at : at + CLAIM_AT_ONCE]})
        return claimed

    async def _claim(self, seen: Mapping[str, str]) -> int:
        """Claim the sessions if their owner is still the one `seen`, and rebuild them."""
        seen = {sid: owner for sid, owner in seen.items() if sid not in self._newer}
        if not seen:
            return 0
        answers = await self.log.claim_all(seen, self.worker, secrets.token_hex(4))
        ours = {sid: owner for sid, (answer, owner) in answers.items() if answer is Answer.STORED}
        await self.registry.forget(s for s, (answer, _) in answers.items() if answer is Answer.GONE)
        found = await self._rebuild(ours)
        for sid, rebuilt in found.items():
            if seen[sid]:
                TAKEOVERS.inc()
                self.takeovers += 1
            log.info("session %s is ours (%s, it was %r)", sid, ours[sid], seen[sid])
            self.arrivals.append(Arrival(sid=sid, owner=ours[sid], rebuilt=rebuilt))
        for sid, (answer, owner) in answers.items():
            if answer is Answer.POISONED:
                await self.quarantine(sid, owner, "its workers died with it")
        return len(found)

    async def rebuild(self, sid: str, owner: str) -> Rebuilt | None:
        """Rebuild one of our sessions from its log; None when it cannot go on and is ended."""
        return (await self._rebuild({sid: owner})).get(sid)

    async def _rebuild(self, owned: Mapping[str, str]) -> dict[str, Rebuilt]:
        """Rebuild our sessions from their logs; end those that cannot go on."""
        found: dict[str, Rebuilt] = {}
        sids = list(owned)
        answers = (
            await rebuild(self.log, sids, self.settings, self.traits, self.fold) if sids else []
        )
        for sid, answer in zip(sids, answers, strict=True):
            if isinstance(answer, NewerFormat):
                log.warning("session %s is left to a newer worker: %s", sid, answer)
                self._newer.add(sid)
                await self.log.release(sid, owned[sid])
            elif isinstance(answer, AntiphonError):
                log.warning("session %s cannot go on: %s", sid, answer)
                await self.give_up(sid, owned[sid], "unreadable")
            else:
                found[sid] = answer
        return found

    async def strike(self, sid: str, owner: str, reason: str) -> bool:
        """Log that our engine failed at this session alone; return whether we may try again."""
        answer = await self.log.strike(sid, owner)
        if answer is Answer.POISONED:
            await self.quarantine(sid, owner, reason)
        return answer is Answer.STORED

    async def quarantine(self, sid: str, owner: str, reason: str) -> None:
        """Give a session up; its log stays for a day, and its caller gets an error."""
        log.error("session %s is given up: %s", sid, reason)
        SESSIONS_ENDED.labels("poisoned").inc()
        if await self.log.quarantine(sid, owner) is Answer.STORED:
            await self.registry.add_dead(sid, self.worker, reason)

    async def give_up(self, sid: str, owner: str, reason: str) -> None:
        """End a session if it is still `owner`'s."""
        answer = await self.log.end(sid, "owner", owner)
        if answer is not Answer.FENCED:
            SESSIONS_ENDED.labels(reason).inc()
            await self.registry.forget([sid])

    async def leave(self) -> None:
        """Remove this worker from the list, so that no gateway counts its slots."""
        await self.registry.remove_worker(self.worker)

    async def hand_back(self, owned: Mapping[str, str]) -> None:
        """Put sessions (id -> owner) back into the queue, for another worker to claim."""
        await self.registry.requeue(await self.log.release_all(owned))


def _chosen(metas: Sequence[Meta], *, trying: bool) -> list[Meta]:
    """All sessions, but at most one of those that may have killed a worker.

    None of these while one is on trial here.
    """
    chosen: list[Meta] = []
    for meta in metas:
        if not (meta.suspect and trying):
            trying = trying or meta.suspect
            chosen.append(meta)
    return chosen
