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


class Reference:
    """The plain computation of one sequence, position by position and head by head, in float64.

    Letters: T positions, D width, H heads, G heads of keys, E size of a head.
    """

    def __init__(self, config: LlamaConfig, found: Tensors) -> None:
        self.config = config
        self.weights = {name: value.double() for name, value in found.items()}

    def logits(self, tokens: list[int]) -> Tensor:
        """Tokens (T) -> (T, vocab)."""
        outer = self.weights["model.embed_tokens.weight"]
        x = outer.bfloat16().double()[tokens]  # as kept by the model
        for layer in range(self.config.layers):
            x = x + self._attended(layer, self._normed(layer, "input_layernorm", x))
            x = x + self._fed_forward(layer, self._normed(layer, "post_attention_layernorm", x))
        last = self.weights.get("lm_head.weight", outer)
        return self._scaled(x, self.weights["model.norm.weight"]) @ last.T

    def _attended(self, layer: int, h: Tensor) -> Tensor:
        """(T, D) -> (T, D)."""
        q, k, v = self._heads(layer, h)
        heard = torch.zeros_like(q)
        for at in range(len(q)):
            for head in range(self.config.heads):
                group = head // (self.config.heads // self.config.kv_heads)
                scores = k[: at + 1, group] @ q[at, head] / math.sqrt(self.config.head_size)
                heard[at, head] = scores.softmax(0) @ v[: at + 1, group]
        return self._linear(layer, "self_attn.o_proj", heard.flatten(1))

    def _heads(self, layer: int, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(T, D) -> queries (T, H, E), keys and values (T, G, E)."""
        q, k, v = (
            self._linear(layer, f"self_attn.{name}_proj", h).view(len(h), -1, self.config.head_size)
            for name in "qkv"
        )
        if layer_name(layer, "self_attn.q_norm") in self.weights:
            q, k = (self._normed(layer, f"self_attn.{n}_norm", x) for n, x in (("q", q), ("k", k)))
        if layer not in self.config.unrotated:
            q, k = (torch.stack([self._turned(r, at) for at, r in enumerate(x)]) for x in (q, k))
        return q, k, v

    def _fed_forward(self, layer: int, h: Tensor) -> Tensor:
        gate = torch.nn.functional.silu(self._linear(layer, "mlp.gate_proj", h))
        return self._linear(layer, "mlp.down_proj", gate * self._linear(layer, "mlp.up_proj", h))

    def _linear(self, layer: int, part: str, x: Tensor) -> Tensor:
        bias = self.weights.get(layer_name(layer, part, "bias"), torch.zeros(1).double())
        return x @ self.weights[layer_name(layer, part)].T + bias

    def _normed(self, layer: int, part: str, x: Tensor) -> Tensor:
        return self._scaled(x, self.weights[layer_name(layer, part)])

    def _scaled(self, x: Tensor, weight: Tensor) -> Tensor:
        size = x.square().mean(-1, keepdim=True) + self.config.norm_epsilon
        return x / size.sqrt() * weight

    def _turned(self, x: Tensor, position: int) -> Tensor:
        """Rotary positions; (..., E) -> (..., E)."""
        half = self.config.head_size // 2
        speeds = self.config.rope_theta ** (-torch.arange(half, dtype=torch.float64) / half)
        if self.config.rope_factors:
            speeds = speeds / torch.tensor(self.config.rope_factors, dtype=torch.float64)
        turn = torch.polar(torch.ones_like(speeds), speeds * position)
        both = torch.complex(x[..., :half], x[..., half:]) * turn
        return torch.cat([both.real, both.imag], dim=-1)


def reference(config: LlamaConfig, found: Tensors, tokens: list[int]) -> Tensor:
    """Logits (T, vocab) float64 of one sequence."""
    return Reference(config, found).logits(tokens)
