"""Reads the config.json of a published Moshi or PersonaPlex checkpoint, and that of its Mimi."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from shared.errors import ConfigError

CODES: Final = 8  # codebooks of each side's sound
# Features of other checkpoints of the family (TTS, STT, translation), which this code lacks.
UNSUPPORTED: Final = (
    *("conditioners", "fuser", "cross_attention", "lora", "depformer_low_rank_embeddings"),
    *("depformer_weights_per_step_schedule", "demux_second_stream", "demux_second_text_stream"),
)


@dataclass(frozen=True, slots=True)
class LmConfig:
    """The temporal and the depth transformer. The defaults are Moshi 7B's."""

    dim: int = 4096
    layers: int = 32
    heads: int = 32
    hidden: int = 11_264  # of the gated feed-forward part
    context: int = 3000  # positions that attention reaches
    texts: int = 32_000  # text tokens; the next number is the initial token
    card: int = 2048  # sound codes; the next number is the initial token
    depth_dim: int = 1024
    depth_layers: int = 6
    depth_heads: int = 16
    depth_hidden: int = 2816
    max_period: float = 10_000.0  # of RoPE
    pad: int = 3  # the text token of a step in which no word begins
    # Steps by which each of the 17 streams lags: text, own codes, the caller's codes.
    delays: tuple[int, ...] = (0, *(0, 1, 1, 1, 1, 1, 1, 1) * 2)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "LmConfig":
        """From a config.json. Raises ConfigError for a checkpoint of another shape."""
        lacking = [name for name in UNSUPPORTED if found.get(name)]
        if lacking:
            raise ConfigError(
                f"Expected the config.json of Moshi or PersonaPlex, got one with {lacking}: "
                "this engine runs only full-duplex speech models"
            )
        base = cls()
        dim, depth = found.get("dim", base.dim), found.get("depformer_dim", base.depth_dim)
        config = cls(
            dim=dim,
            layers=found.get("num_layers", base.layers),
            heads=found.get("num_heads", base.heads),
            hidden=gated_width(dim, int(found.get("hidden_scale", 4.125) * dim)),
            context=found.get("context", base.context),
            texts=found.get("text_card", base.texts),
            card=found.get("card", base.card),
            depth_dim=depth,
            depth_layers=found.get("depformer_num_layers", base.depth_layers),
            depth_heads=found.get("depformer_num_heads", base.depth_heads),
            depth_hidden=gated_width(
                depth, found.get("depformer_dim_feedforward", int(4.125 * depth))
            ),
            max_period=found.get("max_period", base.max_period),
            pad=found.get("existing_text_padding_id", base.pad),
            delays=tuple(found.get("delays", base.delays)),
        )
        config._check(found)
        return config

    def _check(self, found: Mapping[str, Any]) -> None:
        """Raises ConfigError for a shape that this engine does not run."""
        if found.get("n_q", 2 * CODES) != 2 * CODES or len(self.delays) != 2 * CODES + 1:
            raise ConfigError(
                f"Expected 8 codes a side and 17 delays, got n_q {found.get('n_q')} and "
                f"{len(self.delays)} delays: this engine runs full-duplex speech models only"
            )
        if not set(self.delays) <= {0, 1}:
            raise ConfigError(f"Expected delays of 0 or 1, got {self.delays}")
        if self.dim % (2 * self.heads) or self.depth_dim % self.depth_heads:
            raise ConfigError(
                f"Expected heads that divide their width, got {self.heads} of {self.dim} and "
                f"{self.depth_heads} of {self.depth_dim}"
            )


def gated_width(width: int, feedforward: int) -> int:
    """The width of a gated layer, which the published configs give as if it had no gate."""
    return 21 * width // 8 if feedforward == 4 * width else 2 * feedforward // 3


@dataclass(frozen=True, slots=True)
class MimiConfig:
    """The codec. The defaults are the published one's."""

    ratios: tuple[int, ...] = (8, 6, 5, 4)  # of the convolutions, as the decoder has them
    width: int = 512
    heads: int = 8
    layers: int = 8
    window: int = 250  # positions of 40 ms

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "MimiConfig":
        """From the file that config.json names as mimi_config_name. Raises ConfigError."""
        transformer, seanet = found["transformer"], found["seanet"]
        config = cls(
            ratios=tuple(seanet["ratios"]),
            width=transformer["d_model"],
            heads=transformer["num_heads"],
            layers=transformer["num_layers"],
            window=transformer["context"],
        )
        samples = 2
        for ratio in config.ratios:
            samples *= ratio
        if samples != CHUNK_SAMPLES or found.get("sample_rate", SAMPLE_RATE_HZ) != SAMPLE_RATE_HZ:
            raise ConfigError(
                f"Expected a Mimi of {CHUNK_SAMPLES} samples a frame at {SAMPLE_RATE_HZ} Hz, got "
                f"{samples} at {found.get('sample_rate')}"
            )
        return config

    @property
    def memory_frames(self) -> int:
        """Frames of 80 ms after which the state depends on nothing earlier."""
        return self.layers * self.window // 2 + 8  # the convolutions reach back 8 frames at most


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. The defaults are those that both models were published with."""

    text_temperature: float = 0.7
    text_top: int = 25
    code_temperature: float = 0.8
    code_top: int = 250


GREEDY: Final = Sampling(0.0, 1, 0.0, 1)
