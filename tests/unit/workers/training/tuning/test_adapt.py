"""Adaptation to one speaker: the stretch, the fold, and the errors of a folder."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from shared.errors import ConfigError
from tests.unit.workers.training.tuning.people import LISTENER
from workers.models.tokenizer.listener import Listener
from workers.training.stages.training_run import Run
from workers.training.tuning import adapt
from workers.training.tuning.adapt import (
    AdaptedListener,
    ReadPrompt,
    best_stretch,
    loss,
    read_prompts,
    stretch_map,
    train,
)
from workers.training.tuning.prompts import sheet, write_sheet

TEXTS = ("what is one", "yes", "no", "hello", "good day", "stop")


@pytest.fixture
def adapted() -> AdaptedListener:
    torch.manual_seed(0)
    return AdaptedListener(Listener(LISTENER).eval())


def prompts(size: float = 1.0) -> list[ReadPrompt]:
    """Synthetic log-mels: moving formants, on a frequency axis `size` times as wide."""
    axis = stretch_map(1 / size)
    rng = torch.Generator().manual_seed(2)
    found = []
    for text in TEXTS:
        shape = torch.randn(6, 80, generator=rng).cumsum(1) * 0.3 - 6
        mel = torch.nn.functional.interpolate(shape.T[None], 90, mode="linear")[0].T
        found.append(ReadPrompt(text, mel @ axis.T))
    return found


def test_a_stretch_reads_a_higher_bin_and_a_factor_of_one_is_the_identity() -> None:
    assert torch.allclose(stretch_map(1.0), torch.eye(80), atol=1e-6)
    peak = torch.zeros(80)
    peak[40] = 1.0
    assert (stretch_map(1.3) @ peak).argmax() < 40 < (stretch_map(0.8) @ peak).argmax()
    assert torch.allclose(stretch_map(1.3).sum(1), torch.ones(80))


def test_the_folded_listener_equals_the_mapped_one(adapted: AdaptedListener) -> None:
    mels = torch.randn(1, 64, 80) - 6
    with torch.no_grad():
        adapted.map.copy_(stretch_map(1.2) + 0.01 * torch.randn(80, 80))
        adapted.shift.normal_(0, 0.1)
        wanted = adapted(mels)
        folded = adapted.folded()(mels)
    # The shift does not reach the zeros before the sound, which the first steps see.
    assert (wanted.states - folded.states)[:, 4:].abs().max() < 0.05
    assert torch.allclose(wanted.states[:, -1], folded.states[:, -1], atol=5e-3), (
        "the fold is exact but for the start"
    )


def test_the_best_stretch_undoes_the_speakers_size(
    adapted: AdaptedListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = prompts()

    def unlikeness(model: AdaptedListener, given: list[ReadPrompt], augment: None) -> Tensor:
        """The distance of mapped sounds from those of the speaker that the listener knows."""
        pairs = zip(given, ordinary, strict=True)
        far = [(p.mel @ model.map.T - o.mel)[:, 5:60].abs().mean() for p, o in pairs]
        return torch.stack(far).mean()

    monkeypatch.setattr(adapt, "loss", unlikeness)
    assert best_stretch(adapted, ordinary) == 1.0
    assert best_stretch(adapted, prompts(1.25)) == pytest.approx(1.25, abs=0.05)


def test_training_lowers_the_loss_and_keeps_the_upper_half(
    adapted: AdaptedListener, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    given = prompts()
    upper = {k: v.clone() for k, v in adapted.listener.upper.state_dict().items()}
    with torch.no_grad():
        before = float(loss(adapted, given, None))
    train(adapted, given, Run(tmp_path, 5), steps=25, seed=1)
    with torch.no_grad():
        assert float(loss(adapted, given, None)) < 0.97 * before
    assert all(torch.equal(v, upper[k]) for k, v in adapted.listener.upper.state_dict().items())
    assert (tmp_path / "losses.png").exists()
    with pytest.raises(ConfigError, match="started with, got others: take another --run"):
        train(
            AdaptedListener(Listener(LISTENER)),
            given,
            Run(tmp_path, 5),
            steps=25,
            seed=1,
            data="other",
        )
    assert set(adapted.folded().state_dict()) == set(Listener(LISTENER).state_dict())


def test_the_sheet_has_questions_of_many_families() -> None:
    texts = sheet(20)
    assert len(set(texts)) == 20
    assert sheet(40)[:20] == texts


def test_errors_name_what_a_folder_lacks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"workers\.training prompts"):
        read_prompts(tmp_path)
    write_sheet(tmp_path, ["what is three plus four?", "hello!"])
    with pytest.raises(ConfigError, match=r"got none of \['01\.wav', '02\.wav'\]"):
        read_prompts(tmp_path)
    for name in ("01.wav", "02.wav"):
        soundfile.write(tmp_path / name, 0.1 * np.ones(4_800), 48_000)
    first, second = read_prompts(tmp_path)
    assert (first.text, second.text) == ("what is three plus four", "hello")
    assert first.mel.shape == (10, 80)
    (tmp_path / "01.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "02.wav", np.zeros(4_800), 48_000)
    with pytest.raises(ConfigError, match=r"(?s)01\.wav: .*02\.wav: Expected sound, got silence"):
        read_prompts(tmp_path)
    write_sheet(tmp_path, ["say xqzzy"])
    with pytest.raises(ConfigError, match=r"pronunciation dictionary in .*\['xqzzy'\]"):
        read_prompts(tmp_path)
    (tmp_path / "prompts.tsv").write_text("no tab\n")
    with pytest.raises(ConfigError, match="Expected `file<tab>text`"):
        read_prompts(tmp_path)
