"""A stack of real processes for each test, as the end-to-end tests have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import running_stack
from tests.e2e.launcher import Stack


@pytest.fixture
def stack(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """No process yet: the test starts the workers and the gateway that it needs."""
    with running_stack(redis_url, tmp_path, request) as stack:
        yield stack
