"""The caller's words beside the replies: which are known, and that their loss teaches them."""

import numpy as np
import torch

from shared.audio import Floats
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import (
    Sample,
    collate,
    joined,
    stream_sample,
    turn_sample,
)
from workers.training.stages.caller_words import CallerVocabulary, loss, loss_alone

TEMPORAL = TransformerConfig(width=32, layers=4, heads=2, window=64)
CONFIG = S2SConfig(heard_width=4, texts=40, codebooks=2, codes=9, temporal=TEMPORAL, caller_words=3)
REPLY = TargetReply("a", np.array([33, EOS]), np.array([[1, 2]]))


def heard(words: list[int]) -> Floats:
    """Two positions a word: one that brings it, one that brings nothing; and two more."""
    rows = np.zeros((2 * len(words) + 2, 4), np.float32)
    rows[np.arange(len(words)) * 2, words] = 1.0
    return rows


def test_the_words_of_taught_families_and_of_what_callers_say_around_them_are_known() -> None:
    lexicon = CallerVocabulary(("sum", "es hello"))
    known = [word for word in ("plus", "seven", "hola", "um", "again") if lexicon.encode(word)]
    assert known == ["plus", "seven", "hola", "um", "again"]
    assert lexicon.encode("What is zzyzx plus two?") == lexicon.encode("what is plus two")
    assert lexicon.encode("") == []
    numbers = lexicon.encode(" ".join(lexicon.words))
    assert numbers == list(range(1, len(lexicon) + 1))
    assert len(CallerVocabulary()) > len(lexicon)


def test_words_lie_on_the_positions_that_listen_in_each_turn() -> None:
    first = turn_sample(heard([1, 2]), REPLY, CONFIG, [5, 6])
    second = stream_sample(heard([3]), 3, REPLY, CONFIG, [7])
    both = joined(first, second)
    assert both.caller_words[both.caller_words > 0].tolist() == [5, 6, 7]
    assert both.listens.sum() == 6 + 4  # up to the reply: in stream mode, what says GO included
    assert turn_sample(heard([1]), REPLY, CONFIG, list(range(1, 9))).caller_words.max() == 4


def test_the_loss_teaches_which_words_were_heard_and_only_the_lower_half() -> None:
    torch.manual_seed(3)
    model = HybridS2S(CONFIG)
    rng = np.random.default_rng(4)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)

    def sample() -> Sample:
        turns = [rng.integers(1, 4, rng.integers(1, 5)).tolist() for _ in range(2)]
        first, second = (turn_sample(heard(words), REPLY, CONFIG, words) for words in turns)
        return joined(first, second)

    found = []
    for _ in range(120):
        batch = collate([sample() for _ in range(16)])
        nats = loss(model, model.layered(batch.inputs), batch)
        optimiser.zero_grad()
        torch.autograd.backward(nats)
        optimiser.step()
        found.append(float(nats.detach()))
    assert np.mean(found[-10:]) < 0.25 * np.mean(found[:10])
    touched = [
        any(p.grad is not None and bool(p.grad.any()) for p in block.parameters())
        for block in model.temporal.blocks
    ]
    assert touched == [True, True, False, False]


def test_where_nobody_says_anything_no_word_is_to_be_heard() -> None:
    model, batch = HybridS2S(CONFIG), collate([turn_sample(heard([]), REPLY, CONFIG)])
    layers = model.layered(batch.inputs)
    chances = model.caller_logits(layers[CONFIG.middle]).log_softmax(-1)
    none = chances[0, :2, 0]  # where somebody listens
    assert torch.allclose(loss(model, layers, batch), -none.sum())


def test_alone_it_is_the_same_for_turns_that_stand_alone() -> None:
    model = HybridS2S(CONFIG).eval()
    batch = collate([turn_sample(heard(words), REPLY, CONFIG, words) for words in ([1, 2, 3], [2])])
    whole = loss(model, model.layered(batch.inputs), batch)
    assert torch.allclose(loss_alone(model, batch), whole, rtol=1e-4)
