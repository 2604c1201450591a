"""The page against a gateway that says what each test wants: what it shows, sends and plays."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import SECOND, Signal, likeness, read_tape, start_tape
from tests.e2e.caller import start, tone
from tests.e2e.fake_gateway import FakeGateway

pytestmark = pytest.mark.browser


def test_a_turn_is_shown_as_it_goes(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.say("speech_started", sample=0)
    gateway.say("speech_stopped", sample=2 * SECOND)
    expect(page.locator("#headline")).to_have_text("Thinking")
    gateway.say("reply_started", generation=1, frame=1)
    gateway.say("text", generation=1, frame=1, text="three plus four ")
    gateway.say("text", generation=1, frame=9, text="is seven")
    gateway.speak(tone(50), generation=1, last=True)
    gateway.say("reply_done", generation=1, frame=51, reason="end")
    expect(page.locator("#headline")).to_have_text("Speaking")
    expect(page.locator(".caller .said")).to_have_text("spoke for 2.0 s")
    expect(page.locator(".reply .said")).to_have_text("three plus four is seven")
    expect(page.locator("#headline")).to_have_text("Listening")
    assert gateway.await_said("played")["frame"] == 50
    assert page.locator("#breaks").inner_text() == "0"


def test_the_caller_s_words_are_shown_and_marked_as_rough(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.say("speech_started", sample=0)
    gateway.say("heard", text="wot is", final=False, rough=True)
    said = page.locator(".caller .said")
    expect(said).to_have_text("wot is …")
    gateway.say("speech_stopped", sample=2 * SECOND)
    gateway.say("heard", text="wot is <b>tu</b>", final=True, rough=True)
    expect(said).to_have_text("wot is <b>tu</b> roughly")
    expect(said.locator(".rough")).to_have_text("wot is <b>tu</b>")
    gateway.say("speech_started", sample=3 * SECOND)
    expect(said).to_have_count(2)
    expect(said.first).to_have_text("wot is <b>tu</b> roughly")


def test_the_caller_s_words_are_not_marked_as_rough_where_the_model_knows_them(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.say("speech_started", sample=0)
    gateway.say("heard", text="what is", final=False, rough=False)
    said = page.locator(".caller .said")
    expect(said).to_have_text("what is …")
    gateway.say("speech_stopped", sample=2 * SECOND)
    gateway.say("heard", text="What is two?", final=True, rough=False)
    expect(said).to_have_text("What is two?")
    expect(said.locator(".rough")).to_have_count(0)


def test_a_turn_that_goes_on_stays_one_entry_and_its_withdrawn_reply_goes(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.say("speech_started", sample=SECOND)
    gateway.say("speech_stopped", sample=2 * SECOND)
    gateway.say("heard", text="How much is three plus", final=True, rough=False)
    gateway.say("reply_started", generation=1, frame=1)
    gateway.say("text", generation=1, frame=1, text="Three.")
    expect(page.locator(".reply .said")).to_have_text("Three.")
    gateway.say("clear", generation=1, next_frame=5)
    gateway.say("reply_done", generation=1, frame=5, reason="cancelled")
    gateway.say("speech_started", sample=SECOND)
    gateway.say("heard", text="How much is three plus four?", final=True, rough=False)
    expect(page.locator(".reply")).to_have_count(0)
    expect(page.locator(".caller .said")).to_have_text(["How much is three plus four?"])


def test_an_interrupted_reply_stops_and_is_marked(page: Page, gateway: FakeGateway) -> None:
    start_tape(page)
    start(page, gateway)
    gateway.say("reply_started", generation=1, frame=1)
    for frame, text in ((1, "counting "), (3, "from one to "), (95, "ninety")):
        gateway.say("text", generation=1, frame=frame, text=text)
    gateway.speak(tone(100), generation=1)
    expect(page.locator("#headline")).to_have_text("Speaking")
    gateway.say("speech_started", sample=SECOND)
    gateway.say("clear", generation=1, next_frame=101)
    gateway.speak(tone(25, 1_000.0), generation=1)  # of the old generation: must not be heard
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(page.locator(".reply .said")).to_have_text(re.compile("^counting .*cut off.*ninety$"))
    expect(page.locator(".reply s")).to_have_text(re.compile("ninety$"))
    page.wait_for_timeout(300)
    _, speaker = read_tape(page)
    heard_s = np.count_nonzero(np.abs(speaker) > 1e-3) / SECOND
    assert 0 < heard_s < 1.8  # of 2.0 s of tone
    assert loudness(speaker, 1_000) < 1e-3 * loudness(speaker, 440)


def test_who_reads_back_is_left_there(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    below = "() => { const list = document.querySelector('#transcript');"
    below += "return list.scrollHeight - list.scrollTop - list.clientHeight; }"
    for generation in range(1, 16):
        gateway.say("text", generation=generation, frame=generation, text="word " * 40)
    expect(page.locator(".reply")).to_have_count(15)
    assert page.evaluate(below) < 2  # the newest is shown
    page.locator("#transcript").evaluate("(list) => (list.scrollTop = 0)")
    page.wait_for_timeout(100)
    gateway.say("text", generation=16, frame=16, text="more")
    expect(page.locator(".reply")).to_have_count(16)
    assert page.locator("#transcript").evaluate("(list) => list.scrollTop") == 0


def loudness(sound: Signal, hertz: int) -> float:
    """The energy within 20 Hz of a pitch."""
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    bins = len(sound) / SECOND
    return float(spectrum[round((hertz - 20) * bins) : round((hertz + 20) * bins)].sum())


GOOD = 0.98


def best_echo(page: Page, start: int, stop: int) -> float:
    """How like the microphone's samples are to what the speaker got, the best of three calls.

    On a starved machine any one call may break off; a call that changes the sound does so always.
    """
    start_tape(page)
    best = 0.0
    for _ in range(3):
        best = max(best, echo_likeness(page, start, stop))
        if best > GOOD:
            break
    return best


def echo_likeness(page: Page, start: int, stop: int) -> float:
    with FakeGateway(echo=True) as gateway:
        page.goto(gateway.url + "?processing=off")
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Speaking")
        page.wait_for_timeout(4_000)
        mic, speaker = read_tape(page)
    return likeness(mic[start:stop], speaker)


def test_echo_comes_back_unchanged(page: Page) -> None:
    assert best_echo(page, SECOND, 3 * SECOND) > GOOD


def test_a_browser_that_wants_its_own_rate_gets_it(page: Page) -> None:
    """Firefox takes no microphone into a 24 kHz context: the worklets resample."""
    page.add_init_script(
        """const create = AudioContext.prototype.createMediaStreamSource;
        AudioContext.prototype.createMediaStreamSource = function (stream) {
          if (this.sampleRate !== 24000) return create.call(this, stream);
          throw new DOMException("another rate", "NotSupportedError");
        };"""
    )
    assert best_echo(page, 3 * SECOND, 6 * SECOND) > GOOD


def test_stopping_ends_the_session(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ready when you are")
    gateway.await_said("end")
    page.wait_for_timeout(300)
    assert gateway.close_codes == [1000]


def test_a_lost_connection_goes_on_at_the_next_frame(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.speak(tone(10), generation=1)
    page.wait_for_timeout(500)
    held = len(gateway.audio) // 2
    gateway.ready |= {"outcome": "recovered", "next_sample": held, "next_frame": 11}
    gateway.drop()
    expect(page.locator("#headline")).to_have_text("Connection lost, coming back")
    expect(page.locator("#headline")).to_have_text("Listening")
    resume = gateway.await_said("start")["resume"]
    assert resume == {"session": "s" * 32, "token": "t" * 22, "frame": 10}
    gateway.speak(tone(10), generation=1, last=True)
    page.wait_for_timeout(500)
    assert gateway.await_said("played")["frame"] == 20
