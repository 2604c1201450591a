"""Places by process and by address: who is counted together, and when a place is free again."""

import pytest

from gateway.edge.connection_limits import Door, counted_address
from gateway.protocol.errors import CallError, ErrorCode

HERE, THERE = "203.0.113.5", "203.0.113.6"


def door(sockets: int = 100, per_address: int = 2) -> Door:
    return Door(sockets=sockets, per_address=per_address)


def refused(found: CallError) -> str:
    assert found.code is ErrorCode.NO_CAPACITY
    assert found.retry_after_ms
    return str(found)


def begin(found: Door, address: str, now: float = 0.0) -> None:
    found.enter(address)
    found.begin(address, now)


def test_an_address_begins_so_many_calls_and_its_neighbour_as_many() -> None:
    found = door()
    begin(found, HERE)
    begin(found, HERE)
    with pytest.raises(CallError) as caught:
        begin(found, HERE)
    assert "2 calls from your address" in refused(caught.value)
    begin(found, THERE)


def test_sockets_that_never_start_count_too() -> None:
    found = door()
    for _ in range(4):
        found.enter(HERE)
    with pytest.raises(CallError) as caught:
        found.enter(HERE)
    assert "your address" in refused(caught.value)
    found.leave(HERE)
    found.enter(HERE)


def test_the_process_has_an_end_whoever_comes() -> None:
    found = door(sockets=2)
    found.enter(HERE)
    found.enter("")
    with pytest.raises(CallError) as caught:
        found.enter(THERE)
    assert "all 2 connections" in refused(caught.value)
    found.leave("")
    found.enter(THERE)


def test_a_call_without_a_socket_holds_its_place_until_it_is_given_up() -> None:
    found = door()
    for sid in "ab":
        begin(found, HERE)
        found.leave(HERE)
        found.expect_back(sid, HERE, until=60.0)
    with pytest.raises(CallError):
        begin(found, HERE, now=59.0)
    found.begin(HERE, now=60.0)


def test_who_comes_back_finds_the_place_free() -> None:
    found = door()
    begin(found, HERE)
    begin(found, HERE)
    found.expect_back("a", HERE, until=60.0)
    found.enter(HERE)  # beyond the calls it may begin: it goes on with one
    found.welcome_back("a")
    found.leave(HERE)
    found.leave(HERE)
    found.begin(HERE, now=1.0)


def test_nothing_is_kept_of_who_is_gone() -> None:
    found = door()
    begin(found, HERE)
    found.expect_back("a", HERE, until=60.0)
    found.leave(HERE)
    found.welcome_back("a")
    found.welcome_back("a")
    assert not found._here
    assert not found._away
    assert not found._absent


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("unknown", ""),
        (None, ""),
    ],
)
def test_what_an_address_counts_as(host: str | None, counted: str) -> None:
    assert counted_address(host) == counted


def test_who_has_no_address_of_their_own_is_not_counted_by_it() -> None:
    found = door(per_address=1)
    for _ in range(10):
        begin(found, "")
