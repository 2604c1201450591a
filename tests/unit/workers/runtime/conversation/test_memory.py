"""What is remembered of the turn before: what the next turn's context is opened with."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from shared.log.records import Cancel, Heard, Mode, Played, SpeechStarted, SpeechStopped, Step
from shared.modes import ReplyMode
from tests.sounds import silence, talking, voice
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.memory import MEMORY_STEPS, Memory
from workers.runtime.conversation.transcript import Transcript

QUESTION = [*silence(6), *voice(10), *silence(9)]
ANOTHER = [*silence(6), *voice(6, pitch_hz=190), *silence(9)]


class Noting(EchoEngine):
    """Keeps what its slot was opened with; hears an `a` in each chunk, a blank in each sixth."""

    traits = Traits()

    def __init__(self) -> None:
        super().__init__(1)
        self.opened: list[Opening] = []
        self.words = ""  # said of a turn when it ends
        self._count = 0

    def open(self, slot: int, opening: Opening) -> None:
        """Note it."""
        self.opened.append(opening)
        super().open(slot, opening)

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """As the echo does, with letters."""
        (output,) = super().step(batch)
        letters = ["a", "a", "a", "a", "a", " "]
        rough = "".join(letters[(self._count + i) % 6] for i in range(len(output.heard)))
        self._count += len(output.heard)
        words = self.words if batch[0].speak is Speak.BEGIN else ""
        return [structs.replace(output, rough=rough, words=words)]


def called(*line: object) -> tuple[Rehearsal, Noting]:
    engine = Noting()
    call = Rehearsal(ReplyMode.TURN, engine)
    tell(call, *line)
    return call, engine


def tell(call: Rehearsal, *line: object) -> None:
    """Record by record, as it comes in a call."""
    for record in line:
        call.run(record)  # type: ignore[arg-type]


def steps_of(turn: tuple[Past, ...]) -> tuple[int, int]:
    """How many chunks were heard in it, and how many steps were said."""
    return sum(len(p.heard) for p in turn), sum(p.said is not None for p in turn)


def earlier(engine: Noting) -> tuple[Past, ...]:
    return tuple(engine.opened[-1].earlier)


def test_the_next_turn_remembers_all_of_an_answer_that_was_heard() -> None:
    call, engine = called(*QUESTION)
    assert earlier(engine) == ()
    call.run(Played(call.conversation.state.frame), *ANOTHER)
    turn = earlier(engine)
    assert steps_of(turn) == (23, 23)
    assert [p.speak for p in turn if p.began] == [Speak.BEGIN]
    assert turn[-1].ended
    assert all(not p.hear for p in turn)


def test_only_the_turn_before_is_remembered() -> None:
    call, engine = called(*QUESTION)
    tell(call, Played(10_000), *ANOTHER, Played(10_000), *QUESTION)
    assert steps_of(earlier(engine)) == (19, 19)


def test_what_an_interruption_cut_off_is_forgotten() -> None:
    call, engine = called(*QUESTION)
    call.run(Played(82), *voice(11, pitch_hz=190))  # 20 steps of four frames, and half of the next
    assert steps_of(earlier(engine)) == (23, 20)


def test_an_answer_of_which_hardly_anything_was_heard_is_no_turn() -> None:
    call, engine = called(*QUESTION)
    call.run(Played(4), Cancel(), *ANOTHER)
    assert earlier(engine) == ()


def test_a_cancelled_answer_is_remembered_as_far_as_it_was_heard() -> None:
    call, engine = called(*talking(60), *silence(8))
    call.run(Played(40), Cancel(), *ANOTHER)
    assert steps_of(earlier(engine))[1] == 10


def test_a_noise_between_two_turns_takes_no_memory_away() -> None:
    call, engine = called(*QUESTION)
    blip = voice(1)[0].copy()
    blip[1_440:] = 0
    call.run(Played(10_000), *silence(5), blip, *silence(10))
    assert len(engine.opened) == 3
    call.run(*ANOTHER)
    assert steps_of(earlier(engine)) == (23, 23)


def test_another_mode_forgets() -> None:
    call, engine = called(*QUESTION)
    call.run(Played(10_000), Mode("stream"), Mode("turn"), *ANOTHER)
    assert earlier(engine) == ()


@pytest.mark.parametrize(("pause", "remembered"), [(MEMORY_STEPS - 40, True), (600, False)])
def test_what_was_said_long_ago_is_forgotten(pause: int, remembered: bool) -> None:
    call, engine = called(*QUESTION)
    call.run(Played(10_000))
    for chunk in silence(pause):
        call.run(chunk)
    if not remembered:
        assert call.writes[-1].keep_steps == len(call.steps)
    call.run(*ANOTHER)
    assert bool(earlier(engine)) == remembered


def test_of_a_long_pause_the_log_keeps_no_step() -> None:
    call, _ = called(*QUESTION)
    call.run(Played(10_000))
    worked = sum(isinstance(s, Step) and bool(s.hear or s.speak) for _, s in call.steps)
    for chunk in silence(200):
        call.run(chunk)
    dropped = {write.drop_step for write in call.writes}
    kept = [k for k, _ in call.steps if k >= call.writes[-1].keep_steps and k not in dropped]
    assert len(kept) <= worked + 3  # the base, the last one, and one that came before the turn


@pytest.mark.parametrize("after", [3, 30, 45])
def test_who_takes_over_remembers_the_same(after: int) -> None:
    call, engine = called(*QUESTION)
    line = [Played(10), *voice(6, pitch_hz=190), *silence(20), Played(10_000), *ANOTHER]
    tell(call, *line[:after])
    call.die()
    tell(call, *line[after:])
    other, steady = called(*QUESTION)
    tell(other, *line)
    assert earlier(engine) == earlier(steady) != ()
    assert call.outputs == other.outputs


def test_an_empty_memory_recalls_nothing() -> None:
    memory = Memory()
    memory.note(1, Past(said=b"", began=True), ())
    assert memory.recall() == ()
    assert memory.trim(None) is None


def test_the_caller_s_words_are_told_as_they_end_and_once_more_when_the_turn_does() -> None:
    call, _ = called(*QUESTION)
    told = call.of(SpeechStarted, Heard, SpeechStopped)
    assert [type(r) for r in told[:1] + told[-2:]] == [SpeechStarted, SpeechStopped, Heard]
    texts = [r.text for r in told if isinstance(r, Heard)]
    assert texts == ["aaaaa", "aaaaa aaaaa", "aaaaa aaaaa aaaaa", "aaaaa aaaaa aaaaa aaaaa"]
    assert all(r.rough for r in told if isinstance(r, Heard))
    assert [r.final for r in told if isinstance(r, Heard)] == [False, False, False, True]


def test_a_model_that_knows_words_has_the_last_say() -> None:
    engine = Noting()
    engine.words = "what is two"
    call = Rehearsal(ReplyMode.TURN, engine)
    tell(call, *QUESTION)
    told = call.of(Heard)
    assert [r.text for r in told if isinstance(r, Heard)][-2:] == [
        "aaaaa aaaaa aaaaa",
        "what is two",
    ]
    assert [r.rough for r in told if isinstance(r, Heard)][-2:] == [True, False]
    engine.words = ""  # it knew none of these
    tell(call, Played(call.conversation.state.frame), *ANOTHER)
    last = call.of(Heard)[-1]
    assert isinstance(last, Heard)
    assert last.final
    assert set(last.text) == {"a", " "}


def test_words_take_the_place_of_letters_while_they_are_heard() -> None:
    one = Transcript()
    one.add_letters("wot iz")
    assert one.running() == [Heard("wot", final=False, rough=True)]
    one.set_words("what is")
    assert one.running() == [Heard("what", final=False)]
    one.add_letters(" tu")
    one.set_words("what is two")
    assert one.running() == [Heard("what is", final=False)]
    one.set_words("")
    assert one.end() == [Heard("what is two", final=True)]


def test_a_turn_s_second_part_does_not_say_the_first_again() -> None:
    one = Transcript()
    one.set_words("what is")
    one.end()
    one.set_words("what is two plus")
    other = replace(one)
    assert other.end() == [Heard("two plus", final=True)]
    other.set_words("what is two plus two")
    assert other.end() == [Heard("two", final=True)]
    other.begin()
    other.set_words("what is one")
    assert other.end() == [Heard("what is one", final=True)]


def test_a_transcript_is_bounded_and_goes_on_elsewhere() -> None:
    one = Transcript()
    one.add_letters(" tu plus")
    assert one.running() == [Heard("tu", final=False, rough=True)]
    assert one.running() == []
    other = replace(one)
    other.add_letters(" x" * 5_000)
    (whole,) = other.end()
    assert whole.text.startswith("tu plus x x")
    assert len(whole.text) <= 4_000
    assert other.end() == []
