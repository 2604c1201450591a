"""A load that rises and falls on real processes, and an autoscaler that follows Prometheus.

`make scaling` writes the curve. The autoscaler's windows are shorter than the chart's, so the run
takes only minutes. Ten quiet minutes become 8 s, and a pod a minute becomes one every 4 s.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment, Setup
from tests.chaos.trial import Count, counted
from tests.operations.autoscaler import Autoscaler
from tests.operations.prometheus import Prometheus
from tests.operations.scaling_run import FleetSample, ScalingRun
from tests.patience import PATIENCE_S, until

SLOTS: Final = 6
LEAST: Final = 2  # workers, as in the chart
FEWEST: Final = 2  # callers
MOST: Final = 24
# Shares of the run's time; then the fewest callers stay.
RISE: Final = 0.45
HOLD: Final = 0.1
FALL: Final = 0.25
EVERY_S: Final = 1.0
QUIET_S: Final = 8.0
PERIOD_S: Final = 4.0
FOLDER: Final = Path("docs/plots")
# The run judges the autoscaler; a busy machine must not refuse callers for its slow steps.
SETUP: Final = Setup(env={"GATEWAY_STEP_BUDGET_MS": "10000"})


def callers_at(share: float) -> int:
    """How many callers there are when this share of the run's time is over."""
    fallen = max(0.0, min(1.0, (share - RISE - HOLD) / FALL))
    level = share / RISE if share < RISE else 1 - fallen
    return round(FEWEST + (MOST - FEWEST) * level)


class Scaling:
    """One run."""

    def __init__(self, deployment: Deployment, prometheus: Prometheus, seconds: float) -> None:
        self._deployment = deployment
        self._prometheus = prometheus
        most = round(MOST / (SLOTS * 0.6)) + 1
        self._scaler = Autoscaler(SLOTS, LEAST, most, quiet_s=QUIET_S, period_s=PERIOD_S)
        self._run = ScalingRun(seconds)
        self._callers: list[Caller] = []
        self._talking: list[asyncio.Task[None]] = []
        self._moving: set[asyncio.Task[None]] = set()  # workers that start or leave

    async def run(self) -> ScalingRun:
        """Raise and lower the load, follow it, and count."""
        await until(self._is_seen)
        begun = time.monotonic()
        while (at_s := time.monotonic() - begun) < self._run.seconds:
            self._set_callers(callers_at(at_s / self._run.seconds))
            await self._follow(at_s)
            await asyncio.sleep(EVERY_S)  # the pace of the samples
        for caller in self._callers:
            caller.stop()
        await asyncio.wait(self._talking, timeout=PATIENCE_S)
        await asyncio.gather(*self._moving)
        self._count(counted("scaling", self._callers, begun))
        return self._run

    async def _is_seen(self) -> bool:
        return await self._ask("antiphon:fleet_slots:sum") == LEAST * SLOTS

    def _set_callers(self, wanted: int) -> None:
        """The callers who came first hang up first."""
        active = [caller for caller in self._callers if not caller.stopping]
        for caller in active[: max(0, len(active) - wanted)]:
            caller.stop()
        for _ in range(wanted - len(active)):
            caller = Caller(self._deployment.urls, 1, len(self._callers) + 1)
            self._callers.append(caller)
            self._talking.append(asyncio.create_task(caller.run()))

    async def _follow(self, at_s: float) -> None:
        """Ask Prometheus and let workers come or go."""
        asked = ("antiphon:fleet_callers:sum", "antiphon:fleet_free_slots:sum")
        callers, free = [await self._ask(name) for name in asked]
        slots = await self._ask("antiphon:fleet_slots:sum")
        workers = self._deployment.workers
        talking = sum(not caller.stopping for caller in self._callers)
        self._run.samples.append(FleetSample(round(at_s, 1), talking, callers, slots, len(workers)))
        change = self._scaler.change(callers, free, len(workers), at_s)
        for _ in range(change):
            self._move(self._start())
        if change < 0 and not self._moving:
            self._move(self._leave())

    async def _ask(self, expression: str) -> float:
        return await asyncio.to_thread(self._prometheus.value, expression) or 0.0

    def _move(self, moving: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(moving)
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)

    async def _start(self) -> None:
        await asyncio.to_thread(self._deployment.start_worker)
        self._scrape()

    async def _leave(self) -> None:
        """SIGTERM: the worker hands its calls over and exits."""
        worker = self._deployment.workers[0]
        await asyncio.to_thread(worker.terminate)
        self._deployment.workers.remove(worker)
        self._scrape()

    def _scrape(self) -> None:
        self._prometheus.scrape(targets(self._deployment))

    def _count(self, count: Count) -> None:
        run = self._run
        run.refused = sum(caller.refused for caller in self._callers)
        run.calls, run.frames, run.ended = count.calls, count.frames, count.ended
        run.lost, run.doubled = count.lost + count.skipped, count.doubled


def targets(deployment: Deployment) -> dict[str, list[int]]:
    """The ports that Prometheus scrapes, by job."""
    return {
        "gateway": deployment.ports,
        "worker": [deployment.metrics_port(worker) for worker in deployment.workers],
    }


def run(seconds: float) -> ScalingRun:
    """Make one run on processes of its own."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
        deployment = Deployment(Path(folder), workers=LEAST, slots=SLOTS, setup=SETUP)
        try:
            prometheus = Prometheus(Path(folder) / "prometheus", targets(deployment))
            try:
                return asyncio.run(Scaling(deployment, prometheus, seconds).run())
            finally:
                prometheus.close()
        finally:
            deployment.close()


def main() -> None:
    """Run, write record and plot, print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.operations.scaling", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long the run takes")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder of record and plot")
    options = parser.parse_args()
    found = run(options.seconds)
    from tests.operations import scaling_plot  # it needs matplotlib

    options.into.mkdir(parents=True, exist_ok=True)
    (options.into / "scaling.json").write_text(json.dumps(asdict(found), indent=1) + "\n")
    scaling_plot.draw(found, options.into / "scaling.svg")
    workers = [sample.workers for sample in found.samples]
    sys.stdout.write(
        f"{found.calls} calls, {min(workers)} to {max(workers)} workers, {found.frames} frames. "
        f"Refused {found.refused}, lost {found.lost}, doubled {found.doubled}, "
        f"ended {found.ended}.\n"
    )
    sys.exit(0 if found.good else 1)


if __name__ == "__main__":
    main()
