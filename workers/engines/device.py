"""Chooses the device that DEVICE asks for, if this machine has it."""

import torch

from shared.errors import ConfigError


def chosen_device(setting: str) -> str:
    """`auto` -> cuda or cpu. Raises ConfigError for a GPU that PyTorch cannot use."""
    if setting == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if setting == "cpu":
        return setting
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(setting.partition(":")[2] or 0) >= count:
        raise ConfigError(
            f"Expected a GPU for DEVICE={setting}, got {count} that PyTorch can use: set "
            "DEVICE=auto or cpu, or check the driver, CUDA_VISIBLE_DEVICES and the build of PyTorch"
        )
    return setting
