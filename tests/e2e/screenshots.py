"""`python -m tests.e2e.screenshots FOLDER`: the page in the states that are worth looking at."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.e2e.browser import SECOND, chromium, write_microphone
from tests.e2e.fake_gateway import FakeGateway

WIDE: Final = (1180, 820)
PHONE: Final = (390, 844)
FULL: Final = {"code": "no_capacity", "message": "full", "retry_after_ms": 9_000}


def main(folder: Path) -> None:
    """Write one PNG a state."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        microphone = Path(scratch) / "microphone.wav"
        write_microphone(microphone, 6)
        with chromium(playwright, Path(scratch) / "profile", microphone) as browser:
            for name, (shoot, size, scheme) in SHOTS.items():
                _take(browser, folder / f"{name}.png", shoot, size, scheme)


def idle(page: Page) -> None:
    """Before a call."""
    with FakeGateway() as gateway:
        page.goto(gateway.url)


def speaking(page: Page) -> None:
    """A conversation with a reply that was interrupted and one that is being said."""
    with FakeGateway() as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Listening")
        page.wait_for_timeout(1_500)
        _interrupted(page, gateway)
        _answered(page, gateway)
        page.screenshot(path=page_file(page))


def _interrupted(page: Page, gateway: FakeGateway) -> None:
    gateway.say("speech_started", sample=0)
    gateway.say("speech_stopped", sample=round(1.6 * SECOND))
    gateway.say("reply_started", generation=1, frame=1)
    for frame, text in ((1, "one, two, "), (15, "three, four, "), (70, "five, six, seven")):
        gateway.say("text", generation=1, frame=frame, text=text)
    gateway.speak(syllables(60), generation=1)
    page.wait_for_timeout(700)
    gateway.say("speech_started", sample=3 * SECOND)
    gateway.say("clear", generation=1, next_frame=61)


def _answered(page: Page, gateway: FakeGateway) -> None:
    page.wait_for_timeout(300)
    gateway.say("speech_stopped", sample=round(4.9 * SECOND))
    gateway.say("reply_started", generation=2, frame=61)
    for frame, text in ((61, "three "), (80, "plus four "), (149, "is seven")):
        gateway.say("text", generation=2, frame=frame, text=text)
    gateway.speak(syllables(95), generation=2)
    page.wait_for_timeout(1_300)


def syllables(frames: int) -> bytes:
    """A voice-like rise and fall: int16 bytes."""
    time = np.arange(frames * 480) / SECOND
    loudness = np.abs(np.sin(2 * np.pi * 2.3 * time)) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.7 * time))
    return (9_000 * loudness * np.sin(2 * np.pi * 180 * time)).astype("<i2").tobytes()


def refused(page: Page) -> None:
    """A server without a free place."""
    with FakeGateway(refusal=FULL) as gateway:
        page.goto(gateway.url)
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Not now")
        page.screenshot(path=page_file(page))


def page_file(page: Page) -> Path:
    """Where this page's picture goes."""
    return FILES[page]


FILES: Final[dict[Page, Path]] = {}
Shot = tuple[Callable[[Page], None], tuple[int, int], str]
SHOTS: Final[dict[str, Shot]] = {
    "idle": (idle, WIDE, "light"),
    "speaking": (speaking, WIDE, "light"),
    "refused": (refused, WIDE, "light"),
    "phone": (speaking, PHONE, "light"),
    "dark": (speaking, WIDE, "dark"),
}


def _take(
    browser: BrowserContext, file: Path, shoot: Callable[[Page], None], size: tuple[int, int], s: str
) -> None:
    page = browser.new_page()
    FILES[page] = file
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if s == "dark" else "light")
    shoot(page)
    if not file.exists():
        page.screenshot(path=file)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
