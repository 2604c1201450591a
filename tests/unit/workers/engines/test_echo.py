"""The echo engine sends back what it received."""

from tests.sounds import noise
from workers.engines.base import Opening, Past, Speak, Work
from workers.engines.echo import EchoEngine


def test_duplex_gives_each_chunk_back() -> None:
    engine = EchoEngine(2)
    a, b = noise(2)
    outputs = engine.step([Work(1, (a,), Speak.DUPLEX), Work(0, (b,), Speak.DUPLEX)])
    assert [output.slot for output in outputs] == [1, 0]
    assert outputs[0].pcm is a
    assert outputs[1].pcm is b


def test_a_turn_is_given_back_chunk_by_chunk() -> None:
    engine = EchoEngine(1)
    a, b, c = noise(3)
    assert engine.step([Work(0, (a, b))])[0].pcm is None
    begin = engine.step([Work(0, (c,), Speak.BEGIN)])[0]
    assert begin.began
    rest = [engine.step([Work(0, (), Speak.CONTINUE)])[0] for _ in range(2)]
    assert [begin.pcm is a, rest[0].pcm is b, rest[1].pcm is c] == [True] * 3
    assert [output.ended for output in (begin, *rest)] == [False, False, True]


def test_a_slot_opened_from_history_goes_on_as_one_that_never_died() -> None:
    a, b = noise(2)
    engine = EchoEngine(1)
    history = (Past(hear=(a, b), heard=(b"", b"")), Past(said=b"", speak=Speak.BEGIN, began=True))
    engine.open(0, Opening(1, history))
    last = engine.step([Work(0, (), Speak.CONTINUE)])[0]
    assert last.pcm is b
    assert last.ended


def test_nothing_heard_is_an_empty_reply() -> None:
    output = EchoEngine(1).step([Work(0, (), Speak.BEGIN)])[0]
    assert output.pcm is None
    assert output.ended
