"""The assistant's voice in service: codes -> decoder -> vocoder -> sound, for fixed slots.

    voice = load_voice(folder, slots=16)
    voice.reset(rows)                     # at the first step of a reply
    sound = voice.step(codes, rows)       # (R, 1920): the sound of 60 ms ago
    rest = voice.flush(rows)              # (R, 1440): after the reply's last step

Letters: R rows that take part, Q codebooks. A row's sound is a function of its codes since its
reset alone: not of its neighbours, nor of which slot it sits in.
"""

from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES
from workers.models.checkpoint import config_of, fill, read_part
from workers.models.convnext import Slots
from workers.models.tokenizer.codec import Codec, CodecConfig
from workers.models.vocoder import DELAY, HOP, SILENT_MEL, Vocoder, VocoderConfig

DELAY_SAMPLES: Final = DELAY * HOP  # 1,440: the first 60 ms that a reply's steps give are silent


class Voice:
    """Decoder and vocoder with the streaming state of a fixed number of slots."""

    def __init__(self, codec: Codec, vocoder: Vocoder, slots: int) -> None:
        self.codec = codec
        self.vocoder = vocoder
        self.slots = slots
        self._decoding = Slots(codec.decoder.initial(slots))
        self._speaking = Slots(vocoder.initial(slots))

    def reset(self, rows: Tensor) -> None:
        """Start a new reply in the slots rows (R,), int64."""
        self._decoding.reset(rows)
        self._speaking.reset(rows)

    @torch.inference_mode()
    def step(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Codes (R, q), q <= Q, of slots rows (R,) -> samples (R, 1920), float32, 60 ms late."""
        sound = self._say(codes[:, None], rows)
        if sound.shape[1] != CHUNK_SAMPLES:
            raise ValueError(f"Expected a step of {CHUNK_SAMPLES} samples, got {sound.shape[1]}")
        return sound

    @torch.inference_mode()
    def again(self, codes: Tensor, rows: Tensor) -> None:
        """Steps (R, T, q) that were sounded before, in one go: only the state goes on."""
        self._say(codes, rows)

    def _say(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Codes (R, T, q) -> samples (R, T * 1920)."""
        latent = self.codec.rvq.decode(codes)
        mel, decoding = self.codec.decoder.stream(latent, self._decoding.take(rows))
        self._decoding.put(rows, decoding)
        return self._speak(mel, rows)

    @torch.inference_mode()
    def flush(self, rows: Tensor) -> Tensor:
        """The rest of the replies in rows (R,): (R, 1440). Reset them before the next reply."""
        shape = (len(rows), DELAY, self.vocoder.config.mel_bins)
        return self._speak(torch.full(shape, SILENT_MEL, device=rows.device), rows)

    def _speak(self, mel: Tensor, rows: Tensor) -> Tensor:
        sound, speaking = self.vocoder.stream(mel, self._speaking.take(rows))
        self._speaking.put(rows, speaking)
        return sound


def load_voice(folder: Path, slots: int, device: str = "cpu") -> Voice:
    """The voice of a weights folder. Raises ConfigError where a file is missing or wrong."""
    codec_part, vocoder_part = read_part(folder, "codec"), read_part(folder, "vocoder")
    codec = Codec(config_of(CodecConfig, codec_part))
    vocoder = Vocoder(config_of(VocoderConfig, vocoder_part))
    fill(codec, codec_part)
    fill(vocoder, vocoder_part)
    return Voice(codec.to(device), vocoder.to(device), slots)
