"""The thinker chooses among the texts that a turn may have had."""

from typing import cast

import pytest

from tests.unit.workers.engines.cascade.toys import ToyModel
from workers.engines.cascade.parts import TurnTranscript
from workers.engines.cascade.think import DOUBTED, LocalThinker
from workers.models.llama.chat import Chat
from workers.models.llama.tokenizer import Tokenizer


def thinker(*, small: bool = True) -> LocalThinker:
    model = ToyModel(slots=1)
    return LocalThinker(model, Chat(cast(Tokenizer, model.tokenizer)), small=small)


# The toy finds a text the less likely, the more letters o it has.
OTHERS = (("Wood boots.", -0.6), ("What is it?", -0.7), ("Is it?", -3.0))


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


def test_a_transcript_without_others_stays() -> None:
    assert thinker().likeliest(TurnTranscript("Wood.", 0.1, -2.0)) == "Wood."
