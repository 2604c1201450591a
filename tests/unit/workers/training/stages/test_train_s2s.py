"""The language model's training: its checkpoint, and the order of what it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from shared.errors import ConfigError
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS
from workers.training.samples.replies import TargetReply
from workers.training.samples.sequences import SampleBatch, collate, turn_sample
from workers.training.stages.model_setup import make_config
from workers.training.stages.train_s2s import WARM_UP, WORDS_FIRST, S2STrainer, learning_rate
from workers.training.stages.training_run import Run

TEMPORAL = TransformerConfig(width=32, layers=4, heads=2, window=64)
CONFIG = S2SConfig(heard_width=4, texts=40, codebooks=2, codes=9, temporal=TEMPORAL, caller_words=2)
SIZES = {"state_width": 16, "codebooks": 8, "texts": 50, "caller_words": 7}
WORD_LISTS = {"words": ["one"], "caller_words": ["what", "is"]}


def batch() -> SampleBatch:
    reply = TargetReply("a", np.array([33, EOS]), np.array([[1, 2]]))
    states = np.ones((6, 4), np.float32)
    return collate([turn_sample(states, reply, CONFIG, [1, 2])] * 2)


def trainer(folder: Path, word_lists: dict[str, list[str]] = WORD_LISTS) -> S2STrainer:
    torch.manual_seed(0)
    return S2STrainer(
        Run(folder, minutes=1), HybridS2S(CONFIG), with_codes=True, word_lists=word_lists
    )


def test_training_resumes_from_a_checkpoint_and_refuses_one_with_other_words(
    tmp_path: Path,
) -> None:
    first = trainer(tmp_path)
    first.step(batch())
    first.save()
    again = trainer(tmp_path)
    for mine, theirs in zip(again.model.parameters(), first.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(ConfigError, match="same caller_words, got others"):
        trainer(
            tmp_path, WORD_LISTS | {"caller_words": ["what", "was"]}
        )  # the same number of words


def test_the_callers_words_are_learned_before_the_replies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = 0.0
    monkeypatch.setattr(Run, "fraction", property(lambda _: spent))
    taught = trainer(tmp_path)
    before = {name: value.clone() for name, value in taught.model.state_dict().items()}

    def moved() -> set[str]:
        state = taught.model.state_dict()
        return {name for name, value in state.items() if not torch.equal(value, before[name])}

    taught.step(batch())
    assert "to_caller.1.weight" in moved()
    assert not {name for name in moved() if name.startswith(("depth", "to_text", "temporal.norm"))}
    spent = WORDS_FIRST
    taught.step(batch())
    assert {"to_text.weight", "temporal.blocks.3.feedforward.0.weight"} <= moved()
    # The new losses have no optimiser state yet, so they warm up like the first ones.
    (rate,) = {group["lr"] for group in taught.optimiser.param_groups}
    assert rate == pytest.approx(learning_rate(1, WORDS_FIRST))
    assert rate == pytest.approx(learning_rate(WARM_UP, WORDS_FIRST) / WARM_UP)


def test_the_presets_have_a_head_for_the_callers_words() -> None:
    for preset in ("tiny", "base"):
        assert make_config(preset, **SIZES).caller_words == 7
    with pytest.raises(ValueError, match="tiny or base"):
        make_config("huge", **SIZES)
