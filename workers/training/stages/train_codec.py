"""Trains the codec on the assistant's voice: mel in, mel out; then freezes encoder and codebooks.

Recipe (measured, one core): L1 + 0.5 L2 + 0.3 L1 of the differences in time, in nepers, and
0.1 commitment; no quantisation for the first steps; 40 % of the pieces use fewer codebooks, so
that the first ones carry the most. The decoder is trained on with the vocoder afterwards.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.mel import LogMel
from workers.models.tokenizer.codec import CODEC_PRESETS, Codec
from workers.training.speech.assistant import load_shard
from workers.training.speech.clips import Clips, padded
from workers.training.stages.training_run import READY, Run, ready

BATCH: Final = 40
FRAMES: Final = 200  # 2 s a piece
UNQUANTISED_STEPS: Final = 150
LEARNING_RATE: Final = 1.2e-3
COMMITMENT: Final = 0.1
FULL_DEPTH: Final = 0.6  # the share of pieces that use every codebook


def main(minutes: float, runs: Path, preset: str, seed: int = 3) -> None:
    """Train (or go on training) for `minutes` in all; needs runs/assistant."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    if (runs / "codec" / READY).exists():
        print(f"{runs}/codec is finished: remove it and {runs}/voice to train another")
        return
    codec = Codec(CODEC_PRESETS[preset])
    optimiser = torch.optim.AdamW(
        codec.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    clips = Clips(runs)
    run = Run(runs / "codec", minutes)
    _resume(run, codec, optimiser)
    train(run, codec, optimiser, clips, np.random.default_rng(seed + run.step))
    _save(run, codec, optimiser)
    held_out = evaluate(codec.eval(), runs)
    run.finish(path=str(runs / "codec" / "checkpoint.pt"), preset=preset, **held_out)


def load(runs: Path) -> Codec:
    """The finished codec, in evaluation mode; its encoder and codebooks never change again."""
    preset = str(ready(runs / "codec")["preset"])
    codec = Codec(CODEC_PRESETS[preset])
    state = torch.load(runs / "codec" / "checkpoint.pt", map_location="cpu", weights_only=True)
    codec.load_state_dict(state["model"])
    return codec.eval().requires_grad_(False)


def _resume(run: Run, codec: Codec, optimiser: torch.optim.Optimizer) -> None:
    state = run.load()
    if state is not None:
        codec.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        codec.rvq.restart()


def _save(run: Run, codec: Codec, optimiser: torch.optim.Optimizer) -> None:
    run.save({"model": codec.state_dict(), "optimiser": optimiser.state_dict()})


def train(
    run: Run,
    codec: Codec,
    optimiser: torch.optim.Optimizer,
    clips: Clips,
    rng: np.random.Generator,
) -> None:
    """Step until the budget is spent; the rate falls to a twentieth along a cosine."""
    codec.train()
    while run.going():
        for group in optimiser.param_groups:
            group["lr"] = rate(LEARNING_RATE, run.fraction, run.step)
        mel = clips.mels(clips.offsets(rng, BATCH, FRAMES), FRAMES)
        losses = step(codec, mel, run.step, rng)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["loss"])
        torch.nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        optimiser.step()
        run.log(**{name: float(value.detach()) for name, value in losses.items()})
        if run.due():
            _save(run, codec, optimiser)


def rate(peak: float, fraction: float, step_number: int) -> float:
    """A learning rate: 50 steps of warm-up, then a cosine over the budget down to a twentieth."""
    warm = min(1.0, step_number / 50)
    return float(peak * warm * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * fraction))))


def step(
    codec: Codec, mel: Tensor, step_number: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """The losses of one batch of mels (B, T, M)."""
    with torch.autocast("cpu", torch.bfloat16):
        latent = codec.encoder(mel).float()
    commitment, perplexity = torch.zeros(()), torch.zeros(())
    if step_number > UNQUANTISED_STEPS:
        if step_number == UNQUANTISED_STEPS + 1:
            codec.rvq.start(latent.detach().flatten(0, 1))
        latent, codes, commitment = codec.rvq(latent, depths(codec, len(mel), rng))
        perplexity = _perplexity(codes[..., 0], codec.config.codebook_size)
    with torch.autocast("cpu", torch.bfloat16):
        heard, _ = codec.decoder.stream(latent, codec.decoder.initial(len(mel)))
    l1 = F.l1_loss(heard, mel)
    loss = l1 + 0.5 * F.mse_loss(heard, mel) + COMMITMENT * commitment
    loss = loss + 0.3 * F.l1_loss(heard.diff(dim=1), mel.diff(dim=1))
    return {"loss": loss, "l1": l1, "commitment": commitment, "perplexity": perplexity}


def depths(codec: Codec, rows: int, rng: np.random.Generator) -> Tensor:
    """How many codebooks each piece uses, (B,)."""
    every = codec.config.codebooks
    fewer = rng.integers(1, every, size=rows)
    return torch.from_numpy(np.where(rng.random(rows) < FULL_DEPTH, every, fewer))


def _perplexity(codes: Tensor, size: int) -> Tensor:
    share = torch.bincount(codes.flatten(), minlength=size).float() / codes.numel()
    return torch.exp(-(share * (share + 1e-9).log()).sum())


@torch.no_grad()
def evaluate(codec: Codec, runs: Path) -> dict[str, float]:
    """L1 in nepers on held-out sentences, for 1, 2, 4 and all codebooks."""
    log_mel, sums = LogMel(), dict.fromkeys((1, 2, 4, codec.config.codebooks), 0.0)
    said = load_shard(runs, "heldout")
    for utterance in said:
        mel = log_mel(torch.from_numpy(padded(utterance.samples))[None])
        codes = codec.encode(mel)
        for q in sums:
            sums[q] += float(F.l1_loss(codec.decode(codes[..., :q]), mel))
    return {f"l1_q{q}": round(total / len(said), 4) for q, total in sums.items()}
