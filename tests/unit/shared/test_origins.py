"""Web origins in the form in which browsers send them."""

import pytest

from shared.errors import ConfigError
from shared.origins import normalised, same_host
from shared.settings import load_settings


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://talk.example", "https://talk.example"),
        ("https://Talk.Example/", "https://talk.example"),
        ("HTTPS://talk.example:443", "https://talk.example"),
        ("http://talk.example:80/", "http://talk.example"),
        ("http://talk.example:443", "http://talk.example:443"),
        ("https://talk.example:8443", "https://talk.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("null", "null"),  # a page from disk
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
    ],
)
def test_what_is_meant_becomes_what_browsers_send(written: str, sent: str) -> None:
    assert normalised(written) == sent
    assert load_settings({"GATEWAY_ORIGINS": f"https://a.example, {written}"}).gateway_origins == (
        *("https://a.example", sent),
    )


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("*", "name each host"),
        ("https://*.example.org", "name each host"),
        ("talk.example", "write its scheme"),
        ("wss://talk.example", "begins with https or http"),
        ("file:///home", "pages from disk have the origin null"),
        ("https://talk.example/page", "ends with the host"),
        ("https://talk.example?x=1", "ends with the host"),
        ("https://ann@talk.example", "ends with the host"),
        ("https://talk.example:web", "cannot be read"),
        ("https://talk.example https://b.example", "cannot be read"),
        ("https://", "cannot be read"),
    ],
)
def test_what_can_never_match_is_refused_at_start(written: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        load_settings({"GATEWAY_ORIGINS": written})
    assert "GATEWAY_ORIGINS: expected an origin such as https://talk" in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://a.example:8000", "a.example:8000", True),
        ("https://a.example", "a.example", True),
        ("https://a.example", "A.example:443", True),  # some proxies add the port
        ("https://a.example", "a.example:80", False),
        ("http://a.example", "a.example:8000", False),
        ("https://a.example.evil", "a.example", False),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("null", "", False),
        ("http://[", "[", False),
        ("https://a.example", "a.example:web", False),
    ],
)
def test_the_own_page_is_known_by_its_host(origin: str, host: str, same: bool) -> None:
    assert same_host(origin, host) is same
