"""The loader reads the public file without running its code, converts it once and checks it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from shared.errors import ConfigError
from tests.tolerances import FLOAT32_SUMS
from tests.unit.workers.models.hifigan.public import SETUP, make_generator, norms, sizes, write
from workers.models.hifigan.checkpoint import CONVERTED, NoCheckpoint, load_generator, sum_file
from workers.models.hifigan.generator import HifiGanConfig

NAME = "hifigan_gen_checkpoint_10000_ft.pt"


def old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names in the first files: consecutive blocks, and a prefix of distributed training."""
    named = {}
    for key, value in state.items():
        parts = key.split(".")
        if parts[0] == "resblocks":
            parts[1:3] = [str(2 * int(parts[1]) + int(parts[2]))]
        named["module." + ".".join(parts)] = value
    return named


@pytest.mark.parametrize("layout", ["new", "old", "channels last"])
def test_every_layout_gives_the_sound_of_the_weights(tmp_path: Path, layout: str) -> None:
    mel = torch.randn(1, 80, 9)
    expected = make_generator()(mel)
    state = norms(make_generator())
    if layout == "old":
        state = old_names(state)
    elif layout == "channels last":
        state = {k: v[..., None] if "weight" in k else v for k, v in state.items()}
    write(tmp_path / NAME, state)
    made = load_generator(tmp_path)
    assert made.config == sizes()
    assert (made(mel) - expected).abs().max() < FLOAT32_SUMS
    assert expected.abs().max() > 0.01


def test_it_is_converted_once_and_the_pickle_is_not_read_again(tmp_path: Path) -> None:
    write(tmp_path / NAME, norms(make_generator()))
    mel = torch.randn(1, 80, 4)
    first = load_generator(tmp_path)(mel)
    (tmp_path / NAME).write_bytes(b"not read any more")
    assert torch.equal(load_generator(tmp_path)(mel), first)


def test_a_damaged_conversion_is_refused(tmp_path: Path) -> None:
    write(tmp_path / NAME, norms(make_generator()))
    load_generator(tmp_path)
    path = tmp_path / CONVERTED
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(ConfigError, match="Expected sha256"):
        load_generator(tmp_path)
    sum_file(path).unlink()
    with pytest.raises(ConfigError, match="none"):
        load_generator(tmp_path)


class Evil:
    """What a pickle can do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("evil"),)


def test_a_pickle_that_holds_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"generator": {"a": Evil()}}, tmp_path / NAME)
    with pytest.raises(ConfigError, match="holds code"):
        load_generator(tmp_path)
    assert not Path("evil").exists()


def test_what_is_missing_or_another_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoCheckpoint, match=r"hifigan_gen_checkpoint_10000_ft\.pt.*VOCODER=own"):
        load_generator(tmp_path)
    path = write(tmp_path / NAME, norms(make_generator()), train_setup={**SETUP, "mel_fmax": 11025})
    with pytest.raises(ConfigError, match=r"Expected mel_fmax 8000\.0"):
        load_generator(tmp_path)
    torch.save({"discriminator": {}}, path)
    with pytest.raises(ConfigError, match="Expected `generator`"):
        load_generator(tmp_path)
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(ConfigError, match=NAME):
        load_generator(tmp_path)


def test_the_public_sizes() -> None:
    assert HifiGanConfig().hop == 256
    assert HifiGanConfig().reach == 14
