"""Every control of the page does what it says, in a call and before one."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import SECOND, likeness, read_tape, start_tape
from tests.e2e.caller import asked, pcm, saved, spy, start, tone
from tests.e2e.fake_gateway import FakeGateway

pytestmark = pytest.mark.browser

# How loud it is at most from now on where the page's own player is.
_METER = """
() => {
  const context = new AudioContext();
  const ear = new AnalyserNode(context, {fftSize: 4096});
  context.createMediaStreamSource(window.player.srcObject).connect(ear);
  const samples = new Float32Array(4096);
  window.loudest = 0;
  setInterval(() => {
    ear.getFloatTimeDomainData(samples);
    window.loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), window.loudest);
  }, 40);
}
"""


def test_mute_sends_silence_and_the_call_goes_on(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.wait_for_timeout(500)
    assert np.frombuffer(bytes(gateway.audio), "<i2").any()
    page.click("#mute")
    expect(page.locator("#headline")).to_have_text("You are muted")
    page.wait_for_timeout(300)
    before = len(gateway.audio)
    page.wait_for_timeout(500)
    muted = np.frombuffer(bytes(gateway.audio[before:]), "<i2")
    assert len(muted) > SECOND // 5
    assert not muted.any()


def test_the_mode_is_the_servers_until_chosen(page: Page, gateway: FakeGateway) -> None:
    gateway.ready["mode"] = "stream"
    start(page, gateway)
    assert gateway.texts[0] == {"type": "start"}
    expect(page.locator("[value=stream]")).to_be_checked()
    page.click("text=In turns")
    assert gateway.await_said("mode")["mode"] == "turn"


def test_the_voice_and_the_mood_are_chosen_by_name(page: Page, gateway: FakeGateway) -> None:
    gateway.config |= {"voices": ["alto", "baritone"], "styles": ["neutral", "calm"]}
    page.goto(gateway.url)
    page.click("summary")
    expect(page.locator("#voice option")).to_have_text(["Alto", "Baritone"])
    page.select_option("#voice", label="Baritone")
    page.select_option("#style", label="Calm")
    page.click("#call")
    assert gateway.await_said("start") == {"type": "start", "voice": "baritone", "style": "calm"}
    page.reload()
    page.click("summary")
    expect(page.locator("#voice")).to_have_value("baritone")
    gateway.config |= {"voices": ["tenor"], "styles": []}  # another model: there is no choice
    page.reload()
    page.click("summary")
    expect(page.locator("#style-row")).to_be_hidden()
    expect(page.locator("#voice-row")).to_be_hidden()


def test_the_volume_is_the_speakers_and_not_the_recordings(
    page: Page, gateway: FakeGateway
) -> None:
    start_tape(page)
    start(page, gateway)
    page.click("summary")
    page.fill("#volume", "50")
    expect(page.locator("#volume-value")).to_have_text("50 %")
    page.wait_for_timeout(200)
    gateway.speak(tone(25), generation=1, last=True)
    page.wait_for_timeout(1_000)
    _, speaker = read_tape(page)
    heard = speaker[np.flatnonzero(speaker)][-SECOND // 4 : -SECOND // 10]
    assert np.abs(heard).max() == pytest.approx(0.5 * 8_000 / 32_768, rel=0.02)
    recorded = saved(page)[:, 1]
    assert np.abs(recorded).max() == pytest.approx(8_000 / 32_768, rel=0.005)  # its end, too


def test_another_microphone_takes_over(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.click("summary")
    page.select_option("#microphone", label="Fake Audio Input 2")
    page.wait_for_function("() => window.tracks.length === 2")
    assert asked(page)["deviceId"]["exact"] == page.input_value("#microphone")
    page.wait_for_function("() => window.tracks[0].readyState === 'ended'")
    assert page.evaluate("window.tracks[1].label") == "Fake Audio Input 2"
    since = len(gateway.audio)
    page.wait_for_timeout(400)
    assert pcm(gateway, since).any()


def test_the_browsers_treatment_of_the_sound_is_a_choice(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.click("summary")
    for count, name in enumerate(("echoCancellation", "noiseSuppression", "autoGainControl"), 2):
        assert asked(page)[name] is True
        page.uncheck(f"#{name}")
        page.wait_for_function(f"window.asked.length === {count}")
        assert asked(page)[name] is False


def test_another_speaker_takes_over(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.click("summary")
    page.select_option("#speaker", label="Fake Audio Output 1")
    page.wait_for_function("() => window.sinks.length === 1")
    assert page.evaluate("window.sinks") == [page.input_value("#speaker")]
    expect(page.locator("#notice")).to_be_empty()


def test_the_way_of_a_call_keeps_volume_and_speaker(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start_tape(page)
    start(page, gateway)
    page.click("summary")
    page.fill("#volume", "50")
    page.select_option("#speaker", label="Fake Audio Output 1")
    page.check("#loopback")
    page.wait_for_function("() => window.player?.paused === false")
    assert page.evaluate("window.player.sinkId") == page.input_value("#speaker")
    page.select_option("#speaker", label="Fake Audio Output 2")
    chosen = page.input_value("#speaker")
    page.wait_for_function("(id) => window.player.sinkId === id", arg=chosen)
    page.evaluate(_METER)
    gateway.speak(tone(50), generation=1, last=True)
    page.wait_for_function("() => window.loudest > 0.05")
    page.wait_for_timeout(1_000)
    loudest = page.evaluate("window.loudest")
    assert loudest == pytest.approx(0.5 * 8_000 / 32_768, rel=0.1)  # it went through a codec
    assert not read_tape(page)[1].any()  # and not by both ways
    page.uncheck("#loopback")
    page.wait_for_function("() => window.player.srcObject === null")
    gateway.speak(tone(25), generation=2, last=True)
    page.wait_for_timeout(800)
    assert read_tape(page)[1].any()
    assert page.evaluate("window.sinks.at(-1)") == chosen


def test_without_the_way_of_a_call_the_usual_one_serves(page: Page, gateway: FakeGateway) -> None:
    start_tape(page)
    page.add_init_script("RTCPeerConnection.prototype.createOffer = async () => { throw Error(); }")
    start(page, gateway)
    page.click("summary")
    page.check("#loopback")
    expect(page.locator("#notice")).to_contain_text("The sound takes the usual way")
    gateway.speak(tone(25), generation=1, last=True)
    page.wait_for_timeout(800)
    assert read_tape(page)[1].any()


def test_less_data_is_asked_for_with_the_next_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("summary")
    page.check("#opus")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ready when you are")
    since = len(gateway.audio)
    page.click("#call")
    assert gateway.await_said("start", 2)["codec"] == "opus"
    expect(page.locator("#notice")).to_contain_text("cannot compress")  # this server
    page.wait_for_timeout(400)
    assert pcm(gateway, since).any()


def test_what_was_chosen_of_the_sound_is_remembered(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("summary")
    page.fill("#volume", "30")
    page.uncheck("#noiseSuppression")
    page.check("#loopback")
    page.check("#opus")
    page.reload()
    expect(page.locator("#volume-value")).to_have_text("30 %")
    expect(page.locator("#noiseSuppression")).not_to_be_checked()
    expect(page.locator("#loopback")).to_be_checked()
    expect(page.locator("#opus")).to_be_checked()
    page.evaluate("localStorage.setItem('antiphon.sound', '{\"volume\": \"loud')")
    page.reload()
    expect(page.locator("#volume-value")).to_have_text("100 %")


def test_threshold_and_pause_are_the_servers_until_chosen(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url)
    page.click("summary")
    expect(page.locator("#threshold-value")).to_have_text("−54 dB")  # 0.002 of full scale
    expect(page.locator("#silence-value")).to_have_text("0.70 s")
    page.fill("#silence", "900")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    assert gateway.texts[0] == {"type": "start", "options": {"silence_ms": 900}}
    page.fill("#threshold", "-40")
    assert gateway.await_said("options") == {"type": "options", "vad_threshold": 0.01}


def test_what_was_chosen_while_the_line_was_away_is_said_later(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.ready |= {"outcome": "recovered"}
    gateway.drop()
    page.click("summary")
    page.fill("#silence", "1200")
    gateway.await_said("start", 2)
    assert gateway.await_said("options")["silence_ms"] == 1_200


def test_the_space_bar_is_held_to_talk(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway, "Push to talk")
    assert gateway.texts[0] == {"type": "start", "mode": "turn", "options": {"manual": True}}
    page.wait_for_timeout(400)
    assert not pcm(gateway).any()
    page.locator("[value=hold]").focus()  # as it is for who has just chosen it
    page.keyboard.down("Space")
    gateway.await_said("cancel")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.wait_for_timeout(600)
    page.keyboard.up("Space")
    gateway.await_said("commit")
    assert pcm(gateway).any()
    since = len(gateway.audio)
    page.wait_for_timeout(400)
    assert not pcm(gateway, since + SECOND // 5).any()


def test_a_finger_on_the_button_is_held_to_talk(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway, "Push to talk")
    box = page.locator("#call").bounding_box()
    assert box is not None
    finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    expect(page.locator("#call")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(600)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    gateway.await_said("commit")
    expect(page.locator("#headline")).to_have_text("Hold to talk")


def test_a_tap_says_nothing_and_end_ends(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway, "Push to talk")
    page.locator("#call").click()
    gateway.await_said("cancel")
    page.wait_for_timeout(400)
    assert "commit" not in {event["type"] for event in gateway.texts}
    page.click("#end")
    expect(page.locator("#headline")).to_have_text("Ready when you are")
    expect(page.locator("#call")).to_be_focused()  # and not nothing: the other button is gone
    gateway.await_said("end")


def test_manners_change_in_mid_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("text=Push to talk")
    assert gateway.await_said("options") == {"type": "options", "manual": True}
    assert gateway.await_said("mode")["mode"] == "turn"
    page.click("text=Freely")
    assert gateway.await_said("options", 2) == {"type": "options", "manual": False}
    assert gateway.await_said("mode", 2)["mode"] == "stream"
    expect(page.locator("#end")).to_be_hidden()
    expect(page.locator("#call")).to_have_text("End")


def test_both_sides_are_saved_on_one_clock(page: Page) -> None:
    start_tape(page)
    with FakeGateway(echo=True) as gateway:
        page.goto(gateway.url + "?processing=off")
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Speaking")
        page.wait_for_timeout(3_000)
        page.click("#call")
        tape = read_tape(page)
        sides = saved(page).T
    starts = []
    for side, was in zip(sides, tape, strict=True):
        piece = side[SECOND : 2 * SECOND]
        assert likeness(piece, was) > 0.98
        starts.append(int(np.argmax(np.correlate(was, piece, "valid"))))
    assert starts[0] == starts[1]  # to the sample


def test_the_screen_stays_awake_in_a_call(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.wait_for_function("() => window.awake === 1")
    page.click("#call")
    page.wait_for_function("() => window.awake === 0")
