"""A server that asks for a token: how the page gets one, shows it, and says that it has none."""

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
WORDS = "This server takes calls by invitation"


def token() -> str:
    """A good one, of this moment."""
    now = int(time.time())
    claims = {"aud": "antiphon", "iat": now, "exp": now + 60, "jti": secrets.token_hex(16)}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.e2e
def test_a_token_behind_the_address_begins_one_call(page: Page, stack: Stack) -> None:
    stack.start_worker()
    stack.start_gateway(GATEWAY_AUTH_SECRET=SECRET)
    page.goto(f"{stack.http}/web#token={token()}")
    assert page.evaluate("location.href") == f"{stack.http}/web/"  # nobody copies it
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.click("#call")
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text(WORDS)
    page.evaluate(f"location.hash = 'token={token()}'")  # as a link does that was followed again
    expect(page.locator("#trouble")).to_be_hidden()
    page.click("#call")
    expect(page.locator("#headline")).to_have_text("Listening")
    page.click("#call")


def test_who_has_no_token_is_told_before_the_microphone_is_asked_for(
    page: Page, gateway: FakeGateway
) -> None:
    spy(page)
    gateway.config["auth"] = True
    page.goto(gateway.url)
    expect(page.locator("#trouble")).to_contain_text(WORDS)
    page.click("#call")
    expect(page.locator("#trouble")).to_contain_text("follow its link again")
    assert page.evaluate("window.asked") == []
    assert gateway.texts == []


def test_a_token_that_is_not_good_is_shown_once(page: Page) -> None:
    with FakeGateway(refusal=REFUSAL) as gateway:
        gateway.config["auth"] = True
        page.goto(gateway.url + "#token=abc.def.ghi")
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text(WORDS)
        assert gateway.texts == [{"type": "start", "auth": "abc.def.ghi"}]
        page.wait_for_timeout(700)  # it would be tried again by now
        page.click("#call")
        expect(page.locator("#trouble")).to_contain_text(WORDS)
        assert len(gateway.texts) == 1
