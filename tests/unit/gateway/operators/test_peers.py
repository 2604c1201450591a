"""Which of the gateways on one Redis live."""

from gateway.operators.peers import FORGOTTEN_S, LIVES_S, Peers


def test_a_gateway_lives_while_its_beat_moves() -> None:
    peers = Peers()
    peers.observe({"a": {"beat": 1, "callers": 3}}, 0.0)
    assert peers.live(0.0) == {}  # left behind by a dead one, for all we know
    peers.observe({"a": {"beat": 2, "callers": 4}}, 1.0)
    assert peers.live(1.0) == {"a": {"beat": 2, "callers": 4}}
    peers.observe({"a": {"beat": 2, "callers": 4}}, 1.0 + LIVES_S + 0.1)
    assert peers.live(1.0 + LIVES_S + 0.1) == {}


def test_one_that_stands_still_is_forgotten_after_a_while() -> None:
    peers = Peers()
    for at in (0.0, 1.0, FORGOTTEN_S + 0.5):
        peers.observe({"dead": {"beat": 1}, "live": {"beat": at}}, at)
    assert peers.gone(FORGOTTEN_S + 0.5) == ["dead"]
    peers.observe({"live": {"beat": 99}}, FORGOTTEN_S + 1.5)
    assert peers.gone(FORGOTTEN_S + 1.5) == []
