"""Reads the sizes of a model of the Llama family from a GGUF file's metadata or a config.json."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import ConfigError

# The weights show how the families differ (biases, norms of q and k, a separate head). Only the
# layers without rotary positions do not show there.
GGUF_ARCHITECTURES: Final = ("llama", "qwen2", "qwen3", "smollm3")
# In these files the rows of q and k are permuted so that pairs to rotate are neighbours.
GGUF_INTERLEAVED: Final = ("llama", "smollm3")
HF_MODEL_TYPES: Final = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
SMOLLM3_UNROTATED_EVERY: Final = 4


@dataclass(frozen=True, slots=True)
class LlamaConfig:
    """A model's sizes. Letters: D width, H heads, G heads of keys, E size of a head."""

    vocab: int
    layers: int
    width: int  # D
    heads: int  # H
    kv_heads: int  # G
    head_size: int  # E
    hidden: int  # of the feed-forward part
    context: int  # positions in training
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5
    unrotated: tuple[int, ...] = ()  # layers without rotary positions
    # The divisor of each of the E/2 frequencies (Llama 3.1's long context); empty: 1.
    rope_factors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ConfigError(
                f"Expected heads as a multiple of kv_heads, got {self.heads} and {self.kv_heads}"
            )


def from_gguf(
    fields: Mapping[str, Any], vocab: int, rope_factors: tuple[float, ...]
) -> LlamaConfig:
    """Build it from a GGUF file's metadata. `vocab`: rows of its embedding. Raises ConfigError."""
    kind = str(fields.get("general.architecture"))
    if kind not in GGUF_ARCHITECTURES:
        raise ConfigError(
            f"Expected a GGUF of one of the architectures {', '.join(GGUF_ARCHITECTURES)}, "
            f"got {kind}"
        )

    def of(name: str, default: Any = None) -> Any:
        value = fields.get(f"{kind}.{name}", default)
        if value is None:
            raise ConfigError(f"Expected {kind}.{name} in the GGUF's metadata, but it is missing")
        return value

    heads, width, layers = of("attention.head_count"), of("embedding_length"), of("block_count")
    return LlamaConfig(
        vocab=vocab,
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=of("attention.head_count_kv", heads),
        head_size=of("attention.key_length", width // heads),
        hidden=of("feed_forward_length"),
        context=of("context_length"),
        rope_theta=float(of("rope.freq_base", 10_000.0)),
        norm_epsilon=float(of("attention.layer_norm_rms_epsilon")),
        unrotated=_unrotated(layers) if kind == "smollm3" else (),
        rope_factors=rope_factors,
    )


def from_hf(found: Mapping[str, Any]) -> LlamaConfig:
    """Build it from a Hugging Face config.json. Raises ConfigError."""
    kind = found.get("model_type")
    if kind not in HF_MODEL_TYPES:
        raise ConfigError(
            f"Expected a model_type of {', '.join(HF_MODEL_TYPES)} in config.json, got {kind}"
        )
    missing = {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"} - {*found}
    if missing:
        raise ConfigError(
            f"Expected {', '.join(sorted(missing))} in config.json, but it is missing"
        )
    rope = found.get("rope_parameters") or {}
    heads, width = found["num_attention_heads"], found["hidden_size"]
    layers, size = found["num_hidden_layers"], found.get("head_dim") or width // heads
    theta = float(found.get("rope_theta") or rope.get("rope_theta") or 10_000.0)
    return LlamaConfig(
        vocab=found["vocab_size"],
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=found.get("num_key_value_heads") or heads,
        head_size=size,
        hidden=found["intermediate_size"],
        context=found.get("max_position_embeddings", 2048),
        rope_theta=theta,
        norm_epsilon=float(found.get("rms_norm_eps", 1e-5)),
        unrotated=_unrotated_of(found, kind, layers),
        rope_factors=_factors(found.get("rope_scaling") or rope, theta, size),
    )


def _unrotated(layers: int) -> tuple[int, ...]:
    return tuple(range(SMOLLM3_UNROTATED_EVERY - 1, layers, SMOLLM3_UNROTATED_EVERY))


def _unrotated_of(found: Mapping[str, Any], kind: str, layers: int) -> tuple[int, ...]:
    rotated = found.get("no_rope_layers")  # 1: this layer rotates
    if rotated:
        return tuple(number for number, yes in enumerate(rotated) if not yes)
    return _unrotated(layers) if kind == "smollm3" else ()


def _factors(scaling: Mapping[str, Any], theta: float, size: int) -> tuple[float, ...]:
    """The frequencies' divisors for a rope_scaling entry: Llama 3.1's formula, or linear."""
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind == "default":
        return ()
    if kind == "linear":
        return (float(scaling["factor"]),) * (size // 2)
    if kind != "llama3":
        raise ConfigError(f"Expected rope_scaling of default, linear or llama3, got {kind}")
    factor, original = float(scaling["factor"]), scaling["original_max_position_embeddings"]
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
    found = []
    for index in range(size // 2):
        waves = original * theta ** (-2 * index / size) / (2 * math.pi)  # in the old context
        smooth = min(1.0, max(0.0, (waves - low) / (high - low)))
        found.append(1 / ((1 - smooth) / factor + smooth))
    return tuple(found)
