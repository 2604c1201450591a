"""`python -m tests.e2e.screenshots FOLDER`: pictures of the page in its main states."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.e2e.browser import SECOND, chromium, connected, write_microphone
from tests.e2e.fake_gateway import FakeGateway

WIDE: Final = (1180, 820)  # CSS pixels
PHONE: Final = (390, 844)
SMALL: Final = (360, 740)
FULL: Final = {"code": "no_capacity", "message": "full", "retry_after_ms": 9_000}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a state of the page, its size and its color scheme."""

    state: Callable[[Page], AbstractContextManager[None]]
    size: tuple[int, int] = WIDE
    light: Literal["light", "dark"] = "light"


def main(folder: Path) -> None:
    """Write one PNG for each shot."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        microphone = Path(scratch) / "microphone.wav"
        write_microphone(microphone, 6)
        with (
            chromium(Path(scratch), microphone) as devtools,
            connected(playwright, devtools) as browser,
        ):
            for name, shot in SHOTS.items():
                take(browser, shot, folder / f"{name}.png")


def take(browser: BrowserContext, shot: Shot, file: Path) -> None:
    """Write one picture."""
    page = browser.new_page()
    width, height = shot.size
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=shot.light)
    with shot.state(page):
        page.screenshot(path=file)
    page.close()


@contextmanager
def idle(page: Page) -> Iterator[None]:
    """Before a call."""
    with FakeGateway() as gateway:
        page.goto(gateway.url)
        yield


@contextmanager
def speaking(page: Page) -> Iterator[None]:
    """A conversation: an interrupted reply, and one that is being spoken."""
    with FakeGateway() as gateway:
        _call(page, gateway)
        _interrupted(page, gateway)
        _asked_again(gateway)
        with gateway.speaking(syllables(50), generation=2):
            gateway.await_played(120)
            yield


@contextmanager
def rough(page: Page) -> Iterator[None]:
    """Rough words of the caller, and a reply without words."""
    with FakeGateway() as gateway:
        _call(page, gateway)
        gateway.send("speech_started", sample=0)
        gateway.send("speech_stopped", sample=round(1.6 * SECOND))
        gateway.send("heard", text="plese cownt tu nin", final=True, rough=True)
        gateway.send("reply_started", generation=1, frame=1)
        gateway.send("reply_done", generation=1, frame=1, reason="end")
        gateway.send("speech_started", sample=3 * SECOND)
        gateway.send("heard", text="no wot is", final=False, rough=True)
        expect(page.locator(".caller")).to_have_count(2)
        yield


@contextmanager
def reconnecting(page: Page) -> Iterator[None]:
    """A lost connection and the countdown to the next attempt."""
    with FakeGateway() as gateway:
        _call(page, gateway)
        gateway.refusal = FULL
        gateway.drop()
        expect(page.locator("#countdown")).to_contain_text("Trying again in")
        yield


@contextmanager
def holding(page: Page) -> Iterator[None]:
    """Push-to-talk, held."""
    with FakeGateway() as gateway:
        _call(page, gateway)
        page.click("text=Push to talk")
        page.locator("#call").hover()
        page.mouse.down()
        gateway.await_audio(len(gateway.audio) + 2 * SECOND)
        yield


@contextmanager
def settings(page: Page) -> Iterator[None]:
    """The settings in a call, on a server with a choice of voices."""
    with FakeGateway() as gateway:
        gateway.config |= {"voices": ["alto", "baritone"], "styles": ["neutral", "calm"]}
        _call(page, gateway)
        page.click("summary")
        page.locator("#silence").scroll_into_view_if_needed()
        yield


@contextmanager
def refused(page: Page) -> Iterator[None]:
    """A server that is full."""
    with FakeGateway(refusal=FULL) as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Not available right now")
        yield


@contextmanager
def uninvited(page: Page) -> Iterator[None]:
    """A server that requires a token, and a caller without one."""
    with FakeGateway() as gateway:
        gateway.config["auth"] = True
        page.goto(gateway.url)
        expect(page.locator("#trouble")).to_be_visible()
        yield


@contextmanager
def talkative(page: Page) -> Iterator[None]:
    """A long conversation with a long word in it."""
    with FakeGateway() as gateway:
        _call(page, gateway)
        for generation in range(1, 12):
            text = "the longest word is pneumonoultramicroscopicsilicovolcanoconiosis, they say"
            gateway.send("text", generation=generation, frame=generation, text=text)
        expect(page.locator(".reply")).to_have_count(11)
        yield


SHOTS: Final = {
    "idle": Shot(idle),
    "idle-dark": Shot(idle, PHONE, "dark"),
    "speaking": Shot(speaking),
    "rough": Shot(rough),
    "reconnecting": Shot(reconnecting),
    "refused": Shot(refused),
    "hold": Shot(holding),
    "settings": Shot(settings),
    "phone": Shot(speaking, PHONE),
    "phone-settings": Shot(settings, PHONE, "dark"),
    "dark": Shot(speaking, light="dark"),
    "uninvited": Shot(uninvited, SMALL),
    "long": Shot(talkative, SMALL),
}


def _call(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.mouse.move(0, 0)
    gateway.await_audio(4 * SECOND)  # fills the level display


def _interrupted(page: Page, gateway: FakeGateway) -> None:
    gateway.send("speech_started", sample=0)
    gateway.send("speech_stopped", sample=round(1.6 * SECOND))
    gateway.send("heard", text="Please count to seven.", final=True, rough=False)
    gateway.send("reply_started", generation=1, frame=1)
    for frame, text in ((1, "One, two, "), (15, "three, four, "), (70, "five, six, seven.")):
        gateway.send("text", generation=1, frame=frame, text=text)
    gateway.speak(syllables(60), generation=1)
    gateway.await_played(20)
    gateway.send("speech_started", sample=3 * SECOND)
    gateway.send("clear", generation=1, next_frame=61)
    expect(page.locator(".interrupted")).to_be_visible()


def _asked_again(gateway: FakeGateway) -> None:
    gateway.send("heard", text="No, what", final=False, rough=False)
    gateway.send("speech_stopped", sample=round(4.9 * SECOND))
    question = "No, what is thirty-eight plus forty-seven?"
    gateway.send("heard", text=question, final=True, rough=False)
    gateway.send("reply_started", generation=2, frame=61)
    # The last words stay unplayed however long the picture takes.
    for frame, text in (
        (61, "Thirty-eight "),
        (80, "plus forty-seven "),
        (9_000, "is eighty-five."),
    ):
        gateway.send("text", generation=2, frame=frame, text=text)


def syllables(frames: int) -> bytes:
    """20 ms frames of a tone that rises and falls like a voice."""
    time = np.arange(frames * 480) / SECOND
    loudness = np.abs(np.sin(2 * np.pi * 2.3 * time)) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time))
    return (9_000 * loudness * np.sin(2 * np.pi * 180 * time)).astype("<i2").tobytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
