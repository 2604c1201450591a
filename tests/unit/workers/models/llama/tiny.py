"""Tiny random models of the Llama family, and a plain reference to compare with."""

import math

import torch
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers
from torch import Tensor

from workers.models.llama.chat import Chat
from workers.models.llama.config import LlamaConfig
from workers.models.llama.source import Source
from workers.models.llama.tensors import Tensors, layer_name
from workers.models.llama.tokenizer import Tokenizer

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TINY = LlamaConfig(
    vocab=320, layers=2, width=64, heads=4, kv_heads=2, head_size=16, hidden=96, context=256
)


def words() -> tuple[list[str], list[str]]:
    """A byte-level vocabulary, control tokens first, and a few merges."""
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return [*CONTROL, *letters, *(pair.replace(" ", "") for pair in merges)], merges


def tokenizer() -> Tokenizer:
    texts, merges = words()
    backend = Backend(
        models.BPE(
            vocab={text: number for number, text in enumerate(texts)},
            merges=[(first, second) for first, second in (pair.split(" ") for pair in merges)],
        )
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    return Tokenizer(backend, CONTROL)


def tensors(
    config: LlamaConfig = TINY, *, biases: bool = False, norms: bool = False, tied: bool = True
) -> Tensors:
    """Random weights under Hugging Face's names; `norms`: of q and k."""
    generator = torch.Generator().manual_seed(7)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) / math.sqrt(shape[-1])

    def norm(size: int) -> Tensor:
        return 1 + 0.1 * torch.randn(size, generator=generator)

    own, shared = config.heads * config.head_size, config.kv_heads * config.head_size
    outer = {
        "model.embed_tokens.weight": random(config.vocab, config.width),
        "model.norm.weight": norm(config.width),
    }
    if not tied:
        outer["lm_head.weight"] = random(config.vocab, config.width)
    for layer in range(config.layers):
        sizes = {
            "self_attn.q_proj": (own, config.width),
            "self_attn.k_proj": (shared, config.width),
            "self_attn.v_proj": (shared, config.width),
            "self_attn.o_proj": (config.width, own),
            "mlp.gate_proj": (config.hidden, config.width),
            "mlp.up_proj": (config.hidden, config.width),
            "mlp.down_proj": (config.width, config.hidden),
        }
        for part, shape in sizes.items():
            outer[layer_name(layer, part)] = random(*shape)
            if biases and part.split(".")[1][0] in "qkv":
                outer[layer_name(layer, part, "bias")] = 0.3 * random(shape[0])
        for part in ("input_layernorm", "post_attention_layernorm"):
            outer[layer_name(layer, part)] = norm(config.width)
        if norms:
            for part in ("self_attn.q_norm", "self_attn.k_norm"):
                outer[layer_name(layer, part)] = norm(config.head_size)
    return outer


def source(config: LlamaConfig = TINY, found: Tensors | None = None) -> Source:
    own = tokenizer()
    return Source(config, tensors(config) if found is None else found, own, Chat(own))


def reference(config: LlamaConfig, found: Tensors, tokens: list[int]) -> Tensor:
    """Logits (T, vocab) float64 of one sequence: position by position, head by head."""
    wide = {name: value.double() for name, value in found.items()}
    x = wide["model.embed_tokens.weight"].bfloat16().double()[tokens]  # as kept by the model

    def normed(x: Tensor, weight: Tensor) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + config.norm_epsilon).sqrt() * weight

    def turned(x: Tensor, position: int) -> Tensor:
        half = config.head_size // 2
        speeds = config.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        if config.rope_factors:
            speeds = speeds / torch.tensor(config.rope_factors, dtype=torch.float64)
        turn = torch.polar(torch.ones_like(speeds), speeds * position)
        both = torch.complex(x[..., :half], x[..., half:]) * turn
        return torch.cat([both.real, both.imag], dim=-1)

    for layer in range(config.layers):

        def linear(part: str, x: Tensor, layer: int = layer) -> Tensor:
            bias = wide.get(layer_name(layer, part, "bias"), torch.zeros(1).double())
            return x @ wide[layer_name(layer, part)].T + bias

        h = normed(x, wide[layer_name(layer, "input_layernorm")])
        size = config.head_size
        q, k, v = (
            linear(f"self_attn.{name}_proj", h).view(len(tokens), -1, size) for name in "qkv"
        )
        if layer_name(layer, "self_attn.q_norm") in wide:
            q = normed(q, wide[layer_name(layer, "self_attn.q_norm")])
            k = normed(k, wide[layer_name(layer, "self_attn.k_norm")])
        if layer not in config.unrotated:
            q, k = (
                torch.stack([turned(row, at) for at, row in enumerate(part)]) for part in (q, k)
            )
        heard = torch.zeros_like(q)
        for at in range(len(tokens)):
            for head in range(config.heads):
                group = head // (config.heads // config.kv_heads)
                shares = (k[: at + 1, group] @ q[at, head] / math.sqrt(size)).softmax(0)
                heard[at, head] = shares @ v[: at + 1, group]
        x = x + linear("self_attn.o_proj", heard.flatten(1))
        h = normed(x, wide[layer_name(layer, "post_attention_layernorm")])
        inner = torch.nn.functional.silu(linear("mlp.gate_proj", h)) * linear("mlp.up_proj", h)
        x = x + linear("mlp.down_proj", inner)
    last: Tensor = wide.get("lm_head.weight", wide["model.embed_tokens.weight"])
    return normed(x, wide["model.norm.weight"]) @ last.T
