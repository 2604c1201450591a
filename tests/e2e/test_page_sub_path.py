"""The page behind a proxy that offers the gateway below a path of its server."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.caller import await_shown
from tests.e2e.launcher import Stack
from tests.e2e.sub_path_proxy import PREFIX, SubPathProxy

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


@pytest.mark.parametrize(
    ("proxy", "settings"),
    [
        ({"strips": True, "tells": True}, {"GATEWAY_TRUSTED_PROXIES": "127.0.0.1"}),
        ({"strips": False, "tells": False}, {"GATEWAY_ROOT_PATH": PREFIX}),
        ({"strips": True, "tells": False}, {}),
    ],
    ids=["a prefix in a header", "the whole path and a setting", "a prefix that nobody names"],
)
def test_page_call_and_dashboard_work_below_a_path(
    page: Page, stack: Stack, proxy: dict[str, bool], settings: dict[str, str]
) -> None:
    stack.start_worker()
    stack.start_gateway(**settings)
    with SubPathProxy(stack.port, **proxy) as way:
        page.goto(f"{way.url}/web?processing=off")
        assert page.url == f"{way.url}/web/?processing=off"
        page.click("text=Talk freely")
        page.click("#call")
        # The echo speaks: socket, worker and all three worklets are loaded.
        await_shown(page, "#headline", "Listening", "Speaking")
        page.click("#call")
        expect(page.locator("#headline")).to_have_text("Say something")  # by /api/config
        if not settings.get("GATEWAY_TRUSTED_PROXIES"):  # a proxy's headers end the exemption
            page.goto(f"{way.url}/dashboard")
            expect(page.locator("#workers tbody tr")).to_contain_text("8")
        page.goto(f"{way.url}/web/example.html")
        expect(page.locator("#server")).to_have_value(f"{way.url}/ws/stream".replace("http", "ws"))
        assert way.outside in ([], ["/favicon.ico"])
