"""Who may see the figures."""

import pytest

from gateway.operators.access import may_see_figures
from shared.settings import Settings

TOKEN = "correct-horse-battery"  # noqa: S105 # a test's own
HOST = {"host": "127.0.0.1:8000"}


def settings(**some: str) -> Settings:
    return Settings(**some)  # type: ignore[arg-type] # pydantic parses the strings


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "localhost"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_who_sits_at_the_machine_may(client: str, host: str) -> None:
    assert may_see_figures(settings(), client, {"host": host})


@pytest.mark.parametrize("client", ["10.0.0.7", "2001:db8::1", "localhost.example", "", None])
def test_who_comes_from_elsewhere_may_not(client: str | None) -> None:
    assert not may_see_figures(settings(), client, HOST)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "192.0.2.1"]
)
def test_a_name_that_was_rebound_to_this_machine_may_not(host: str) -> None:
    assert not may_see_figures(settings(), "127.0.0.1", {"host": host})


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_what_a_proxy_passes_on_may_not(header: str) -> None:
    assert not may_see_figures(settings(), "127.0.0.1", {**HOST, header: "127.0.0.1"})


def test_a_gateway_that_serves_other_origins_has_no_exemption() -> None:
    assert not may_see_figures(settings(gateway_origins="https://call.example"), "127.0.0.1", HOST)


def test_a_token_opens_from_anywhere_and_is_asked_of_everybody() -> None:
    locked = settings(gateway_stats_token=TOKEN)
    assert may_see_figures(locked, "10.0.0.7", {"authorization": f"Bearer {TOKEN}"})
    assert may_see_figures(locked, "10.0.0.7", {"authorization": f"bearer {TOKEN}"})
    assert not may_see_figures(locked, "127.0.0.1", HOST)


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_another_token_does_not(given: str) -> None:
    assert not may_see_figures(
        settings(gateway_stats_token=TOKEN), "10.0.0.7", {"authorization": given}
    )


def test_a_short_token_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="gateway_stats_token"):
        settings(gateway_stats_token=TOKEN[:15])
