"""A folder that lacks something is refused with what to do."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from shared.errors import ConfigError
from tests.moshi.tiny import tiny_folder
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.config import LmConfig


def test_missing_weights_say_which_files_whose_licence_and_where(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
    with pytest.raises(ConfigError) as caught:
        open_folder(tmp_path)
    said = str(caught.value)
    for wanted in (
        "a folder of model_type 'whisper' without model.safetensors",
        "tokenizer-e351c8d8-checkpoint125.safetensors",
        "tokenizer_spm_32k_3.model",
        "CC BY 4.0",
        "moshiko-pytorch-bf16",
        "personaplex-7b-v1",
    ):
        assert wanted in said


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    opened = open_folder(tiny_folder(tmp_path))
    for path, name in ((opened.lm, "linears.7.weight"), (opened.mimi, "upsample")):
        tensors = load_file(path)
        save_file({n: v for n, v in tensors.items() if not n.startswith(name)}, path)
    with pytest.raises(ConfigError, match=r"such as linears\.7\.weight"):
        load_lm(opened)
    with pytest.raises(ConfigError, match="such as upsample"):
        load_mimi(opened)


def test_a_tensor_of_another_size_is_refused(tmp_path: Path) -> None:
    opened = open_folder(tiny_folder(tmp_path))
    tensors = load_file(opened.lm)
    tensors["linears.7.weight"] = tensors["linears.7.weight"][:3].clone()
    save_file(tensors, opened.lm)
    with pytest.raises(ConfigError, match=r"fit config\.json"):
        load_lm(opened)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"conditioners": {"speaker": {}}}, "conditioners"),
        ({"n_q": 32}, "n_q 32"),
        ({"delays": [0] * 16 + [2]}, "delays of 0 or 1"),
    ],
)
def test_other_models_of_the_family_are_refused(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    folder = tiny_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ConfigError, match=said):
        open_folder(folder)


def test_the_defaults_are_the_published_sizes() -> None:
    config = LmConfig.from_json({})
    assert config == LmConfig()
    assert config.hidden == 11_264
    assert config.depth_hidden == 2816
