"""Run one fault once: callers talk, the fault happens, they go on; then count every frame."""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import releases
from tests.chaos.caller import Caller, silences
from tests.chaos.deployment import Deployment
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.subject import ECHO, Subject
from tests.patience import PATIENCE_S, until

CALLERS: Final = 5
BEFORE_S: Final = 0.8
AFTER_S: Final = 1.2
# Frames come every 20 ms. The machine causes shorter silences, a fault longer ones.
NOTICED_S: Final = 0.15


@dataclass
class Count:
    """What one or more trials of a fault counted."""

    fault: str
    trials: int = 0
    calls: int = 0
    frames: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    foreign: int = 0
    skipped: int = 0  # frames that the server reported as lost for good
    ended: int = 0  # sessions that the server ended with an error
    unbounded: int = 0  # keys without a TTL
    holes: int = 0  # records missing in the middle of a stream
    refused: int = 0  # commands that Redis did not allow to a gateway or worker
    reasons: list[str] = field(default_factory=list)  # error codes of the ended sessions
    resumes_s: list[float] = field(default_factory=list)
    measures: list[tuple[str, float]] = field(default_factory=list)  # what the injection measured
    broken: list[str] = field(default_factory=list)  # why a trial did not come to its end

    def add(self, other: "Count") -> None:
        """Add the counts of another trial."""
        for name in self.__dataclass_fields__:
            if name != "fault":
                setattr(self, name, getattr(self, name) + getattr(other, name))

    def resume_ms(self, quantile: float) -> float | None:
        """A quantile of the callers' longest silences; None when no caller noticed any."""
        if not self.resumes_s:
            return None
        ordered = sorted(self.resumes_s)
        return 1_000 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]

    def broken_promises(self, fault: Fault, *, times: bool) -> list[str]:
        """The promises that did not hold; `times` adds those on durations."""
        names = ["lost", "doubled", "reordered", "foreign", "unbounded", "holes", "refused"]
        names += [] if fault.skips else ["skipped"]
        found = [name for name in names if getattr(self, name)]
        if self.ended > fault.ended * self.trials:
            found.append("ended")
        if not self.frames:
            found.append("silent")
        found += self.broken
        p95_ms = self.resume_ms(0.95)
        if times and fault.resume_p95_s and p95_ms and p95_ms > 1_000 * fault.resume_p95_s:
            found.append("slow")
        if times:
            found += [name for name, limit in fault.limits.items() if self.worst(name) > limit]
        return found

    def worst(self, name: str) -> float:
        """The largest value of one of the injection's measures."""
        return max((value for measure, value in self.measures if measure == name), default=0.0)


async def run_trial(
    deployment: Deployment, name: str, fault: Fault, seed: int, *, callers: int = CALLERS
) -> Count:
    """One trial. The same seed gives the same audio and the same choices."""
    rng = random.Random(f"{name}.{seed}")
    urls = deployment.proxied_urls(fault.delay_s) if fault.proxied else deployment.urls
    subject, log = deployment.subject, deployment.storage.client
    talkers = [Caller(urls, seed, number, subject, log) for number in range(1, callers + 1)]
    talking = [asyncio.create_task(talker.run()) for talker in talkers]
    try:
        await until(lambda: all(t.arrivals for t in talkers), lambda: _silent(talkers))
        await asyncio.sleep(BEFORE_S + rng.uniform(0, 0.5))
        injected_at = time.monotonic()
        measures = await fault.inject(deployment, talkers, rng)
        await asyncio.sleep(AFTER_S)
        unbounded = await asyncio.to_thread(deployment.unbounded)
        holes = await asyncio.to_thread(deployment.holes)
        for talker in talkers:
            talker.stop()
        await asyncio.wait(talking, timeout=PATIENCE_S)
    finally:
        for task in talking:
            task.cancel()
        results = await asyncio.gather(*talking, return_exceptions=True)
        deployment.close_proxies()
    for result in results:
        if isinstance(result, Exception):
            raise result
    await asyncio.to_thread(deployment.await_whole)
    count = counted(name, talkers, injected_at)
    count.unbounded, count.holes = len(unbounded), holes
    refused = await asyncio.to_thread(deployment.refusals)
    sys.stderr.writelines(f"{name}: Redis refused {what}\n" for what in refused)
    count.refused = len(refused)
    count.measures = list((measures or {}).items())
    return count


def repeated(
    name: str, ablation: str, trials: int, seed: int, callers: int, engine: str = "echo"
) -> Count | str:
    """Run all trials of one fault on processes of their own; a text says why it cannot run here.

    With an `ablation`, one trial on scripts without that guarantee.
    """
    fault = FAULTS[name]
    why = fault.setup.missing() or (fault.setup.old and releases.missing_engine(engine))
    if why:
        return why
    total = Count(name)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        deployment = Deployment(
            Path(folder),
            slots=max(32, 2 * callers),
            setup=fault.setup,
            ablation=ablation,
            subject=subject_of(engine, seed),
        )
        try:
            for trial in range(1 if ablation else trials):
                running = run_trial(deployment, name, fault, seed + trial, callers=callers)
                total.add(asyncio.run(running))
        except Exception as error:  # the table must still show the other faults
            total.broken.append(f"seed {seed + total.trials}: {error!r:.300}")
            sys.stderr.write(f"{name}: {error!r}\n{deployment.logs()}\n")
        finally:
            deployment.close()
    return total


def subject_of(engine: str, seed: int = 1) -> Subject:
    """What runs the trials of this engine; `seed` is that of its draws."""
    if engine == "echo":
        return ECHO
    from tests.chaos.talk import moshi  # it needs torch

    return moshi(seed)


def counted(name: str, callers: Sequence[Caller], injected_at: float) -> Count:
    """Count the frames of all calls, and the callers' silences since the fault."""
    count = Count(name, trials=1)
    for call in (call for caller in callers for call in caller.calls):
        ledger = call.ledger
        count.calls += 1
        count.frames += len(ledger.received)
        count.lost += ledger.lost(call.recorded_chunks(time.monotonic()))
        count.doubled += ledger.doubled
        count.reordered += ledger.reordered
        count.foreign += ledger.foreign
        count.skipped += len(ledger.skipped)
        count.ended += bool(ledger.ended_by)
        count.reasons += [ledger.ended_by] if ledger.ended_by else []
    for caller in callers:
        longest = max(silences(caller.arrivals, injected_at, time.monotonic()), default=0.0)
        if longest >= NOTICED_S:
            count.resumes_s.append(longest)
    return count


def _silent(callers: Sequence[Caller]) -> str:
    """What happened to the callers who got no frame."""
    found = {c.number: (c.refused, c.outcomes[-3:]) for c in callers if not c.arrivals}
    return f"no frame at these callers (refusals, last outcomes): {found}"
