"""Stream mode with an engine that hears and speaks without end."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from shared.audio import CHUNK_SAMPLES, Pcm16, floats_from_pcm16, pcm16_from_floats
from shared.log.records import (
    Audio,
    Brief,
    Cancel,
    Clear,
    Commit,
    Mode,
    Options,
    Played,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Step,
)
from shared.modes import ReplyMode
from shared.voices import Offer
from tests.sounds import silence, talking, voice
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.runtime.conversation.full_duplex import PLACE_CHUNKS

CONTEXT, CARRY, REHEAR = 120, 60, 20
CHUNKS = 7_200  # of a call whose context moves after 40 to 60 of them


@dataclass
class Slot:
    """What one call's state is a function of."""

    seed: int = 0
    instructions: str = ""
    context: list[bytes] = field(default_factory=list)  # what was said since the base
    ear: deque[bytes] = field(default_factory=lambda: deque(maxlen=REHEAR))


class Chatter:
    """Says a number that depends on its whole context; talks in every other 30 steps."""

    slots = 1
    traits = Traits(
        modes=(ReplyMode.STREAM,),
        context_chunks=CONTEXT,
        carry_chunks=CARRY,
        rehear_chunks=REHEAR,
    )
    offer = Offer()

    def __init__(self, *, talks: bool = True) -> None:
        self.talks = talks
        self.slot = Slot()
        self.moves: list[int] = []
        self.replayed: list[int] = []

    def open(self, slot: int, opening: Opening) -> None:
        """Begin, or let the context move."""
        ear = self.slot.ear if opening.moved else Slot().ear
        self.slot = Slot(opening.seed, opening.instructions, ear=ear)
        self.moves += [len(opening.history)] * opening.moved
        self.slot.ear.extend(p.hear[0].tobytes() for p in opening.reheard if p.hear)
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Take what was said and heard."""
        if history:
            self.replayed.append(len(history))
        for past in history:
            assert past.said is not None
            self.slot.context.append(past.said)
            self.slot.ear.extend(chunk.tobytes() for chunk in past.hear)
            yield

    def close(self, slot: int) -> None:
        """Nothing to do."""

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Nothing: it folds no turns."""
        return b""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """One output for the one slot."""
        (work,) = batch
        assert work.speak is Speak.DUPLEX
        (chunk,) = work.hear
        slot = self.slot
        slot.ear.append(chunk.tobytes())
        at = int.from_bytes(slot.context[-1][:4], "little") + 1 if slot.context else 0
        parts = (slot.seed, slot.instructions, tuple(slot.context), tuple(slot.ear))
        said = at.to_bytes(4, "little") + (hash(parts) & 0xFFFF).to_bytes(2, "little")
        slot.context.append(said)
        assert len(slot.context) <= CONTEXT
        began, ended = at % 60 == 30, at % 60 == 59
        if not self.talks or not (began or ended or at % 60 > 30):
            return [Output(0, (b"h",), said)]
        pcm = np.full(CHUNK_SAMPLES, at % 100, dtype=np.int16)
        return [Output(0, (b"h",), said, pcm, "word", began=began, ended=ended)]


def call_with(engine: Chatter, mode: ReplyMode = ReplyMode.STREAM) -> Rehearsal:
    return Rehearsal(mode, engine)


def said_by(call: Rehearsal) -> list[bytes]:
    return [r.said for _, r in call.steps if isinstance(r, Step) and r.said is not None]


def test_every_chunk_is_a_step_in_every_mode() -> None:
    """The engine has stream mode alone: a session in turn mode runs in that."""
    for mode in ReplyMode:
        call = call_with(Chatter(), mode)
        call.run(*silence(20), Mode(ReplyMode.STREAM), Commit(), *silence(20))
        assert [int.from_bytes(said[:4], "little") for said in said_by(call)] == list(range(40))


def test_its_speech_is_replies_and_the_callers_is_reported() -> None:
    call = call_with(Chatter())
    call.run(*voice(5), *silence(60))
    assert [type(event) for event in call.of(SpeechStarted, SpeechStopped)] == [
        SpeechStarted,
        SpeechStopped,
    ]
    assert call.of(ReplyStarted, ReplyDone) == [ReplyStarted(1, 1), ReplyDone(1, 121, "end")]
    assert len(call.speech) == 30


def test_speech_over_a_reply_drops_the_rest_of_it_and_the_model_hears_on() -> None:
    call = call_with(Chatter())
    call.run(*silence(35), *talking(25), *silence(60))
    assert len(call.of(Clear)) == 1
    assert call.of(ReplyDone)[0] == ReplyDone(1, call.speech[-31].frame + 4, "cancelled")
    assert len(said_by(call)) == 120
    assert len(call.of(ReplyStarted)) == 2  # the next stretch of speech is sent again


def test_a_caller_who_asks_for_it_leaves_interruptions_to_the_model() -> None:
    call = call_with(Chatter())
    call.run(Options(interrupts=False), *silence(35), *talking(25))
    assert call.of(Clear) == []
    assert call.of(ReplyDone) == [ReplyDone(1, 121, "end")]


def test_cancel_stops_the_reply_and_not_the_model() -> None:
    call = call_with(Chatter())
    call.run(*silence(40), Cancel(), *silence(20))
    assert len(call.speech) == 10
    assert len(said_by(call)) == 60


def test_a_call_of_hours_has_a_bounded_log_memory_and_rebuild() -> None:
    """The log, what the worker holds and a takeover stay as they were.

    The context moves as often as Moshi's does in two hours.
    """
    engine = Chatter(talks=False)
    call = call_with(engine)
    sizes = []
    quiet = silence(1)[0]
    for quarter in range(4):
        for _ in range(CHUNKS // 4 // 50):
            call.run(*[quiet] * 50)
            forget(call)
        write, state = call.writes[-1], call.conversation.state
        assert state.context is not None
        sizes.append(
            (
                write.cursor - write.keep_inputs,
                write.first_step - write.keep_steps,
                len(state.memory.steps),
                len(state.context.places),
            )
        )
        call.die()
        assert engine.replayed[-1] <= CONTEXT, quarter
    bound = CONTEXT + REHEAR + 2 * PLACE_CHUNKS
    assert all(max(size) < bound for size in sizes)
    assert set(engine.moves) == {CARRY}
    assert len(engine.moves) > 100


def forget(call: Rehearsal) -> None:
    """Trim the rehearsal's log as Redis does, so that the test runs in seconds."""
    call.inputs = [r for r in call.inputs if r[0] >= call.writes[-1].keep_inputs]
    del call.writes[:-200]


def test_no_draw_depends_on_when_reports_of_the_playhead_come() -> None:
    """Alone they make a step of their own. Then every later step has another number."""
    quiet = silence(4 * CONTEXT)
    whole, other = call_with(Chatter()), call_with(Chatter())
    whole.run(Played(0), *quiet)
    for number, chunk in enumerate(quiet):
        other.run(Played(0), chunk)
        if number % 7 == 0:
            other.run(Played(0))
    assert len(other.steps) > len(whole.steps)
    assert said_by(other) == said_by(whole)


def test_a_call_that_dies_anywhere_goes_on_as_if_it_had_not() -> None:
    sounds: list[Pcm16] = [*silence(30), *talking(40), *silence(90), *voice(60), *silence(160)]
    whole = call_with(Chatter())
    whole.run(*sounds)
    for every in (1, 7, 45):
        call = call_with(Chatter())
        for number, chunk in enumerate(sounds):
            call.run(chunk)
            if number % every == every - 1:
                call.die()
        assert said_by(call) == said_by(whole)
        assert call.pcm == whole.pcm
    assert len(said_by(whole)) > 3 * CONTEXT


def test_the_context_moves_in_silence_if_it_can() -> None:
    """With a sixth of the context to go it waits for silence, and at its end for nothing."""
    engine = Chatter()
    call = call_with(engine)
    call.run(*silence(CONTEXT - 1))
    assert engine.moves == []  # a reply is under way from step 90 on
    call.run(*silence(2))
    assert engine.moves == [CARRY]
    silent = Chatter(talks=False)
    call_with(silent).run(*silence(CONTEXT - CONTEXT // 6 + 1))
    assert silent.moves == [CARRY]


def test_a_new_brief_moves_the_context() -> None:
    engine = Chatter(talks=False)
    call = call_with(engine)
    call.run(*silence(20), Brief(instructions="Be short."), *silence(5))
    assert engine.slot.instructions == "Be short."
    assert engine.moves == [20]
    said = said_by(call)
    assert len(said) == 25
    call.die()
    call.run(*silence(1))
    assert engine.slot.instructions == "Be short."


def test_the_assistants_echo_reaches_the_model_as_silence() -> None:
    """And a rebuilt slot hears the same silence."""
    whole, broken = (echoing(dies) for dies in (False, True))
    muted = [r.muted for _, r in whole.steps if isinstance(r, Step) and r.muted]
    assert len(muted) > 5
    assert said_by(whole) == said_by(broken)


def echoing(dies: bool) -> Rehearsal:
    """A call whose microphone picks up the assistant, which speaks with the test's voice."""
    engine = Parrot()
    call = call_with(engine)
    sent: list[Pcm16] = []
    for number in range(150):
        played = sent[-3] if len(sent) > 3 else silence(1)[0]
        call.run(Audio(pcm16_from_floats(floats_from_pcm16(played) * 0.3).tobytes()))
        sent += [np.frombuffer(r.pcm, dtype="<i2") for r in call.speech[len(sent) :]]
        call.run(Played(max(0, 4 * len(sent) - 4)))
        if dies and number % 20 == 19:
            call.die()
    return call


class Parrot(Chatter):
    """A Chatter with a voice as its sound."""

    sounds = (*talking(30),)

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """As Chatter does, with that sound."""
        (output,) = super().step(batch)
        if output.pcm is None:
            return [output]
        at = int.from_bytes(output.said[:4], "little") if output.said else 0
        pcm = self.sounds[at % 30]
        return [
            Output(
                0, output.heard, output.said, pcm, "word", began=output.began, ended=output.ended
            )
        ]
