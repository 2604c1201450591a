"""The page against a gateway that says what each test wants: what it shows, sends and plays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.e2e.browser import SECOND, chromium, likeness, read_tape, start_tape
from tests.e2e.fake_gateway import FakeGateway

pytestmark = pytest.mark.browser


def tone(frames: int, hertz: float = 440.0) -> bytes:
    """So many 20 ms frames of a sine."""
    time = np.arange(frames * 480) / SECOND
    return (8_000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with FakeGateway() as gateway:
        yield gateway


def start(page: Page, gateway: FakeGateway) -> None:
    """Open the page and start a call."""
    page.goto(gateway.url)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")


def expect_said(gateway: FakeGateway, page: Page, kind: str) -> dict[str, object]:
    """Wait until the page has said this; the last such message."""
    for _ in range(100):
        found = [event for event in gateway.texts if event["type"] == kind]
        if found:
            return found[-1]
        page.wait_for_timeout(50)
    raise AssertionError(f"Expected the page to say {kind!r}, got {gateway.texts}")


def test_a_turn_is_shown_as_it_goes(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.say("speech_started", sample=0)
    gateway.say("speech_stopped", sample=2 * SECOND)
    expect(page.locator("#headline")).to_have_text("Thinking")
    gateway.say("reply_started", generation=1, frame=1)
    gateway.say("text", generation=1, frame=1, text="three plus four ")
    gateway.say("text", generation=1, frame=9, text="is seven")
    gateway.speak(tone(50), generation=1, last=True)
    gateway.say("reply_done", generation=1, frame=51, reason="end")
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator(".caller .said")).to_have_text("spoke for 2.0 s")
    expect(page.locator(".reply .said")).to_have_text("three plus four is seven")
    expect(page.locator("#headline")).to_have_text("Listening")
    assert expect_said(gateway, page, "played")["frame"] == 50
    assert page.locator("#breaks").inner_text() == "0"


def test_an_interrupted_reply_stops_and_is_marked(page: Page, gateway: FakeGateway) -> None:
    start_tape(page)
    start(page, gateway)
    gateway.say("reply_started", generation=1, frame=1)
    gateway.say("text", generation=1, frame=1, text="counting to ")
    gateway.say("text", generation=1, frame=90, text="ninety")
    gateway.speak(tone(50), generation=1)
    expect(page.locator("#headline")).to_have_text("Speaking")
    gateway.say("speech_started", sample=SECOND)
    gateway.say("clear", generation=1, next_frame=51)
    gateway.speak(tone(25, 1_000.0), generation=1)  # of the old generation: must not be heard
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(page.locator(".reply .cut")).to_have_text("— cut off")
    expect(page.locator(".unheard")).to_have_text("ninety")
    page.wait_for_timeout(300)
    _, speaker = read_tape(page)
    heard_s = np.count_nonzero(np.abs(speaker) > 1e-3) / SECOND
    assert 0 < heard_s < 0.9  # of 1.0 s of tone


GOOD = 0.98


def best_echo(page: Page, start: int, stop: int) -> float:
    """How like the microphone's samples are to what the speaker got, the best of three calls.

    On a starved machine any one call may break off; a call that changes the sound does so always.
    """
    start_tape(page)
    best = 0.0
    for _ in range(3):
        best = max(best, echo_likeness(page, start, stop))
        if best > GOOD:
            break
    return best


def echo_likeness(page: Page, start: int, stop: int) -> float:
    with FakeGateway(echo=True) as gateway:
        page.goto(gateway.url + "?processing=off")
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Speaking")
        page.wait_for_timeout(4_000)
        mic, speaker = read_tape(page)
    return likeness(mic[start:stop], speaker)


def test_echo_comes_back_unchanged(page: Page) -> None:
    assert best_echo(page, SECOND, 3 * SECOND) > GOOD


def test_a_browser_that_wants_its_own_rate_gets_it(page: Page) -> None:
    """Firefox takes no microphone into a 24 kHz context: the worklets resample."""
    page.add_init_script(
        """const create = AudioContext.prototype.createMediaStreamSource;
        AudioContext.prototype.createMediaStreamSource = function (stream) {
          if (this.sampleRate !== 24000) return create.call(this, stream);
          throw new DOMException("another rate", "NotSupportedError");
        };"""
    )
    assert best_echo(page, 3 * SECOND, 6 * SECOND) > GOOD


def test_mute_sends_silence_and_the_call_goes_on(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.wait_for_timeout(500)
    assert np.frombuffer(bytes(gateway.audio), "<i2").any()
    page.click("#mute")
    page.wait_for_timeout(300)
    before = len(gateway.audio)
    page.wait_for_timeout(500)
    muted = np.frombuffer(bytes(gateway.audio[before:]), "<i2")
    assert len(muted) > SECOND // 5
    assert not muted.any()


def test_the_mode_is_the_servers_until_chosen(page: Page, gateway: FakeGateway) -> None:
    gateway.ready["mode"] = "stream"
    start(page, gateway)
    assert gateway.texts[0] == {"type": "start"}
    expect(page.locator("[value=stream]")).to_be_checked()
    page.click("text=In turns")
    assert expect_said(gateway, page, "mode")["mode"] == "turn"


def test_stopping_ends_the_session(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ready when you are")
    expect_said(gateway, page, "end")
    page.wait_for_timeout(300)
    assert gateway.close_codes == [1000]


def test_a_lost_connection_goes_on_at_the_next_frame(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.speak(tone(10), generation=1)
    page.wait_for_timeout(500)
    held = len(gateway.audio) // 2
    gateway.ready |= {"outcome": "recovered", "next_sample": held, "next_frame": 11}
    gateway.drop()
    expect(page.locator("#headline")).to_have_text("Connection lost, coming back")
    expect(page.locator("#headline")).to_have_text("Listening")
    resume = expect_said(gateway, page, "start")["resume"]
    assert resume == {"session": "s" * 32, "token": "t" * 22, "frame": 10}
    gateway.speak(tone(10), generation=1, last=True)
    page.wait_for_timeout(500)
    assert expect_said(gateway, page, "played")["frame"] == 20


def test_a_full_server_says_when_to_come_back(page: Page) -> None:
    refusal = {"code": "no_capacity", "message": "full", "retry_after_ms": 5_000}
    with FakeGateway(refusal=refusal) as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Not now")
        expect(page.locator("#trouble")).to_contain_text("All places are taken")
        expect(page.locator("#trouble")).to_contain_text("Try again in 5 seconds.")
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


def test_it_works_by_keyboard(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
