"""One fault, once: callers talk, it strikes, they go on; then everything is counted."""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.caller import Caller, silences
from tests.chaos.cluster import Cluster
from tests.chaos.faults import FAULTS, Fault

CALLERS: Final = 5
BEFORE_S: Final = 0.8
AFTER_S: Final = 1.2
# Frames come every 20 ms; a silence under this is the machine's, not the fault's.
NOTICED_S: Final = 0.15
READY_WITHIN_S: Final = 30.0
ENDS_WITHIN_S: Final = 60.0


@dataclass
class Count:
    """What one or more trials of a fault have shown."""

    fault: str
    trials: int = 0
    calls: int = 0
    frames: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    skipped: int = 0  # frames of which a caller was told that they would never come
    told: int = 0  # sessions that ended with a reason
    unbounded: int = 0  # keys without a TTL
    holes: int = 0  # records missing in the middle of a stream
    reasons: list[str] = field(default_factory=list)  # of the sessions that were told
    resumes_s: list[float] = field(default_factory=list)
    measures: list[tuple[str, float]] = field(default_factory=list)  # the strike's own
    broken: list[str] = field(default_factory=list)  # why a trial did not come to its end

    def add(self, other: "Count") -> None:
        """Take another trial's counts in."""
        for name in self.__dataclass_fields__:
            if name != "fault":
                setattr(self, name, getattr(self, name) + getattr(other, name))

    def resume_ms(self, quantile: float) -> float | None:
        """Of the longest silences that callers heard; None when nobody heard any."""
        if not self.resumes_s:
            return None
        ordered = sorted(self.resumes_s)
        return 1_000 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]

    def wrong(self, rule: Fault, *, times: bool) -> list[str]:
        """What breaks the promise; `times`: how long it took counts too."""
        names = ["lost", "doubled", "reordered", "foreign", "unbounded", "holes"]
        names += [] if rule.skips else ["skipped"]
        found = [name for name in names if getattr(self, name)]
        if self.told > rule.told * self.trials:
            found.append("told")
        if not self.frames:
            found.append("silent")
        found += self.broken
        p95_ms = self.resume_ms(0.95)
        if times and rule.resume_p95_s and p95_ms and p95_ms > 1_000 * rule.resume_p95_s:
            found.append("slow")
        if times:
            found += [name for name, limit in rule.limits.items() if self.worst(name) > limit]
        return found

    def worst(self, name: str) -> float:
        """The largest of a strike's own measure."""
        return max((value for measure, value in self.measures if measure == name), default=0.0)


async def run_trial(
    cluster: Cluster, name: str, fault: Fault, seed: int, *, callers: int = CALLERS
) -> Count:
    """One trial. The same seed gives the same audio and the same choices."""
    rng = random.Random(f"{name}.{seed}")
    urls = cluster.behind_proxies(fault.delay_s) if fault.proxied else cluster.urls
    people = [Caller(urls, seed, number) for number in range(1, callers + 1)]
    talking = [asyncio.create_task(person.run()) for person in people]
    try:
        await _all_heard(people)
        await asyncio.sleep(BEFORE_S + rng.uniform(0, 0.5))
        struck_at = time.monotonic()
        measures = await fault.strike(cluster, people, rng)
        await asyncio.sleep(AFTER_S)
        unbounded = await asyncio.to_thread(cluster.unbounded)
        holes = await asyncio.to_thread(cluster.holes)
        for person in people:
            person.stop()
        await asyncio.wait(talking, timeout=ENDS_WITHIN_S)
    finally:
        for task in talking:
            task.cancel()
        results = await asyncio.gather(*talking, return_exceptions=True)
        cluster.close_proxies()
    for result in results:
        if isinstance(result, Exception):
            raise result
    await asyncio.to_thread(cluster.await_whole)
    count = counted(name, people, struck_at)
    count.unbounded, count.holes = len(unbounded), holes
    count.measures = list((measures or {}).items())
    return count


def repeated(name: str, ablation: str, trials: int, seed: int, callers: int) -> Count | str:
    """All trials of one fault with processes of their own; or why there can be none here.

    One trial, when a promise is taken out of the scripts (`ablation`).
    """
    fault = FAULTS[name]
    if why := fault.setting.missing():
        return why
    total = Count(name)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        slots = max(32, 2 * callers)
        cluster = Cluster(Path(folder), slots=slots, setting=fault.setting, ablation=ablation)
        try:
            for trial in range(1 if ablation else trials):
                running = run_trial(cluster, name, fault, seed + trial, callers=callers)
                total.add(asyncio.run(running))
        except Exception as error:  # the other faults' table must still be had
            total.broken.append(f"seed {seed + total.trials}: {error!r:.300}")
            sys.stderr.write(f"{name}: {error!r}\n{cluster.logs()}\n")
        finally:
            cluster.close()
    return total


def counted(name: str, people: Sequence[Caller], struck_at: float) -> Count:
    """What became of all that was said."""
    count = Count(name, trials=1)
    for call in (call for person in people for call in person.calls):
        ledger = call.ledger
        count.calls += 1
        count.frames += len(ledger.heard)
        count.lost += ledger.lost(call.made(time.monotonic()))
        count.doubled += ledger.doubled
        count.reordered += ledger.reordered
        count.foreign += ledger.foreign
        count.skipped += len(ledger.skipped)
        count.told += bool(ledger.told)
        count.reasons += [ledger.told] if ledger.told else []
    for person in people:
        longest = max(silences(person.arrivals, struck_at, time.monotonic()), default=0.0)
        if longest >= NOTICED_S:
            count.resumes_s.append(longest)
    return count


async def _all_heard(people: Sequence[Caller]) -> None:
    """Until everybody has heard themselves."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not all(person.arrivals for person in people):
        if time.monotonic() > deadline:
            deaf = [p.number for p in people if not p.arrivals]
            told = {p.number: (p.refused, p.outcomes[-3:]) for p in people if not p.arrivals}
            raise TimeoutError(
                f"Expected all callers to hear themselves, got none by {deaf}: {told}"
            )
        await asyncio.sleep(0.02)
