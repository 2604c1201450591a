"""The assistant's voice while serving: codes -> decoder -> vocoder -> sound, for fixed slots.

    voice = load_voice(folder, slots=16)
    voice.reset(rows, personas)           # at the first step of a reply
    sound = voice.step(codes, rows)       # (R, 1920): the sound of `delay_samples` ago (60 ms)
    rest = voice.flush(rows)              # (R, 1440): after the reply's last step

Letters: R rows of a step, Q codebooks. A row's sound depends only on its codes since its reset,
neither on its neighbours nor on the number of its slot.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES
from shared.errors import ConfigError
from shared.modes import VocoderName
from shared.voices import UNCHOSEN, Offer, Persona
from workers.models.checkpoint import config_of, fill, read_part
from workers.models.hifigan.checkpoint import NoCheckpoint, load_generator
from workers.models.hifigan.vocoder import HifiGan
from workers.models.layers.convnext import State, StreamSlots
from workers.models.layers.cpu_layout import lay_out, tile, tiles
from workers.models.mel import MelConfig
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.voice.repertoire import Repertoire, read_repertoire
from workers.models.voice.shaping import Shape, SlotShapes
from workers.models.voice.vocoder import HOP, SILENT_MEL, Vocoder, VocoderConfig, cepstral_weights

log = logging.getLogger(__name__)


class StreamingVocoder(Protocol):
    """A vocoder that streams: ours, or the public HiFi-GAN."""

    delay: int  # mel frames by which its sound is late; a reply begins with so much silence

    def initial(self, rows: int) -> State:
        """The state of new streams."""

    def stream(self, mel: Tensor, state: State, shape: Shape | None = None) -> tuple[Tensor, State]:
        """Log-mel (B, T, M) of whole steps -> samples (B, T * 240), and the new state."""

    def follow(self, mel: Tensor, state: State, shape: Shape | None = None) -> State:
        """The new state, without the samples."""


class Voice:
    """Decoder and vocoder with the streaming state of a fixed number of slots."""

    def __init__(
        self,
        codec: SpeechCodec,
        vocoder: StreamingVocoder,
        slots: int,
        repertoire: Repertoire | None = None,
    ) -> None:
        """If the vocoder cannot shape the sound, only the recorded voice is offered."""
        self.codec = codec
        self.vocoder = vocoder
        self.slots = slots
        self.delay_samples = vocoder.delay * HOP
        # The delay in whole steps. In turn mode a caller does not wait for it. For our own vocoder
        # this is 20 ms more than the delay, in which every reply was silent (-63 dBFS).
        self.lead_samples = -(-self.delay_samples // CHUNK_SAMPLES) * CHUNK_SAMPLES
        self._decoding = StreamSlots(codec.decoder.initial(slots))
        self._speaking = StreamSlots(vocoder.initial(slots))
        self._shapes = _shapes(vocoder, slots, repertoire or Repertoire())

    @property
    def offer(self) -> Offer:
        """The voices and styles it can speak in."""
        return self._shapes.repertoire.offer

    def reset(self, rows: Tensor, personas: Sequence[Persona] = ()) -> None:
        """Start a new reply in the slots rows (R,), int64, by default with the default persona."""
        self._shapes.put(rows, personas or [UNCHOSEN] * len(rows))
        self._decoding.reset(rows)
        self._speaking.reset(rows)

    def fix(self) -> bool:
        """Make `steps` the same operations for any rows. Returns False if this vocoder cannot.

        They then use tensors alone and never wait for the device, so a GPU may replay them.
        """
        self._shapes.fixed = True
        return isinstance(self.vocoder, Vocoder)

    @torch.inference_mode()
    def step(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Codes (R, q), q <= Q, of slots rows (R,) -> samples (R, 1920), float32, delayed."""
        return self.steps(codes[:, None], rows)

    @torch.inference_mode()
    def steps(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Codes (R, T, q) of T steps in one call -> the samples of the last step, (R, 1920)."""
        sound = self._speak(self._decode(codes, rows), rows)
        if sound.shape[1] != codes.shape[1] * CHUNK_SAMPLES:
            raise ValueError(
                f"Expected {CHUNK_SAMPLES} samples a step, got {sound.shape[1]} in all"
            )
        return sound[:, -CHUNK_SAMPLES:]

    @torch.inference_mode()
    def replay_steps(self, codes: Tensor, rows: Tensor) -> None:
        """Advance the state, in one call, by steps (R, T, q) that have their sound already."""
        mel = self._decode(codes, rows)
        self._speaking.put(rows, self._followed(mel, rows))

    def _followed(self, mel: Tensor, rows: Tensor) -> State:
        return self.vocoder.follow(mel, self._speaking.take(rows), self._shapes.take(rows))

    def _decode(self, codes: Tensor, rows: Tensor) -> Tensor:
        """Codes (R, T, q) -> log-mel (R, T * 8, M)."""
        latent = self.codec.rvq.decode(codes)
        mel, decoding = self.codec.decoder.stream(latent, self._decoding.take(rows))
        self._decoding.put(rows, decoding)
        return mel

    @torch.inference_mode()
    def flush(self, rows: Tensor) -> Tensor:
        """The rest of the replies in rows (R,): (R, delay_samples). Reset them before the next."""
        shape = (len(rows), self.vocoder.delay, MelConfig().bins)
        return self._speak(torch.full(shape, SILENT_MEL, device=rows.device), rows)

    def _speak(self, mel: Tensor, rows: Tensor) -> Tensor:
        state, shape = self._speaking.take(rows), self._shapes.take(rows)
        sound, speaking = self.vocoder.stream(mel, state, shape)
        self._speaking.put(rows, speaking)
        return sound


def load_voice(
    folder: Path,
    slots: int,
    device: str = "cpu",
    vocoder: VocoderName = VocoderName.OWN,
    cache: Path | None = None,
    *,
    exact: bool = True,
) -> Voice:
    """Load the voice of a weights folder. `cache` is the folder to search for the public HiFi-GAN.

    If not `exact`, products on a CPU may use bfloat16 where that is faster.
    Raises ConfigError if a file is missing or wrong.
    """
    codec_part = read_part(folder, "codec")
    codec = SpeechCodec(config_of(CodecConfig, codec_part))
    fill(codec, codec_part)
    spoken = _public(vocoder, cache) if cache is not None else None
    speaking = lay_out((spoken or _own(folder)).to(device))
    lay_out(codec.to(device))
    if not exact and device == "cpu" and tiles():
        tile(codec)
        tile(speaking)
    return Voice(codec, speaking, slots, read_repertoire(folder))


def _shapes(vocoder: StreamingVocoder, slots: int, repertoire: Repertoire) -> SlotShapes:
    """The slots' shapes. HiFi-GAN has no pitch parameter, so it speaks only as recorded."""
    if not isinstance(vocoder, Vocoder):
        return SlotShapes(slots, repertoire.plain(), torch.ones(1))
    cepstra = max(vocoder.config.harmonic_cepstra, vocoder.config.noise_cepstra)
    weights = cepstral_weights(vocoder.out.weight.new_ones(cepstra).float())
    return SlotShapes(slots, repertoire, weights)


def _own(folder: Path) -> Vocoder:
    part = read_part(folder, "vocoder")
    vocoder = Vocoder(config_of(VocoderConfig, part))
    fill(vocoder, part)
    return vocoder


def _public(vocoder: VocoderName, cache: Path) -> HifiGan | None:
    """HiFi-GAN if the setting names it, or with AUTO if its file is usable; else None."""
    if vocoder is VocoderName.OWN:
        return None
    try:
        generator = load_generator(cache)
    except ConfigError as error:
        if vocoder is VocoderName.HIFIGAN:
            raise
        if not isinstance(error, NoCheckpoint):
            log.warning("speaking with our own vocoder, since HiFi-GAN cannot be used: %s", error)
        return None
    log.info("speaking with the HiFi-GAN of %s", cache)
    return HifiGan(generator).eval()
