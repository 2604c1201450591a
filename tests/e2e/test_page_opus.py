"""A call with Opus by the browser's own codecs, through the real processes."""

import pytest
from playwright.sync_api import Page, expect

from gateway.call import opus
from tests.e2e.browser import SECOND, likeness, read_tape, start_tape
from tests.e2e.launcher import Stack
from tests.e2e.wire import Wire

pytestmark = [
    pytest.mark.browser,
    pytest.mark.e2e,
    pytest.mark.skipif(not opus.AVAILABLE, reason="this system has no libopus"),
]


def open_page(page: Page, stack: Stack) -> None:
    """The page, asked for less data."""
    page.goto(f"{stack.http}/web?processing=off")
    page.click("summary")
    page.check("#opus")


def test_a_voice_goes_round_as_opus(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    start_tape(page)
    wire = Wire(page)
    open_page(page, stack)
    page.click("text=Freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.wait_for_timeout(6_000)
    mic, speaker = read_tape(page)
    page.click("#call")
    assert wire.told("ready", "codec") == ["opus"]
    assert max(map(len, wire.up)) < 400  # PCM16 takes 960 bytes
    assert sum(map(len, wire.up)) / len(wire.up) < 120
    assert sum(map(len, wire.down)) / len(wire.down) < 150  # 12 of them the header
    assert likeness(mic[-5 * SECOND : -SECOND], speaker) >= 0.95
    expect(page.locator("#breaks")).not_to_contain_text("lost")


def test_an_interruption_leaves_nothing_of_the_old_reply(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    open_page(page, stack)
    page.click("text=Push to talk")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Hold to talk")
    page.keyboard.down("Space")
    for count in (1, 2):
        page.wait_for_timeout(2_000)
        page.keyboard.up("Space")
        expect(page.locator("#headline")).to_have_text("Speaking")
        page.keyboard.down("Space")
        expect(page.locator(".reply .cut")).to_have_count(count)
    expect(page.locator("#breaks")).not_to_contain_text("lost")
    page.click("#end")


def test_a_lost_connection_is_resumed_with_opus(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    port = stack.port
    wire = Wire(page)
    open_page(page, stack)
    page.click("text=Freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    gateway.kill()
    expect(page.locator("#headline")).to_have_text("Connection lost, coming back")
    monkeypatch.setattr("tests.e2e.launcher.free_port", lambda: port)
    stack.start_gateway()
    expect(page.locator("#headline")).to_have_text("Speaking")
    assert wire.told("ready", "codec") == ["opus", "opus"]
    expect(page.locator("#breaks")).not_to_contain_text("lost")
    page.click("#call")


def patch(page: Page, old: str, new: str) -> None:
    """Serve the page's codec with a fault."""
    page.route(
        "**/audio/opus.js",
        lambda route: route.fulfill(
            response=(answer := route.fetch()), body=answer.text().replace(old, new)
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "codecs"),
    [
        ('codec: "opus"', 'codec: "no-such-codec"', ["pcm16"]),
        (
            "this.#ends.packet(bytes);",
            "this.#ends.packet(bytes); if (this.#encoded > 24_000) this.#fail();",
            ["opus", "pcm16"],
        ),
    ],
    ids=["unknown to the browser", "fails in mid-call"],
)
def test_a_browser_whose_codec_fails_goes_on_without(
    page: Page, stack: Stack, old: str, new: str, codecs: list[str]
) -> None:
    stack.start_worker()
    stack.start_gateway()
    wire = Wire(page)
    patch(page, old, new)
    open_page(page, stack)
    page.click("text=Freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    page.wait_for_timeout(2_000)
    expect(page.locator("#headline")).to_have_text("Speaking")
    assert wire.told("ready", "codec") == codecs
    expect(page.locator("#notice")).to_contain_text("cannot compress")
    expect(page.locator("#breaks")).not_to_contain_text("lost")
    page.click("#call")
