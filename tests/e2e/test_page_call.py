"""Whole calls from the page and from the example client, through the real processes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.browser import (
    SECOND,
    WHOLE,
    await_echo,
    delays_ms,
    likeness,
    read_tape,
    start_tape,
)
from tests.e2e.caller import await_shown, count_shown
from tests.e2e.launcher import ROOT, Stack
from tests.e2e.wire import Wire
from tests.patience import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

TURN_MS = 7_000  # the echo answers for as long: time for the test to see it and interrupt it
BYTES_A_MS = SECOND * 2 // 1_000
REOPENS_FRAMES = 100  # who goes on in the first 1.5 s that were played goes on with the turn


def heard(microphone: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The microphone's WAV as the page gets it: at 24 kHz, in a loop."""
    samples, _ = soundfile.read(microphone)
    spectrum = np.fft.rfft(samples)[: len(samples) // 4 + 1]
    return np.tile(np.fft.irfft(spectrum, len(samples) // 2), 2)


def start(page: Page, stack: Stack, mode: str) -> None:
    """Start a call without the browser's processing of the microphone."""
    page.goto(f"{stack.http}/web?processing=off")
    page.click(f"text={mode}")
    page.click("#call")


def test_the_microphone_comes_back_out_of_the_speaker(
    page: Page, stack: Stack, microphone: Path, record_property: Callable[[str, object], None]
) -> None:
    stack.start_worker()
    stack.start_gateway()
    start_tape(page)
    start(page, stack, "Talk freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    assert await_echo(page, seconds=4) >= WHOLE

    def plays_the_microphone() -> bool:
        _, speaker = read_tape(page)
        return likeness(speaker[-5 * SECOND : -SECOND], heard(microphone)) >= WHOLE

    wait_until(plays_the_microphone)  # where a starved browser did not break off
    mic, speaker = read_tape(page)
    delays = delays_ms(mic[-6 * SECOND :], speaker[-6 * SECOND :])
    for quantile in (0.5, 0.95) if delays else ():
        record_property(
            f"microphone_to_speaker_ms_p{100 * quantile:.0f}",
            f"{np.quantile(delays, quantile):.0f}",
        )
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Say something")
    wait_until(lambda: not stack.redis.keys("s:*"))


def await_said(wire: Wire, ms: int) -> None:
    """Wait until the page has sent so much more audio."""

    def said() -> int:
        return sum(map(len, wire.up)) // BYTES_A_MS

    since = said()
    wait_until(lambda: wire.look() and said() >= since + ms)


def played(wire: Wire) -> int:
    """How many frames of the newest reply the page has reported as played."""
    newest, last = wire.values("reply_started", "frame")[-1], wire.values("played", "frame")[-1]
    assert isinstance(newest, int)
    assert isinstance(last, int)
    return last - newest


def test_modes_mute_and_interruption_in_mid_call(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    wire = Wire(page)
    start(page, stack, "Talk freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.click("#mute")
    expect(page.locator("#headline")).to_have_text("You’re muted")
    page.click("text=Take turns")
    page.click("#mute")
    expect(page.locator(".caller")).to_have_count(1)
    await_said(wire, TURN_MS)
    page.click("#mute")  # the caller falls silent, which ends the turn
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator("#response-time")).to_contain_text("ms")
    wait_until(lambda: wire.look() and played(wire) > REOPENS_FRAMES)
    page.click("#mute")  # the caller speaks over the reply
    expect(page.locator(".reply .interrupted")).to_have_count(1)
    expect(page.locator("#headline")).to_have_text("Listening")


def test_push_to_talk_is_answered_on_release(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    wire = Wire(page)
    start(page, stack, "Push to talk")
    expect(page.locator("#headline")).to_have_text("Hold to talk")
    page.keyboard.down("Space")
    await_said(wire, TURN_MS)  # longer than any pause that would end a turn by itself
    expect(page.locator("#headline")).to_have_text("Listening")
    page.keyboard.up("Space")
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator(".caller .line")).to_contain_text("Spoke for")
    page.keyboard.down("Space")  # interrupts it at once
    expect(page.locator(".reply .interrupted")).to_have_count(1)


def test_a_server_without_workers_says_that_it_is_busy(page: Page, stack: Stack) -> None:
    stack.start_gateway()
    start(page, stack, "Take turns")
    expect(page.locator("#headline")).to_have_text("Not available right now")
    expect(page.locator("#trouble")).to_contain_text("No free line")


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
    assert await_echo(page, seconds=1) >= WHOLE
    page.click("#talk")


@pytest.mark.parametrize("end", ["killed", "restarted"])
def test_a_call_outlives_its_gateway(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    port = stack.port
    wire = Wire(page)
    start(page, stack, "Talk freely")
    expect(page.locator("#headline")).to_have_text("Speaking")
    shown = count_shown(page, "#headline")
    if end == "killed":
        gateway.kill()
    else:
        gateway.terminate()
        await_shown(page, "#notice", "The server is restarting")
    await_shown(page, "#headline", "Connection lost. Reconnecting", since=shown)
    monkeypatch.setattr("tests.e2e.launcher.free_port", lambda: port)
    stack.start_gateway()
    await_shown(page, "#headline", "Reconnecting", "Speaking", since=shown)
    frames = len(wire.down)
    wait_until(lambda: wire.look() and len(wire.down) > frames + 50)
    expect(page.locator("#dropouts")).not_to_contain_text("lost")
    assert wire.values("ready", "outcome") == ["new", "recovered"]
    assert len(wire.values("goaway", "resume_in_ms")) == (end == "restarted")
    assert wire.frames() == list(range(1, len(wire.down) + 1))
