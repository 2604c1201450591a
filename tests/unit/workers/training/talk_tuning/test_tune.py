"""The tuning: it computes what the worker's model does, learns, resumes, and writes an adapter."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shared.errors import ConfigError
from tests.unit.workers.models.llama import tiny
from workers.models.llama.adapter import merge
from workers.training.stages.training_run import Run
from workers.training.talk_tuning import corpus as corpora
from workers.training.talk_tuning.conversations import single
from workers.training.talk_tuning.corpus import Corpus
from workers.training.talk_tuning.network import Network
from workers.training.talk_tuning.packing import batch_of, piece
from workers.training.talk_tuning.schedule import Schedule
from workers.training.talk_tuning.targets import losses_of
from workers.training.talk_tuning.tune import ADAPTER, TuneSettings, tune

TALKS = (("hello", "hi you"), ("why is that?", "because"), ("hello hello hello", "ho"))
SETTINGS = TuneSettings(rank=4, rate=0.02, epochs=8)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(corpora, "SYSTEM_TEXT", "Be kind.")
    path = tmp_path / "talks.jsonl"
    lines = [
        json.dumps({"topic": "", "turns": [[f"{said} {at}", reply]]}) + "\n"
        for at in range(20)
        for said, reply in TALKS
    ]
    path.write_text("".join(lines))
    return path


def tuned(
    files: Path, folder: Path, settings: TuneSettings = SETTINGS, minutes: float = 5.0
) -> float:
    source = tiny.source()
    run = Run(folder, 1e9, every=1)
    return tune(source, Corpus([files], folder, source, 1, 400), run, settings, minutes)


@pytest.mark.parametrize("rank", [0, 4])
@pytest.mark.parametrize("kinds", [{}, {"biases": True}, {"norms": True}, {"tied": False}], ids=str)
def test_losses_are_those_of_a_plain_reference(rank: int, kinds: dict[str, bool]) -> None:
    found = tiny.tensors(tiny.TINY, **kinds)
    source = tiny.source(found=found)
    system = source.chat.system("Be kind.")
    pieces = [piece(single("", *talk), source.chat, source.tokenizer, 500, None) for talk in TALKS]
    batch = batch_of(pieces, system)
    losses = Network(tiny.TINY, found, rank, 2.0).losses(batch).detach()
    at = 0
    for one in sorted(pieces, key=lambda piece: len(piece.tokens)):
        tokens = system + list(one.tokens)
        shares = tiny.reference(tiny.TINY, found, tokens).log_softmax(-1)
        for place, weight in enumerate(one.weights):
            if weight:
                place += len(system)
                # bfloat16 sums: 2 ** -8 of a logit of spread 1
                assert float(losses[at]) == pytest.approx(
                    -float(shares[place - 1, tokens[place]]), abs=0.05
                )
                at += 1
    assert at == len(losses)


def test_losses_through_the_head_have_the_right_slope() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(70, 8, generator=generator, dtype=torch.float32).requires_grad_()
    head = torch.randn(30, 8, generator=generator)
    targets = torch.randint(0, 30, (70,), generator=generator)
    weights = torch.rand(70, generator=generator)
    wanted = torch.nn.functional.cross_entropy(x @ head.T, targets, reduction="none")
    (slope,) = torch.autograd.grad((wanted * weights).sum(), x)
    found = losses_of(x, head, targets)
    torch.testing.assert_close(found, wanted.detach(), check_dtype=False)
    torch.testing.assert_close(torch.autograd.grad((found * weights).sum(), x)[0], slope)


def test_it_learns_and_its_adapter_holds_what_it_learnt(files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    loss = tuned(files, folder)
    source = tiny.source()
    untuned = tuned(files, tmp_path / "none", replace(SETTINGS, epochs=1, rate=1e-9))
    assert loss < 0.6 * untuned
    merge(source.tensors, folder / ADAPTER)
    network = Network(source.config, source.tensors, 4, 2.0)
    batches = Corpus([files], folder, source, 1, 400).held_out_batches()
    from workers.training.talk_tuning.tune import held_out_loss

    assert held_out_loss(network, batches) == pytest.approx(loss, abs=0.05)
    record = json.loads((folder / "record.json").read_text())
    assert record["held_out_loss"] == loss
    assert record["exchanges"] + len(batches[0].blocks) > 50


def test_a_stopped_run_goes_on_where_it_was(files: Path, tmp_path: Path) -> None:
    whole = tuned(files, tmp_path / "whole", replace(SETTINGS, rate=0.001))
    folder = tmp_path / "run"
    run, source = Run(folder, 1e9, every=1), tiny.source()
    corpus = Corpus([files], folder, source, 1, 400)
    seen = 0

    def stop() -> bool:
        nonlocal seen
        seen += 1
        return seen > 3

    going, run.going = run.going, lambda: not stop() and going()  # type: ignore[method-assign]
    tune(source, corpus, run, replace(SETTINGS, rate=0.001), 5.0)
    assert run.step == 3
    assert tuned(files, folder, replace(SETTINGS, rate=0.001)) == pytest.approx(whole, abs=0.02)
    with pytest.raises(ConfigError, match="take another --run folder"):
        tuned(files, folder, replace(SETTINGS, rank=2))


def test_the_rate_rises_then_falls_by_steps_or_by_the_clock() -> None:
    schedule = Schedule(steps=1000, minutes=60, rate=1.0)
    rates = [schedule.rate_at(step) for step in (0, 10, 19, 500, 999)]
    assert rates == pytest.approx([0.05, 0.55, 1.0, 0.525, 0.05], abs=0.01)
    late = Schedule(steps=1000, minutes=60, rate=1.0, spent_before_s=1800)
    assert late.rate_at(100) == pytest.approx(0.525, abs=0.01)
    assert replace(late, spent_before_s=4000).fraction(1) == 1
