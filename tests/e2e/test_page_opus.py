"""A call with Opus by the browser's own codecs, through the real processes."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from gateway.call import opus
from tests.e2e.browser import await_echo, start_tape
from tests.e2e.caller import await_shown
from tests.e2e.launcher import Stack
from tests.e2e.wire import Wire
from tests.patience import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.e2e,
    pytest.mark.skipif(not opus.AVAILABLE, reason="this system has no libopus"),
]

HELD_PACKETS: Final = 300  # 6 s, which the echo answers for as long


def open_page(page: Page, stack: Stack) -> None:
    """Open the page and choose compressed audio."""
    page.goto(f"{stack.http}/web?processing=off")
    page.click("summary")
    page.check("#opus")


def await_packets(wire: Wire, more: int) -> None:
    """Wait until the page has sent so many more packets, however slow the machine is."""
    goal = len(wire.up) + more
    wait_until(lambda: wire.look() and len(wire.up) >= goal)


def test_a_voice_comes_back_through_opus(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    start_tape(page)
    wire = Wire(page)
    open_page(page, stack)
    page.click("text=Talk freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    assert await_echo(page, seconds=4, goal=0.95) >= 0.95  # not exact: Opus loses some
    page.click("#call")
    # A starved machine may lose the connection and resume it; every connection takes Opus.
    assert set(wire.values("ready", "codec")) == {"opus"}
    assert max(map(len, wire.up)) < 400  # PCM16 takes 960 bytes
    assert sum(map(len, wire.up)) / len(wire.up) < 120
    assert sum(map(len, wire.down)) / len(wire.down) < 150  # the header takes 12
    expect(page.locator("#dropouts")).not_to_contain_text("lost")


def test_an_interruption_leaves_nothing_of_the_old_reply(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway()
    wire = Wire(page)
    open_page(page, stack)
    page.click("text=Push to talk")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Hold to talk")
    page.keyboard.down("Space")
    for count in (1, 2):
        await_packets(wire, HELD_PACKETS)
        page.keyboard.up("Space")
        expect(page.locator("#headline")).to_have_text("Speaking")
        page.keyboard.down("Space")
        expect(page.locator(".reply .interrupted")).to_have_count(count)
    expect(page.locator("#dropouts")).not_to_contain_text("lost")
    page.click("#end")


def test_a_lost_connection_is_resumed_with_opus(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    port = stack.port
    wire = Wire(page)
    open_page(page, stack)
    page.click("text=Talk freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    gateway.kill()
    expect(page.locator("#headline")).to_have_text("Connection lost. Reconnecting…")
    monkeypatch.setattr("tests.e2e.launcher.free_port", lambda: port)
    stack.start_gateway()
    expect(page.locator("#headline")).to_have_text("Speaking")
    wait_until(lambda: wire.look() and wire.values("ready", "codec") == ["opus", "opus"])
    expect(page.locator("#dropouts")).not_to_contain_text("lost")
    page.click("#call")


def patch(page: Page, old: str, new: str) -> None:
    """Serve the page's codec with an error in it."""
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
            "this.#callbacks.packet(bytes);",
            "this.#callbacks.packet(bytes); if (this.#encoded > 24_000) this.#fail();",
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
    page.click("text=Talk freely")
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Speaking")
    wait_until(lambda: wire.look() and wire.values("ready", "codec") == codecs)
    expect(page.locator("#headline")).to_have_text("Speaking")
    await_shown(page, "#notice", "Compressed audio isn’t available")
    expect(page.locator("#dropouts")).not_to_contain_text("lost")
    page.click("#call")
