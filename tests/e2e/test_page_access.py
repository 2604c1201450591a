"""The page for everybody: keyboard, screen reader, phone, light and dark."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browser import Complaints
from tests.e2e.caller import start
from tests.e2e.fake_gateway import FakeGateway
from tests.patience import wait_until

pytestmark = pytest.mark.browser

# The contrast of two colours by WCAG 2.
_CONTRAST = """
([one, other]) => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const hex = style.getPropertyValue(name).trim();
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
"""


def test_it_works_by_keyboard(page: Page, gateway: FakeGateway) -> None:
    page.goto(gateway.url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")


def test_every_control_has_a_name(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    page.click("text=Push to talk")
    page.click("summary")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = [
        node
        for node in tree["nodes"]
        if _focusable(node) and node["role"]["value"] != "RootWebArea"
    ]
    assert len(nodes) > 15
    assert [node for node in nodes if not node["name"]["value"].strip()] == []


def _focusable(node: dict[str, list[dict[str, object]]]) -> bool:
    return any(prop["name"] == "focusable" for prop in node.get("properties", []))


def test_changes_are_announced_to_screen_readers(page: Page, gateway: FakeGateway) -> None:
    start(page, gateway)
    for selector, role in (("#headline", "status"), ("#trouble", "alert"), ("#transcript", "log")):
        expect(page.locator(selector)).to_have_role(role)  # type: ignore[arg-type]
    gateway.send("reply_started", generation=1, frame=1)
    gateway.send("text", generation=1, frame=1, text="three")
    expect(page.locator("#transcript")).to_have_attribute("aria-busy", "true")  # not word by word
    gateway.send("reply_done", generation=1, frame=5, reason="end")
    expect(page.locator("#transcript")).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("width", [320, 360])
def test_nothing_is_wider_than_a_phone(page: Page, gateway: FakeGateway, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    start(page, gateway, "Push to talk")
    page.click("summary")
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrasts_with_its_background(page: Page, gateway: FakeGateway, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(gateway.url)
    for paper in ("--paper", "--card"):
        for ink in ("--ink", "--faint", "--caller", "--assistant"):
            assert page.evaluate(_CONTRAST, [ink, paper]) >= 4.5, (ink, paper)


def test_nothing_moves_for_people_who_prefer_less_motion(page: Page, gateway: FakeGateway) -> None:
    page.emulate_media(reduced_motion="reduce")
    start(page, gateway)
    gateway.send("speech_stopped", sample=0)
    expect(page.locator("#headline")).to_have_text("Thinking")
    assert page.locator("#call").evaluate("(it) => it.getAnimations().length") == 0


def test_a_breach_of_the_content_policy_would_be_noticed(
    browser: BrowserContext, gateway: FakeGateway
) -> None:
    complaints = Complaints()
    page = browser.new_page()
    complaints.watch(page)
    page.goto(gateway.url)
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )

    def complained() -> bool:
        page.wait_for_timeout(50)  # the console's messages come while Playwright waits
        return len(complaints.lines) >= 2

    wait_until(complained)
    page.close()
    assert len(complaints.lines) == 2
