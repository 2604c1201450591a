"""A folder that lacks something is refused with what to do."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from shared.errors import ConfigError
from tests.moshi.tiny import FILES, tiny_folder
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
    ("content", "said"),
    [
        (b"", "got 0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 15", "got a Git LFS pointer: copy"),
        (b"\x10\0\0\0\0\0\0\0{}", "got 10 bytes"),
    ],
)
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    opened = open_folder(tiny_folder(tmp_path))
    opened.lm.write_bytes(content)
    opened.mimi.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"model\.safetensors, {said}.*CC BY 4\.0"):
        load_lm(opened)
    with pytest.raises(ConfigError, match=rf"mimi\.safetensors, {said}.*CC BY 4\.0"):
        load_mimi(opened)


@pytest.mark.parametrize("name", ["num_layers", "depformer_num_layers"])
def test_layers_are_not_left_out(tmp_path: Path, name: str) -> None:
    folder = tiny_folder(tmp_path)
    change_config(folder, {name: 1})
    with pytest.raises(ConfigError, match="got one of a smaller model: with 1 layers"):
        load_lm(open_folder(folder))


@pytest.mark.parametrize("name", ["config.json", "mimi.json"])
def test_a_config_of_other_fields_is_named(tmp_path: Path, name: str) -> None:
    folder = tiny_folder(tmp_path)
    (folder / name).write_text(json.dumps({**FILES, "dim": "64"}))
    with pytest.raises(ConfigError, match=rf"published sizes in .*{name}"):
        open_folder(folder)


def test_no_folder_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no such folder; it needs model\.safetensors, tokenizer"
    ):
        open_folder(tmp_path / "absent")


def change_config(folder: Path, change: Mapping[str, object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_heads": 3}, "heads that divide their width, got 3 of 64"),
        ({"conditioners": {"speaker": {}}}, "conditioners"),
        ({"n_q": 32}, "n_q 32"),
        ({"delays": [0] * 16 + [2]}, "delays of 0 or 1"),
    ],
)
def test_other_models_of_the_family_are_refused(
    tmp_path: Path, change: Mapping[str, object], said: str
) -> None:
    folder = tiny_folder(tmp_path)
    change_config(folder, change)
    with pytest.raises(ConfigError, match=said):
        open_folder(folder)


def test_the_defaults_are_the_published_sizes() -> None:
    config = LmConfig.from_json({})
    assert config == LmConfig()
    assert config.hidden == 11_264
    assert config.depth_hidden == 2816
