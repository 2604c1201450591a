"""What the page says and does when something goes wrong."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.e2e.browser import chromium, connected
from tests.e2e.caller import asked, await_shown, await_sound, spy, start
from tests.e2e.fake_gateway import FakeGateway

pytestmark = pytest.mark.browser

NO_SOUND = """
navigator.mediaDevices.getUserMedia = async () =>
  new AudioContext().createMediaStreamDestination().stream;
"""


def test_a_busy_server_says_when_to_try_again(page: Page) -> None:
    refusal = {"code": "no_capacity", "message": "full", "retry_after_ms": 1_900}
    with FakeGateway(refusal=refusal) as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Not available right now")
        expect(page.locator("#trouble")).to_contain_text("No free line")
        # A busy browser may leave seconds between these two out.
        await_shown(page, "#countdown", "try again in 2 seconds", "try again now")
        expect(page.locator("#call")).to_have_text("Try again")


def test_an_insecure_page_says_what_to_do(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url.replace("127.0.0.1", "antiphon.test"))
    expect(page.locator("#trouble")).to_contain_text("HTTPS")
    expect(page.locator("#call")).to_be_disabled()


def test_a_refused_microphone_says_what_to_do(
    playwright: Playwright, tmp_path: Path, gateway: FakeGateway
) -> None:
    with (
        chromium(tmp_path, microphone=None) as devtools,
        connected(playwright, devtools) as browser,
    ):
        page = browser.new_page()
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text("Microphone access is blocked")
    assert gateway.messages == []


def test_an_unplugged_microphone_is_replaced_by_the_system_default(
    page: Page, gateway: FakeGateway
) -> None:
    spy(page)
    start(page, gateway)
    page.click("summary")
    page.select_option("#microphone", label="Fake Audio Input 2")
    page.wait_for_function("() => window.tracks.length === 2")
    page.evaluate("window.tracks[1].dispatchEvent(new Event('ended'))")
    expect(page.locator("#notice")).to_contain_text("“Fake Default Audio Input”")
    assert "deviceId" not in asked(page)
    expect(page.locator("#microphone")).to_have_value("")
    await_sound(gateway)


def test_without_any_microphone_the_call_ends_in_words(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.evaluate("window.unplugged = true; window.tracks[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#trouble")).to_contain_text("Your microphone was disconnected")
    expect(page.locator("#headline")).to_have_text("The call ended")
    gateway.await_message("end")
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text("No microphone found")
    expect(page.locator("#headline")).to_have_text("Can’t start the call")


def test_a_silent_microphone_is_reported(page: Page, gateway: FakeGateway) -> None:
    page.add_init_script(NO_SOUND)
    start(page, gateway)
    expect(page.locator("#notice")).to_contain_text("Your microphone is silent")


def test_an_unplugged_speaker_is_replaced_by_the_system_default(
    page: Page, gateway: FakeGateway
) -> None:
    spy(page)
    start(page, gateway)
    page.click("summary")
    page.select_option("#speaker", label="Fake Audio Output 2")
    page.wait_for_function("() => window.sinks.length === 1")
    page.evaluate(
        """const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
        navigator.mediaDevices.enumerateDevices = async () =>
          (await list()).filter(({ label }) => label !== "Fake Audio Output 2");
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));"""
    )
    expect(page.locator("#notice")).to_contain_text("Your speaker was disconnected")
    assert page.evaluate("window.sinks.at(-1)") == ""
    expect(page.locator("#speaker")).to_have_value("")


def test_a_server_that_restarts_moves_the_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.ready |= {"outcome": "recovered"}
    gateway.send("goaway", reason="shutdown", resume_in_ms=500)
    expect(page.locator("#notice")).to_contain_text("The server is restarting")
    await_sound(gateway)  # until the server closes, the call goes on there
    gateway.close(1012)
    gateway.await_message("start", 2)
    expect(page.locator("#headline")).to_have_text("Listening")


def test_after_sleep_the_page_does_not_wait_for_a_dead_connection(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.unresponsive = True  # like a connection that died during the sleep
    gateway.refusal = {"code": "not_found", "message": "The session is over"}
    page.workers[0].evaluate("const wall = Date.now; Date.now = () => wall() + 3_600_000")
    pings = len(gateway.of_type("ping"))
    expect(page.locator("#trouble")).to_contain_text("while your device was asleep")
    # One every 2 s: a connection that fell silent without a sleep is given up after four.
    assert len(gateway.of_type("ping")) - pings <= 2


def test_a_lost_connection_counts_down_to_the_next_attempt(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.refusal = {"code": "no_capacity", "message": "full", "retry_after_ms": 8_000}
    gateway.drop()
    expect(page.locator("#countdown")).to_contain_text("Trying again in")
    gateway.refusal = None
    gateway.ready |= {"outcome": "recovered"}
    page.workers[0].evaluate("self.dispatchEvent(new Event('online'))")  # ends the wait
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(page.locator("#countdown")).to_be_empty()


def test_an_error_that_ends_the_call_says_what_to_do_and_offers_a_new_call(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.send("error", code="bad_message", message="Expected JSON")
    gateway.close(4400)
    expect(page.locator("#headline")).to_have_text("The call ended")
    expect(page.locator("#trouble")).to_contain_text("Start a new call")
    expect(page.locator("#trouble")).to_contain_text("bad_message")
    expect(page.locator("#call")).to_have_text("Call again")
    page.click("#call")
    assert "resume" not in gateway.await_message("start", 2)
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(page.locator("#trouble")).to_be_hidden()
