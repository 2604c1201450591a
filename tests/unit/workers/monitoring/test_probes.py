"""What a worker's probes say in each part of its life."""

from workers.monitoring.probes import HUNG_LEASES, Probes

LEASE_S = 1.0


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_worker_that_loads_is_well_but_has_not_started() -> None:
    clock = Clock()
    probes = Probes(LEASE_S, clock)
    clock.now = 1_000
    assert probes.health() is None
    assert probes.startup() == "the weights are being loaded"
    assert probes.ready() == "the weights are being loaded"


def test_a_worker_whose_loop_turns_can_take_a_call() -> None:
    probes = Probes(LEASE_S, Clock())
    probes.turned(redis_answers=True)
    assert (probes.startup(), probes.health(), probes.ready()) == (None, None, None)


def test_a_loop_that_stands_still_fails_until_it_turns_again() -> None:
    clock = Clock()
    probes = Probes(LEASE_S, clock)
    probes.turned(redis_answers=True)
    clock.now = HUNG_LEASES * LEASE_S
    assert probes.health() is None
    clock.now += 1
    assert probes.health() == "expected a turn of the loop within 5.0 s, got none for 6.0 s"
    assert probes.ready() == probes.health()
    assert probes.startup() is None
    probes.turned(redis_answers=True)
    assert probes.health() is None


def test_a_worker_without_redis_lives_but_is_not_ready() -> None:
    probes = Probes(LEASE_S, Clock())
    probes.turned(redis_answers=False)
    assert probes.health() is None
    assert probes.ready() == "Redis does not answer"


def test_a_worker_that_leaves_is_not_ready() -> None:
    probes = Probes(LEASE_S, Clock())
    probes.turned(redis_answers=True)
    probes.leave()
    assert probes.health() is None
    assert probes.ready() == "the worker is leaving"
