"""Redis with deploy/redis/users.acl: each role may do all that a call needs, and nothing else.

The whole fault suite runs as these users (`tests/redis_users.py`).
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.chaos.deployment import Deployment
from tests.chaos.faults import FAULTS
from tests.chaos.trial import run_trial
from tests.patience import PATIENCE_S
from tests.redis_users import as_user

pytestmark = [pytest.mark.e2e, pytest.mark.redis]

FORBIDDEN = [
    ("gateway", "FLUSHALL"),
    ("gateway", "CONFIG GET *"),
    ("gateway", "KEYS *"),
    ("gateway", "SCAN 0"),
    ("gateway", "GET another"),
    ("gateway", "SUBSCRIBE another"),
    ("gateway", "LPOP c:queue"),
    ("worker", "FLUSHALL"),
    ("worker", "SET c:spent:x 1"),
    ("worker", "EVAL return 0"),
    ("worker", "CLIENT KILL ID 1"),
    ("operator", "DEL c:queue"),
    ("operator", "XRANGE another - +"),
    ("health", "INFO"),
]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), workers=2)
    yield deployment
    deployment.close()


@pytest.mark.parametrize("fault", ["worker-kill", "rolling"])
async def test_a_call_a_takeover_and_a_restart_need_no_more_rights(
    fault: str, deployment: Deployment
) -> None:
    count = await run_trial(deployment, fault, FAULTS[fault], 1, callers=2)
    assert await asyncio.to_thread(deployment.refusals) == []
    assert count.broken_promises(FAULTS[fault], times=False) == [], deployment.logs()
    await asyncio.to_thread(deployment.replace_dead_workers)


def test_an_operator_sees_the_sessions(deployment: Deployment) -> None:
    url = as_user(deployment.storage.url, "operator")
    line = [sys.executable, "-m", "shared.log.inspect", "overview"]
    shown = subprocess.run(
        line, env={"REDIS_URL": url}, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert "2 workers" in shown.stdout, shown.stderr
    assert deployment.refusals() == []


@pytest.mark.parametrize(("user", "command"), FORBIDDEN)
def test_no_role_may_do_more(user: str, command: str, deployment: Deployment) -> None:
    url = as_user(deployment.storage.url, user)
    with redis.Redis.from_url(url) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_without_a_user_redis_answers_nothing() -> None:
    """The default user, which the suite opens for itself, is off in the file."""
    lines = (Path(__file__).parents[2] / "deploy/redis/users.acl").read_text().splitlines()
    assert lines[0] == "user default off resetpass resetkeys resetchannels -@all"
