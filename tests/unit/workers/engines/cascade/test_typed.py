"""Typed words to the engine: alone, after speech, and over a death."""

from dataclasses import replace

from tests.unit.workers.engines.cascade.engine_call import QUESTION, Call, made
from workers.engines.base import Past, Speak, Work
from workers.engines.cascade.log import LoggedStep
from workers.engines.cascade.memory import exchanges


def test_typed_words_are_the_turn_or_its_end() -> None:
    typed, both = Call(made(), 0), Call(made(), 1)
    both.ask(QUESTION)
    for call in (typed, both):
        work = Work(call.slot, speak=Speak.BEGIN, typed="green cheese?")
        call.note(work, call.engine.step([work])[0])
        while not call.outputs[-1].ended:
            call.step(speak=Speak.CONTINUE)
    assert typed.spoken == "Turn 1. You said green cheese? and that is all."
    assert "what is the moon made of green cheese?" in both.spoken
    assert typed.logged[0].transcript == "green cheese?"
    assert exchanges(typed.engine.fold(b"", typed.past, None))[0].caller == "green cheese?"


def test_typed_words_survive_a_death_before_the_speech_is_transcribed() -> None:
    live = Call(made(), 0)
    live.ask(QUESTION)
    live.engine._slots[0].typed = ""
    begin = Work(0, speak=Speak.BEGIN, typed="green cheese?")
    waiting = LoggedStep(typed="green cheese?").to_bytes()
    past = [*live.past, Past(said=waiting, speak=Speak.BEGIN, began=True)]
    again = Call(made(), 2, replace(live.opening, history=past))
    again.step(speak=Speak.CONTINUE)
    live.note(begin, live.engine.step([begin])[0])
    for call in (live, again):
        while not call.outputs[-1].ended:
            call.step(speak=Speak.CONTINUE)
    assert again.spoken == live.spoken
