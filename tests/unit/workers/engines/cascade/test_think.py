"""The thinker chooses among the texts that a turn may have had."""

from typing import cast

import pytest

from tests.unit.workers.engines.cascade.toys import ToyModel
from workers.engines.cascade.memory import RememberedTurn
from workers.engines.cascade.parts import TurnTranscript
from workers.engines.cascade.think import DOUBTED, UNSURE, LocalThinker, Prompt
from workers.models.llama.chat import Chat
from workers.models.llama.sampling import Sampling
from workers.models.llama.tokenizer import Tokenizer


def thinker(*, small: bool = True) -> LocalThinker:
    model = ToyModel(slots=1)
    return LocalThinker(model, Chat(cast(Tokenizer, model.tokenizer)), small=small)


# The toy finds a text the less likely, the more letters o it has.
OTHERS = (("Wood boots.", -0.6), ("What is it?", -0.65), ("Is it?", -3.0))


@pytest.mark.parametrize(
    ("log_prob", "small", "chosen"),
    [
        (DOUBTED - 0.3, True, "What is it?"),
        (DOUBTED + 0.1, True, "Wot is it o?"),  # clear speech
        (DOUBTED - 0.3, False, "Wot is it o?"),  # a model of the operator's
    ],
)
def test_a_doubtful_transcript_is_chosen_by_language_too(
    log_prob: float, small: bool, chosen: str
) -> None:
    heard = TurnTranscript("Wot is it o?", 0.1, log_prob, OTHERS)
    assert thinker(small=small).likeliest(heard) == chosen


@pytest.mark.parametrize(
    ("log_prob", "small", "chosen"),
    [
        (UNSURE - 0.1, True, "How much is 12 times eight."),
        (UNSURE + 0.1, True, "How much is 12 times it?"),
        (UNSURE - 0.1, False, "How much is 12 times it?"),
    ],
)
def test_a_doubtful_sum_is_mended(log_prob: float, small: bool, chosen: str) -> None:
    heard = TurnTranscript("How much is 12 times it?", 0.1, log_prob)
    assert thinker(small=small).likeliest(heard) == chosen


def test_a_transcript_without_others_stays() -> None:
    assert thinker().likeliest(TurnTranscript("Wood.", 0.1, -2.0)) == "Wood."


class Reckoner(ToyModel):
    """Would answer every turn with a wrong sum."""

    def _next(self, turns: str, written: str) -> int:
        reply = "I say two plus three is nine."
        if written.endswith(" is five"):
            reply = written + "."
        if written.endswith("."):
            return 1  # <|im_end|>
        return self.tokenizer.encode(reply[len(written)])[0]


@pytest.mark.parametrize("taken_over_at", [None, 8, 24, 26])
def test_a_wrong_result_is_forced_right_on_every_worker(taken_over_at: int | None) -> None:
    def made() -> LocalThinker:
        model = Reckoner(slots=1)
        greedy = Sampling(temperature=0.0, repetition=0.0)
        return LocalThinker(model, Chat(cast(Tokenizer, model.tokenizer)), greedy)

    def written(one: LocalThinker, most: int) -> tuple[list[int], str]:
        tokens, text = list[int](), ""
        while len(tokens) < most:
            one.read(float("inf"))
            one.think([0])
            delta = one.take(0)
            tokens, text = [*tokens, *delta.tokens], text + delta.text
            if delta.complete:
                break
        return tokens, text

    first = made()
    first.open(0, Prompt(1))
    first.ask(0, "Hello?")
    tokens, text = written(first, taken_over_at or 99)
    if taken_over_at:
        second = made()
        second.open(0, Prompt(1))
        second.resume(0, "Hello?", tokens, text)
        text += written(second, 99)[1]
    assert text == "I say two plus three is five."


@pytest.mark.parametrize(("small", "asked"), [(True, "What do cats eat?"), (False, "And cats?")])
def test_the_small_model_is_asked_a_follow_up_as_a_whole_question(small: bool, asked: str) -> None:
    one = thinker(small=small)
    one.open(0, Prompt(1, earlier=(RememberedTurn("What do owls eat?", "Mice."),)))
    one.ask(0, "And cats?")
    one.read(float("inf"))
    text, complete = "", False
    while not complete:
        one.think([0])
        delta = one.take(0)
        text, complete = text + delta.text, delta.complete
    assert text == f"Turn 2. You said {asked} and that is all."
