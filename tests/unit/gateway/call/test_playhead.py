"""The playhead: reports count over estimates, and the log gets it when it has moved."""

from gateway.call.playhead import REPORTS_WITHIN_S, Playhead


def test_an_estimate_counts_until_the_client_reports() -> None:
    playhead = Playhead(0, 0.0)
    playhead.estimate(lambda _: 4, 0.1)
    assert playhead.log(0.1) == 4
    playhead.report(2, 0.2)  # the first report may correct downwards
    assert playhead.log(0.2) == 2
    playhead.estimate(lambda _: 9, 0.3)
    playhead.report(1, 0.3)
    assert playhead.log(0.3) == 2
    playhead.estimate(lambda _: 9, 0.31 + REPORTS_WITHIN_S)
    assert playhead.log(3.0) == 9


def test_it_is_logged_only_when_it_has_moved_and_not_too_often() -> None:
    playhead = Playhead(0, 0.0)
    assert not playhead.must_log(9.0, every_s=0.2)
    playhead.report(1, 9.0)
    assert playhead.must_log(9.0, every_s=0.2)
    playhead.log(9.0)
    playhead.report(2, 9.1)
    assert not playhead.must_log(9.1, every_s=0.2)
    assert playhead.must_log(9.25, every_s=0.2)
