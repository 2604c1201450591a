"""What the page shows, sends and plays, against a gateway that sends what each test wants."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import (
    SECOND,
    WHOLE,
    Signal,
    await_echo,
    await_tape,
    read_tape,
    start_tape,
)
from tests.e2e.caller import await_shown, start, tone
from tests.e2e.fake_gateway import FakeGateway
from tests.patience import wait_until

pytestmark = pytest.mark.browser


def test_a_turn_is_shown_as_it_goes(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.send("speech_started", sample=0)
    gateway.send("speech_stopped", sample=2 * SECOND)
    expect(page.locator("#headline")).to_have_text("Thinking")
    gateway.send("reply_started", generation=1, frame=1)
    gateway.send("text", generation=1, frame=1, text="three plus four ")
    gateway.send("text", generation=1, frame=9, text="is seven")
    gateway.speak(tone(50), generation=1, last=True)
    gateway.send("reply_done", generation=1, frame=51, reason="end")
    await_shown(page, "#headline", "Thinking", "Speaking", "Listening")
    expect(page.locator(".caller .line")).to_have_text("Spoke for 2.0 s")
    expect(page.locator(".reply .line")).to_have_text("three plus four is seven")
    gateway.await_played(50)
    # A starved browser may run dry, but it must not count a frame as lost.
    assert page.locator("#dropouts").inner_text().isdecimal()


def test_before_a_call_the_page_shows_one_example_after_another(
    page: Page, gateway: FakeGateway
) -> None:
    page.clock.install()
    page.goto(gateway.url)
    expect(page.locator("#headline")).to_have_text("Ask me anything")
    example = page.locator("#example")
    for text in ("Why is the sky blue?", "Tell me a joke.", "thirty-eight", "Why is the sky"):
        expect(example).to_contain_text(text)
        page.clock.run_for(5_000)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    expect(example).to_be_hidden()


@pytest.mark.parametrize(
    ("engine", "headline"),
    [("cascade", "Ask me anything"), ("hybrid", "something simple"), ("echo", "Say something")],
)
def test_the_headline_suits_the_engine(
    page: Page, gateway: FakeGateway, engine: str, headline: str
) -> None:
    gateway.config["engine"] = engine
    page.goto(gateway.url)
    expect(page.locator("#headline")).to_contain_text(headline)


def test_rough_words_of_the_caller_are_marked(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.send("speech_started", sample=0)
    gateway.send("heard", text="wot is", final=False, rough=True)
    line = page.locator(".caller .line")
    expect(line).to_have_text("wot is …")
    gateway.send("speech_stopped", sample=2 * SECOND)
    gateway.send("heard", text="wot is <b>tu</b>", final=True, rough=True)
    expect(line).to_have_text("wot is <b>tu</b> roughly")
    expect(line.locator(".rough")).to_have_text("wot is <b>tu</b>")
    gateway.send("speech_started", sample=3 * SECOND)
    expect(line).to_have_count(2)
    expect(line.first).to_have_text("wot is <b>tu</b> roughly")


def test_exact_words_of_the_caller_are_shown_as_they_come(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.send("speech_started", sample=0)
    gateway.send("heard", text="What is", final=False, rough=False)
    line = page.locator(".caller .line")
    expect(line).to_have_text("What is …")
    gateway.send("heard", text="What is two", final=False, rough=False)
    expect(line).to_have_text("What is two …")
    gateway.send("speech_stopped", sample=2 * SECOND)
    expect(page.locator("#headline")).to_have_text("Thinking")
    expect(line).to_have_text("What is two …")  # not a duration in its place
    gateway.send("heard", text="What is two plus two?", final=True, rough=False)
    expect(line).to_have_text("What is two plus two?")
    expect(line.locator(".rough, .note")).to_have_count(0)


def test_a_turn_that_goes_on_stays_one_entry_and_its_withdrawn_reply_goes(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.send("speech_started", sample=SECOND)
    gateway.send("speech_stopped", sample=2 * SECOND)
    gateway.send("heard", text="How much is three plus", final=True, rough=False)
    gateway.send("reply_started", generation=1, frame=1)
    gateway.send("text", generation=1, frame=1, text="Three.")
    expect(page.locator(".reply .line")).to_have_text("Three.")
    gateway.send("clear", generation=1, next_frame=5)
    gateway.send("reply_done", generation=1, frame=5, reason="cancelled")
    gateway.send("speech_started", sample=SECOND)
    gateway.send("heard", text="How much is three plus four?", final=True, rough=False)
    expect(page.locator(".reply")).to_have_count(0)
    expect(page.locator(".caller .line")).to_have_text(["How much is three plus four?"])


def test_an_interrupted_reply_stops_and_is_marked(page: Page, gateway: FakeGateway) -> None:
    start_tape(page)
    start(page, gateway)
    gateway.send("reply_started", generation=1, frame=1)
    for frame, text in ((1, "counting "), (3, "from one to ")):
        gateway.send("text", generation=1, frame=frame, text=text)
    with gateway.speaking(tone(50), generation=1):
        expect(page.locator("#headline")).to_have_text("Speaking")
        gateway.await_played(5)  # so that the first words are heard
    sent_s = gateway.next_frame / 50
    gateway.send("text", generation=1, frame=gateway.next_frame, text="ninety")
    gateway.speak(tone(75), generation=1)  # 1.5 s that the interruption must cut off
    gateway.send("speech_started", sample=SECOND)
    gateway.send("clear", generation=1, next_frame=gateway.next_frame)
    gateway.speak(tone(25, 1_000.0), generation=1)  # of the old generation: must not be played
    expect(page.locator("#headline")).to_have_text("Listening")
    marked = re.compile("^counting .*interrupted.*ninety$")
    expect(page.locator(".reply .line")).to_have_text(marked)
    expect(page.locator(".reply s")).to_have_text(re.compile("ninety$"))
    await_tape(page, more_s=0.5)
    _, speaker = read_tape(page)
    played_s = np.count_nonzero(np.abs(speaker) > 1e-3) / SECOND
    assert 0 < played_s < sent_s + 1.0
    assert loudness(speaker, 1_000) < 1e-3 * loudness(speaker, 440)


def test_the_transcript_stays_where_a_reader_scrolled_to(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    below = "() => { const list = document.querySelector('#transcript');"
    below += "return list.scrollHeight - list.scrollTop - list.clientHeight; }"
    for generation in range(1, 16):
        gateway.send("text", generation=generation, frame=generation, text="word " * 40)
    expect(page.locator(".reply")).to_have_count(15)
    wait_until(lambda: page.evaluate(below) < 2)  # the newest is shown
    page.locator("#transcript").evaluate(
        """(list) => new Promise((scrolled) => {
          list.addEventListener("scroll", scrolled, { once: true });
          list.scrollTop = 0;
        })"""
    )
    gateway.send("text", generation=16, frame=16, text="more")
    expect(page.locator(".reply")).to_have_count(16)
    assert page.locator("#transcript").evaluate("(list) => list.scrollTop") == 0


def loudness(sound: Signal, hertz: int) -> float:
    """The energy within 20 Hz of a pitch."""
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    bins = len(sound) / SECOND
    return float(spectrum[round((hertz - 20) * bins) : round((hertz + 20) * bins)].sum())


def echo_likeness(page: Page) -> float:
    """How like the speaker's input is to the microphone's audio in a call that returns it."""
    start_tape(page)
    with FakeGateway(echo=True) as gateway:
        page.goto(gateway.url + "?processing=off")
        page.click("#call")
        return await_echo(page, seconds=2)


def test_echo_comes_back_unchanged(page: Page) -> None:
    assert echo_likeness(page) >= WHOLE


def test_a_browser_with_a_fixed_sample_rate_resamples(page: Page) -> None:
    """Firefox takes no microphone into a 24 kHz context: the worklets resample."""
    page.add_init_script(
        """const create = AudioContext.prototype.createMediaStreamSource;
        AudioContext.prototype.createMediaStreamSource = function (stream) {
          if (this.sampleRate !== 24000) return create.call(this, stream);
          throw new DOMException("another rate", "NotSupportedError");
        };"""
    )
    assert echo_likeness(page) >= WHOLE


def test_stopping_ends_the_session(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ask me anything")
    gateway.await_message("end")
    assert gateway.await_closed() == [1000]


def test_a_lost_connection_goes_on_at_the_next_frame(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    gateway.speak(tone(10), generation=1)
    gateway.await_played(10)
    held = len(gateway.audio) // 2
    gateway.ready |= {"outcome": "recovered", "next_sample": held, "next_frame": 11}
    gateway.unresponsive = True
    gateway.drop()
    expect(page.locator("#headline")).to_have_text("Connection lost. Reconnecting…")
    gateway.unresponsive = False
    expect(page.locator("#headline")).to_have_text("Listening")
    resume = gateway.await_message("start")["resume"]
    assert resume == {"session": "s" * 32, "token": "t" * 22, "frame": 10}
    gateway.speak(tone(10), generation=1, last=True)
    gateway.await_played(20)
