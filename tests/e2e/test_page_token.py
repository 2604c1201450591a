"""A server that requires a token: how the page gets it, sends it, and says that it has none."""

import secrets
import time

import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.caller import spy
from tests.e2e.fake_gateway import FakeGateway
from tests.e2e.launcher import Stack

pytestmark = pytest.mark.browser

SECRET = "a secret of at least thirty-two bytes"  # noqa: S105 # a test's own
REFUSAL = {"code": "unauthorized", "message": "The token is not good"}
WORDS = "You need an invitation"


def token() -> str:
    """A valid one."""
    now = int(time.time())
    claims = {"aud": "antiphon", "iat": now, "exp": now + 60, "jti": secrets.token_hex(16)}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.e2e
def test_a_token_in_the_address_starts_one_call(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway(GATEWAY_AUTH_SECRET=SECRET)
    page.goto(f"{stack.http}/web#token={token()}")
    assert page.evaluate("location.href") == f"{stack.http}/web/"  # it must not be copied along
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.click("#call")
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text(WORDS)
    page.evaluate(f"location.hash = 'token={token()}'")  # like a link that is followed again
    expect(page.locator("#trouble")).to_be_hidden()
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.click("#call")


def test_without_a_token_the_page_does_not_ask_for_the_microphone(
    page: Page, gateway: FakeGateway
) -> None:
    spy(page)
    gateway.config["auth"] = True
    page.goto(gateway.url)
    expect(page.locator("#trouble")).to_contain_text(WORDS)
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text("follow its link again")
    assert page.evaluate("window.asked") == []
    assert gateway.messages == []


def test_an_invalid_token_is_sent_once(page: Page) -> None:
    with FakeGateway(refusal=REFUSAL) as gateway:
        gateway.config["auth"] = True
        page.goto(gateway.url + "#token=abc.def.ghi")
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text(WORDS)
        assert gateway.messages == [{"type": "start", "auth": "abc.def.ghi"}]
        page.wait_for_timeout(700)  # a retry would have come by now
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text(WORDS)
        assert len(gateway.messages) == 1
