"""The six core faults against real processes, a Cluster, and that a missing promise is seen.

Only counts are judged here: a test must not fail because its machine is slow. `make chaos` judges
times as well.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cluster import Cluster
from tests.chaos.faults import ABLATED_BY, FAULTS, PROXIED
from tests.chaos.trial import run_trial

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

CORE = [name for name, fault in FAULTS.items() if fault.core]
REDIS_OF_MORE = ["sentinel", "shard-kill"]
CALLERS = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two gateways and three workers; every fault leaves as many."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), setting=PROXIED)
    yield cluster
    cluster.close()


@pytest.mark.parametrize("name", CORE)
async def test_nothing_is_lost_doubled_reordered_or_foreign(name: str, cluster: Cluster) -> None:
    count = await run_trial(cluster, name, FAULTS[name], 1, callers=CALLERS)
    assert count.wrong(FAULTS[name], times=False) == [], f"{count}\n{cluster.logs()}"


@pytest.mark.parametrize("name", REDIS_OF_MORE)
async def test_nothing_is_lost_when_a_redis_takes_over(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    cluster = await asyncio.to_thread(lambda: Cluster(tmp_path, workers=2, setting=fault.setting))
    try:
        count = await run_trial(cluster, name, fault, 1, callers=CALLERS)
        assert count.wrong(fault, times=False) == [], f"{count}\n{cluster.logs()}"
    finally:
        await asyncio.to_thread(cluster.close)


@pytest.mark.parametrize("ablation", sorted(ABLATED_BY))
async def test_a_promise_taken_out_is_seen(ablation: str, tmp_path: Path) -> None:
    name = ABLATED_BY[ablation]
    cluster = await asyncio.to_thread(lambda: Cluster(tmp_path, workers=2, ablation=ablation))
    try:
        count = await run_trial(cluster, name, FAULTS[name], 1, callers=CALLERS)
    finally:
        await asyncio.to_thread(cluster.close)
    assert count.wrong(FAULTS[name], times=False) != [], count
