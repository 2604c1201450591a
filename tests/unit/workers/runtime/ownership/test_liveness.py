"""When an observer takes a worker for dead."""

from workers.runtime.ownership.liveness import MOST_LEASES, QUIET_S, Watch


def test_a_worker_that_stands_still_for_the_lease_is_dead() -> None:
    watch = Watch(lease_s=1.0)
    for tenth in range(11):
        watch.look({"still": 5, "alive": tenth, "unseen": None}, now=tenth / 10)
        assert watch.dead() == set() or tenth == 10
    assert watch.dead() == {"still", "unseen"}
    assert watch.dead(leases=2) == set()
    watch.look({"still": 6, "alive": 11, "unseen": None}, now=1.1)
    assert watch.dead() == {"unseen"}


def test_time_in_which_nobody_could_look_kills_nobody() -> None:
    watch = Watch(lease_s=1.0)
    watch.look({"w": 5}, now=0.0)
    watch.look({"w": 5}, now=60.0)
    assert watch.dead() == set()


def standing(watch: Watch, until_s: float, since_s: float = 0.0) -> None:
    """A worker w that does not beat, looked at every tenth of a second."""
    for tenth in range(round(since_s * 10), round(until_s * 10) + 1):
        watch.look({"w": 5}, now=tenth / 10)


def test_whose_connection_is_gone_is_dead_before_the_lease() -> None:
    watch = Watch(lease_s=1.0)
    standing(watch, QUIET_S - 0.1)
    assert watch.quiet(now=0.2) == set()
    standing(watch, 0.4)
    assert watch.quiet(now=0.4) == {"w"}
    watch.cut({"w"})
    assert watch.dead() == {"w"}
    assert watch.quiet(now=0.4) == set()  # what is known need not be asked again
    assert watch.dead(leases=5) == set()  # a session's last strike waits for more


def test_who_beats_again_was_only_cut_off() -> None:
    watch = Watch(lease_s=1.0)
    standing(watch, 0.4)
    watch.cut({"w"})
    watch.look({"w": 6}, now=0.5)
    assert watch.dead() == set()
    watch.look({"w": 6}, now=0.6)
    assert watch.dead() == set()


def test_a_redis_that_was_away_leaves_the_lease_alone_to_decide() -> None:
    """It may have closed everybody's connection as it closed ours."""
    watch = Watch(lease_s=1.0)
    watch.blind(now=0.0)
    standing(watch, 0.9)
    assert watch.quiet(now=0.9) == set()
    assert watch.dead() == set()
    standing(watch, 1.0, since_s=1.0)
    assert watch.dead() == {"w"}


def test_a_worker_whose_steps_are_slow_has_a_longer_lease_up_to_a_bound() -> None:
    watch = Watch(lease_s=1.0)
    slowest_s = {"fast": 0.05, "slow": 0.8, "crawling": 60.0}
    beats = dict.fromkeys(slowest_s, 5)
    died: dict[str, float] = {}
    for tenth in range(10 * MOST_LEASES + 2):
        watch.look(beats, tenth / 10, slowest_s)
        died |= dict.fromkeys(watch.dead() - set(died), tenth / 10)
    assert died == {"fast": 1.0, "slow": 1.6, "crawling": MOST_LEASES}


def test_a_worker_that_is_gone_from_the_list_is_forgotten() -> None:
    watch = Watch(lease_s=1.0)
    standing(watch, 0.4)
    watch.cut({"w"})
    watch.look({}, now=0.5)
    assert watch.dead() == set()
