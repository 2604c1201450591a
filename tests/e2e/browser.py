"""Debian's Chromium with a WAV as its microphone, and a tape of its audio input and output."""

import base64
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.patience import PATIENCE_S, wait_until

CHROMIUM: Final = Path("/usr/bin/chromium")
MICROPHONE_HZ: Final = 48_000  # Chromium's fake device takes this rate
FLAGS: Final = (
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--mute-audio",
    "--no-default-browser-check",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # A connection that comes while the first window opens can wait forever for its page.
    "--no-startup-window",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page from a name that is no loopback address has no secure context.
    "--host-resolver-rules=MAP antiphon.test 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
)
# How Chromium calls it when nothing listens, or what listened dies in the middle of a request.
_GONE: Final = tuple(
    f"net::ERR_{error}"
    for error in ("CONNECTION_REFUSED", "CONNECTION_RESET", "CONNECTION_CLOSED", "EMPTY_RESPONSE")
)
SECOND: Final = 24_000  # samples
PIECE: Final = SECOND // 4
WHOLE: Final = 0.98  # the correlation of audio that came back unharmed
Signal = NDArray[np.float64]

# Records the microphone and the speaker's input on one clock. The content policy allows only the
# page's own worklets, so this is a ScriptProcessor. Blocks of 170 ms outlast most stalls of the
# page.
_TAPE: Final = """
window.tape = [[], []];
const connect = AudioNode.prototype.connect;
const recorder = (context) => {
  const both = context.createChannelMerger(2);
  const writer = context.createScriptProcessor(4096, 2, 1);
  writer.onaudioprocess = ({ inputBuffer }) =>
    window.tape.forEach((side, i) => side.push(inputBuffer.getChannelData(i).slice()));
  connect.call(both, writer);
  connect.call(writer, context.destination);
  return both;
};
AudioNode.prototype.connect = function (to, ...rest) {
  const speaker = to instanceof AudioDestinationNode;
  if (speaker || this instanceof MediaStreamAudioSourceNode) {
    this.context.tape ??= recorder(this.context);
    connect.call(this, this.context.tape, 0, speaker ? 1 : 0);
  }
  return connect.call(this, to, ...rest);
};
"""
_TAPE_SAMPLES: Final = """
() => (window.tape?.[1] ?? []).reduce((sum, block) => sum + block.length, 0)
"""
# The page's main thread both records the tape and runs this: if it took long, the tape would break.
_READ_TAPE: Final = """
([start, stop]) => window.tape.map((blocks) => {
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  blocks.reduce((at, block) => (all.set(block, at), at + block.length), 0);
  const bytes = new Uint8Array(all.slice(start, stop ?? all.length).buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
})
"""


@dataclass(slots=True)
class Complaints:
    """Errors in the browser's console, breaches of the content policy among them."""

    lines: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Collect every error of this page from now on."""
        page.on("pageerror", lambda error: self.lines.append(str(error)))
        page.on("console", lambda m: self._note(m.text) if m.type == "error" else None)

    def _note(self, text: str) -> None:
        # Chromium reports a gateway that a test has killed; the page cannot prevent that.
        if not any(error in text for error in _GONE):
            self.lines.append(text)


def write_microphone(path: Path, seconds: float, *, seed: int = 7) -> None:
    """Write a WAV of random syllables: as no two are alike, none looks like another's echo."""
    rng = np.random.default_rng(seed)
    count = round(seconds * MICROPHONE_HZ)
    syllables: list[Signal] = []
    while sum(map(len, syllables)) < count:
        syllables += [_syllable(rng), np.zeros(rng.integers(MICROPHONE_HZ // 16))]
    signal = np.concatenate(syllables)[:count]
    soundfile.write(path, 0.5 * signal / np.abs(signal).max(), MICROPHONE_HZ, subtype="PCM_16")


def _syllable(rng: np.random.Generator) -> Signal:
    """120 to 350 ms with a random length, gliding pitch, two formants and loudness."""
    size = int(rng.integers(MICROPHONE_HZ * 12 // 100, MICROPHONE_HZ * 35 // 100))
    pitch_hz = rng.uniform(100, 240) * np.linspace(1, rng.uniform(0.8, 1.2), size)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / MICROPHONE_HZ
    formants_hz = np.exp(rng.uniform(np.log(300), np.log(3_000), 2))
    voice = np.zeros(size)
    for harmonic in range(1, 25):
        off = harmonic * pitch_hz.mean() / formants_hz - 1
        voice += np.sin(harmonic * phase) * (0.05 + np.sum(1 / (1 + (off / 0.15) ** 2)))
    breath = np.convolve(rng.standard_normal(size), np.hanning(24), mode="same")
    sound = voice / np.abs(voice).max() + 0.01 * breath
    return np.asarray(sound * np.sqrt(np.hanning(size)) * rng.uniform(0.3, 1.0))


@contextmanager
def chromium(profile: Path, microphone: Path | None) -> Iterator[str]:
    """Run a headless browser and yield the address of its DevTools.

    microphone: a WAV that loops as the microphone's input; None refuses permission. The process
    belongs to no Playwright: each test module makes its own connection.
    """
    device = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    consent = ["--use-fake-ui-for-media-stream"] if microphone else []
    place = ["--remote-debugging-port=0", f"--user-data-dir={profile}"]
    with (profile / "chromium.log").open("wb") as log:
        line = [str(CHROMIUM), *FLAGS, *device, *consent, *place]
        process = subprocess.Popen(line, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{_devtools_port(process, profile)}"
    finally:
        process.terminate()
        process.wait()


def _devtools_port(process: "subprocess.Popen[bytes]", profile: Path) -> int:
    """The port that Chromium chose, which it writes to a file in its profile."""
    port_file = profile / "DevToolsActivePort"
    log = profile / "chromium.log"

    def written() -> bool:
        return process.poll() is not None or (port_file.exists() and "\n" in port_file.read_text())

    wait_until(written, log.read_text)
    if process.poll() is not None:
        raise RuntimeError(f"Expected Chromium to start, got:\n{log.read_text()}")
    return int(port_file.read_text().splitlines()[0])


@contextmanager
def connected(playwright: Playwright, devtools: str) -> Iterator[BrowserContext]:
    """A fresh context in a browser that already runs: its own storage, no pages."""
    browser = playwright.chromium.connect_over_cdp(devtools, timeout=1_000 * PATIENCE_S)
    context = browser.new_context()
    context.set_default_timeout(1_000 * PATIENCE_S)
    try:
        yield context
    finally:
        context.close()
        browser.close()  # ends the connection, not the process


def start_tape(page: Page) -> None:
    """From the next load on, record what the page hears and plays."""
    page.add_init_script(_TAPE)


def await_tape(page: Page, more_s: float) -> None:
    """Wait until the tape is so much longer: seconds of audio, however slow the machine is."""
    since = page.evaluate(_TAPE_SAMPLES)
    wait_until(lambda: page.evaluate(_TAPE_SAMPLES) >= since + more_s * SECOND)


def await_echo(page: Page, seconds: int, goal: float = WHOLE) -> float:
    """Wait until so many seconds of the microphone come out of the speaker; the best likeness.

    Any second may break off on a starved machine; a call that changes the audio changes all of it.
    """
    best, start = 0.0, SECOND  # the first second has the call's beginning in it
    deadline = time.monotonic() + PATIENCE_S
    while best < goal and time.monotonic() < deadline:
        stop = start + (seconds + 1) * SECOND  # a second more, for the delay
        if page.evaluate(_TAPE_SAMPLES) < stop:
            await_tape(page, more_s=1)
            continue
        mic, speaker = read_tape(page, start, stop)
        best = max(best, likeness(mic[:-SECOND], speaker))
        start += SECOND
    return best


def read_tape(page: Page, start: int = 0, stop: int | None = None) -> tuple[Signal, Signal]:
    """The microphone's audio and the speaker's input: 24 kHz, on one clock.

    start, stop: the samples to read; None reads to the end.
    """
    mic, speaker = (
        np.frombuffer(base64.b64decode(text), np.float32).astype(np.float64)
        for text in page.evaluate(_READ_TAPE, [start, stop])
    )
    return mic, speaker


def likeness(needle: Signal, hay: Signal) -> float:
    """How well quarters of a second of `needle` correlate with their best place in `hay`.

    The upper quartile, because on a starved machine the audio breaks off, even in Chromium's
    microphone, and only what lies between the breaks can correlate. Wrong audio fits nowhere.
    """
    size = 1 << (len(hay) + PIECE).bit_length()
    spectrum = np.fft.rfft(hay, size)
    pieces = [needle[at : at + PIECE] for at in range(0, len(needle) - PIECE + 1, PIECE)]
    return float(np.quantile([_best(piece, hay, spectrum, size)[0] for piece in pieces], 0.75))


def delays_ms(mic: Signal, speaker: Signal) -> list[float]:
    """The delay from microphone to speaker of each quarter of a second.

    Looks in the second that follows, and leaves out a piece that did not come back whole.
    """
    found = []
    size = 1 << (5 * PIECE).bit_length()
    for start in range(0, len(mic) - 5 * PIECE, PIECE):
        hay = speaker[start : start + 5 * PIECE]
        like, at = _best(mic[start : start + PIECE], hay, np.fft.rfft(hay, size), size)
        if like >= WHOLE:
            found.append(1_000 * at / SECOND)
    return found


def _best(
    piece: Signal, hay: Signal, spectrum: NDArray[np.complex128], size: int
) -> tuple[float, int]:
    """The correlation of the piece with its best place in `hay`, and where that is."""
    products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)
    at = int(np.argmax(products[: len(hay) - len(piece) + 1]))
    place = hay[at : at + len(piece)]
    if not (piece.any() and place.any()):  # silence from a starved browser
        return 0.0, at
    return float(np.corrcoef(piece, place)[0, 1]), at
