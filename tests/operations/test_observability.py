"""Rules, alerts and dashboard: promtool's tests, and a real Prometheus on real processes."""

import asyncio
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.grafana import dashboard
from tests.e2e.client import Client, calling
from tests.e2e.launcher import ROOT, Stack
from tests.operations.prometheus import BINARY, RULES, Prometheus
from tests.patience import until
from tests.ports import free_port
from tests.sounds import silence, voice

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
ALERTS: Final = (RULES / "alerts.yml").read_text()
RECORDED: Final = re.findall(r"record: (\S+)", (RULES / "recording.yml").read_text())


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_configuration_and_the_rules_are_valid() -> None:
    promtool("check", "config", RULES.parent / "prometheus.yml")
    promtool("check", "rules", *RULES.glob("*.yml"))


@needs_promtool
def test_the_rules_say_what_their_tests_expect() -> None:
    promtool("test", "rules", *sorted((RULES / "tests").glob("*.yml")))


def test_every_alert_has_a_test_and_a_page_that_names_it() -> None:
    tested = "".join(path.read_text() for path in (RULES / "tests").glob("*.yml"))
    alerts = re.findall(r"alert: (\w+)$.*?runbook: (\S+)$", ALERTS, re.DOTALL | re.MULTILINE)
    assert len(alerts) == ALERTS.count("- alert:")
    for alert, page in alerts:
        assert alert in tested
        assert f"`{alert}`" in (ROOT / page).read_text()
    assert {ROOT / page for _, page in alerts} == set((ROOT / "docs" / "runbook").glob("*-*.md"))


def test_the_dashboard_is_what_its_code_says() -> None:
    assert dashboard.FILE.read_text() == dashboard.text()


@pytest.fixture
def scraped(stack: Stack, tmp_path: Path) -> Iterator[Prometheus]:
    """A gateway and a worker, which Prometheus scrapes every second."""
    port = free_port()
    stack.start_worker(WORKER_METRICS_PORT=str(port))
    stack.start_gateway()
    prometheus = Prometheus(tmp_path / "prometheus", {"gateway": [stack.port], "worker": [port]})
    try:
        yield prometheus
    finally:
        prometheus.close()


@pytest.mark.e2e
@pytest.mark.skipif(BINARY is None, reason="no prometheus here")
async def test_every_expression_has_data_from_a_real_prometheus(
    stack: Stack, scraped: Prometheus
) -> None:
    missing = {*dashboard.expressions(), *RECORDED}

    async def all_found() -> bool:
        for expression in sorted(missing):
            if has_data(await asyncio.to_thread(scraped.ask, expression)):
                missing.remove(expression)
        return not missing

    async def one_caller() -> bool:
        return await asyncio.to_thread(scraped.value, "antiphon:fleet_callers:sum") == 1

    async with calling(stack.url, "turn") as client:
        talking = asyncio.create_task(talk(client))
        try:
            await until(all_found, lambda: missing)
            await until(one_caller)
        finally:
            talking.cancel()
        firing = await asyncio.to_thread(scraped.ask, 'ALERTS{alertstate="firing"}')
    assert firing == []


async def talk(client: Client) -> None:
    """Turn after turn, until cancelled."""
    while True:
        await client.speak([*voice(10), *silence(15)])


def has_data(series: list[dict[str, Any]]) -> bool:
    """Whether some series has a number; a rate over nothing has none."""
    return any(not math.isnan(float(one["value"][1])) for one in series)
