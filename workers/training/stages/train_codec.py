"""Trains the codec on the assistant's voice, mel to mel; then freezes encoder and codebooks.

The recipe was measured on one core. The loss is L1 + 0.5 L2 + 0.3 L1 of the differences in time, in
nepers, plus 0.1 commitment. The first steps run without quantisation. 40 % of the pieces use fewer
codebooks, so that the first ones carry the most. `train_voice.py` trains the decoder further.

Letters: B pieces, T mel frames, M mel bins.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.mel import LogMel
from workers.models.tokenizer.codec import CODEC_PRESETS, SpeechCodec
from workers.training.command_settings import StageSettings
from workers.training.speech.assistant import load_shard
from workers.training.speech.clips import Clips, padded
from workers.training.stages.optimisation import cosine_rate, resume, save, set_rate, update
from workers.training.stages.training_run import CHECKPOINT, Run, is_finished, ready

BATCH: Final = 40
FRAMES: Final = 200  # 2 s a piece
UNQUANTISED_STEPS: Final = 150
LEARNING_RATE: Final = 1.2e-3
COMMITMENT: Final = 0.1
FULL_DEPTH: Final = 0.6  # share of pieces that use every codebook


def main(settings: StageSettings, seed: int = 3) -> None:
    """Train or resume for the given minutes in all; needs the folder `assistant` of the runs."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    runs = settings.runs
    if is_finished(runs, "codec"):
        return
    codec = SpeechCodec(CODEC_PRESETS[settings.preset])
    optimiser = torch.optim.AdamW(
        codec.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    clips = Clips(runs)
    run = Run(runs / "codec", settings.minutes_of("codec"))
    if resume(run, codec, optimiser):
        codec.rvq.restart()
    train(run, codec, optimiser, clips, np.random.default_rng(seed + run.step))
    save(run, codec, optimiser)
    held_out = evaluate(codec.eval(), runs)
    run.finish(path=str(run.folder / CHECKPOINT), preset=settings.preset, **held_out)


def load(runs: Path) -> SpeechCodec:
    """The finished codec, in evaluation mode; its encoder and codebooks never change again."""
    preset = str(ready(runs / "codec")["preset"])
    codec = SpeechCodec(CODEC_PRESETS[preset])
    state = torch.load(runs / "codec" / CHECKPOINT, map_location="cpu", weights_only=True)
    codec.load_state_dict(state["model"])
    return codec.eval().requires_grad_(False)


def train(
    run: Run,
    codec: SpeechCodec,
    optimiser: torch.optim.Optimizer,
    clips: Clips,
    rng: np.random.Generator,
) -> None:
    """Step until the budget is spent."""
    codec.train()
    while run.going():
        set_rate(optimiser, cosine_rate(LEARNING_RATE, run.fraction, run.step))
        mel = clips.mels(clips.offsets(rng, BATCH, FRAMES), FRAMES)
        losses = losses_of(codec, mel, run.step, rng)
        update(optimiser, losses["loss"], codec.parameters())
        run.log(**{name: float(value.detach()) for name, value in losses.items()})
        if run.due():
            save(run, codec, optimiser)


def losses_of(
    codec: SpeechCodec, mel: Tensor, step: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """The losses of one batch of mels (B, T, M)."""
    with torch.autocast("cpu", torch.bfloat16):
        latent = codec.encoder(mel).float()
    commitment, perplexity = torch.zeros(()), torch.zeros(())
    if step > UNQUANTISED_STEPS:
        if step == UNQUANTISED_STEPS + 1:
            codec.rvq.start(latent.detach().flatten(0, 1))
        latent, codes, commitment = codec.rvq(latent, depths(codec, len(mel), rng))
        perplexity = _perplexity(codes[..., 0], codec.config.codebook_size)
    with torch.autocast("cpu", torch.bfloat16):
        decoded, _ = codec.decoder.stream(latent, codec.decoder.initial(len(mel)))
    l1 = F.l1_loss(decoded, mel)
    loss = l1 + 0.5 * F.mse_loss(decoded, mel) + COMMITMENT * commitment
    loss = loss + 0.3 * F.l1_loss(decoded.diff(dim=1), mel.diff(dim=1))
    return {"loss": loss, "l1": l1, "commitment": commitment, "perplexity": perplexity}


def depths(codec: SpeechCodec, rows: int, rng: np.random.Generator) -> Tensor:
    """How many codebooks each piece uses, (B,)."""
    every = codec.config.codebooks
    fewer = rng.integers(1, every, size=rows)
    return torch.from_numpy(np.where(rng.random(rows) < FULL_DEPTH, every, fewer))


def _perplexity(codes: Tensor, size: int) -> Tensor:
    share = torch.bincount(codes.flatten(), minlength=size).float() / codes.numel()
    return torch.exp(-(share * (share + 1e-9).log()).sum())


@torch.no_grad()
def evaluate(codec: SpeechCodec, runs: Path) -> dict[str, float]:
    """L1 in nepers on held-out sentences, for 1, 2, 4 and all codebooks."""
    log_mel, sums = LogMel(), dict.fromkeys((1, 2, 4, codec.config.codebooks), 0.0)
    utterances = load_shard(runs, "heldout")
    for utterance in utterances:
        mel = log_mel(torch.from_numpy(padded(utterance.samples))[None])
        codes = codec.encode(mel)
        for q in sums:
            sums[q] += float(F.l1_loss(codec.decode(codes[..., :q]), mel))
    return {f"l1_q{q}": round(total / len(utterances), 4) for q, total in sums.items()}
