"""The page's audio in the browser: bad networks, sample rates, the loopback to the speaker."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.e2e.caller import start, tone
from tests.e2e.fake_gateway import FakeGateway
from tests.e2e.played import note_playback, played
from tests.patience import PATIENCE_S, wait_until

pytestmark = pytest.mark.browser

# A reply of 20 s arrives frame by frame, each delayed by some ms; the worklet reads 128 samples.
PLAYED = """
async (delays) => {
  const {JitterBuffer} = await import("/web/audio/jitter-buffer.js");
  const jitter = new JitterBuffer(24_000), latency = [];
  let loudest = 0, step = 0, before = 0;
  const arrivals = delays.map((late, i) => Math.max(0, 20 * (i - 9)) + late);
  for (let i = 1; i < arrivals.length; i++) arrivals[i] = Math.max(arrivals[i], arrivals[i - 1]);
  let next = 0;
  for (let block = 0; block < delays.length * 3.75 + 400; block++) {
    while (next < arrivals.length && arrivals[next] <= block * 128 / 24) {
      const samples = Float32Array.from({length: 480},
        (_, i) => 0.5 * Math.sin(2 * Math.PI * 200 * (480 * next + i) / 24_000));
      jitter.push({number: ++next, generation: 1, last: next === arrivals.length, samples});
    }
    const samples = new Float32Array(128);
    jitter.read(samples);
    for (const sample of samples) {
      loudest = Math.max(loudest, Math.abs(sample));
      step = Math.max(step, Math.abs(sample - before));
      before = sample;
    }
    if (block % 50 === 0) latency.push(jitter.bufferMs);
  }
  const {underruns, played, skipped, targetMs} = jitter;
  return {loudest, step, latency, underruns, played, skipped, targetMs};
}
"""
# Loud frames arrive at once, and the queue runs dry exactly at the end of a block.
EDGE = """
async () => {
  const {JitterBuffer} = await import("/web/audio/jitter-buffer.js");
  const jitter = new JitterBuffer(24_000), out = [];
  for (let number = 1; number <= 4; number++)
    jitter.push({number, generation: 1, last: false, samples: new Float32Array(480).fill(0.5)});
  for (let block = 0; block < 20; block++) {
    const samples = new Float32Array(128);
    jitter.read(samples);
    out.push(...samples);
  }
  return {out, underruns: jitter.underruns};
}
"""
ALIAS = """
async ([from, to, hertz]) => {
  const {Resampler} = await import("/web/audio/resampler.js");
  const resampler = new Resampler(from, to);
  const input = new Float32Array(from).map((_, i) => Math.sin(2 * Math.PI * hertz * i / from));
  return [...resampler.push(input)];
}
"""
LOOPBACK = """
async (patience_ms) => {
  const giveUpAt = performance.now() + patience_ms;
  const {Loopback} = await import("/web/audio/loopback.js");
  const context = new AudioContext({sampleRate: 24_000});
  let speaker;
  const Native = window.Audio;
  window.Audio = function () { return (speaker = new Native()); };
  const loopback = new Loopback(context);
  window.Audio = Native;
  await loopback.open();
  const tone = new OscillatorNode(context, {frequency: 1_000});
  const gain = new GainNode(context, {gain: 0.25});
  const ear = new AnalyserNode(context, {fftSize: 2048});
  context.createMediaStreamSource(speaker.srcObject).connect(ear);
  tone.connect(gain).connect(loopback.input);
  tone.start();
  const samples = new Float32Array(2048);
  const silent = () => Math.max(...samples.slice(0, 24), ...samples.slice(-24)) < 0.1;
  do {
    await new Promise((done) => setTimeout(done, 500));
    ear.getFloatTimeDomainData(samples);
  } while (silent() && performance.now() < giveUpAt);
  loopback.close();
  await context.close();
  return [...samples];
}
"""
LOUDEST = 0.501  # the tone's own peak
NO_CLICK = 0.04  # from sample to sample; the 200 Hz tone itself moves by 0.026


def play(page: Page, delays_ms: Any) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(PLAYED, [float(ms) for ms in delays_ms])
    return found


@pytest.mark.parametrize(
    ("name", "most_underruns"), [("even", 0), ("jitter", 0), ("bursts", 3), ("stalls", 4)]
)
def test_a_bad_network_costs_few_breaks_and_no_click(
    blank: Page, name: str, most_underruns: int
) -> None:
    rng = np.random.default_rng(11)
    delays = {
        "even": np.zeros(1_000),
        "jitter": rng.gamma(2, 10, 1_000),
        "bursts": np.where(rng.random(1_000) < 0.01, 230.0, 0.0),
        "stalls": np.where(np.arange(1_000) % 250 == 249, 400.0, 0.0),
    }[name]
    found = play(blank, delays)
    assert found["underruns"] <= most_underruns
    assert found["step"] < NO_CLICK
    assert 0.49 < found["loudest"] < LOUDEST  # no cross-fade adds up to more
    assert found["played"] == 1_000
    assert found["skipped"] == 0  # all of it is speech
    assert max(found["latency"]) < 700
    assert found["latency"][-1] == 0


def test_running_dry_at_a_blocks_end_fades_and_counts(blank: Page) -> None:
    found = blank.evaluate(EDGE)
    assert found["underruns"] == 1
    assert np.abs(np.diff(found["out"])).max() < 0.01
    assert found["out"][-1] == 0


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_aliases_and_images_are_60_db_down(blank: Page, rate: int) -> None:
    for hertz in (13_000, 15_000, 20_000):
        down = np.array(blank.evaluate(ALIAS, [rate, 24_000, hertz]))[200:-200]
        assert 20 * np.log10(np.sqrt(2 * np.mean(down**2))) < -60
    up = np.array(blank.evaluate(ALIAS, [24_000, rate, 9_000]))[200:-200]
    spectrum = np.abs(np.fft.rfft(up * np.blackman(len(up))))
    at = round(9_000 * len(up) / rate)
    image = spectrum[round(12_500 * len(up) / rate) :].max()
    assert 20 * np.log10(image / spectrum[at - 3 : at + 4].max()) < -60


def test_the_loopback_plays_what_goes_in(blank: Page) -> None:
    heard = np.array(blank.evaluate(LOOPBACK, 1_000 * PATIENCE_S))
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(np.argmax(spectrum) * 24_000 / len(heard) - 1_000) < 24
    assert 0.1 < np.abs(heard).max() < 0.5


def test_after_an_interruption_no_frame_of_the_old_reply_is_played(
    page: Page, gateway: FakeGateway
) -> None:
    note_playback(page, gateway)
    start(page, gateway)
    gateway.send("reply_started", generation=1, frame=1)
    gateway.speak(tone(60), generation=1)
    page.wait_for_function("window.notes.some(([kind]) => kind === 'block')")
    gateway.send("clear", generation=1, next_frame=61)
    gateway.speak(tone(20), generation=1)  # frames that were still on their way
    gateway.speak(tone(20), generation=2, last=True)
    gateway.await_played(100)
    # The worklet reports its notes with the block after.
    wait_until(lambda: sum(note[:2] == ("block", 2) for note in played(page)) >= 20 * 480 // 128)
    notes = played(page)
    cleared = notes.index(next(n for n in notes if (n.kind, n.generation) == ("clear", 1)))
    blocks = [
        [n.generation for n in part if n.kind == "block"]
        for part in (notes[:cleared], notes[cleared:])
    ]
    assert set(blocks[0]) == {1}
    assert set(blocks[1]) == {2}
    assert sum(note.kind == "frame" for note in notes) == 100
