"""The six core faults against real processes, and that a missing promise is seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.cluster import Cluster
from tests.chaos.faults import ABLATED_BY, FAULTS
from tests.chaos.trial import run_trial

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

CORE = [name for name, fault in FAULTS.items() if fault.core]
# Few and short: all of it in under 4 minutes on two cores. `make chaos` does more.
CALLERS = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two gateways and three workers; every fault leaves as many."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.mark.parametrize("fault", CORE)
async def test_nothing_is_lost_doubled_reordered_or_foreign(fault: str, cluster: Cluster) -> None:
    count = await run_trial(cluster, fault, FAULTS[fault], 1, callers=CALLERS)
    assert count.wrong(FAULTS[fault], times=False) == [], f"{count}\n{cluster.logs()}"


@pytest.mark.parametrize("ablation", sorted(ABLATED_BY))
async def test_a_promise_taken_out_is_seen(ablation: str, tmp_path: Path) -> None:
    fault = ABLATED_BY[ablation]
    cluster = Cluster(tmp_path, workers=2, ablation=ablation)
    try:
        count = await run_trial(cluster, fault, FAULTS[fault], 1, callers=CALLERS)
    finally:
        cluster.close()
    assert count.wrong(FAULTS[fault], times=False) != [], count
