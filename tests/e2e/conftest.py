"""One Redis for all end-to-end tests, a fresh, empty stack of processes for each; a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from tests.e2e.browser import CHROMIUM, Complaints, chromium, write_microphone
from tests.e2e.fake_gateway import FakeGateway
from tests.e2e.launcher import Stack
from tests.patience import PATIENCE_S

expect.set_options(timeout=PATIENCE_S * 1_000)


@contextmanager
def running_stack(redis_url: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack without processes; prints their output if a test fails meanwhile."""
    stack = Stack(redis_url, folder)
    failed_before = request.session.testsfailed
    try:
        yield stack
    finally:
        stack.close()
        if request.session.testsfailed > failed_before:
            print(stack.logs())  # noqa: T201 # pytest shows it with the failure


@pytest.fixture
def stack(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """No process yet: the test starts the workers and the gateway that it needs."""
    with running_stack(redis_url, tmp_path, request) as stack:
        yield stack


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """No longer than a module: while it runs, its thread can run no other asyncio loop."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's microphone hears."""
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    write_microphone(path, 6)
    return path


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, microphone: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """Chromium with that microphone."""
    with chromium(playwright, tmp_path_factory.mktemp("profile"), microphone) as context:
        yield context


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A page that must leave no error in the console and break no content policy."""
    complaints = Complaints()
    page = browser.new_page()
    complaints.watch(page)
    yield page
    page.close()
    assert complaints.lines == []


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway that says what the test tells it to."""
    with FakeGateway() as gateway:
        yield gateway
