"""The memory of a call: turns as text, only the played words of a reply, bounded in size."""

import itertools

import pytest

from shared.errors import SchemaError
from workers.engines.base import Past, Speak
from workers.engines.cascade.log import LoggedStep
from workers.engines.cascade.memory import CUT_TO_BYTES, MAX_BYTES, RememberedTurn, exchanges, fold


def turn(caller: str, *spoken: LoggedStep) -> list[Past]:
    first = LoggedStep(transcript=caller).to_bytes()
    return [
        Past(heard=(b"",)),
        Past(said=first, speak=Speak.BEGIN, began=True),
        *(Past(said=step.to_bytes(), speak=Speak.CONTINUE) for step in spoken),
    ]


REPLY = (
    LoggedStep(words=((0, "It"), (10, "is"), (20, "Paris,")), frames=40),
    LoggedStep(tokens=(5, 6)),
    LoggedStep(words=((0, "of"), (15, "course.")), frames=40),
)


def test_a_turn_is_remembered_in_words() -> None:
    memory = fold(b"", turn("What is the capital of France?", *REPLY), None)
    assert exchanges(memory) == [
        RememberedTurn("What is the capital of France?", "It is Paris, of course.")
    ]


@pytest.mark.parametrize(
    ("frames", "remembered"),
    [(0, ""), (1, "It"), (15, "It is"), (41, "It is Paris, of"), (80, "It is Paris, of course.")],
)
def test_an_interrupted_reply_counts_as_far_as_it_was_played(frames: int, remembered: str) -> None:
    memory = fold(b"", turn("What?", *REPLY), frames)
    assert exchanges(memory) == [RememberedTurn("What?", remembered)]


def test_turns_without_words_are_not_remembered() -> None:
    memory = fold(b"", turn("Hello.", *REPLY), None)
    assert fold(memory, turn(""), None) == memory
    assert fold(memory, [Past(heard=(b"",))], None) == memory
    assert fold(memory, (), None) == memory


def test_the_memory_is_bounded_and_keeps_the_newest_turns() -> None:
    memory = b""
    sizes = []
    for number in range(300):
        words = tuple((at, f"word{number}") for at in range(30))
        memory = fold(memory, turn(f"Question {number}?", LoggedStep(words=words, frames=40)), None)
        sizes.append(len(memory))
    assert max(sizes) <= MAX_BYTES
    assert min(sizes[100:]) > CUT_TO_BYTES / 2
    assert exchanges(memory)[-1].caller == "Question 299?"
    # It is cut only now and then, since after each cut the model must read the rest again.
    assert sum(after < before for before, after in itertools.pairwise(sizes)) < 60


def test_one_turn_that_is_too_long_is_kept_alone() -> None:
    long = LoggedStep(words=tuple((at, "x" * 100) for at in range(100)), frames=200)
    memory = fold(fold(b"", turn("A?", *REPLY), None), turn("B?", long), None)
    assert [turn.caller for turn in exchanges(memory)] == ["B?"]


def test_logged_steps_come_back_as_they_were() -> None:
    step = LoggedStep(
        transcript="Hi.",
        tokens=(1, 49_151),
        text="Hello",
        complete=True,
        words=((3, "Hello."),),
        frames=25,
        sentence=4,
        said=2,
        rest=b"\x01\x00",
    )
    assert LoggedStep.from_bytes(step.to_bytes()) == step
    assert LoggedStep.from_bytes(LoggedStep().to_bytes()) == LoggedStep()


@pytest.mark.parametrize("logged", [b"", b"\x01", b"\xc1", b"\x81\xa3foo\x01"])
def test_steps_of_another_engine_are_refused(logged: bytes) -> None:
    with pytest.raises(SchemaError, match="Expected a step of the cascade"):
        LoggedStep.from_bytes(logged)
