"""The assistant's codec: log-mel -> causal encoder -> residual VQ at 12.5 Hz -> decoder -> mel.

Letters: B rows, T steps of 80 ms, F = 8 mel frames a step, M mel bins, Q codebooks, D latent.
Everything is causal: step t of either half depends on steps up to t. Only the preparation of
training data needs the encoder; serving decodes.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from workers.models.layers.convnext import ConvNeXtStack, State
from workers.models.mel import MelConfig
from workers.models.tokenizer.rvq import ResidualVq

# Mean and spread of the assistant's log-mel, by which the networks' input is normalised.
MEL_MEAN: Final = -6.0
MEL_SPREAD: Final = 2.0
SILENT_STEPS: Final = 40  # the encoder's past is shorter: the last step is all silence


@dataclass(frozen=True, slots=True)
class CodecConfig:
    """Sizes of the codec. The defaults are `tiny`."""

    mel_bins: int = 80
    frames: int = 8
    width: int = 256
    hidden: int = 512
    encoder_blocks: int = 4
    decoder_blocks: int = 5
    fine_width: int = 64
    fine_hidden: int = 256
    fine_blocks: int = 2
    kernel: int = 5
    latent: int = 64
    codebooks: int = 8
    codebook_size: int = 1024


CODEC_PRESETS: Final = {
    "tiny": CodecConfig(),
    "base": CodecConfig(width=512, hidden=1536, fine_width=128, fine_hidden=512, latent=96),
}


class CodecEncoder(nn.Module):
    """Mel frames -> latents."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.patch = nn.Linear(config.frames * config.mel_bins, config.width)
        self.stack = ConvNeXtStack(
            config.width, config.hidden, config.encoder_blocks, config.kernel
        )
        self.out = nn.Linear(config.width, config.latent)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel (B, T * F, M) -> latents (B, T, D)."""
        rows, frames, bins = mel.shape
        steps = frames // self.config.frames
        patches = ((mel - MEL_MEAN) / MEL_SPREAD).reshape(rows, steps, self.config.frames * bins)
        x, _ = self.stack.stream(self.patch(patches), self.stack.initial(len(mel)))
        y: Tensor = self.out(x)
        return y


class CodecDecoder(nn.Module):
    """Latents of codes -> mel frames, streaming. The caller keeps the state."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Linear(config.latent, config.width)
        self.stack = ConvNeXtStack(
            config.width, config.hidden, config.decoder_blocks, config.kernel
        )
        self.unfold = nn.Linear(config.width, config.frames * config.fine_width)
        self.fine = ConvNeXtStack(
            config.fine_width, config.fine_hidden, config.fine_blocks, config.kernel
        )
        self.out = nn.Linear(config.fine_width, config.mel_bins)

    def initial(self, rows: int) -> State:
        """The state of new streams."""
        return self.stack.initial(rows) + self.fine.initial(rows)

    def stream(self, latent: Tensor, state: State) -> tuple[Tensor, State]:
        """Latents (B, T, D) -> log-mel (B, T * F, M) and the new state."""
        coarse, fine = state[: self.config.decoder_blocks], state[self.config.decoder_blocks :]
        x, coarse = self.stack.stream(self.enter(latent), coarse)
        y = self.unfold(x).reshape(len(x), -1, self.config.fine_width)
        y, fine = self.fine.stream(y, fine)
        return self.out(y).float() * MEL_SPREAD + MEL_MEAN, coarse + fine


class SpeechCodec(nn.Module):
    """Encoder, quantiser and decoder."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = CodecEncoder(config)
        self.rvq = ResidualVq(config.latent, config.codebooks, config.codebook_size)
        self.decoder = CodecDecoder(config)

    @torch.no_grad()
    def encode(self, mel: Tensor) -> Tensor:
        """Whole utterances (B, N, M), N a multiple of F -> codes (B, N / F, Q), int64."""
        if mel.shape[1] % self.config.frames:
            raise ValueError(
                f"Expected whole steps of {self.config.frames} mel frames, got {mel.shape[1]}: "
                "pad the audio with silence"
            )
        return self.rvq.encode(self.encoder(mel))

    def decode(self, codes: Tensor) -> Tensor:
        """Whole utterances' codes (B, T, q), q <= Q -> log-mel (B, T * F, M)."""
        return self.decoder.stream(self.rvq.decode(codes), self.decoder.initial(len(codes)))[0]

    def silence(self) -> Tensor:
        """The canonical codes of a silent step, (Q,), int64: digital silence after silence."""
        floor = torch.log(torch.tensor(MelConfig().floor))
        mel = floor.expand(1, SILENT_STEPS * self.config.frames, self.config.mel_bins)
        return self.encode(mel)[0, -1]
