"""Makes a small checkpoint in the public HiFi-GAN's layout: weight norm, config, set-up."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from workers.models.hifigan.generator import HifiGanConfig, HifiGanGenerator

CONFIG: dict[str, Any] = {
    "upsample_rates": [8, 8, 2, 2],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 32,
    "resblock": "1",
    "resblock_kernel_sizes": [3, 5],
    "resblock_dilation_sizes": [[1, 3], [1, 3]],
    "num_gpus": 0,
}
SETUP = {"sampling_rate": 22_050, "mel_fmax": 8_000.0, "num_mels": 80, "hop_length": 256}


def sizes() -> HifiGanConfig:
    """The small generator's sizes."""
    return HifiGanConfig(
        upsample_initial_channel=32,
        resblock_kernel_sizes=(3, 5),
        resblock_dilation_sizes=((1, 3), (1, 3)),
    )


def make_generator(seed: int = 0) -> HifiGanGenerator:
    """Random weights that are loud enough to be heard."""
    torch.manual_seed(seed)
    generator = HifiGanGenerator(sizes()).eval().requires_grad_(False)
    generator.conv_post.weight.mul_(20.0)
    return generator


def norms(generator: HifiGanGenerator) -> dict[str, torch.Tensor]:
    """The generator's state dict with weight norm, under the published names."""
    state: dict[str, torch.Tensor] = {}
    for name, layer in generator.named_modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            bias = layer.bias
            weight_norm(layer)
            parts: Any = layer.parametrizations["weight"]  # type: ignore[index]
            state[f"{name}.weight_g"] = 1.0 * parts.original0.detach()
            # v with another length is the same weight. A reader that ignores g fails the test.
            state[f"{name}.weight_v"] = 3.0 * parts.original1.detach()
            state[f"{name}.bias"] = bias.detach()  # type: ignore[union-attr]
    return state


def write(path: Path, state: dict[str, torch.Tensor], **other: Any) -> Path:
    """The pickle."""
    torch.save({"generator": state, "config": CONFIG, "train_setup": SETUP, **other}, path)
    return path
