"""Who beats, by the observer's clock."""

from shared.beats import Beats


def test_a_process_moves_once_its_count_was_seen_to_grow() -> None:
    beats = Beats()
    beats.look({"a": 1, "b": 1}, 0.0)
    assert beats.moving(5.0, 0.0) == []  # either may be left by a dead process
    beats.look({"a": 2, "b": 1}, 1.0)
    assert beats.moving(5.0, 6.0) == ["a"]
    assert beats.moving(5.0, 6.1) == []


def test_a_process_that_stands_still_does_so_since_its_last_count() -> None:
    beats = Beats()
    for second, count in enumerate([1, 2, 2, 2]):
        beats.look({"a": count}, float(second))
    assert beats.still(2.0) == {"a"}
    assert beats.still(2.1) == set()
    assert beats.still(2.5, now=3.5) == {"a"}
    beats.look({"a": 3}, 4.0)
    assert beats.still(0.1) == set()


def test_time_without_a_look_counts_up_to_the_gap_only() -> None:
    beats = Beats(look_gap_s=0.3)
    beats.look({"a": 1}, 0.0)
    beats.look({"a": 1}, 60.0)
    assert beats.still(0.3) == {"a"}
    assert beats.still(0.4) == set()


def test_a_process_that_publishes_no_more_is_forgotten() -> None:
    beats = Beats()
    beats.look({"a": 1}, 0.0)
    beats.look({}, 1.0)
    beats.look({"a": 1}, 2.0)
    assert beats.still(0.1) == set()
