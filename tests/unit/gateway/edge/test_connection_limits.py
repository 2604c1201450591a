"""Limits by process and by address: which clients share a count, when a place is free again."""

import pytest

from gateway.edge.connection_limits import ConnectionLimits, counted_address
from gateway.protocol.errors import CallError, ErrorCode

HERE, THERE = "203.0.113.5", "203.0.113.6"


def limits(sockets: int = 100, per_address: int = 2) -> ConnectionLimits:
    return ConnectionLimits(sockets=sockets, per_address=per_address)


def refused(found: CallError) -> str:
    assert found.code is ErrorCode.NO_CAPACITY
    assert found.retry_after_ms
    return str(found)


def begin(found: ConnectionLimits, address: str, now: float = 0.0) -> None:
    found.add_socket(address)
    found.check_new_call(address, now)


def test_each_address_has_a_limit_of_its_own() -> None:
    found = limits()
    begin(found, HERE)
    begin(found, HERE)
    with pytest.raises(CallError) as caught:
        begin(found, HERE)
    assert "2 calls from your address" in refused(caught.value)
    begin(found, THERE)


def test_sockets_that_never_start_count_too() -> None:
    found = limits()
    for _ in range(4):
        found.add_socket(HERE)
    with pytest.raises(CallError) as caught:
        found.add_socket(HERE)
    assert "your address" in refused(caught.value)
    found.remove_socket(HERE)
    found.add_socket(HERE)


def test_the_process_has_a_limit_over_all_addresses() -> None:
    found = limits(sockets=2)
    found.add_socket(HERE)
    found.add_socket("")
    with pytest.raises(CallError) as caught:
        found.add_socket(THERE)
    assert "all 2 connections" in refused(caught.value)
    found.remove_socket("")
    found.add_socket(THERE)


def test_a_call_without_a_socket_keeps_its_place_until_it_expires() -> None:
    found = limits()
    for sid in "ab":
        begin(found, HERE)
        found.remove_socket(HERE)
        found.reserve(sid, HERE, until=60.0)
    with pytest.raises(CallError):
        begin(found, HERE, now=59.0)
    found.check_new_call(HERE, now=60.0)


def test_a_resumed_call_frees_its_reserved_place() -> None:
    found = limits()
    begin(found, HERE)
    begin(found, HERE)
    found.reserve("a", HERE, until=60.0)
    found.add_socket(HERE)  # beyond the limit of calls, to resume one
    found.release("a")
    found.remove_socket(HERE)
    found.remove_socket(HERE)
    found.check_new_call(HERE, now=1.0)


def test_no_address_is_kept_after_its_last_socket() -> None:
    found = limits()
    begin(found, HERE)
    found.reserve("a", HERE, until=60.0)
    found.remove_socket(HERE)
    found.release("a")
    found.release("a")
    assert not found._sockets
    assert not found._lost_calls
    assert not found._reserved


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


def test_loopback_has_no_limit_by_address() -> None:
    found = limits(per_address=1)
    for _ in range(10):
        begin(found, "")
