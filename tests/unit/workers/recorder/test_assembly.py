"""Both sides of a call get their places from the records of its log."""

from collections.abc import Sequence
from typing import TypeVar

import msgpack
import numpy as np

from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES, FRAME_BYTES, FRAME_SAMPLES
from shared.log.records import (
    Audio,
    Clear,
    Heard,
    InputRecord,
    OutputRecord,
    Played,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Text,
    Typed,
)
from workers.recorder.assembly import Assembly, PlacedSound, Side

R = TypeVar("R")


def chunk(number: int = 0) -> Audio:
    return Audio(bytes([number]) * CHUNK_BYTES)


def speech(frame: int, frames: int = 1) -> Speech:
    pcm = b"".join(bytes([f]) * FRAME_BYTES for f in range(frame, frame + frames))
    return Speech(frame=frame, generation=1, pcm=pcm)


def numbered(records: Sequence[R], first: int = 1) -> list[tuple[int, R]]:
    return list(enumerate(records, first))


def places(sounds: list[PlacedSound], side: Side) -> list[int]:
    return [sound.start for sound in sounds if sound.side is side]


def test_frames_lie_where_the_caller_heard_them() -> None:
    inputs: list[InputRecord] = [chunk(1), chunk(2), Played(3), chunk(3), Played(7)]
    outputs: list[OutputRecord] = [speech(1, 4), speech(5, 4)]
    sounds = Assembly().take(numbered(inputs), numbered(outputs))
    assert places(sounds, Side.CALLER) == [0, CHUNK_SAMPLES, 2 * CHUNK_SAMPLES]
    first = 2 * CHUNK_SAMPLES - 3 * FRAME_SAMPLES  # frame 3 ends where its `played` lies
    assert places(sounds, Side.ASSISTANT) == [first + i * FRAME_SAMPLES for i in range(7)]
    said = [sound.pcm[0] for sound in sounds if sound.side is Side.ASSISTANT]
    assert said == [1, 2, 3, 4, 5, 6, 7]  # the eighth was not played yet


def test_an_interrupted_reply_is_recorded_as_far_as_it_was_heard() -> None:
    assembly = Assembly()
    assembly.take(numbered([chunk(), Played(2)]), numbered([speech(1, 4), Text(1, "later")]))
    clear: list[OutputRecord] = [Clear(generation=1, next_frame=5), speech(5)]
    inputs: list[InputRecord] = [chunk(), Played(5)]
    sounds = assembly.take(numbered(inputs, 3), numbered(clear, 3))
    assert [sound.pcm[0] for sound in sounds if sound.side is Side.ASSISTANT] == [5]
    assert not assembly.words()


def test_a_pause_between_replies_stays() -> None:
    assembly = Assembly()
    assembly.take(numbered([chunk(), Played(1)]), numbered([speech(1)]))
    waiting: list[InputRecord] = [chunk() for _ in range(10)]
    sounds = assembly.take(numbered([*waiting, Played(2)], 3), numbered([speech(2)], 2))
    assert places(sounds, Side.ASSISTANT) == [11 * CHUNK_SAMPLES - FRAME_SAMPLES]


def test_words_of_both_sides_have_their_times() -> None:
    inputs: list[InputRecord] = [*(chunk() for _ in range(5)), Played(0)]
    outputs: list[OutputRecord] = [
        SpeechStarted(n=2),
        SpeechStopped(n=4),
        Heard("hi all", final=False),
        Heard("hi there", final=True),
        Text(1, "Good"),
        speech(1, 2),
        Text(1, "morning."),
        speech(3, 4),
    ]
    assembly = Assembly()
    assembly.take(numbered(inputs), numbered(outputs))
    assembly.take(numbered([chunk(), chunk(), Played(6)], 7), [])
    found = {word.text: (word.start, word.end, word.side) for word in assembly.words()}
    start = 7 * CHUNK_SAMPLES - 6 * FRAME_SAMPLES
    middle = start + 2 * FRAME_SAMPLES
    assert found["Good"] == (start, middle, Side.ASSISTANT)
    assert found["morning."] == (middle, start + 6 * FRAME_SAMPLES, Side.ASSISTANT)
    assert found["hi"][0] == CHUNK_SAMPLES
    assert found["there"][1:] == (3 * CHUNK_SAMPLES, Side.CALLER)


def test_what_the_caller_typed_has_its_place() -> None:
    assembly = Assembly()
    assembly.take(numbered([chunk(), Typed("The caller pressed 5."), chunk()]), [])
    assert assembly.typed == [("The caller pressed 5.", CHUNK_SAMPLES)]
    packed = msgpack.packb(assembly.state())
    assert Assembly.of(msgpack.unpackb(packed, strict_map_key=False)) == assembly


def test_records_that_were_gone_are_counted() -> None:
    assembly = Assembly()
    assembly.take([(5, chunk())], [(9, speech(3))])  # it began before
    assert assembly.lost == 0
    assembly.take([(8, chunk())], [(10, speech(4))])
    assert assembly.lost == 2


def test_another_process_goes_on_with_its_state() -> None:
    rng = np.random.default_rng(0)
    inputs: list[InputRecord] = []
    for number in range(40):
        inputs += [chunk(number), Played(number * 4)] if rng.random() < 0.5 else [chunk(number)]
    outputs: list[OutputRecord] = [Text(1, "a b"), *(speech(f) for f in range(1, 120))]
    whole, halves = Assembly(), Assembly()
    wanted = whole.take(numbered(inputs[:30]), numbered(outputs)) + whole.take(
        numbered(inputs[30:], 31), []
    )
    found = halves.take(numbered(inputs[:30]), numbered(outputs))
    packed = msgpack.packb(halves.state())
    other = Assembly.of(msgpack.unpackb(packed, strict_map_key=False))
    found += other.take(numbered(inputs[30:], 31), [])
    assert found == wanted
    assert other.words() == whole.words()
