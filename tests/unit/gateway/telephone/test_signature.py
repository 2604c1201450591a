"""Twilio's signature over a URL and its fields."""

from gateway.telephone.signature import called_as, is_signed, signature

ACCOUNT = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}


def test_it_is_that_of_twilios_documentation() -> None:
    assert signature(ACCOUNT, URL, FIELDS) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_only_the_right_token_url_and_fields_fit() -> None:
    given = signature(ACCOUNT, URL, FIELDS)
    assert is_signed(ACCOUNT, given, [URL], FIELDS)
    assert is_signed(ACCOUNT, given, ["http://other", URL], FIELDS)
    assert not is_signed(ACCOUNT + "6", given, [URL], FIELDS)
    assert not is_signed(ACCOUNT, given, [URL + "1"], FIELDS)
    assert not is_signed(ACCOUNT, given, [URL], FIELDS | {"Digits": "12345"})
    assert not is_signed(ACCOUNT, None, [URL], FIELDS)
    assert not is_signed(ACCOUNT, "ü", [URL], FIELDS)


def test_a_proxy_may_have_taken_tls_or_the_port_off() -> None:
    urls = called_as("ws", "talk.example.org", "/twilio/media-streams?a=1")
    assert "wss://talk.example.org/twilio/media-streams?a=1" in urls
    assert "wss://talk.example.org:443/twilio/media-streams?a=1" in urls
    assert "https://talk.example.org/x" in called_as("http", "talk.example.org:443", "/x")
