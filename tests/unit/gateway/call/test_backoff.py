"""The pause between tries while Redis fails."""

from gateway.call.backoff import FIRST_PAUSE_S, MAX_PAUSE_S, Backoff


def test_the_pause_doubles_up_to_its_bound_and_ends_with_a_success() -> None:
    backoff = Backoff()
    pauses = []
    for _ in range(2_000):
        backoff.fail()
        pauses.append(backoff.pause_s)
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == MAX_PAUSE_S
    backoff.succeed()
    assert backoff.pause_s == 0.0
