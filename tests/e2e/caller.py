"""What a person does with the page, and what the tests observe of it."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.browser import SECOND
from tests.e2e.fake_gateway import FakeGateway
from tests.patience import wait_until

# Keeps every text that the status lines show: some show for a moment only, and a busy machine may
# look too late.
_HISTORY: Final = """
window.shown = {};
addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("#headline, #countdown, #notice")) {
    const texts = (window.shown[`#${element.id}`] = [element.textContent]);
    new MutationObserver(() => texts.push(element.textContent))
      .observe(element, { childList: true, characterData: true, subtree: true });
  }
});
"""
_SHOWN_IN_ORDER: Final = """
([selector, expected, since]) => {
  let next = 0;
  for (const text of (window.shown[selector] ?? []).slice(since)) {
    if (next < expected.length && text.includes(expected[next])) next++;
  }
  return next === expected.length;
}
"""
# Keeps what the page asks of the browser: microphones, speakers, audio elements, the wake lock.
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
    """20 ms frames of a sine."""
    time = np.arange(frames * 480) / SECOND
    return (8_000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


def start(page: Page, gateway: FakeGateway, mode: str = "") -> None:
    """Open the page and start a call. mode: its label; empty for the server's."""
    page.goto(gateway.url)
    if mode:
        page.click(f"text={mode}")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text(
        "Hold to talk" if mode == "Push to talk" else "Listening"
    )


def keep_history(page: Page) -> None:
    """From the next load on, keep what the status lines show, for `await_shown`."""
    page.add_init_script(_HISTORY)


def await_shown(page: Page, selector: str, *texts: str, since: int = 0) -> None:
    """Wait until this status line has shown these texts one after another, however briefly.

    since: leaves out so many of the texts that it showed first; see `count_shown`.
    """
    arguments = [selector, list(texts), since]
    wait_until(
        lambda: page.evaluate(_SHOWN_IN_ORDER, arguments),
        lambda: page.evaluate("window.shown"),
    )


def count_shown(page: Page, selector: str) -> int:
    """How many texts this status line has shown since the page was loaded."""
    return int(page.evaluate("(selector) => window.shown[selector].length", selector))


def spy(page: Page) -> None:
    """From the next load on, keep what the page asks of the browser."""
    page.add_init_script(_SPY)


def asked(page: Page) -> dict[str, Any]:
    """The constraints of the last microphone that the page asked for."""
    found: dict[str, Any] = page.evaluate("window.asked.at(-1)")
    return found


def pcm(gateway: FakeGateway, since: int = 0) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """The caller's audio from this byte on, as far as it has come."""
    return np.frombuffer(bytes(gateway.audio[since:]), "<i2")


def listen(gateway: FakeGateway, samples: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """The caller's next samples: waits until so many have come."""
    since = len(gateway.audio)
    gateway.await_audio(since + 2 * samples)
    return pcm(gateway, since)[:samples]


def await_sound(gateway: FakeGateway) -> None:
    """Wait until the caller's audio is not silent."""
    wait_until(lambda: listen(gateway, SECOND // 10).any())


def await_silence(gateway: FakeGateway) -> None:
    """Wait until the caller's audio is silent: nothing from before is on its way any more."""
    wait_until(lambda: not listen(gateway, SECOND // 10).any())


def saved(page: Page) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """The recording that the page downloads: (samples, caller and assistant)."""
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename.endswith(".wav")
    sound, rate = soundfile.read(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert rate == SECOND
    return np.asarray(sound)
