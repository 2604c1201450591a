"""Every control of the page does what it says, in a call and before one."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import (
    SECOND,
    WHOLE,
    Signal,
    await_tape,
    likeness,
    read_tape,
    start_tape,
)
from tests.e2e.caller import (
    asked,
    await_silence,
    await_sound,
    listen,
    pcm,
    saved,
    spy,
    start,
    tone,
)
from tests.e2e.fake_gateway import FakeGateway
from tests.patience import wait_until

pytestmark = pytest.mark.browser

# Measures the largest level of the page's own audio element from now on.
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

LONGER_THAN_A_TAP_MS = 600
# Both events in one task: on a busy machine a click of Playwright's may last as long as a hold.
_TAP = """
for (const type of ["keydown", "keyup"]) {
  document.body.dispatchEvent(new KeyboardEvent(type, { code: "Space", bubbles: true }));
}
"""


def test_mute_sends_silence_and_the_call_goes_on(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    await_sound(gateway)
    page.click("#mute")
    expect(page.locator("#headline")).to_have_text("You’re muted")
    await_silence(gateway)
    assert not listen(gateway, SECOND // 2).any()


def test_the_mode_is_the_servers_until_chosen(page: Page, gateway: FakeGateway) -> None:
    gateway.ready["mode"] = "stream"
    start(page, gateway)
    assert gateway.messages[0] == {"type": "start"}
    expect(page.locator("[value=stream]")).to_be_checked()
    page.click("text=Take turns")
    assert gateway.await_message("mode")["mode"] == "turn"


def test_voice_and_style_are_chosen_by_name(page: Page, gateway: FakeGateway) -> None:
    gateway.config |= {"voices": ["alto", "baritone"], "styles": ["neutral", "calm"]}
    page.goto(gateway.url)
    page.click("summary")
    expect(page.locator("#voice option")).to_have_text(["Alto", "Baritone"])
    page.select_option("#voice", label="Baritone")
    page.select_option("#style", label="Calm")
    page.click("#call")
    assert gateway.await_message("start") == {"type": "start", "voice": "baritone", "style": "calm"}
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
    expect(page.locator("#volume-value")).to_have_text("50%")
    await_tape(page, more_s=0.3)  # the volume changes gradually, so that it does not click
    gateway.speak(tone(25), generation=1, last=True)
    gateway.await_played(25)
    await_tape(page, more_s=0.5)
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
    await_sound(gateway)


def test_the_browsers_sound_processing_is_a_choice(page: Page, gateway: FakeGateway) -> None:
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


def test_stronger_echo_cancellation_keeps_volume_and_speaker(
    page: Page, gateway: FakeGateway
) -> None:
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
    volume = 0.5 * 8_000 / 32_768
    with gateway.speaking(tone(50), generation=1):
        page.wait_for_function("(least) => window.loudest > least", arg=0.9 * volume)
    gateway.speak(tone(1), generation=1, last=True)
    gateway.await_played(gateway.next_frame - 1)
    assert page.evaluate("window.loudest") < 1.1 * volume  # not exact: it went through a codec
    assert not read_tape(page)[1].any()  # it did not play directly as well
    page.uncheck("#loopback")
    page.wait_for_function("() => window.player.srcObject === null")
    gateway.speak(tone(25), generation=2, last=True)
    wait_until(lambda: read_tape(page)[1].any())
    assert page.evaluate("window.sinks.at(-1)") == chosen


def test_without_stronger_echo_cancellation_the_call_plays_directly(
    page: Page, gateway: FakeGateway
) -> None:
    start_tape(page)
    page.add_init_script("RTCPeerConnection.prototype.createOffer = async () => { throw Error(); }")
    start(page, gateway)
    page.click("summary")
    page.check("#loopback")
    expect(page.locator("#notice")).to_contain_text("Stronger echo cancellation isn’t available")
    gateway.speak(tone(25), generation=1, last=True)
    wait_until(lambda: read_tape(page)[1].any())


def test_compressed_audio_begins_with_the_next_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("summary")
    page.check("#opus")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Ask me anything")
    page.click("#call")
    assert gateway.await_message("start", 2)["codec"] == "opus"
    expect(page.locator("#notice")).to_contain_text("Compressed audio isn’t available")
    await_sound(gateway)


def test_sound_settings_are_remembered(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("summary")
    page.fill("#volume", "30")
    page.uncheck("#noiseSuppression")
    page.check("#loopback")
    page.check("#opus")
    page.reload()
    expect(page.locator("#volume-value")).to_have_text("30%")
    expect(page.locator("#noiseSuppression")).not_to_be_checked()
    expect(page.locator("#loopback")).to_be_checked()
    expect(page.locator("#opus")).to_be_checked()
    page.evaluate("localStorage.setItem('antiphon.sound', '{\"volume\": \"loud')")
    page.reload()
    expect(page.locator("#volume-value")).to_have_text("100%")


def test_threshold_and_pause_are_the_servers_until_chosen(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url)
    page.click("summary")
    expect(page.locator("#threshold-value")).to_have_text("−54 dB")  # 0.002 of full scale
    expect(page.locator("#silence-value")).to_have_text("0.70 s")
    page.fill("#silence", "900")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    assert gateway.messages[0] == {"type": "start", "options": {"silence_ms": 900}}
    page.fill("#threshold", "-40")
    assert gateway.await_message("options") == {"type": "options", "vad_threshold": 0.01}


def test_settings_changed_without_a_connection_are_sent_when_it_is_back(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    gateway.ready |= {"outcome": "recovered"}
    gateway.drop()
    page.click("summary")
    page.fill("#silence", "1200")
    gateway.await_message("start", 2)
    assert gateway.await_message("options")["silence_ms"] == 1_200


def test_the_space_bar_is_held_to_talk(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway, "Push to talk")
    assert gateway.messages[0] == {"type": "start", "mode": "turn", "options": {"manual": True}}
    listen(gateway, SECOND // 2)
    assert not pcm(gateway).any()
    page.locator("[value=hold]").focus()  # as after a click on that mode
    page.keyboard.down("Space")
    gateway.await_message("cancel")
    expect(page.locator("#headline")).to_have_text("Listening")
    await_sound(gateway)
    page.wait_for_timeout(LONGER_THAN_A_TAP_MS)
    page.keyboard.up("Space")
    gateway.await_message("commit")
    await_silence(gateway)
    assert not listen(gateway, SECOND // 2).any()


def test_a_finger_on_the_button_is_held_to_talk(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway, "Push to talk")
    box = page.locator("#call").bounding_box()
    assert box is not None
    finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    expect(page.locator("#call")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(LONGER_THAN_A_TAP_MS)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    gateway.await_message("commit")
    expect(page.locator("#headline")).to_have_text("Hold to talk")


def test_a_tap_commits_nothing_and_the_other_button_hangs_up(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway, "Push to talk")
    page.evaluate(_TAP)
    gateway.await_message("cancel")
    page.wait_for_timeout(LONGER_THAN_A_TAP_MS)  # the commit would follow by now
    assert gateway.of_type("commit") == []
    page.click("#end")
    expect(page.locator("#headline")).to_have_text("Ask me anything")
    expect(page.locator("#call")).to_be_focused()  # the focused button is gone: focus moves on
    gateway.await_message("end")


def test_the_mode_changes_in_mid_call(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("text=Push to talk")
    assert gateway.await_message("options") == {"type": "options", "manual": True}
    assert gateway.await_message("mode")["mode"] == "turn"
    page.click("text=Talk freely")
    assert gateway.await_message("options", 2) == {"type": "options", "manual": False}
    assert gateway.await_message("mode", 2)["mode"] == "stream"
    expect(page.locator("#end")).to_be_hidden()
    expect(page.locator("#call")).to_have_text("Hang up")


def test_both_sides_are_recorded_on_one_clock(page: Page) -> None:
    start_tape(page)
    with FakeGateway(echo=True) as gateway:
        page.goto(gateway.url + "?processing=off")
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Speaking")
        starts: list[int] = []

        def found() -> bool:
            # A starved browser breaks off: look for one second that both sides have whole.
            await_tape(page, more_s=2)
            starts[:] = places_on_tape(saved(page).T, read_tape(page))
            return bool(starts)

        wait_until(found)
    assert starts[0] == starts[1]  # to the sample


def places_on_tape(
    sides: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", tape: tuple[Signal, Signal]
) -> list[int]:
    """Where the tape has the first second that it shares with both sides; [] without one."""
    for first in range(SECOND, sides.shape[1] - SECOND, SECOND):
        pieces = sides[:, first : first + SECOND]
        if all(likeness(p, t) > WHOLE for p, t in zip(pieces, tape, strict=True)):
            return [
                int(np.argmax(np.correlate(was, piece, "valid")))
                for piece, was in zip(pieces, tape, strict=True)
            ]
    return []


def test_the_screen_stays_awake_in_a_call(page: Page, gateway: FakeGateway) -> None:
    spy(page)
    start(page, gateway)
    page.wait_for_function("() => window.awake === 1")
    page.click("#call")
    page.wait_for_function("() => window.awake === 0")


def test_a_turn_in_writing_is_sent_where_the_engine_reads(page: Page, gateway: FakeGateway) -> None:
    gateway.ready["text"] = True
    page.goto(gateway.url)
    expect(page.locator("#typed")).to_be_hidden()
    start(page, gateway)
    page.fill("#typed-text", " Why is the sky blue? ")
    page.press("#typed-text", "Enter")
    assert gateway.await_message("text")["text"] == "Why is the sky blue?"
    expect(page.locator("#typed-text")).to_have_value("")
    expect(page.locator("#headline")).to_have_text("Thinking")
    gateway.send("heard", text="Why is the sky blue?", final=True, rough=False)
    gateway.send("text", generation=1, frame=1, text="Because.")
    expect(page.locator("#transcript .line")).to_have_text(["Why is the sky blue?", "Because."])
    gateway.send("error", code="unsupported", message="no text", closes=False)
    expect(page.locator("#notice")).to_have_text("This assistant can’t read. Please say it.")
    expect(page.locator("#typed")).to_be_visible()


def test_there_is_no_text_field_where_the_engine_only_hears(
    page: Page, gateway: FakeGateway
) -> None:
    start(page, gateway)
    expect(page.locator("#typed")).to_be_hidden()
