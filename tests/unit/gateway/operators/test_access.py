"""Who may see the figures."""

import pytest

from gateway.operators.access import FigureAccess
from shared.settings import Settings

TOKEN = "correct-horse-battery"  # noqa: S105 # a test's own
HOST = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "localhost"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_a_request_from_this_machine_is_allowed(client: str, host: str) -> None:
    assert FigureAccess().allows(client, {"host": host})


@pytest.mark.parametrize("client", ["10.0.0.7", "2001:db8::1", "localhost.example", "", None])
def test_a_request_from_elsewhere_is_not(client: str | None) -> None:
    assert not FigureAccess().allows(client, HOST)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "192.0.2.1"]
)
def test_a_name_rebound_to_this_machine_is_not_allowed(host: str) -> None:
    assert not FigureAccess().allows("127.0.0.1", {"host": host})


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_a_request_through_a_proxy_is_not_allowed(header: str) -> None:
    assert not FigureAccess().allows("127.0.0.1", {**HOST, header: "127.0.0.1"})


def test_a_gateway_that_serves_other_origins_has_no_exemption() -> None:
    assert not FigureAccess(origins=("https://call.example",)).allows("127.0.0.1", HOST)


def test_a_token_allows_from_anywhere_and_is_then_needed_by_all() -> None:
    locked = FigureAccess(TOKEN)
    assert locked.allows("10.0.0.7", {"authorization": f"Bearer {TOKEN}"})
    assert locked.allows("10.0.0.7", {"authorization": f"bearer {TOKEN}"})
    assert not locked.allows("127.0.0.1", HOST)


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_another_token_is_refused(given: str) -> None:
    assert not FigureAccess(TOKEN).allows("10.0.0.7", {"authorization": given})


def test_a_short_token_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="gateway_stats_token"):
        Settings(gateway_stats_token=TOKEN[:15])  # type: ignore[call-arg] # pydantic's defaults
