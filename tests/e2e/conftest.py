"""One Redis and one browser for all end-to-end tests, and a fresh stack of processes for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect, sync_playwright

from tests.e2e.browser import CHROMIUM, Complaints, chromium, connected, write_microphone
from tests.e2e.caller import keep_history
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


@pytest.fixture(autouse=True)
def patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The talking client takes a pause of a busy machine for no end of the reply."""
    monkeypatch.setattr("client.call.QUIET_S", 5.0)
    monkeypatch.setattr("client.call.PATIENCE_S", PATIENCE_S)


@pytest.fixture
def stack(redis_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """No process yet: the test starts the workers and the gateway that it needs."""
    with running_stack(redis_url, tmp_path, request) as stack:
        yield stack


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Lasts one module: while it runs, its thread can run no other asyncio loop."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The WAV that the browser's microphone plays in a loop."""
    path = tmp_path_factory.mktemp("microphone") / "microphone.wav"
    write_microphone(path, 6)
    return path


@pytest.fixture(scope="session")
def devtools(microphone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Chromium process with that microphone, for all modules; the address of its DevTools."""
    with chromium(tmp_path_factory.mktemp("profile"), microphone) as address:
        yield address


@pytest.fixture(scope="module")
def browser(playwright: Playwright, devtools: str) -> Iterator[BrowserContext]:
    """A context of its own for each module, in the one Chromium."""
    with connected(playwright, devtools) as context:
        yield context


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A page that must cause no error in the console and no breach of the content policy."""
    complaints = Complaints()
    page = browser.new_page()
    complaints.watch(page)
    keep_history(page)
    yield page
    page.close()
    assert complaints.lines == []


@pytest.fixture(scope="module")
def blank(browser: BrowserContext) -> Iterator[Page]:
    """A page without a call, to run the page's modules in."""
    with FakeGateway() as gateway:
        page = browser.new_page()
        page.goto(gateway.url)
        yield page
        page.close()


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    """A gateway that sends what the test asks it to send."""
    with FakeGateway() as gateway:
        yield gateway
