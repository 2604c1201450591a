"""Makes fixtures/ with the reference package: `python -m tests.moshi.make_fixtures`.

It needs `pip install --no-deps moshi==0.2.13 einops` beside the worker's packages, in an
environment of its own. The tests need only the files that it writes.
"""

import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

os.environ["NO_TORCH_COMPILE"] = "1"  # the package reads it when it is imported

import numpy as np
import sentencepiece
import torch
from moshi.models import LMGen, loaders
from torch import Tensor

from tests.moshi.tiny import (
    FIXTURES,
    LM,
    MIMI,
    TEXTS,
    TOKENIZER,
    caller_codes,
    caller_sound,
    tiny_folder,
)

CALLS, STEPS = 2, 100
FRAMES, KEPT_FRAMES = 40, 10  # of Mimi; the last ones' sound is kept
CHUNK = 1920


def main() -> None:
    """Write the fixtures."""
    torch.set_num_threads(1)
    FIXTURES.mkdir(exist_ok=True)
    if not TOKENIZER.exists():  # the README that it is made of changes
        _tokenizer()
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        newer = tiny_folder(Path(name) / "newer")
        older = tiny_folder(Path(name) / "older", older=True)
        lm, mimi = _lm(newer), _mimi(newer)
        for one, other in ((lm, _lm(older)), (mimi, _mimi(older))):
            assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))
        said, logits, frames = _talk(lm, caller_codes(CALLS, STEPS))
        codes, sound = _code(mimi, caller_sound(CALLS, FRAMES))
    np.savez_compressed(
        FIXTURES / "reference.npz",
        said=said.numpy().astype(np.int16),
        logits=logits.numpy(),
        frames=frames.numpy().astype(np.int16),
        codes=codes.numpy().astype(np.int16),
        sound=sound[:, -KEPT_FRAMES * CHUNK :].numpy(),
    )


def _lm(folder: Path) -> Any:
    config = {**loaders._lm_kwargs, **LM}
    return loaders.get_moshi_lm(folder / "model.safetensors", config, dtype=torch.float32)


def _mimi(folder: Path) -> Any:
    config = json.loads(json.dumps(loaders._mimi_config))
    for part in ("seanet", "quantizer", "transformer"):
        config[part].update(MIMI[part])
    width = MIMI["seanet"]["dimension"]
    config["quantizer"].update(input_dimension=width, output_dimension=width)
    config["transformer"].update(input_dimension=width, output_dimensions=[width])
    return loaders.get_mimi(folder / "mimi.safetensors", config)


def _talk(model: Any, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Greedy tokens (B, 9, T), text logits (B, T, texts), frames of sound codes (B, 8, T - 1)."""
    said: list[list[Tensor]] = []
    logits: list[Tensor] = []
    gen = LMGen(
        model,
        use_sampling=False,
        check=True,
        on_text_logits_hook=lambda x: logits.append(x.float()[:, 0, 0].clone()),
        on_text_hook=lambda x: said.append([x[:, None].clone()]),
        on_audio_hook=lambda x: said[-1].append(x.clone()),
    )
    with gen.streaming(len(codes)):
        outs = [gen.step(codes[:, :, step : step + 1]) for step in range(codes.shape[-1])]
    frames = [out[:, 1:, 0] for out in outs if out is not None]
    raw = torch.stack([torch.cat(parts, dim=1) for parts in said], dim=-1)
    return raw, torch.stack(logits, dim=1), torch.stack(frames, dim=-1)


def _code(mimi: Any, sound: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (B, 8, T) of the sound, and the sound (B, 1920 T) of the codes, frame by frame."""
    pieces = sound.view(len(sound), 1, -1, CHUNK).unbind(2)
    with mimi.streaming(len(sound)):
        codes = torch.cat([mimi.encode(piece) for piece in pieces], dim=-1)
    with mimi.streaming(len(sound)):
        back = torch.cat([mimi.decode(c[..., None]) for c in codes.unbind(-1)], dim=-1)
    return codes, back[:, 0]


def _tokenizer() -> None:
    """A tokenizer of 100 pieces. Pieces 0 to 3 are those of the published one."""
    words = re.findall("[a-z]+", Path("README.md").read_text().lower())
    lines = [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=TEXTS,
        normalization_rule_name="identity",
        pad_id=3,
        minloglevel=2,
        num_threads=1,
    )
    TOKENIZER.write_bytes(model.getvalue())


if __name__ == "__main__":
    main()
