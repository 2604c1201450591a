"""Whether one more caller fits: live workers by this process's clock, and their free slots."""

from typing import Any

import pytest

from gateway.edge.fleet import FRESH_S, Fleet
from gateway.protocol.errors import CallError, ErrorCode
from shared.voices import DEFAULT, Offer


def fleet(**statuses: dict[str, Any]) -> Fleet:
    """A fleet whose workers' beats moved at second 0.2."""
    found = Fleet(lease_s=1.0, max_sessions=10)
    found.observe(statuses, 0, 0.0)
    found.observe({n: {**s, "beat": s["beat"] + 1} for n, s in statuses.items()}, 0, 0.2)
    return found


def refusal(found: Fleet, sessions: int, now: float) -> str:
    with pytest.raises(CallError) as caught:
        found.admit(sessions, now)
    assert caught.value.code is ErrorCode.NO_CAPACITY
    assert caught.value.retry_after_ms
    return str(caught.value)


def test_every_free_slot_takes_one_caller() -> None:
    found = fleet(w1={"beat": 1, "free": 2}, w2={"beat": 7, "free": 1})
    for caller in range(3):
        found.admit(caller, 0.3)
    assert "every slot" in refusal(found, 3, 0.3)


def test_queued_sessions_count_as_taken_slots() -> None:
    found = fleet(w1={"beat": 1, "free": 2})
    found.observe({"w1": {"beat": 3, "free": 2}}, 1, 0.4)
    found.admit(0, 0.5)
    assert "every slot" in refusal(found, 1, 0.5)


def test_a_beat_that_never_moved_is_no_live_worker() -> None:
    found = Fleet(lease_s=1.0, max_sessions=10)
    found.observe({"dead": {"beat": 99, "free": 8}}, 0, 0.0)
    assert found.unready_reason(0.1) == "no worker is running"


def test_a_beat_that_stood_still_for_the_lease_is_a_dead_worker() -> None:
    found = fleet(w1={"beat": 1, "free": 8})
    found.observe({"w1": {"beat": 2, "free": 8}}, 0, 1.3)
    assert found.unready_reason(1.1) is None
    assert "no worker" in refusal(found, 0, 1.3)


def test_a_worker_that_left_is_forgotten() -> None:
    found = fleet(w1={"beat": 1, "free": 8})
    found.observe({}, 0, 0.4)
    assert not found.live(0.4)


def test_nothing_is_admitted_without_redis() -> None:
    assert "Redis" in refusal(Fleet(lease_s=1.0, max_sessions=10), 0, 0.0)
    found = fleet(w1={"beat": 1, "free": 8})
    assert "Redis" in refusal(found, 0, 0.3 + FRESH_S)


def test_a_gateway_has_a_limit_of_its_own() -> None:
    found = fleet(w1={"beat": 1, "free": 80})
    found.admit(9, 0.3)
    assert "all 10 places" in refusal(found, 10, 0.3)


@pytest.mark.parametrize("status", [{"beat": 1}, {"beat": 1, "free": "many"}])
def test_a_status_without_free_slots_counts_as_full(status: dict[str, Any]) -> None:
    assert fleet(w1=status).free(0.3) == 0


def test_a_slow_worker_gets_no_more_callers() -> None:
    slow = {"beat": 1, "slots": 8, "free": 5, "step_p95_ms": 79.0}
    found = Fleet(lease_s=1.0, max_sessions=10, step_budget_ms=70)
    for beat in (1, 2):
        found.observe({"w1": {**slow, "beat": beat}}, 0, beat / 10)
    assert "limit" in refusal(found, 0, 0.3)
    found.observe({"w1": {**slow, "beat": 3, "step_p95_ms": 69.5}}, 0, 0.4)
    assert found.free(0.4) == 5


def test_an_idle_worker_is_always_tried() -> None:
    found = fleet(w1={"beat": 1, "slots": 8, "free": 8, "step_p95_ms": 900.0})
    assert found.free(0.3) == 8


def test_the_offer_is_what_every_live_worker_has() -> None:
    both = {"voices": ["alto", "baritone"], "styles": ["neutral", "calm"]}
    found = fleet(w1={"beat": 1, **both}, w2={"beat": 1, "voices": ["alto"], "styles": ["calm"]})
    assert found.offer(0.3) == Offer(("alto",), ("calm",))
    assert fleet(w1={"beat": 1, **both}).offer(0.3) == Offer(*map(tuple, both.values()))
    assert fleet(w1={"beat": 1, "voices": 3}).offer(0.3) == Offer((DEFAULT,), (DEFAULT,))
    assert fleet().offer(0.3) is None
