"""Names a model's tensors as Hugging Face does, whatever file they come from.

Rows of q and k are in Hugging Face's order: the two numbers of a rotated pair are half a head
apart. In llama.cpp's files of Llama itself they are neighbours, and `to_halves` reorders them.
"""

import re
from typing import Final

from torch import Tensor

Tensors = dict[str, Tensor]

_OUTER: Final = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
_INNER: Final = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
LINEAR: Final = tuple(name for name in _INNER.values() if name.endswith("_proj"))


def layer_name(layer: int, part: str, kind: str = "weight") -> str:
    """The name of a layer's tensor: `part` as in LINEAR, `kind` weight or bias."""
    return f"model.layers.{layer}.{part}.{kind}"


def hf_name(name: str) -> str | None:
    """Hugging Face's name of a GGUF tensor; None if no model of this family uses it."""
    if found := re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name):
        part = _INNER.get(found[2])
        return None if part is None else layer_name(int(found[1]), part, found[3])
    stem, _, kind = name.rpartition(".")
    return f"{_OUTER[stem]}.{kind}" if stem in _OUTER else None


def to_halves(rows: Tensor, heads: int) -> Tensor:
    """Rows (heads * E, ...) with pairs as neighbours -> pairs half a head apart."""
    pairs = rows.reshape(heads, -1, 2, *rows.shape[1:])  # (H, E/2, 2, ...)
    return pairs.transpose(1, 2).reshape(rows.shape)
