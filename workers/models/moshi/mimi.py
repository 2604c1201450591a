"""Runs Mimi: 80 ms of sound (1,920 samples) to eight codes and back, for all slots as streams.

It follows the reference implementation (MIT, github.com/kyutai-labs/moshi). Letters: N rows of a
step, T frames of 80 ms, D width, H heads, K head width.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.moshi.cache import RowCache, Span
from workers.models.moshi.config import CODES, MimiConfig
from workers.models.moshi.streaming import Rows, StreamedConv, StreamedConvTranspose

POSITIONS: Final = 2  # of the transformers, a frame
PIECE_FRAMES: Final = 16  # the most frames that one call takes, unless `allot` says otherwise
LEAST_USAGE: Final = 1e-5  # of a codebook's entry


class CodecCache(RowCache):
    """A ring as in the reference: a frame's two positions overwrite the first one's oldest key."""

    def seen(self, positions: Tensor, held: Tensor) -> Tensor:
        """As in RowCache, with a window one shorter for a frame's first position."""
        gap = positions[:, :, None] - held[:, None, :]
        first = (positions % POSITIONS == 0)[:, :, None]
        return (gap >= 0) & (gap < self.window - first.long()) & (held >= 0)[:, None, :]


class Scale(nn.Module):
    """A factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width), requires_grad=False)


class Projection(nn.Module):
    """Attention's projections under the files' names."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_projs = nn.ModuleList([nn.Linear(width, 3 * width, bias=False)])
        self.out_projs = nn.ModuleList([nn.Linear(width, width, bias=False)])


class CodecLayer(nn.Module):
    """One pre-norm layer with layer scales."""

    def __init__(self, config: MimiConfig, hidden: int) -> None:
        super().__init__()
        width = config.width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = Projection(width)
        self.linear1 = nn.Linear(width, hidden, bias=False)
        self.linear2 = nn.Linear(hidden, width, bias=False)
        self.layer_scale_1, self.layer_scale_2 = Scale(width), Scale(width)

    def forward(self, x: Tensor, span: Span, cache: RowCache, layer: int) -> Tensor:
        """(N, T, D) -> (N, T, D)."""
        seen = cache.attend(self.self_attn.in_projs[0](self.norm1(x)), layer, span)
        x = x + self.layer_scale_1.scale * self.self_attn.out_projs[0](seen)
        y: Tensor = x + self.layer_scale_2.scale * self.linear2(F.gelu(self.linear1(self.norm2(x))))
        return y


class CodecLayers(nn.Module):
    """The stack, under the name that the files give it."""

    def __init__(self, config: MimiConfig, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CodecLayer(config, hidden) for _ in range(config.layers))


class CodecTransformer(nn.Module):
    """Positions of 40 ms, (N, D, T) -> (N, D, T)."""

    def __init__(self, config: MimiConfig, hidden: int) -> None:
        super().__init__()
        self.config = config
        self.transformer = CodecLayers(config, hidden)
        self.cache: RowCache | None = None

    def allot(self, slots: int, frames: int) -> None:
        """Make the cache of this many slots, for calls of up to `frames` frames."""
        self.cache = CodecCache(
            layers=self.config.layers,
            slots=slots,
            heads=self.config.heads,
            head_width=self.config.width // self.config.heads,
            window=self.config.window,
            piece=POSITIONS * frames,
            like=next(self.parameters()),
        )

    def reset(self, slot: int) -> None:
        """Begin a new stream in a slot."""
        if self.cache is not None:
            self.cache.reset(slot)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, D, T) -> (N, D, T)."""
        if self.cache is None:
            raise RuntimeError("Expected allot() before a step, got none")
        x = x.transpose(1, 2)
        N, T, _ = x.shape
        span = self.cache.span(rows.first, N, T)
        for number, layer in enumerate(self.transformer.layers):
            x = layer(x, span, self.cache, number)
        self.cache.advance(span, rows.active.long() * T)
        return x.transpose(1, 2)


class Named(nn.Module):
    """A module nested one level deeper, as in the files' names: `conv.conv` and the like."""

    def __init__(self, name: str, inner: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, inner)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """The inner module's output."""
        y: Tensor = getattr(self, self.name)(x, rows)
        return y


class Residual(nn.Module):
    """Two convolutions; their output is added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        one, other = StreamedConv(width, width // 2, 3), StreamedConv(width // 2, width, 1)
        self.block = nn.ModuleList(
            [nn.Identity(), Named("conv", one), nn.Identity(), Named("conv", other)]
        )

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, C, T) -> (N, C, T)."""
        y = self.block[1](F.elu(x), rows)
        y = self.block[3](F.elu(y), rows)
        z: Tensor = x + y
        return z


class Activation(nn.Module):
    """ELU, called like the other modules of a `Stack`."""

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, C, T) -> (N, C, T)."""
        del rows
        return F.elu(x)


class Stack(nn.Module):
    """Modules one after the other."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.model = nn.ModuleList(parts)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """(N, C, T) -> (N, C', T')."""
        for part in self.model:
            x = part(x, rows)
        return x


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> Named:
    return Named("conv", StreamedConv(inputs, outputs, kernel, stride))


def encoder(ratios: Sequence[int], filters: int, width: int) -> Stack:
    """Samples (N, 1, T) -> (N, width, T / 960)."""
    parts: list[nn.Module] = [_conv(1, filters, 7)]
    for ratio in reversed(ratios):
        parts += [Residual(filters), Activation(), _conv(filters, 2 * filters, 2 * ratio, ratio)]
        filters *= 2
    return Stack([*parts, Activation(), _conv(filters, width, 3)])


def decoder(ratios: Sequence[int], filters: int, width: int) -> Stack:
    """(N, width, T) -> samples (N, 1, 960 T)."""
    filters *= 2 ** len(ratios)
    parts: list[nn.Module] = [_conv(width, filters, 7)]
    for ratio in ratios:
        up = StreamedConvTranspose(filters, filters // 2, 2 * ratio, ratio, bias=True)
        parts += [Activation(), Named("convtr", up), Residual(filters // 2)]
        filters //= 2
    return Stack([*parts, Activation(), _conv(filters, 1, 3)])


class Codebook(nn.Module):
    """Sums and counts of a codebook's entries, from training."""

    embedding_sum: Tensor
    cluster_usage: Tensor

    def __init__(self, entries: int, width: int) -> None:
        super().__init__()
        self.register_buffer("embedding_sum", torch.zeros(entries, width))
        self.register_buffer("cluster_usage", torch.ones(entries))

    @property
    def table(self) -> Tensor:
        """The entries, (entries, width)."""
        return self.embedding_sum / self.cluster_usage.clamp(min=LEAST_USAGE)[:, None]


class Quantizer(nn.Module):
    """One residual quantiser: the first code, or the seven others."""

    tables: Tensor

    def __init__(self, *, width: int, inner: int, entries: int, books: int) -> None:
        super().__init__()
        self.input_proj = nn.Conv1d(width, inner, 1, bias=False)
        self.output_proj = nn.Conv1d(inner, width, 1, bias=False)
        self.books = nn.ModuleList(Codebook(entries, inner) for _ in range(books))

    def settle(self) -> None:
        """Compute the tables once."""
        tables = torch.stack([book.table for book in self.books])  # type: ignore[misc]
        self.register_buffer("tables", tables, persistent=False)

    def encode(self, x: Tensor) -> list[Tensor]:
        """(N, D, T) -> codes (N, T), one for each book."""
        rest = self.input_proj(x).transpose(1, 2)  # (N, T, inner)
        found = []
        for table in self.tables:
            code = torch.cdist(rest, table[None]).argmin(-1)
            rest = rest - table[code]
            found.append(code)
        return found

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (N, books, T) -> (N, D, T)."""
        summed = self.tables[0][codes[:, 0]]
        for number in range(1, len(self.tables)):
            summed = summed + self.tables[number][codes[:, number]]
        y: Tensor = self.output_proj(summed.transpose(1, 2))
        return y


class Mimi(nn.Module):
    """Encoder and decoder, each with a stream in every slot."""

    def __init__(
        self, config: MimiConfig, *, filters: int, hidden: int, inner: int, entries: int
    ) -> None:
        """The sizes that config.json need not give are read from the weights."""
        super().__init__()
        self.config = config
        width = config.width
        self.encoder = encoder(config.ratios, filters, width)
        self.encoder_transformer = CodecTransformer(config, hidden)
        down = StreamedConv(width, width, 4, 2, bias=False, replicates=True)
        self.downsample = Named("conv", Named("conv", down))
        self.rvq_first = Quantizer(width=width, inner=inner, entries=entries, books=1)
        self.rvq_rest = Quantizer(width=width, inner=inner, entries=entries, books=CODES - 1)
        up = StreamedConvTranspose(width, width, 4, 2, groups=width, bias=False)
        self.upsample = Named("convtr", Named("convtr", up))
        self.decoder_transformer = CodecTransformer(config, hidden)
        self.decoder = decoder(config.ratios, filters, width)

    def _states(self) -> Iterator[StreamedConv | StreamedConvTranspose | CodecTransformer]:
        for part in self.modules():
            if isinstance(part, StreamedConv | StreamedConvTranspose | CodecTransformer):
                yield part

    def allot(self, slots: int, frames: int = PIECE_FRAMES) -> None:
        """Make the state of this many slots, on the weights' device.

        `frames`: the most that one call of `encode` or `decode` takes.
        """
        self.rvq_first.settle()
        self.rvq_rest.settle()
        for part in self._states():
            if isinstance(part, CodecTransformer):
                part.allot(slots, frames)
            else:
                part.allot(slots)

    def reset(self, slot: int) -> None:
        """Begin new streams in a slot."""
        for part in self._states():
            part.reset(slot)

    def encode(self, samples: Tensor, rows: Rows) -> Tensor:
        """Samples (N, 1920 T) of full scale 1 -> codes (N, 8, T)."""
        x = self.encoder(samples[:, None].to(self.rvq_first.tables.dtype), rows)
        x = self.downsample(self.encoder_transformer(x, rows), rows)
        return torch.stack([*self.rvq_first.encode(x), *self.rvq_rest.encode(x)], dim=1)

    def decode(self, codes: Tensor, rows: Rows) -> Tensor:
        """Codes (N, 8, T) -> samples (N, 1920 T), float32."""
        x = self.rvq_first.decode(codes[:, :1]) + self.rvq_rest.decode(codes[:, 1:])
        x = self.decoder_transformer(self.upsample(x, rows), rows)
        y: Tensor = self.decoder(x, rows)[:, 0]
        return y.float()
