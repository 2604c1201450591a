"""Which of the gateways on one Redis are alive."""

from gateway.operators.peers import FORGOTTEN_S, LIVES_S, Peers


def test_a_gateway_lives_while_its_beat_moves() -> None:
    peers = Peers()
    peers.observe({"a": {"beat": 1, "callers": 3}}, 0.0)
    assert peers.live(0.0) == {}  # perhaps a dead one left it
    peers.observe({"a": {"beat": 2, "callers": 4}}, 1.0)
    assert peers.live(1.0) == {"a": {"beat": 2, "callers": 4}}
    peers.observe({"a": {"beat": 2, "callers": 4}}, 1.0 + LIVES_S + 0.1)
    assert peers.live(1.0 + LIVES_S + 0.1) == {}


def test_a_gateway_without_a_beat_is_forgotten() -> None:
    peers = Peers()
    for at in (0.0, 1.0, FORGOTTEN_S + 0.5):
        peers.observe({"dead": {"beat": 1}, "live": {"beat": at}}, at)
    assert peers.gone(FORGOTTEN_S + 0.5) == ["dead"]
    peers.observe({"live": {"beat": 99}}, FORGOTTEN_S + 1.5)
    assert peers.gone(FORGOTTEN_S + 1.5) == []
