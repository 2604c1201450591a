"""Whether one more caller fits: live workers by this process's clock, and their free slots."""

from typing import Any

import pytest

from gateway.edge.fleet import FEW_SLOTS, FRESH_S, RETRY_WITHOUT_WORKER_MS, Fleet
from gateway.edge.hang_ups import MAX_RETRY_MS, MIN_RETRY_MS, UNKNOWN_RETRY_MS
from gateway.protocol.errors import CallError, ErrorCode
from shared.voices import DEFAULT, Offer


def fleet(**statuses: dict[str, Any]) -> Fleet:
    """A fleet with beats of all workers at second 0.2."""
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


def test_a_full_fleet_lacks_nothing_but_a_hang_up() -> None:
    taken = {"beat": 1, "slots": 2, "free": 0}
    assert fleet(w1=taken).full(0, 0.3)
    assert fleet(w1={**taken, "free": 1}).full(10, 0.3)
    assert not fleet(w1={**taken, "free": 1}).full(9, 0.3)
    assert not fleet(w1={**taken, "step_p95_ms": 900.0}).full(0, 0.3)  # too slow: no hang-up helps
    assert not fleet().full(0, 0.3)


def test_the_last_slots_are_looked_at_again_before_they_are_given() -> None:
    assert fleet(w1={"beat": 1, "slots": 90, "free": FEW_SLOTS}).scarce(0.3)
    assert not fleet(w1={"beat": 1, "slots": 90, "free": FEW_SLOTS + 1}).scarce(0.3)
    assert not fleet(w1={"beat": 1, "slots": 90, "free": 0}).scarce(0.3)


def test_a_refused_caller_is_told_when_a_slot_is_likely_to_be_free() -> None:
    found = fleet(w1={"beat": 1, "slots": 2, "free": 0, "ended": 100})
    assert retry_after_ms(found, 0.3) == UNKNOWN_RETRY_MS
    for second in range(1, 31):  # a hang-up every second
        found.observe({"w1": {"beat": 2 + second, "free": 0, "ended": 100 + second}}, 0, second)
    assert retry_after_ms(found, 30.0) == 2_000
    found.observe({"w1": {"beat": 40, "free": 0, "ended": 1_130}}, 0, 30.5)
    assert retry_after_ms(found, 30.5) == MIN_RETRY_MS
    found.observe({"w2": {"beat": 1, "free": 0, "ended": 3}}, 0, 100.0)
    found.observe({"w2": {"beat": 2, "free": 0, "ended": 4}}, 0, 100.1)
    assert retry_after_ms(found, 100.2) == MAX_RETRY_MS
    assert retry_after_ms(fleet(), 0.3) == RETRY_WITHOUT_WORKER_MS


def retry_after_ms(found: Fleet, now: float) -> int | None:
    with pytest.raises(CallError) as caught:
        found.admit(0, now)
    return caught.value.retry_after_ms


def test_typed_turns_need_an_engine_that_reads_at_every_worker() -> None:
    assert fleet(w1={"beat": 1, "text": True}, w2={"beat": 1, "text": True}).takes_text(0.3)
    assert not fleet(w1={"beat": 1, "text": True}, w2={"beat": 1}).takes_text(0.3)
    assert not fleet().takes_text(0.3)
