"""Debian's Chromium with a WAV for a microphone, and a tape of what went in and what came out."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, Playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
MICROPHONE_HZ: Final = 48_000  # Chromium's fake device takes this rate
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that is no loopback address: a page from it is in no secure context.
    "--host-resolver-rules=MAP antiphon.test 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
)
SECOND: Final = 24_000  # samples
PIECE: Final = SECOND // 4
WHOLE: Final = 0.98  # the correlation of sound that came back unharmed
Signal = NDArray[np.float64]

# Two inputs on one clock: the microphone and what goes to the speaker. The content policy allows no
# worklet but the page's own; blocks of 170 ms are long enough for a busy main thread to keep up.
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
_READ_TAPE: Final = """
() => window.tape.map((blocks) => {
  const bytes = new Uint8Array(new Float32Array(blocks.flatMap((block) => [...block])).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
})
"""


@dataclass(slots=True)
class Complaints:
    """What the browser's console said that it should not have: errors, policy violations."""

    lines: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Write down every error of this page from now on."""
        page.on("pageerror", lambda error: self.lines.append(str(error)))
        page.on("console", lambda m: self._note(m.text) if m.type == "error" else None)

    def _note(self, text: str) -> None:
        # Chromium says this of a gateway that a test has killed; the page cannot keep it from that.
        if "net::ERR_CONNECTION_REFUSED" not in text:
            self.lines.append(text)


def write_microphone(path: Path, seconds: float, *, seed: int = 7) -> None:
    """A WAV of made-up syllables: no two are alike, so none is the echo of another."""
    rng = np.random.default_rng(seed)
    count = round(seconds * MICROPHONE_HZ)
    syllables: list[Signal] = []
    while sum(map(len, syllables)) < count:
        syllables += [_syllable(rng), np.zeros(rng.integers(MICROPHONE_HZ // 16))]
    signal = np.concatenate(syllables)[:count]
    soundfile.write(path, 0.5 * signal / np.abs(signal).max(), MICROPHONE_HZ, subtype="PCM_16")


def _syllable(rng: np.random.Generator) -> Signal:
    """120 to 350 ms with a length, a gliding pitch, two formants and a loudness of its own."""
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
def chromium(
    playwright: Playwright, profile: Path, microphone: Path | None
) -> Iterator[BrowserContext]:
    """A headless browser. microphone: what it hears, again and again; None refuses permission."""
    device = [f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    consent = ["--use-fake-ui-for-media-stream"] if microphone else []
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=CHROMIUM, headless=True, args=[*FLAGS, *device, *consent]
    )
    try:
        yield context
    finally:
        context.close()


def start_tape(page: Page) -> None:
    """From the next load on, write down what the page hears and plays."""
    page.add_init_script(_TAPE)


def read_tape(page: Page) -> tuple[Signal, Signal]:
    """What the microphone gave and what went to the speaker: 24 kHz, on one clock."""
    mic, speaker = (
        np.frombuffer(base64.b64decode(text), np.float32).astype(np.float64)
        for text in page.evaluate(_READ_TAPE)
    )
    return mic, speaker


def likeness(needle: Signal, hay: Signal) -> float:
    """How alike pieces of a quarter of a second are to where they fit best in `hay`.

    The upper quartile: a starved machine breaks the sound off, in Chromium's microphone too, and
    what should be alike is what lies between the breaks. Wrong sound fits nowhere.
    """
    size = 1 << (len(hay) + PIECE).bit_length()
    spectrum = np.fft.rfft(hay, size)
    pieces = [needle[at : at + PIECE] for at in range(0, len(needle) - PIECE + 1, PIECE)]
    return float(np.quantile([_best(piece, hay, spectrum, size)[0] for piece in pieces], 0.75))


def delays_ms(mic: Signal, speaker: Signal) -> list[float]:
    """How long after the microphone each of its quarters of a second came out of the speaker.

    Looked for in the second that follows; a piece that comes back less whole is left out.
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
    """The place in `hay` that the piece fits best: its correlation with it, and where it is."""
    products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, size)), size)
    at = int(np.argmax(products[: len(hay) - len(piece) + 1]))
    place = hay[at : at + len(piece)]
    if not (piece.any() and place.any()):  # a starved browser gave silence
        return 0.0, at
    return float(np.corrcoef(piece, place)[0, 1]), at
