"""The caller's words: the vocabulary, and the loss that teaches them."""

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


def states_of(words: list[int]) -> Floats:
    """States with two positions a word, the second of them empty, and two more."""
    rows = np.zeros((2 * len(words) + 2, 4), np.float32)
    rows[np.arange(len(words)) * 2, words] = 1.0
    return rows


def test_the_vocabulary_has_the_words_of_taught_families_and_of_phrases_around_them() -> None:
    vocabulary = CallerVocabulary(("sum", "es hello"))
    known = [word for word in ("plus", "seven", "hola", "um", "again") if vocabulary.encode(word)]
    assert known == ["plus", "seven", "hola", "um", "again"]
    assert vocabulary.encode("What is zzyzx plus two?") == vocabulary.encode("what is plus two")
    assert vocabulary.encode("") == []
    numbers = vocabulary.encode(" ".join(vocabulary.words))
    assert numbers == list(range(1, len(vocabulary) + 1))
    assert len(CallerVocabulary()) > len(vocabulary)


def test_words_lie_on_the_listening_positions_of_each_turn() -> None:
    first = turn_sample(states_of([1, 2]), REPLY, CONFIG, [5, 6])
    second = stream_sample(states_of([3]), 3, REPLY, CONFIG, [7])
    both = joined(first, second)
    assert both.caller_words[both.caller_words > 0].tolist() == [5, 6, 7]
    assert (
        both.listens.sum() == 6 + 4
    )  # up to the reply; in stream mode including the position that says GO
    assert turn_sample(states_of([1]), REPLY, CONFIG, list(range(1, 9))).caller_words.max() == 4


def test_the_loss_teaches_the_words_to_the_lower_half_alone() -> None:
    torch.manual_seed(3)
    model = HybridS2S(CONFIG)
    rng = np.random.default_rng(4)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)

    def sample() -> Sample:
        turns = [rng.integers(1, 4, rng.integers(1, 5)).tolist() for _ in range(2)]
        first, second = (turn_sample(states_of(words), REPLY, CONFIG, words) for words in turns)
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


def test_silence_teaches_the_blank() -> None:
    model, batch = HybridS2S(CONFIG), collate([turn_sample(states_of([]), REPLY, CONFIG)])
    layers = model.layered(batch.inputs)
    chances = model.caller_logits(layers[CONFIG.middle]).log_softmax(-1)
    none = chances[0, :2, 0]  # the listening positions
    assert torch.allclose(loss(model, layers, batch), -none.sum())


def test_the_loss_alone_is_the_same_for_single_turns() -> None:
    model = HybridS2S(CONFIG).eval()
    batch = collate(
        [turn_sample(states_of(words), REPLY, CONFIG, words) for words in ([1, 2, 3], [2])]
    )
    whole = loss(model, model.layered(batch.inputs), batch)
    assert torch.allclose(loss_alone(model, batch), whole, rtol=1e-4)
