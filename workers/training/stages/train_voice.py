"""Trains the codec's decoder and the vocoder jointly, from the frozen codes to the sound.

This was the best use measured for the last minutes of training. The vocoder learns the decoder's
mels, and the decoder spends its capacity on what is audible. The stage then exports both.

Letters: B pieces, T hops, M mel bins, Q codebooks.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.checkpoint import write_part
from workers.models.tokenizer.codec import SpeechCodec
from workers.models.voice.vocoder import LOOKAHEAD, Vocoder
from workers.training.command_settings import WeightsSettings
from workers.training.metrics.voice_quality import measure
from workers.training.speech.clips import Clips
from workers.training.stages import train_codec, train_vocoder
from workers.training.stages.optimisation import cosine_rate, update
from workers.training.stages.training_run import CHECKPOINT, READY, Run

BATCH: Final = 12
CONTEXT_STEPS: Final = 18  # the decoder's past before a piece; a reply's beginning has none
FRESH: Final = 0.3  # share of batches that start where recordings start
STEPS: Final = 9  # 0.72 s a piece
REPLIES: Final = 0.35  # share of pieces from the replies, which the service says
VOCODER_RATE: Final = 1e-3
DECODER_RATE: Final = 3e-4
FROZEN_UNTIL: Final = 0.2  # of the budget: the vocoder's loss does not yet reach the decoder
MEL_WEIGHT: Final = 0.5
DATA: Final = (
    "synthetic speech of random word strings and of the replies, festival cmu_us_slt_arctic_hts "
    "(Carnegie Mellon University, Nagoya and Tokyo Institutes of Technology: EST and BSD-3-clause)"
)


def main(settings: WeightsSettings, seed: int = 5) -> None:
    """Train for the given minutes in all, measure, and export codec and vocoder.

    A finished stage only exports again.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    runs, preset = settings.runs, settings.preset
    if not (runs / "voice" / READY).exists():
        both = CodecAndVocoder(train_codec.load(runs), train_vocoder.load(runs, preset))
        clips = Clips(runs, with_pitch=True)
        run = Run(runs / "voice", settings.minutes_of("voice"))
        fit(run, both, clips, seed)
        run.finish(**measure(both.eval(), runs))
    export(load(runs, preset), settings.output)


def fit(run: Run, both: "CodecAndVocoder", clips: Clips, seed: int) -> None:
    """Resume from the checkpoint if there is one, and train until the budget is spent."""
    both.codec.decoder.requires_grad_(True)
    groups = [
        {"params": list(both.vocoder.parameters()), "peak": VOCODER_RATE},
        {"params": list(both.codec.decoder.parameters()), "peak": DECODER_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, betas=(0.8, 0.99), weight_decay=0.01, fused=True)
    state = run.load()
    if state is not None:
        both.load(state)
        optimiser.load_state_dict(state["optimiser"])
    train(run, both, optimiser, clips, np.random.default_rng(seed + run.step))
    run.save({**both.state(), "optimiser": optimiser.state_dict()})


class CodecAndVocoder(torch.nn.Module):
    """The codec, with its decoder to train, and the vocoder."""

    def __init__(self, codec: SpeechCodec, vocoder: Vocoder) -> None:
        super().__init__()
        self.codec = codec
        self.vocoder = vocoder

    def state(self) -> dict[str, Any]:
        """The weights that a checkpoint keeps."""
        return {"codec": self.codec.state_dict(), "vocoder": self.vocoder.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Restore a checkpoint's weights."""
        self.codec.load_state_dict(state["codec"])
        self.vocoder.load_state_dict(state["vocoder"])


def load(runs: Path, preset: str) -> CodecAndVocoder:
    """Codec and vocoder of the last checkpoint of this stage."""
    both = CodecAndVocoder(train_codec.load(runs), train_vocoder.load(runs, preset))
    state = torch.load(runs / "voice" / CHECKPOINT, map_location="cpu", weights_only=True)
    both.load(state)
    return both.eval()


def encode_all(codec: SpeechCodec, clips: Clips) -> Tensor:
    """The codes of every recording, each encoded from its start, end to end: (steps, Q)."""
    ends = clips.starts[1:]
    pieces = [clips.mel[a:b] for a, b in zip(clips.starts[:-1], ends, strict=True)]
    return torch.cat([codec.encode(piece[None])[0] for piece in pieces])


def train(
    run: Run,
    both: CodecAndVocoder,
    optimiser: torch.optim.Optimizer,
    clips: Clips,
    rng: np.random.Generator,
) -> None:
    """Step until the budget is spent."""
    codes, criterion = encode_all(both.codec, clips), train_vocoder.SoundLoss()
    while run.going():
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(group["peak"], run.fraction, run.step)
        losses = losses_of(both, clips, codes, criterion, rng, run.fraction)
        update(optimiser, losses["loss"], both.parameters(), clip=5.0)
        run.log(**{name: float(value.detach()) for name, value in losses.items()})
        if run.due():
            run.save({**both.state(), "optimiser": optimiser.state_dict()})


def losses_of(
    both: CodecAndVocoder,
    clips: Clips,
    codes: Tensor,
    criterion: train_vocoder.SoundLoss,
    rng: np.random.Generator,
    fraction: float,
) -> dict[str, Tensor]:
    """The losses of one random batch; `fraction` of the budget is used."""
    frames = both.codec.config.frames
    context = 0 if rng.random() < FRESH else CONTEXT_STEPS
    length = context + STEPS + 1  # one more step for the vocoder's lookahead
    first = _first_steps(clips, rng, length, fresh=context == 0)
    latent = both.codec.rvq.decode(torch.stack([codes[s : s + length] for s in first]))
    with torch.autocast("cpu", torch.bfloat16):
        mel, _ = both.codec.decoder.stream(latent, both.codec.decoder.initial(BATCH))
    offsets = [(s + context) * frames for s in first]
    mel = mel[:, context * frames :][:, : STEPS * frames + 1 + LOOKAHEAD]
    sound, f0 = clips.sounds(offsets, STEPS * frames), clips.pitches(offsets, STEPS * frames + 1)
    rendered = mel.detach() if fraction < FROZEN_UNTIL else mel
    losses = criterion(
        both.vocoder, rendered, sound, f0, teacher=fraction < train_vocoder.TEACHER_UNTIL
    )
    decoded = F.l1_loss(mel, clips.mels(offsets, mel.shape[1]))
    losses["decoded"] = decoded
    losses["loss"] = losses["loss"] + MEL_WEIGHT * decoded
    return losses


def _first_steps(clips: Clips, rng: np.random.Generator, steps: int, fresh: bool) -> list[int]:
    """The first step of each piece in a batch; `fresh`: at a recording's start."""
    starts = clips.starts // 8
    last = int(starts[-1]) - steps
    recording = np.where(rng.random(BATCH) < REPLIES, clips.shards[1], 0)
    if fresh:
        recording = rng.integers(recording, len(starts) - 1)
        chosen = np.minimum(starts[recording], last)
    else:
        chosen = rng.integers(np.minimum(starts[recording], last - 1), last)
    return [int(first) for first in chosen]


def export(both: CodecAndVocoder, weights: Path) -> None:
    """Write codec.safetensors and vocoder.safetensors with their parity entries."""
    silence = both.codec.silence().tolist()
    write_part(weights, "codec", both.codec, both.codec.config, {"silence": silence, "data": DATA})
    write_part(weights, "vocoder", both.vocoder, both.vocoder.config, {"data": DATA})
