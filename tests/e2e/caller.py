"""What a person does with the page, and what the page is made to hear and see by the tests."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.browser import SECOND
from tests.e2e.fake_gateway import FakeGateway

# Keeps what the page asked of the browser: microphones, speakers and what plays there by itself,
# the screen's wake lock.
_SPY: Final = """
window.asked = [];
window.tracks = [];
window.sinks = [];
window.awake = 0;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  window.asked.push(wish.audio);
  if (window.unplugged) throw new DOMException("none", "NotFoundError");
  const stream = await ask(wish);
  window.tracks.push(...stream.getTracks());
  return stream;
};
const Native = window.Audio;
window.Audio = function () {
  return (window.player = new Native());
};
const send = AudioContext.prototype.setSinkId;
AudioContext.prototype.setSinkId = function (id) {
  window.sinks.push(id);
  return send.call(this, id);
};
navigator.wakeLock.request = async () => {
  window.awake += 1;
  return { release: async () => (window.awake -= 1) };
};
"""


def tone(frames: int, hertz: float = 440.0) -> bytes:
    """So many 20 ms frames of a sine."""
    time = np.arange(frames * 480) / SECOND
    return (8_000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


def start(page: Page, gateway: FakeGateway, manners: str = "") -> None:
    """Open the page and start a call; `manners` is the label of a mode, or the server's own."""
    page.goto(gateway.url)
    if manners:
        page.click(f"text={manners}")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text(
        "Hold to talk" if manners == "Push to talk" else "Listening"
    )


def spy(page: Page) -> None:
    """From the next load on, keep what the page asks of the browser."""
    page.add_init_script(_SPY)


def asked(page: Page) -> dict[str, Any]:
    """The constraints of the last microphone that the page asked for."""
    found: dict[str, Any] = page.evaluate("window.asked.at(-1)")
    return found


def pcm(gateway: FakeGateway, since: int = 0) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """What the page has said from this byte on."""
    return np.frombuffer(bytes(gateway.audio[since:]), "<i2")


def saved(page: Page) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """What the page saves: (samples, caller and assistant)."""
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename.endswith(".wav")
    sound, rate = soundfile.read(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert rate == SECOND
    return np.asarray(sound)
