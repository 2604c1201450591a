"""What goes wrong, and what the page says and does then."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.e2e.browser import chromium
from tests.e2e.caller import asked, pcm, spy, start
from tests.e2e.fake_gateway import FakeGateway

pytestmark = pytest.mark.browser

NO_SOUND = """
navigator.mediaDevices.getUserMedia = async () =>
  new AudioContext().createMediaStreamDestination().stream;
"""


def test_a_full_server_says_when_to_come_back(page: Page) -> None:
    refusal = {"code": "no_capacity", "message": "full", "retry_after_ms": 1_900}
    with FakeGateway(refusal=refusal) as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Not now")
        expect(page.locator("#trouble")).to_contain_text("All places are taken")
        expect(page.locator("#countdown")).to_have_text("A place may be free in a second")
        expect(page.locator("#countdown")).to_have_text("A place may be free now. Try again.")
        expect(page.locator("#call")).to_have_text("Try again")


def test_an_insecure_page_says_what_to_do(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url.replace("127.0.0.1", "antiphon.test"))
    expect(page.locator("#trouble")).to_contain_text("https")
    expect(page.locator("#call")).to_be_disabled()


def test_a_refused_microphone_says_what_to_do(
    playwright: Playwright, tmp_path: Path, gateway: FakeGateway
) -> None:
    with chromium(playwright, tmp_path, microphone=None) as browser:
        page = browser.new_page()
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text("The microphone is not allowed")
    assert gateway.texts == []


def test_an_unplugged_microphone_gives_way_to_the_systems_own(
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
    since = len(gateway.audio)
    page.wait_for_timeout(400)
    assert pcm(gateway, since).any()


def test_without_any_microphone_the_call_ends_in_words(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.evaluate("window.unplugged = true; window.tracks[0].dispatchEvent(new Event('ended'))")
    expect(page.locator("#trouble")).to_contain_text("The microphone went away")
    gateway.await_said("end")
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text("No microphone was found")


def test_a_microphone_that_gives_no_sound_is_told_of(page: Page, gateway: FakeGateway) -> None:
    page.add_init_script(NO_SOUND)
    start(page, gateway)
    expect(page.locator("#notice")).to_contain_text("Not a sound")


def test_an_unplugged_speaker_gives_way_to_the_systems_own(
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
    expect(page.locator("#notice")).to_contain_text("That speaker is not there any more")
    assert page.evaluate("window.sinks.at(-1)") == ""
    expect(page.locator("#speaker")).to_have_value("")


def test_a_server_that_restarts_moves_the_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.ready |= {"outcome": "recovered"}
    gateway.say("goaway", reason="shutdown", resume_in_ms=500)
    expect(page.locator("#notice")).to_contain_text("The server is being restarted")
    since = len(gateway.audio)
    page.wait_for_timeout(300)
    assert pcm(gateway, since).any()  # until then it goes on here
    gateway.close(1012)
    gateway.await_said("start", 2)
    expect(page.locator("#headline")).to_have_text("Listening")


def test_a_machine_that_slept_does_not_wait_for_a_dead_line(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.deaf = True  # as a connection is that died in the sleep
    page.workers[0].evaluate("const wall = Date.now; Date.now = () => wall() + 3_600_000")
    gateway.refusal = {"code": "not_found", "message": "The session is over"}
    # Without the sleep it is 8 s before a silent line is given up.
    expect(page.locator("#trouble")).to_contain_text("while this computer slept", timeout=6_500)


def test_a_lost_line_says_when_it_is_tried_again(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.refusal = {"code": "no_capacity", "message": "full", "retry_after_ms": 8_000}
    gateway.drop()
    expect(page.locator("#countdown")).to_contain_text("Trying again in")
    gateway.refusal = None
    gateway.ready |= {"outcome": "recovered"}
    page.workers[0].evaluate("self.dispatchEvent(new Event('online'))")  # it waits no longer
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(page.locator("#countdown")).to_be_empty()
