"""Loads a published checkpoint into an engine, with as many seats as the memory has."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from shared.errors import ConfigError
from shared.modes import MoshiPrecision
from workers.engines.cuda_graphs import sizes
from workers.engines.device import chosen_device
from workers.engines.moshi.engine import MoshiEngine, traits_for
from workers.engines.moshi.memory_plan import GIB, MIB, Layout, gib, plan
from workers.engines.moshi.prompt import MOST_STEPS, Prompts
from workers.engines.moshi.stepper import Stepper
from workers.engines.moshi.voices import VOICES, load_voices
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.config import LmConfig, MimiConfig, Sampling
from workers.models.moshi.depth import Depth
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.temporal import Temporal
from workers.models.moshi.text import TextTokens

if TYPE_CHECKING:
    from shared.settings import Settings

log = logging.getLogger(__name__)

# Pieces of a replay: positions, frames of the codec, and the grain of the caches' used part. On a
# GPU a piece is as long as it can be without delaying other sessions' steps (an estimate).
GPU_PIECES: Final = (256, 128, 512)
CPU_PIECES: Final = (32, 16, 256)
# Bytes for a step's activations, libraries and graphs: estimates, with room.
GPU_WORKSPACE: Final = 3 * GIB
CPU_WORKSPACE: Final = GIB // 4
CODEC_BYTES: Final = 384_000_000  # of the published Mimi's file, in float32
SAMPLING: Final = Sampling()
MEMORY: Final = Path("/proc/meminfo")
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def load_moshi(settings: "Settings") -> MoshiEngine:
    """The warmed-up engine. Raises ConfigError if files are missing or the memory is too small."""
    torch.set_num_threads(settings.torch_threads)
    folder = open_folder(settings.model)
    tokens = TextTokens(folder.text)
    if tokens.count > folder.config.texts:
        raise ConfigError(
            f"Expected at most {folder.config.texts} tokens in {folder.text} as config.json says, "
            f"got {tokens.count}: the tokenizer is of another model"
        )
    device = chosen_device(settings.device)
    gpu = device.startswith("cuda")
    dtype = settings.dtype if settings.dtype != "auto" else "bfloat16" if gpu else "float32"
    precision = settings.moshi_precision
    layout = layout_for(
        folder.config,
        folder.mimi_config,
        gpu=gpu,
        dtype=dtype,
        precision=precision,
        prompted=(settings.model / VOICES).exists(),
        codec_bytes=folder.mimi.stat().st_size,
    )
    slots = plan(layout, free_memory(device), settings.worker_slots, _others(layout, precision))
    log.info(
        "%s: %s of weights, %.0f MiB a call, %d seats",
        settings.model,
        gib(layout.weights),
        layout.call / MIB,
        slots,
    )
    temporal, depth = load_lm(folder, device=device, dtype=DTYPES[dtype], precision=precision)
    mimi = load_mimi(folder, device=device, dtype=codec_dtype(device))
    voices = settings.model / VOICES
    if folder.persona and not voices.exists():
        log.warning("%s is missing: calls begin without a voice or a role", voices)
    return assemble(temporal, depth, mimi, tokens, layout=layout, slots=slots, voices=voices)


def layout_for(
    lm: LmConfig,
    mimi: MimiConfig,
    *,
    gpu: bool,
    dtype: str,
    precision: str,
    prompted: bool,
    codec_bytes: int = CODEC_BYTES,
) -> Layout:
    """The memory of a worker with these settings."""
    traits = traits_for(lm.context, mimi.memory_frames)
    number = DTYPES[dtype].itemsize
    read, codec, grain = GPU_PIECES if gpu else CPU_PIECES
    positions = traits.context_chunks + 1 + (MOST_STEPS if prompted else 0)
    capacity = min(-(-positions // grain) * grain, lm.context + read)
    whole = precision == MoshiPrecision.FULL
    codec_number = codec_dtype("cuda" if gpu else "cpu").itemsize
    return Layout(
        lm,
        mimi,
        capacity,
        codec,
        number_bytes=number,
        weight_bytes=number if whole else 1,
        codec_bytes=codec_bytes * codec_number // torch.float32.itemsize,
        codec_number_bytes=codec_number,
        workspace=GPU_WORKSPACE if gpu else CPU_WORKSPACE,
    )


def codec_dtype(device: str) -> torch.dtype:
    """The codec's number format.

    A caller's codes are the nearest entries of codebooks. Where two are equally near, rounding in
    another batch decides. So a CPU, on which a codec's time matters little, has float64.
    """
    return torch.float64 if device == "cpu" else torch.float32


def _choose_attention() -> None:
    """Keep to attention kernels that take a mask and need no plan for every shape.

    Newer PyTorch prefers cuDNN's on an H100, which plans while a graph is captured.
    """
    torch.backends.cuda.enable_cudnn_sdp(enabled=False)


def _others(layout: Layout, precision: str) -> dict[str, Layout]:
    """Settings that would take less memory."""
    if precision != MoshiPrecision.FULL:
        return {}
    return {"MOSHI_PRECISION=int8": replace(layout, weight_bytes=1)}


def free_memory(device: str) -> int:
    """Free bytes of the device."""
    if device.startswith("cuda"):
        free: int = torch.cuda.mem_get_info(torch.device(device))[0]
        return free
    # Not what is unused: Linux fills memory with files' contents, and gives it back when asked.
    lines = MEMORY.read_text().splitlines()
    (kib,) = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(kib)


def assemble(
    temporal: Temporal,
    depth: Depth,
    mimi: Mimi,
    tokens: TextTokens,
    *,
    layout: Layout,
    slots: int,
    voices: Path,
    sampling: Sampling = SAMPLING,
) -> MoshiEngine:
    """The engine of loaded parts; `voices`: a folder that may be absent."""
    gpu = next(temporal.parameters()).is_cuda
    if gpu:
        _choose_attention()
    read, codec, grain = GPU_PIECES if gpu else CPU_PIECES
    stepper = Stepper(
        temporal,
        depth,
        mimi,
        slots=slots,
        capacity=layout.capacity,
        read_piece=read,
        codec_piece=codec,
        used_grain=grain,
        sampling=sampling,
    )
    prompts = Prompts(layout.lm, tokens, load_voices(voices, layout.lm, mimi))
    traits = traits_for(layout.lm.context, layout.mimi.memory_frames)
    engine = MoshiEngine(stepper, tokens, prompts, traits)
    engine.warm_up(sizes(slots) if gpu else (1, slots))
    return engine
