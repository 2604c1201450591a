"""Tuning on recorded conversations: the loss falls, new words work, a kill costs nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shared.errors import ConfigError
from tests.tolerances import FLOAT32_SUMS
from tests.unit.workers.training.tuning.people import ANSWERS, conversations, weights
from workers.engines.hybrid.engine import s2s_config
from workers.models.checkpoint import fill, read_part
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.training.command_settings import FinetuneSettings, Method
from workers.training.stages.training_run import Run
from workers.training.tuning.finetune_s2s import finetune, grown


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def model_of(folder: Path) -> tuple[HybridS2S, Vocabulary]:
    part = read_part(folder, "s2s")
    model = HybridS2S(s2s_config(part))
    fill(model, part)
    return model, Vocabulary(part.facts["words"])


def test_growing_keeps_the_known_words(tmp_path: Path) -> None:
    model, vocabulary = model_of(weights(tmp_path))
    wider, words = grown(model, vocabulary, ["zebra", "yes", "apple"])
    assert words.words == ("yes", "no", "apple", "zebra")
    text = torch.tensor([[0, 1, 31]])
    inputs = Inputs(
        torch.randn(1, 3, 24), torch.ones(1, 3).bool(), text, torch.zeros(1, 3, 2).long()
    )
    before, after = model.text_logits(model(inputs)), wider.text_logits(wider(inputs))
    assert torch.allclose(after[..., : before.shape[-1]], before, atol=FLOAT32_SUMS)
    assert after.shape[-1] == before.shape[-1] + 2


def test_a_grown_model_has_no_head_for_the_callers_words(tmp_path: Path) -> None:
    model, vocabulary = model_of(weights(tmp_path))
    knowing = HybridS2S(replace(model.config, caller_words=3))
    wider, _ = grown(knowing, vocabulary, ["zebra"])
    assert wider.config.caller_words == 0
    assert not [name for name in wider.state_dict() if name.startswith("to_caller")]
    assert torch.equal(wider.from_heard.weight, knowing.from_heard.weight)


@pytest.mark.parametrize("method", list(Method))
def test_a_tuned_model_gives_new_answers(tmp_path: Path, method: Method) -> None:
    data, base = conversations(tmp_path / "data"), weights(tmp_path / "base")
    tuned = tmp_path / "tuned"
    # Ten times the rate for a trained model, because this one starts untrained.
    full = method is Method.FULL
    settings = FinetuneSettings(
        data=data,
        base=base,
        output=tuned,
        steps=150 if full else 220,
        method=method,
        rate=3e-3 if full else 0.0,
    )
    report = finetune(settings, Run(tmp_path / "run", 5))
    assert report["exchanges"] == 16
    assert report["new_words"] == 2
    assert report["loss_after"] < 0.3 * report["loss_before"]
    assert {wanted for wanted, _ in report["answers"]} <= set(ANSWERS.values())
    said = [got == wanted for wanted, got in report["answers"]]
    assert sum(said) >= 0.8 * len(said)
    model, vocabulary = model_of(tuned)
    assert "zebra" in vocabulary.words
    assert model.config.texts == len(vocabulary)
    assert read_part(tuned, "listener").tensors.keys() == read_part(base, "listener").tensors.keys()
    assert (tmp_path / "run" / "losses.png").exists()
    losses = [json.loads(row) for row in (tmp_path / "run/losses.jsonl").read_text().splitlines()]
    assert losses[-1]["text"] < losses[0]["text"]


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path: Path) -> None:
    data, base = conversations(tmp_path / "data"), weights(tmp_path / "base")
    whole = FinetuneSettings(data=data, base=base, output=tmp_path / "whole", steps=8)
    parts = replace(whole, output=tmp_path / "parts")
    finetune(whole, Run(tmp_path / "one", 5))
    stopped = Run(tmp_path / "two", 5)
    stopped.going = lambda: _until(stopped, 5)  # type: ignore[method-assign]
    finetune(parts, stopped)
    assert stopped.step == 5
    finetune(parts, Run(tmp_path / "two", 5))
    one, two = (read_part(tmp_path / name, "s2s").tensors for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    with pytest.raises(ConfigError, match="Expected the method of the checkpoint"):
        finetune(replace(parts, method=Method.FULL), Run(tmp_path / "two", 5))


def test_a_run_resumes_with_its_own_data_and_base_only(tmp_path: Path) -> None:
    data, base = conversations(tmp_path / "data"), weights(tmp_path / "base")
    settings = FinetuneSettings(data=data, base=base, output=tmp_path / "tuned", steps=2)
    finetune(settings, Run(tmp_path / "run", 5))
    more = conversations(tmp_path / "more")
    index = more / "data.jsonl"
    index.write_text("\n".join(index.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(ConfigError, match="started with, got others: take another --run"):
        finetune(replace(settings, data=more), Run(tmp_path / "run", 5))


def _until(run: Run, step: int) -> bool:
    """`going` of a run that is killed after a step."""
    if run.step >= step:
        return False
    run.step += 1
    return True
