"""Whole calls from the page and from the example client, through the real processes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.browser import SECOND, WHOLE, delays_ms, likeness, read_tape, start_tape
from tests.e2e.launcher import ROOT, Stack
from tests.e2e.wire import Wire
from tests.patience import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def heard(microphone: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The microphone's WAV as the page hears it: 24 kHz, and again and again."""
    samples, _ = soundfile.read(microphone)
    spectrum = np.fft.rfft(samples)[: len(samples) // 4 + 1]
    return np.tile(np.fft.irfft(spectrum, len(samples) // 2), 2)


def start(page: Page, stack: Stack, mode: str) -> None:
    """A page in a call, with nothing between the microphone and the wire."""
    page.goto(f"{stack.http}/web?processing=off")
    page.click(f"text={mode}")
    page.click("#call")


def test_the_microphone_comes_back_out_of_the_speaker(
    page: Page, stack: Stack, microphone: Path, record_property: Callable[[str, object], None]
) -> None:
    stack.start_worker()
    stack.start_gateway()
    start_tape(page)
    start(page, stack, "Freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.wait_for_timeout(6_000)
    mic, speaker = read_tape(page)
    assert likeness(mic[-5 * SECOND : -SECOND], speaker) >= WHOLE
    assert likeness(speaker[-5 * SECOND : -SECOND], heard(microphone)) >= WHOLE
    delays = delays_ms(mic[-6 * SECOND :], speaker[-6 * SECOND :])
    for quantile in (0.5, 0.95):
        record_property(
            f"microphone_to_speaker_ms_p{100 * quantile:.0f}",
            f"{np.quantile(delays, quantile):.0f}",
        )
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ready when you are")
    wait_until(lambda: not stack.redis.keys("s:*"))


def test_modes_mute_and_interruption_in_mid_call(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    start(page, stack, "Freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.click("#mute")
    expect(page.locator("#headline")).to_have_text("You are muted")
    page.click("text=In turns")
    page.click("#mute")
    expect(page.locator(".caller")).to_have_count(1)
    page.wait_for_timeout(2_000)
    page.click("#mute")  # the caller falls silent: the turn is over
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator("#answer")).to_contain_text("ms")
    page.click("#mute")  # the caller speaks over the reply
    expect(page.locator(".reply .cut")).to_have_count(1)
    expect(page.locator("#headline")).to_have_text("Listening")


def test_push_to_talk_is_answered_on_release(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    start(page, stack, "Push to talk")
    expect(page.locator("#headline")).to_have_text("Hold to talk")
    page.keyboard.down("Space")
    page.wait_for_timeout(3_000)  # longer than any pause that would end a turn by itself
    expect(page.locator("#headline")).to_have_text("Listening")
    page.keyboard.up("Space")
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator(".caller .said")).to_contain_text("spoke for")
    page.keyboard.down("Space")  # it gives way at once
    expect(page.locator(".reply .cut")).to_have_count(1)


def test_a_server_without_workers_refuses_in_words(page: Page, stack: Stack) -> None:
    stack.start_gateway()
    start(page, stack, "In turns")
    expect(page.locator("#headline")).to_have_text("Not now")
    expect(page.locator("#trouble")).to_contain_text("All places are taken")


@pytest.mark.parametrize("place", ["served", "file"])
def test_the_example_client_gets_its_echo(page: Page, stack: Stack, place: str) -> None:
    stack.start_worker()
    stack.start_gateway(GATEWAY_ORIGINS="null")
    start_tape(page)
    file = (ROOT / "examples" / "browser.html").as_uri()
    page.goto(file if place == "file" else f"{stack.http}/web/example.html")
    page.fill("#server", stack.url + "?mode=stream")
    page.click("#talk")
    expect(page.locator("#state")).to_have_text("Listening")
    page.wait_for_timeout(4_000)
    mic, speaker = read_tape(page)
    page.click("#talk")
    assert likeness(mic[SECOND : 2 * SECOND], speaker) >= 0.98


@pytest.mark.parametrize("end", ["killed", "restarted"])
def test_a_call_outlives_its_gateway(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    port = stack.port
    wire = Wire(page)
    start(page, stack, "Freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    if end == "killed":
        gateway.kill()
        expect(page.locator("#headline")).to_have_text("Connection lost, coming back")
    else:
        gateway.terminate()
        expect(page.locator("#notice")).to_contain_text("The server is being restarted")
    monkeypatch.setattr("tests.e2e.launcher.free_port", lambda: port)
    stack.start_gateway()
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.wait_for_timeout(1_000)
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator("#breaks")).not_to_contain_text("lost")
    assert wire.told("ready", "outcome") == ["new", "recovered"]
    assert len(wire.told("goaway", "resume_in_ms")) == (end == "restarted")
    assert wire.frames() == list(range(1, len(wire.down) + 1))
