"""Streams with the public HiFi-GAN in place of our own vocoder: the codec's mel -> 24 kHz.

    mel at 24 kHz -> (mel.py) the checkpoint's mel -> generator -> denoiser -> 22.05 to 24 kHz

The generator is not causal. So each step of 80 ms uses a window with everything that its 1,920
samples depend on. It drops the rest of the window's output. Any chunking in whole steps then gives
the offline sound. The price is a window of 44 frames for 7 new ones, and 240 ms of delay.

Letters: B rows, T the codec's frames (8 a step), K frames of history, W frames of a window.
"""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torchaudio.transforms import Resample

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from workers.models.hifigan import mel as frames
from workers.models.hifigan.denoiser import EDGE, Denoiser
from workers.models.hifigan.generator import HifiGanGenerator
from workers.models.layers.convnext import State
from workers.models.voice.shaping import Shape
from workers.models.voice.vocoder import SILENT_MEL

STEP: Final = 8  # the codec's frames in 80 ms
RATE_HZ: Final = 22_050
BLOCK: Final = 1_764  # samples at 22.05 kHz in 80 ms
# The resampler turns 147 samples into 160 and looks less than that to either side.
PIECE: Final = 147
PIECE_OUT: Final = 160
MARGIN: Final = PIECE + EDGE


class HifiGan(nn.Module):
    """Streams as `Vocoder` does. The caller keeps the state."""

    bins: Tensor

    def __init__(self, generator: HifiGanGenerator) -> None:
        super().__init__()
        self.generator = generator
        self.denoiser = Denoiser(generator)
        self.resample = Resample(RATE_HZ, SAMPLE_RATE_HZ)
        self.register_buffer("bins", frames.bin_map(), persistent=False)
        self._hop = generator.config.hop
        self._reach = generator.config.reach
        # The first and the last frame that a block may need, counted from the block's first frame.
        oldest = frames.place(torch.tensor(-(MARGIN / self._hop) - 1 - self._reach))
        newest = frames.place(torch.tensor((BLOCK + MARGIN) / self._hop + self._reach))
        self._past = -math.floor(float(oldest))
        self.delay = math.ceil((float(newest) + 2 - STEP) / STEP) * STEP

    def initial(self, rows: int) -> State:
        """The state of new streams: the steps so far, and the frames that windows reach back to."""
        history = self.bins.new_full((rows, self._past + self.delay + STEP, 80), SILENT_MEL)
        return torch.zeros(rows, dtype=torch.int64, device=self.bins.device), history

    def follow(self, mel: Tensor, state: State, shape: Shape | None = None) -> State:
        """The state after more log-mel (B, T, 80), without making its sound.

        `shape` must be None: this vocoder has no separate pitch and filters. The argument is there
        because `Vocoder` has it.
        """
        if shape is not None:
            raise ValueError("Expected no shape: the public vocoder speaks as it was recorded")
        steps, history = state
        if mel.shape[1] % STEP:
            raise ValueError(f"Expected whole steps of {STEP} mel frames, got {mel.shape[1]}")
        joined = torch.cat([history, mel.float()], dim=1)
        return steps + mel.shape[1] // STEP, joined[:, -history.shape[1] :]

    @torch.no_grad()
    def stream(self, mel: Tensor, state: State, shape: Shape | None = None) -> tuple[Tensor, State]:
        """Log-mel (B, T, 80) -> samples (B, T * 240), late by `delay` frames; new state."""
        parts = []
        for step in torch.split(mel, STEP, dim=1):
            state = self.follow(step, state, shape)
            block = state[0] - 1 - self.delay // STEP
            parts.append(self._speak(state[1], block * STEP - self._past, block, 1))
        return torch.cat(parts, dim=1), state

    @torch.no_grad()
    def forward(self, mel: Tensor) -> Tensor:
        """Whole utterances (B, T, 80) -> samples (B, T * 240), aligned with the mel's samples."""
        blocks = mel.shape[1] // STEP
        silence = (0, 0, self._past, self.delay)
        whole = nn.functional.pad(mel[:, : blocks * STEP].float(), silence, value=SILENT_MEL)
        first = torch.zeros(len(mel), dtype=torch.int64, device=mel.device)
        return self._speak(whole, first - self._past, first, blocks)

    def _speak(self, history: Tensor, first: Tensor, block: Tensor, blocks: int) -> Tensor:
        """Some blocks' samples (B, blocks * 1920); blocks before the reply are silent.

        history (B, K, 80) begins with the frame numbers first (B,). block (B,) is the first
        block of each row.
        """
        if bool((block + blocks <= 0).all()):
            return history.new_zeros(len(history), blocks * CHUNK_SAMPLES)
        begin = block * BLOCK - MARGIN  # (B,) in samples of the generator
        start = begin.div(self._hop, rounding_mode="floor") - self._reach  # (B,) its frames
        length = blocks * BLOCK + 2 * MARGIN
        count = math.ceil(length / self._hop) + 1 + 2 * self._reach
        numbers = start[:, None] + torch.arange(count, device=start.device)
        place = (frames.place(numbers) - first[:, None]).clamp(0, history.shape[1] - 1)
        read = frames.resampled(history, place) @ self.bins + frames.DENSITY
        mel = read.clamp(min=SILENT_MEL).transpose(1, 2)  # (B, W, 80) -> (B, 80, W)
        clean = self.denoiser(self.generator(mel))
        offset = begin + EDGE - start * self._hop
        wanted = offset[:, None] + torch.arange(length - 2 * EDGE, device=start.device)
        sound: Tensor = self.resample(clean.gather(1, wanted))
        sound = sound[:, PIECE_OUT : PIECE_OUT + blocks * CHUNK_SAMPLES]
        return sound * (block >= 0)[:, None]
