"""Trains the vocoder on the assistant's recordings: from their own mels back to the sound.

The losses are magnitude spectra at three resolutions, log-mel, pitch and voicing. At this budget
they beat an adversarial Vocos of twice the size. The pulse train first follows the tracked pitch,
so that harmonics lie on harmonics, and later the predicted pitch.

Letters: B pieces, T hops, M mel bins, H = 240 samples.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.mel import LogMel
from workers.models.voice.vocoder import FFT, HOP, LOOKAHEAD, VOCODER_PRESETS, Parameters, Vocoder
from workers.training.command_settings import StageSettings
from workers.training.speech.clips import Clips
from workers.training.stages.optimisation import cosine_rate, resume, save, set_rate, update
from workers.training.stages.training_run import CHECKPOINT, Run, is_finished

BATCH: Final = 12
HOPS: Final = 72  # 0.72 s a piece
LEARNING_RATE: Final = 1e-3
TEACHER_UNTIL: Final = 0.6  # of the budget; afterwards the source follows the predicted pitch
RESOLUTIONS: Final = (512, 1024, 2048)
PITCH_WEIGHT: Final = 8.0
QUIET: Final = 1e-3  # spectral magnitudes below are silence: about -60 dB of the voice's


def main(settings: StageSettings, seed: int = 4) -> None:
    """Train or resume for the given minutes in all; needs the folder `assistant` of the runs."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    runs = settings.runs
    if is_finished(runs, "vocoder"):
        return
    vocoder = Vocoder(VOCODER_PRESETS[settings.preset])
    optimiser = torch.optim.AdamW(
        vocoder.parameters(), lr=LEARNING_RATE, betas=(0.8, 0.99), weight_decay=0.01, fused=True
    )
    clips = Clips(runs, with_pitch=True)
    run = Run(runs / "vocoder", settings.minutes_of("vocoder"))
    resume(run, vocoder, optimiser)
    train(run, vocoder, optimiser, clips, np.random.default_rng(seed + run.step))
    save(run, vocoder, optimiser)
    run.finish(path=str(run.folder / CHECKPOINT), preset=settings.preset)


def load(runs: Path, preset: str) -> Vocoder:
    """The vocoder of the last checkpoint."""
    vocoder = Vocoder(VOCODER_PRESETS[preset])
    state = torch.load(runs / "vocoder" / CHECKPOINT, map_location="cpu", weights_only=True)
    vocoder.load_state_dict(state["model"])
    return vocoder


def train(
    run: Run,
    vocoder: Vocoder,
    optimiser: torch.optim.Optimizer,
    clips: Clips,
    rng: np.random.Generator,
) -> None:
    """Step until the budget is spent."""
    criterion = SoundLoss()
    while run.going():
        set_rate(optimiser, cosine_rate(LEARNING_RATE, run.fraction, run.step))
        offsets = clips.offsets(rng, BATCH, HOPS + 1 + LOOKAHEAD)
        mel = clips.mels(offsets, HOPS + 1 + LOOKAHEAD)
        truth = clips.sounds(offsets, HOPS), clips.pitches(offsets, HOPS + 1)
        losses = criterion(vocoder, mel, *truth, teacher=run.fraction < TEACHER_UNTIL)
        update(optimiser, losses["loss"], vocoder.parameters(), clip=5.0)
        run.log(**{name: float(value.detach()) for name, value in losses.items()})
        if run.due():
            save(run, vocoder, optimiser)


def render(vocoder: Vocoder, mel: Tensor, f0: Tensor | None) -> tuple[Tensor, Parameters]:
    """Mels (B, T + 1 + LOOKAHEAD, M) -> samples (B, T * H) and the parameters (B, T + 1, .).

    The source's pitch and voicing follow f0 (B, T + 1; 0: unvoiced), or the prediction where f0 is
    None. Only the tracker teaches both: no gradient passes through the source. When one did,
    voicing came to choose noise in place of the low harmonics.
    """
    state = (vocoder.enter.initial(len(mel)), *vocoder.stack.initial(len(mel)))
    with torch.autocast("cpu", torch.bfloat16):
        raw, _ = vocoder.read(mel, state)
    said = vocoder.parameters_of(raw[:, LOOKAHEAD:])
    source = said._replace(log_f0=said.log_f0.detach(), voicing=said.voicing.detach())
    if f0 is not None:
        pitch = torch.where(f0 > 0, f0.clamp(min=1.0).log(), source.log_f0)
        source = source._replace(log_f0=pitch, voicing=torch.where(f0 > 0, 8.0, -8.0))
    hops = torch.arange(raw.shape[1] - LOOKAHEAD - 1).expand(len(mel), -1)
    phase = torch.zeros(len(mel), dtype=torch.float64)
    overlap = torch.zeros(len(mel), FFT - HOP)
    sound, _, _ = vocoder.speak(source, hops, phase, overlap)
    return sound, said


class SoundLoss:
    """Measures how far the sound, its pitch and its voicing are from the recording's."""

    def __init__(self) -> None:
        self.log_mel = LogMel()
        self.windows = {n: torch.hann_window(n) for n in RESOLUTIONS}

    def __call__(
        self, vocoder: Vocoder, mel: Tensor, sound: Tensor, f0: Tensor, teacher: bool
    ) -> dict[str, Tensor]:
        """mel (B, T + 1 + LOOKAHEAD, M), sound (B, T * H), f0 (B, T + 1) -> named losses."""
        made, said = render(vocoder, mel, f0 if teacher else None)
        spectral = self.spectral(made, sound)
        mels = F.l1_loss(self.log_mel(made), self.log_mel(sound))
        voiced = (f0 > 0).float()
        off = (said.log_f0 - f0.clamp(min=1.0).log()).abs() * voiced
        pitch = off.sum() / voiced.sum().clamp(min=1.0)
        voicing = F.binary_cross_entropy_with_logits(said.voicing, voiced)
        loss = spectral + 0.5 * mels + PITCH_WEIGHT * pitch + 0.2 * voicing
        return {"loss": loss, "spectral": spectral, "mel": mels, "pitch": pitch, "voicing": voicing}

    def spectral(self, made: Tensor, sound: Tensor) -> Tensor:
        """Spectral convergence and log-magnitude L1, mean over the resolutions."""
        parts = []
        for n, window in self.windows.items():
            a, b = (self._magnitude(x, n, window) for x in (made, sound))
            parts.append(torch.linalg.vector_norm(a - b) / torch.linalg.vector_norm(b))
            parts.append(F.l1_loss(a.clamp(min=QUIET).log(), b.clamp(min=QUIET).log()))
        return torch.stack(parts).sum() / len(self.windows)

    @staticmethod
    def _magnitude(x: Tensor, n: int, window: Tensor) -> Tensor:
        bins = torch.stft(x, n, n // 4, n, window, center=False, return_complex=True)
        return (bins.real.square() + bins.imag.square()).clamp(min=1e-9).sqrt()
