"""Any sequence of client events keeps the grammar: no crash, no hang, every event parses."""

from tests.unit.gateway.realtime.fuzz import run


def test_any_sequence_of_events_keeps_the_grammar() -> None:
    run(30)
