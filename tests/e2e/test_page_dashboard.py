"""The dashboard in a browser, with real processes: charts, tables, a session's timeline."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.launcher import Stack
from tests.patience import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

TOKEN = "correct-horse-battery"  # noqa: S105 # a test's own


# How much of a table is hidden when its first row has the figures of a busy fleet.
HIDDEN_PX: Final = """(table) => {
  const figures = ["1000", "1240 ms", "120 ms", "12041", "1310"];
  [...table.tBodies[0].rows[0].cells].slice(1).forEach((cell, i) => cell.textContent = figures[i]);
  return table.parentElement.scrollWidth - table.parentElement.clientWidth;
}"""


@pytest.fixture
def calling(page: Page, stack: Stack) -> Iterator[Page]:
    """A page in a call, in turn mode, whose caller speaks."""
    stack.start_worker()
    stack.start_gateway()
    page.goto(f"{stack.http}/web?processing=off")
    page.click("#call")
    expect(page.locator(".caller")).to_have_count(1)
    yield page
    page.click("#call")


@contextmanager
def dashboard(page: Page, stack: Stack) -> Iterator[Page]:
    """The dashboard in another tab; its console must stay free of errors, too."""
    complaints: list[str] = []
    board = page.context.new_page()
    board.on("pageerror", lambda error: complaints.append(str(error)))
    board.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    board.goto(f"{stack.http}/dashboard")
    yield board
    board.close()
    assert complaints == []


def painted(page: Page, selector: str) -> int:
    """How many pixels of these canvases are not blank."""
    return int(
        page.evaluate(
            """(selector) => [...document.querySelectorAll(selector)].reduce((sum, canvas) => {
              const { data } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
              return sum + data.filter((value, i) => i % 4 === 3 && value > 0).length;
            }, 0)""",
            selector,
        )
    )


def test_the_fleet_is_shown_as_charts_and_as_words(calling: Page, stack: Stack) -> None:
    with dashboard(calling, stack) as board:
        expect(board.locator("#sessions tbody button")).to_have_count(1)
        expect(board.locator("#workers tbody tr")).to_contain_text("1 of 8")
        expect(board.locator("#gateways tbody tr")).to_contain_text("(this)")
        expect(board.locator("#tiles")).to_contain_text("Calls here1")
        expect(board.locator("figure")).to_have_count(7)  # and the lag of a session
        wait_until(lambda: painted(board, "#charts canvas") > 1_000)
        assert board.get_by_role("img", name="Step time").count() == 1
        board.locator("summary").first.click()
        row = board.locator("figure").first.locator("tbody tr").first
        expect(row).to_contain_text("on this gateway1")


def test_no_column_is_cut_off_in_a_window_of_1180_pixels(calling: Page, stack: Stack) -> None:
    with dashboard(calling, stack) as board:
        board.set_viewport_size({"width": 1_180, "height": 820})
        expect(board.locator("#gateways tbody tr")).to_contain_text("(this)")
        for table in ("#workers", "#gateways"):
            assert board.locator(table).evaluate(HIDDEN_PX) == 0


def test_a_session_is_followed_through_a_takeover(calling: Page, stack: Stack) -> None:
    with dashboard(calling, stack) as board:
        board.locator("#sessions tbody button").click()
        expect(board.locator("#events")).to_contain_text("owns the session")
        expect(board.locator("#events")).not_to_contain_text("Takeover")
        calling.click("#mute")
        expect(board.locator("#events")).to_contain_text("Turn ended")
        expect(board.locator("#events")).to_contain_text("Reply 1 started")
        wait_until(lambda: painted(board, "#strip") > 1_000)
        first = stack.processes[0]
        stack.start_worker()
        first.kill()
        expect(board.locator("#events")).to_contain_text("Takeover: worker")
        expect(board.locator("#where")).to_contain_text("1 takeover")
        board.click("#close")
        expect(board.locator("#timeline")).to_be_hidden()


def test_it_fits_a_phone_in_the_dark(calling: Page, stack: Stack) -> None:
    with dashboard(calling, stack) as board:
        board.set_viewport_size({"width": 360, "height": 740})
        board.emulate_media(color_scheme="dark")
        board.locator("#sessions tbody button").click()
        expect(board.locator("#where")).to_contain_text("worker")
        assert board.evaluate("document.documentElement.scrollWidth") <= 360
        background = board.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(20, 22, 27)"
        wait_until(lambda: painted(board, "#charts canvas") > 1_000)


def test_it_comes_back_with_its_gateway(
    calling: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = stack.port
    board = calling.context.new_page()
    board.goto(f"{stack.http}/dashboard")
    expect(board.locator("#state")).to_contain_text("Gateway")
    stack.processes[1].kill()
    expect(board.locator("#state")).to_contain_text("Not connected")
    monkeypatch.setattr("tests.e2e.launcher.free_port", lambda: port)
    stack.start_gateway()
    expect(board.locator("#state")).to_contain_text("Gateway")
    expect(calling.locator("#headline")).not_to_contain_text("lost")
    board.close()


def test_a_locked_gateway_asks_for_its_token(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway(GATEWAY_STATS_TOKEN=TOKEN)
    board = page.context.new_page()  # the refusal itself is an error in the console
    board.goto(f"{stack.http}/dashboard")
    expect(board.locator("#token")).to_be_visible()
    expect(board.locator("#board")).to_be_hidden()
    board.get_by_label("Token").fill("wrong-horse-battery")
    board.get_by_role("button", name="Show dashboard").click()
    expect(board.locator("#token")).to_be_visible()
    board.get_by_label("Token").fill(TOKEN)
    board.get_by_role("button", name="Show dashboard").click()
    expect(board.locator("#state")).to_contain_text("Gateway")
    expect(board.locator("#workers tbody tr")).to_contain_text("0 of 8")
    board.close()


def test_a_gateway_that_stops_does_not_wait_for_watchers(page: Page, stack: Stack) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    board = page.context.new_page()
    board.goto(f"{stack.http}/dashboard")
    expect(board.locator("#state")).to_contain_text("Gateway")
    gateway.terminate()  # raises TimeoutExpired while a watcher keeps the gateway alive
    assert not gateway.alive
    board.close()
