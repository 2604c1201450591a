"""Core faults, Redis failovers, an upgrade, and the proof that a missing guarantee is noticed.

These tests judge counts alone: a slow machine must not fail them. `make chaos` also judges times.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.faults import ABLATED_BY, FAULTS, PROXIED
from tests.chaos.trial import run_trial, subject_of

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

CORE = [name for name, fault in FAULTS.items() if fault.core]
OWN_SETUP = ["sentinel", "shard-kill", "upgrade"]
CALLERS = 4


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Two gateways and three workers; every fault leaves as many."""
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), setup=PROXIED)
    yield deployment
    deployment.close()


@pytest.mark.parametrize("name", CORE)
async def test_no_frame_is_lost_doubled_reordered_or_foreign(
    name: str, deployment: Deployment
) -> None:
    count = await run_trial(deployment, name, FAULTS[name], 1, callers=CALLERS)
    broken = count.broken_promises(FAULTS[name], times=False)
    assert broken == [], f"{count}\n{deployment.logs()}"


@pytest.mark.parametrize("name", OWN_SETUP)
async def test_no_frame_is_lost_in_surroundings_of_its_own(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    if why := fault.setup.missing():
        pytest.skip(why)
    deployment = await asyncio.to_thread(lambda: Deployment(tmp_path, workers=2, setup=fault.setup))
    try:
        count = await run_trial(deployment, name, fault, 1, callers=CALLERS)
        assert count.broken_promises(fault, times=False) == [], f"{count}\n{deployment.logs()}"
    finally:
        await asyncio.to_thread(deployment.close)


async def test_a_full_duplex_model_says_the_same_codes_over_deaths_of_gateway_and_redis(
    tmp_path: Path,
) -> None:
    """One call: in another batch rounding may choose another token (`tests/chaos/talk.py`)."""
    subject = subject_of("moshi")
    deployment = await asyncio.to_thread(lambda: Deployment(tmp_path, workers=1, subject=subject))
    try:
        for name in ("gateway-kill", "redis-kill"):
            count = await run_trial(deployment, name, FAULTS[name], 1, callers=1)
            broken = count.broken_promises(FAULTS[name], times=False)
            assert broken == [], f"{count}\n{deployment.logs()}"
    finally:
        await asyncio.to_thread(deployment.close)


@pytest.mark.parametrize("ablation", sorted(ABLATED_BY))
async def test_a_missing_guarantee_is_noticed(ablation: str, tmp_path: Path) -> None:
    name = ABLATED_BY[ablation]
    deployment = await asyncio.to_thread(lambda: Deployment(tmp_path, workers=2, ablation=ablation))
    try:
        count = await run_trial(deployment, name, FAULTS[name], 1, callers=CALLERS)
    finally:
        await asyncio.to_thread(deployment.close)
    assert count.broken_promises(FAULTS[name], times=False) != [], count
