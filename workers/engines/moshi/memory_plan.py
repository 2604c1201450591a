"""Computes how much memory Moshi's weights and calls take, and how many calls fit. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.errors import ConfigError
from workers.models.moshi.config import CODES, LmConfig, MimiConfig

GIB: Final = 2**30
MIB: Final = 2**20
CONVOLUTION_NUMBERS: Final = 50_000  # Mimi's tails of a call, rounded up


@dataclass(frozen=True, slots=True)
class Layout:
    """What determines the memory of one worker."""

    lm: LmConfig
    mimi: MimiConfig
    capacity: int  # positions that a call's cache holds
    piece_frames: int  # frames that Mimi takes at once
    number_bytes: int  # of the model's number format
    weight_bytes: int  # of a linear layer's weight
    codec_bytes: int  # of Mimi's weights
    codec_number_bytes: int  # of Mimi's number format
    workspace: int  # bytes for a step's activations, libraries and graphs

    @property
    def linear(self) -> int:
        """Parameters of the linear layers."""
        lm, width = self.lm, self.lm.depth_dim
        temporal = lm.layers * (4 * lm.dim**2 + 3 * lm.dim * lm.hidden) + lm.dim * lm.texts
        layer = 4 * width**2 + 3 * width * lm.depth_hidden
        depth = lm.depth_layers * layer + lm.dim * width + width * lm.card
        return temporal + CODES * depth

    @property
    def embeddings(self) -> int:
        """Parameters of the embeddings."""
        lm = self.lm
        texts, card = lm.texts + 1, lm.card + 1
        temporal = (texts + 2 * CODES * card) * lm.dim
        return temporal + (texts + (CODES - 1) * card) * lm.depth_dim

    @property
    def weights(self) -> int:
        """Bytes of all weights."""
        model = self.linear * self.weight_bytes + self.embeddings * self.number_bytes
        return model + self.codec_bytes

    @property
    def call(self) -> int:
        """Bytes of one call: keys and values of the model and of Mimi's two sides."""
        keys = 2 * self.lm.layers * self.lm.dim * self.number_bytes * self.capacity
        ring = self.mimi.window + 2 * self.piece_frames
        codec = 2 * 2 * self.mimi.layers * self.mimi.width * ring + CONVOLUTION_NUMBERS
        return keys + codec * self.codec_number_bytes

    def seats(self, free: int) -> int:
        """How many calls fit into `free` bytes, the weights not yet loaded."""
        return max(0, (free - self.weights - self.workspace) // self.call)


def plan(layout: Layout, free: int, wanted: int, others: dict[str, Layout]) -> int:
    """The seats for `wanted` calls; 0 wants as many as fit.

    Raises ConfigError that says what would fit: fewer calls, or one of the `others` by name.
    """
    seats = layout.seats(free)
    if seats and wanted <= seats:
        return wanted or seats
    ways = [f"WORKER_SLOTS={seats}"] if seats else []
    ways += list(_ways(others, free, max(1, wanted)))
    remedy = f"set {' or '.join(ways)}" if ways else "take a device with more memory"
    raise ConfigError(
        f"Expected {gib(layout.weights + layout.workspace)} for the weights and the work space and "
        f"{layout.call / MIB:.0f} MiB for each of {max(1, wanted)} calls, got {gib(free)} free: "
        f"{remedy}"
    )


def _ways(others: dict[str, Layout], free: int, wanted: int) -> Iterator[str]:
    for name, other in others.items():
        if seats := other.seats(free):
            yield name if seats >= wanted else f"{name} WORKER_SLOTS={seats}"


def gib(size: int) -> str:
    """Bytes in words."""
    return f"{size / GIB:.1f} GiB"
