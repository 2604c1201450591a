"""The page's modules on their own, in a browser."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

JITTER = """
const {JitterBuffer} = await import("/web/audio/jitter-buffer.js");
const jitter = new JitterBuffer(24_000);
let number = 0;
const push = (count, value = 0.5, generation = 1, last = false) => {
  for (let i = 0; i < count; i++) {
    const samples = new Float32Array(480).fill(value);
    jitter.push({number: ++number, generation, last: last && i === count - 1, samples});
  }
};
const read = (ms) => {
  const out = new Float32Array(24 * ms);
  jitter.read(out);
  return [...out];
};
"""
RESAMPLE = """
const {Resampler} = await import("/web/audio/resampler.js");
const run = (from, to, hertz, chunk) => {
  const resampler = new Resampler(from, to), out = [];
  const input = new Float32Array(from).map((_, i) => Math.sin(2 * Math.PI * hertz * i / from));
  for (let at = 0; at < from; at += chunk) out.push(...resampler.push(input.slice(at, at + chunk)));
  return out;
};
"""
OUTBOX = """
const {Outbox} = await import("/web/transport/outbox.js");
const outbox = new Outbox();
const block = (first, count) => Int16Array.from({length: count}, (_, i) => first + i);
const left = (position) => outbox.rewind(position).flatMap((block) => [...block]);
"""


def run(page: Page, preamble: str, body: str) -> Any:
    """What the body returns."""
    return page.evaluate(f"async () => {{ {preamble} {body} }}")


def test_the_buffer_holds_back_until_it_has_60_ms(blank: Page) -> None:
    quiet, loud = run(blank, JITTER, "push(2); const a = read(5); push(1); return [a, read(20)];")
    assert max(quiet) == 0
    assert loud[0] < 0.01  # fades in
    assert loud[-1] == 0.5


def test_a_short_reply_does_not_wait(blank: Page) -> None:
    assert run(blank, JITTER, "push(1, 0.5, 1, true); return read(20);")[-1] == 0.5


def test_the_end_of_a_reply_is_no_underrun(blank: Page) -> None:
    body = "push(5, 0.5, 1, true); read(200); return [jitter.underruns, jitter.played];"
    assert run(blank, JITTER, body) == [0, 5]


def test_an_underrun_fades_and_raises_the_target(blank: Page) -> None:
    body = """push(5); const out = read(120);
    return {out, underruns: jitter.underruns, target: jitter.targetMs};"""
    found = run(blank, JITTER, body)
    assert (found["underruns"], found["target"]) == (1, 80)
    assert np.abs(np.diff(found["out"])).max() < 0.01
    assert found["out"][-1] == 0


def test_a_calm_spell_lowers_the_target(blank: Page) -> None:
    body = """push(5); read(120); for (let i = 0; i < 600; i++) { push(1); read(20); }
    return jitter.targetMs;"""
    assert run(blank, JITTER, body) == 60


def test_clear_fades_out_and_refuses_the_old_generation(blank: Page) -> None:
    body = """push(10); read(40); jitter.clear(1); push(10); const after = read(40);
    push(10, 0.25, 2); return [after, read(20).at(-1)];"""
    after, of_the_next = run(blank, JITTER, body)
    assert 0 < after[0] < 0.5
    assert max(after[120:]) == 0  # after 5 ms
    assert of_the_next == 0.25


def test_a_new_session_counts_generations_from_1_again(blank: Page) -> None:
    body = "push(5, 0.5, 7); jitter.clear(7); jitter.reset(); push(5, 0.25, 1); return read(20);"
    assert run(blank, JITTER, body)[-1] == 0.25


def test_a_late_buffer_skips_silence_but_no_speech(blank: Page) -> None:
    body = """push(10); push(20, 0.0); push(10); return [jitter.bufferMs, jitter.skipped];"""
    held_ms, skipped = run(blank, JITTER, body)
    assert held_ms == 40 * 20 - skipped * 20
    assert skipped == 20  # all the silence; speech stays, although the buffer is too full


def test_the_buffer_is_bounded(blank: Page) -> None:
    assert run(blank, JITTER, "push(1_000); return jitter.bufferMs;") == 2_000


@pytest.mark.parametrize(("rate_in", "rate_out"), [(48_000, 24_000), (24_000, 44_100)])
def test_any_chunking_resamples_the_same(blank: Page, rate_in: int, rate_out: int) -> None:
    body = f"return [128, 999, {rate_in}].map((cut) => run({rate_in}, {rate_out}, 1000, cut));"
    small, odd, whole = run(blank, RESAMPLE, body)
    shared = min(len(small), len(odd), len(whole))
    assert shared > 0.99 * rate_out
    np.testing.assert_allclose(small[:shared], whole[:shared], atol=1e-6)
    np.testing.assert_allclose(odd[:shared], whole[:shared], atol=1e-6)


def test_resampling_keeps_what_fits_and_drops_what_would_alias(blank: Page) -> None:
    kept, dropped = run(
        blank, RESAMPLE, "return [1000, 14000].map((hertz) => run(44100, 24000, hertz, 128));"
    )
    time = np.arange(len(kept)) / 24_000
    middle = slice(200, -200)
    np.testing.assert_allclose(kept[middle], np.sin(2 * np.pi * 1_000 * time)[middle], atol=1e-3)
    assert np.abs(dropped[middle]).max() < 1e-3


def test_the_outbox_keeps_what_was_not_acknowledged(blank: Page) -> None:
    body = "outbox.push(block(0, 10)); outbox.push(block(10, 10)); outbox.acknowledge(4);"
    assert run(blank, OUTBOX, body + "return left(7);") == list(range(7, 20))


def test_the_outbox_drops_the_oldest_beyond_two_seconds(blank: Page) -> None:
    body = """const dropped = [0, 1, 2].map((i) => outbox.push(new Int16Array(24_000).fill(i)));
    return [dropped, outbox.heldSamples, left(0)[0]];"""
    assert run(blank, OUTBOX, body) == [[0, 0, 24_000], 48_000, 1]


def test_a_recording_keeps_its_last_minutes(blank: Page) -> None:
    body = """const {Recording} = await import("/web/audio/recording.js");
    const recording = new Recording(10);
    for (let i = 0; i < 2 * Recording.LIMIT_S; i++) recording.add(new Int16Array(20).fill(i));
    const bytes = await recording.wav().arrayBuffer();
    return [recording.seconds, Recording.LIMIT_S, [...new Int16Array(bytes.slice(-80))]];"""
    seconds, limit, last = run(blank, "", body)
    assert limit <= seconds <= limit + 10  # the piece in progress
    assert last == [2 * limit - 2] * 20 + [2 * limit - 1] * 20


def test_only_a_gap_between_ticks_is_sleep(blank: Page) -> None:
    body = """const {SleepDetector} = await import("/web/transport/sleep.js");
    let now = 1000;
    const sleep = new SleepDetector(2000, () => now);
    return [2000, 4500, 90000, 2000, -5000].map((ms) => { now += ms; return sleep.tick(); });"""
    assert run(blank, "", body) == [0, 0, 90_000, 0, 0]


def test_a_reply_is_cut_between_its_words(blank: Page) -> None:
    body = """const {Transcript} = await import("/web/ui/transcript.js");
    const list = document.createElement("ol"), transcript = new Transcript(list);
    const said = [[1, "one two "], [11, "three four five "], [31, "six"]];
    for (const [frame, text] of said) transcript.add({type: "text", generation: 1, frame, text});
    transcript.setPlayed(22);
    const played = list.querySelectorAll(".played").length;
    transcript.add({type: "clear", generation: 1, next_frame: 41});
    const cut = list.querySelector(".line");
    return [played, cut.querySelector("s").textContent, cut.textContent];"""
    played, unplayed, line = run(blank, "", body)
    assert played == 2
    assert unplayed == "four five six"
    assert line == "one two three interrupted four five six"
