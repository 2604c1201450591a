"""The cascade over exact toy parts: its speech, its log, and how a rebuilt slot goes on."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from shared.audio import FRAME_SAMPLES
from tests.unit.workers.engines.cascade.engine_call import FINISHED, QUESTION, SILENCE, Call, made
from tests.unit.workers.engines.cascade.toys import WORDS, ToyHear, word
from workers.engines.base import Opening, Speak, Work
from workers.engines.cascade.memory import exchanges
from workers.engines.cascade.parts import Sound
from workers.engines.cascade.slot import NO_ANSWER
from workers.engines.cascade.think import MAX_TURN_TOKENS, LocalThinker, Prompt
from workers.engines.cascade.turn_audio import new_words, quietest, trimmed

REPLY = "Turn 1. You said what is the moon made of and that is all."


def test_a_turn_is_answered_in_words_and_sound() -> None:
    call = Call(made(), 0)
    call.ask(QUESTION)
    call.answer()
    assert call.spoken == REPLY
    assert call.sound.size % FRAME_SAMPLES == 0
    assert [o.words for o in call.outputs if o.began] == ["what is the moon made of"]
    assert "".join(step.text for step in call.logged) == REPLY
    assert call.logged[-1].complete


def test_words_begin_in_the_frames_that_hold_them() -> None:
    call = Call(made(), 0)
    call.ask(QUESTION)
    call.answer()
    before, levels = 0, []
    for output in call.outputs:
        for frame, _ in output.words_at:
            at = (before + frame + 1) * FRAME_SAMPLES
            levels.append(round(int(call.sound[min(at, call.sound.size - 1)]) / 327.67))
        before += 0 if output.pcm is None else output.pcm.size // FRAME_SAMPLES
    assert levels == [1, 2, *range(1, len(levels) - 1)]


def test_neighbours_change_nothing() -> None:
    alone = Call(made(), 0)
    alone.ask(QUESTION)
    alone.answer()
    engine = made()
    calls = [Call(engine, slot, Opening(slot)) for slot in range(4)]
    for at in range(len(QUESTION)):
        works = [call.work([word(QUESTION[at])]) for call in calls[: at % 4 + 1]]
        for call, work, output in zip(calls, works, engine.step(works), strict=False):
            call.note(work, output)
    speak = dict.fromkeys(range(4), Speak.BEGIN)
    for _ in range(2_000):
        busy = [call for call in calls if not (call.outputs and call.outputs[-1].ended)]
        if not busy:
            break
        works = [call.work(speak=speak[call.slot]) for call in busy]
        for call, work, output in zip(busy, works, engine.step(works), strict=True):
            call.note(work, output)
            speak[call.slot] = Speak.CONTINUE
    assert calls[0].spoken == alone.spoken
    assert np.array_equal(calls[0].sound, alone.sound)
    assert all(call.outputs[-1].ended for call in calls)


@pytest.mark.parametrize("dies_after", range(1, 12))
def test_a_rebuilt_slot_goes_on_as_the_one_that_never_died(dies_after: int) -> None:
    live = Call(made(), 0)
    live.ask(QUESTION)
    live.answer()
    history = live.past[:dies_after]
    if history[-1].ended:
        pytest.skip("the reply is over by then")
    engine = made()
    again = Call(engine, 2, replace(live.opening, history=history))
    again.outputs, again.past = list(live.outputs[:dies_after]), list(history)
    asked = sum(past.speak is Speak.NONE for past in history)
    again.ask(QUESTION[asked:])
    speak = Speak.CONTINUE if history[-1].speak else Speak.BEGIN
    while not again.outputs[-1].ended:
        again.step(speak=speak)
        speak = Speak.CONTINUE
    assert again.spoken == live.spoken
    assert np.array_equal(again.sound, live.sound)


def test_a_pause_prepares_the_answer_and_says_how_finished_the_turn_sounds() -> None:
    hear = ToyHear()
    call = Call(made(hear=hear), 0)
    call.ask(QUESTION)
    assert call.outputs[-1].finished is None
    early = call.step([SILENCE], paused=True)
    assert early.words == "what is the moon made of"
    assert early.finished is not None
    assert early.finished < 0.1
    call.step([word(10)])
    assert call.outputs[-1].finished is None
    late = call.step([SILENCE], paused=True)
    assert late.finished is not None
    assert late.finished > 0.9
    heard = len(hear.batches)
    call.step([SILENCE], Speak.BEGIN, paused=True)
    assert len(hear.batches) == heard
    assert call.logged[-1].transcript == "what is the moon made of cheese?"


def test_a_prepared_answer_is_thrown_away_if_the_caller_goes_on() -> None:
    call = Call(made(), 0)
    call.ask(QUESTION)
    call.step([SILENCE], paused=True)
    call.ask((10,))
    call.answer()
    assert "made of cheese?" in call.spoken


def test_what_was_written_in_the_pause_is_spoken_as_soon_as_the_turn_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The toy's tokens are letters, and these five words and a letter are enough to speak."""
    monkeypatch.setattr(
        "workers.engines.cascade.engine.AHEAD_TOKENS", len("Turn 1. You said what i")
    )
    monkeypatch.setattr("workers.engines.cascade.engine.ALONE_S", 60.0)
    call = Call(made(), 0)
    call.ask(FINISHED)
    call.step([SILENCE], paused=True)
    monkeypatch.setattr(LocalThinker, "think", _think_no_more)
    first = call.step([SILENCE], Speak.BEGIN, paused=True)
    assert first.pcm is not None
    assert first.words_at


def _think_no_more(*_: object) -> None:
    raise AssertionError("enough is written")


def test_a_pause_is_transcribed_later_while_another_caller_waits() -> None:
    engine = made()
    other, call = Call(engine, 0), Call(engine, 1)
    other.ask(FINISHED)
    call.ask(QUESTION)
    other.step(speak=Speak.BEGIN)
    found = []
    for _ in range(3):
        works = [other.work(speak=Speak.CONTINUE), call.work([SILENCE], paused=True)]
        said, heard = engine.step(works)
        other.note(works[0], said)
        found.append(call.note(works[1], heard).words)
    assert found == ["", "what is the moon made of", ""]


def test_the_reply_that_runs_dry_first_is_spoken_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.engines.cascade.engine.SPEAK_S", 0.0)  # time for one piece
    engine = made()
    calls = [Call(engine, slot) for slot in range(2)]
    for call in calls:
        call.ask(FINISHED)
    works = [call.work([SILENCE], paused=True) for call in calls]
    engine.step(works)
    works = [
        call.work(speak=Speak.BEGIN, lead=lead) for call, lead in zip(calls, (40, 0), strict=True)
    ]
    assert [output.pcm is not None for output in engine.step(works)] == [False, True]
    works = [
        call.work(speak=Speak.CONTINUE, lead=lead)
        for call, lead in zip(calls, (10, 45), strict=True)
    ]
    assert [output.pcm is not None for output in engine.step(works)] == [True, False]


def test_a_reply_with_enough_to_speak_is_written_on_in_the_rounds_of_another() -> None:
    engine = made()
    first, other = Call(engine, 0), Call(engine, 1)
    for call in (first, other):
        call.ask(FINISHED)
    while not engine._slots[0].sounded:
        first.step(speak=Speak.CONTINUE if engine._slots[0].replying else Speak.BEGIN)
    written = engine._thinker.pending(0)
    other.step(speak=Speak.BEGIN)
    assert engine._thinker.pending(0) == written  # a first word is not delayed
    while engine._thinker.pending(0) == written:
        output = other.step(speak=Speak.CONTINUE)
        assert not output.ended
    while not first.outputs[-1].ended:
        first.step(speak=Speak.CONTINUE)
    alone = Call(made(), 0)
    alone.ask(FINISHED)
    alone.answer()
    assert np.array_equal(first.sound, alone.sound)


@pytest.mark.parametrize(("callers", "partly"), [(1, True), (2, True), (3, False)])
def test_turns_are_transcribed_partly_while_few_callers_speak(callers: int, partly: bool) -> None:
    engine = made()
    calls = [Call(engine, slot) for slot in range(callers)]
    words = []
    for number in (*QUESTION, *QUESTION):
        works = [call.work([word(number)]) for call in calls]
        words += [output.words for output in engine.step(works)]
    assert any(words) is partly


def test_a_turn_with_words_never_gets_an_empty_reply() -> None:
    engine = made()
    engine._thinker._model._next = lambda turns, written: 1  # type: ignore[attr-defined]
    call = Call(engine, 0)
    call.ask(QUESTION)
    call.answer()
    assert call.spoken == NO_ANSWER
    assert call.sound.size > 0
    assert "".join(step.text for step in call.logged) == NO_ANSWER
    for dies_after in range(len(QUESTION) + 1, len(call.past)):
        again = Call(made(), 1, replace(call.opening, history=call.past[:dies_after]))
        again.outputs = list(call.outputs[:dies_after])
        while not again.outputs[-1].ended:
            again.step(speak=Speak.CONTINUE)
        assert np.array_equal(again.sound, call.sound)


def test_a_voice_that_gives_nothing_is_tried_once_more_and_no_longer() -> None:
    engine = made()
    engine._voice.say = lambda sentence, since, **more: Sound(  # type: ignore[method-assign]
        np.zeros(0, np.float32), (), len(sentence.split())
    )
    call = Call(engine, 0)
    call.ask(QUESTION)
    call.answer()
    assert call.sound.size == 0


def test_a_long_turn_is_transcribed_in_parts_and_answered_as_a_whole() -> None:
    said = [1 + at // 12 % 9 for at in range(1_000)]
    call = Call(made(), 0)
    for number in said:
        call.step([np.roll(word(number), 0)])
    settled = call.outputs[-1].settled
    assert len(call.engine._slots[0].chunks) < 200
    assert settled == len(said) - len(call.engine._slots[0].chunks)
    call.answer()
    transcript = next(step.transcript for step in call.logged if step.transcript)
    plain = [WORDS[n] for at, n in enumerate(said) if at == 0 or said[at - 1] != n]
    # A cut within a word gives it twice.
    assert [
        w for at, w in enumerate(transcript.split()) if transcript.split()[at - 1] != w
    ] == plain


def test_a_slot_rebuilt_in_a_long_turn_needs_no_settled_audio() -> None:
    live = Call(made(), 0)
    for at in range(450):
        live.step([word(1 + at // 12 % 9)])
    settled = live.outputs[-1].settled
    assert settled > 200
    history = [structs.replace(p, hear=()) if at < settled else p for at, p in enumerate(live.past)]
    again = Call(made(), 3, replace(live.opening, history=history))
    for call in (live, again):
        call.answer()
    assert live.spoken == again.spoken
    assert live.logged[-1] == again.logged[-1]


def test_short_speech_over_a_reply_is_read_and_changes_nothing() -> None:
    quiet, asked = Call(made(), 0), Call(made(), 0)
    for call in (quiet, asked):
        call.ask(QUESTION)
        call.step(speak=Speak.BEGIN)
    aside = (word(7), word(8))
    output = asked.note(
        Work(0, speak=Speak.CONTINUE),
        asked.engine.step([Work(0, speak=Speak.CONTINUE, aside=aside)])[0],
    )
    assert output.aside == "tell me"
    assert asked.engine.step([Work(0, aside=aside)])[0].aside == "tell me"
    for call in (quiet, asked):
        while not call.outputs[-1].ended:
            call.step(speak=Speak.CONTINUE)
    assert quiet.spoken == asked.spoken


def test_speech_that_may_go_on_with_the_turn_is_read_together_with_it() -> None:
    call = Call(made(), 0)
    call.ask(QUESTION)
    call.step(speak=Speak.BEGIN)
    work = Work(0, speak=Speak.CONTINUE, aside=(SILENCE, word(10)), aside_joins=True)
    assert call.engine.step([work])[0].aside == "cheese?"


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("I wonder how much free plus.", "I wonder how much 3 plus 4 is.", "4 is."),
        ("Can you tell me a story?", "Can you tell me a story? Yeah.", "Yeah."),
        ("What is the capital?", "What is the capital of France?", "of France?"),
        ("Hello.", "Hello.", ""),
        ("What is the", "", ""),
        ("Tell me.", "Sell my home.", "home."),
    ],
)
def test_the_words_that_were_added_to_a_turn(before: str, after: str, new: str) -> None:
    assert new_words(before, after) == new


def test_a_turn_is_cut_at_its_quietest_place() -> None:
    chunks = [np.full(1_920, 3_000, np.int16) for _ in range(60)]
    chunks[36] = chunks[37] = np.zeros(1_920, np.int16)
    assert quietest(chunks, 20, 50) in (37, 38)


def test_silence_is_answered_with_nothing() -> None:
    call = Call(made(), 0)
    call.ask((0, 0, 0))
    output = call.step(speak=Speak.BEGIN)
    assert output.ended
    assert output.pcm is None
    assert output.words == ""


def test_the_next_turn_remembers_the_ones_before() -> None:
    engine = made()
    call = Call(engine, 0)
    call.ask(QUESTION)
    call.answer()
    memory = engine.fold(b"", call.past, None)
    assert exchanges(memory)[0].assistant == REPLY
    second = Call(engine, 0, Opening(9, memory=memory))
    second.ask((7, 8, 9))
    second.answer()
    assert second.spoken.startswith("Turn 2. You said tell me more")


def test_what_a_row_already_holds_is_not_read_again() -> None:
    engine = made()
    call = Call(engine, 0)
    call.ask(QUESTION)
    call.answer()
    model = engine._thinker._model  # type: ignore[attr-defined]
    before = model.read
    second = Call(engine, 0, Opening(9, memory=engine.fold(b"", call.past, None)))
    second.ask((7,))
    second.step(speak=Speak.BEGIN)
    assert model.read - before < len(REPLY) + 60
    held = "".join(chr(t - 3) for t in model.rows[0] if t >= 3)
    assert held.count("what is the moon") == 2


def test_instructions_of_the_caller_replace_the_system_prompt() -> None:
    engine = made()
    Call(engine, 1, Opening(1, instructions="You are a pirate."))
    engine._thinker.read(float("inf"))
    model = engine._thinker._model  # type: ignore[attr-defined]
    assert model.tokenizer.decode(model.rows[1]).startswith("system\nYou are a pirate.")


def test_long_silence_after_a_turn_is_not_transcribed() -> None:
    speech = np.sin(np.arange(24_000, dtype=np.float32) / 10)
    assert trimmed(np.pad(speech, (0, 24_000 * 5))).size <= 24_000 + 12_000 + 480
    assert trimmed(speech).size == speech.size
    assert trimmed(np.zeros(100, np.float32)).size == 100


def test_the_model_reads_the_end_of_a_turn_that_is_too_long() -> None:
    thinker = made()._thinker
    thinker.open(0, Prompt(1))
    thinker.ask(0, "a\N{GRINNING FACE}b " * MAX_TURN_TOKENS + "the end")
    row = thinker._rows[0]  # type: ignore[attr-defined]
    assert len(row.wanted) - len(row.before) < MAX_TURN_TOKENS + 40
    assert "the end" in thinker._model.tokenizer.decode(row.wanted)  # type: ignore[attr-defined]
