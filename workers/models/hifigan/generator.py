"""HiFi-GAN's generator (Kong et al. 2020) in the layout of NVIDIA's public checkpoint.

Letters: B rows, M mel bins, T mel frames, C channels, N = T * hop samples. `checkpoint.convert` has
folded the weight norm, so these are plain convolutions.
"""

import math
from dataclasses import dataclass
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE: Final = 0.1  # of the leaky ReLUs
LAST_SLOPE: Final = 0.01  # of the one before the last convolution: PyTorch's default, as trained


@dataclass(frozen=True, slots=True)
class HifiGanConfig:
    """The `config` of a checkpoint. The defaults are V1, the public one: 13.9 M parameters."""

    upsample_rates: tuple[int, ...] = (8, 8, 2, 2)
    upsample_kernel_sizes: tuple[int, ...] = (16, 16, 4, 4)
    upsample_initial_channel: int = 512
    resblock: str = "1"
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilation_sizes: tuple[tuple[int, ...], ...] = ((1, 3, 5),) * 3
    mel_bins: int = 80

    @property
    def hop(self) -> int:
        """Samples a mel frame: 256."""
        return math.prod(self.upsample_rates)

    @property
    def reach(self) -> int:
        """Mel frames on either side that a sample depends on, rounded up: 14 for V1."""
        frames, rate = 3.0, 1  # conv_pre
        for up, kernel in zip(self.upsample_rates, self.upsample_kernel_sizes, strict=True):
            frames += max(1.0, kernel / up / 2) / rate
            rate *= up
            frames += max(map(self._block_reach, range(len(self.resblock_kernel_sizes)))) / rate
        return math.ceil(frames + 3 / rate)

    def _block_reach(self, block: int) -> int:
        half = self.resblock_kernel_sizes[block] // 2
        dilations = self.resblock_dilation_sizes[block]
        return half * (sum(dilations) + (len(dilations) if self.resblock == "1" else 0))


def _same(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv1d(channels, channels, kernel, padding=padding, dilation=dilation)


class Residual(nn.Module):
    """A stack of dilated convolutions. Kind "1" adds a plain one after each, kind "2" does not."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...], kind: str) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same(channels, kernel, d) for d in dilations)
        plain = dilations if kind == "1" else ()
        self.convs2 = nn.ModuleList(_same(channels, kernel, 1) for _ in plain)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) -> (B, C, N)."""
        for i, dilated in enumerate(self.convs1):
            y = dilated(F.leaky_relu(x, SLOPE))
            if len(self.convs2):
                y = self.convs2[i](F.leaky_relu(y, SLOPE))
            x = x + y
        return x


class HifiGanGenerator(nn.Module):
    """Log-mel (B, M, T) -> samples (B, T * hop) in [-1, 1]. Not causal: see `reach`."""

    def __init__(self, config: HifiGanConfig) -> None:
        super().__init__()
        self.config = config
        width = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(config.mel_bins, width, 7, padding=3)
        widths = [width // 2**i for i in range(len(config.upsample_rates) + 1)]
        shapes = zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(widths[i], widths[i + 1], kernel, up, padding=(kernel - up) // 2)
            for i, (up, kernel) in enumerate(shapes)
        )
        self.resblocks = nn.ModuleList(self._blocks(channels) for channels in widths[1:])
        self.conv_post = nn.Conv1d(widths[-1], 1, 7, padding=3)

    def _blocks(self, channels: int) -> nn.ModuleList:
        config = self.config
        shapes = zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        return nn.ModuleList(Residual(channels, k, d, config.resblock) for k, d in shapes)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel (B, M, T) -> samples (B, T * hop), float32."""
        x = self.conv_pre(mel)
        for up, blocks in zip(self.ups, self.resblocks, strict=True):
            x = up(F.leaky_relu(x, SLOPE))
            x = torch.stack([block(x) for block in cast(nn.ModuleList, blocks)]).mean(dim=0)
        y: Tensor = torch.tanh(self.conv_post(F.leaky_relu(x, LAST_SLOPE)))
        return y[:, 0].float()
