"""Writes a tiny random checkpoint (width 64, 2 layers) as the published ones are laid out.

`python -m tests.moshi.tiny FOLDER`. The numbers come from the tensors' names, so every machine
writes the same files.
"""

import json
import shutil
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from workers.models.moshi.config import CODES, LmConfig, MimiConfig
from workers.models.moshi.depth import Depth
from workers.models.moshi.linear import INT8_MOST
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.temporal import Temporal

FIXTURES: Final = Path(__file__).parent / "fixtures"
TOKENIZER: Final = FIXTURES / "tokenizer.model"
TEXTS: Final = 100
CARD: Final = 64
WINDOW: Final = 40  # positions of the language model
LM: Final[dict[str, Any]] = {
    "dim": 64,
    "text_card": TEXTS,
    "existing_text_padding_id": 3,
    "n_q": 16,
    "dep_q": 8,
    "card": CARD,
    "num_heads": 4,
    "num_layers": 2,
    "hidden_scale": 4.125,
    "context": WINDOW,
    "max_period": 10000,
    "depformer_dim": 32,
    "depformer_dim_feedforward": 132,
    "depformer_num_heads": 4,
    "depformer_num_layers": 2,
    "delays": [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
}
MIMI: Final[dict[str, Any]] = {
    "sample_rate": 24_000,
    "seanet": {"ratios": [8, 6, 5, 4], "n_filters": 4, "dimension": 32},
    "quantizer": {"dimension": 16, "n_q": 32, "bins": CARD},
    "transformer": {
        "d_model": 32,
        "num_heads": 4,
        "num_layers": 2,
        "context": 20,
        "dim_feedforward": 64,
    },
}
FILES: Final = {
    "moshi_name": "model.safetensors",
    "mimi_name": "mimi.safetensors",
    "mimi_config_name": "mimi.json",
    "tokenizer_name": "tokenizer.model",
}


def tiny_folder(
    folder: Path, *, older: bool = False, int8: bool = False, context: int = WINDOW
) -> Path:
    """Write the checkpoint. `older`: in the older style of names. `int8`: quantised linears."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {**LM, **FILES, "context": context}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mimi.json").write_text(json.dumps(MIMI))
    lm, mimi = lm_tensors(), mimi_tensors()
    if older:
        lm, mimi = _older(lm), _older(mimi)
    save_file(_quantised(lm) if int8 else lm, folder / FILES["moshi_name"])
    save_file(mimi, folder / FILES["mimi_name"])
    shutil.copyfile(TOKENIZER, folder / FILES["tokenizer_name"])
    return folder


def lm_tensors() -> dict[str, Tensor]:
    """Both transformers in the newer style."""
    config = LmConfig.from_json(LM)
    with torch.device("meta"):
        parts: list[nn.Module] = [Temporal(config), Depth(config)]
    names = {name: value for part in parts for name, value in part.state_dict().items()}
    made = {name: _random(name, value, gain=1.5) for name, value in names.items()}
    return {n: v.view(1, 1, -1) if n.endswith(".alpha") else v for n, v in made.items()}


def mimi_tensors() -> dict[str, Tensor]:
    """The codec with all of its 32 codebooks, in the newer style."""
    config = MimiConfig.from_json(MIMI)
    with torch.device("meta"):
        mimi = Mimi(config, filters=4, hidden=64, inner=16, entries=CARD)
    found = {}
    for name, value in mimi.state_dict().items():
        book, published = ".books." in name, name
        if name.startswith("rvq_"):
            published = "quantizer." + name.replace(".books.", ".vq.layers.")
        if book:
            head, _, leaf = published.rpartition(".")
            published = f"{head}._codebook.{leaf}"
        found[published] = _random(published, value, gain=1.0)
    for number in range(31):
        head = f"quantizer.rvq_rest.vq.layers.{number}._codebook."
        like = "quantizer.rvq_rest.vq.layers.0._codebook."
        for leaf in ("embedding_sum", "cluster_usage"):
            found[head + leaf] = _random(head + leaf, found[like + leaf], gain=1.0)
        found[head + "_initialized"] = torch.ones(1)
    found["quantizer.rvq_first.vq.layers.0._codebook._initialized"] = torch.ones(1)
    return found


def _random(name: str, like: Tensor, *, gain: float) -> Tensor:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = torch.from_numpy(rng.standard_normal(tuple(like.shape), dtype=np.float32))
    if name.endswith(("alpha", "norm1.weight", "norm2.weight", "cluster_usage")):
        return 1 + 0.1 * drawn.clamp(-3, 3)
    if name.endswith("bias"):
        return 0.1 * drawn
    if name.endswith(".scale"):
        return 0.3 + 0.05 * drawn
    if name.endswith("embedding_sum"):
        return drawn
    if name.startswith("decoder.model.14."):
        gain *= 0.1  # sound within full scale
    inputs = like.shape[0] if ".convtr." in name and like.shape[1] > 1 else like[0].numel()
    scaled: Tensor = drawn * (gain / float(inputs) ** 0.5)
    return scaled


def _older(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The style of the first published files: all depth steps' projections in one tensor."""
    found: dict[str, Tensor] = {}
    groups: dict[str, list[Tensor]] = {}
    for name, value in tensors.items():
        for new, old in ((".in_projs.", ".in_proj_weight"), (".out_projs.", ".out_proj.weight")):
            if new in name:
                groups.setdefault(name.split(new)[0] + old, []).append(value)
                break
        else:
            name = name.replace("._codebook.embedding_sum", "._codebook.embed_sum")
            found[name.replace("._codebook._initialized", "._codebook.inited")] = value
    return found | {name: torch.cat(parts).contiguous() for name, parts in groups.items()}


def _quantised(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Linear layers in int8 with a scale a row, as the q8 files have them."""
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        found[name] = value
        if value.dim() == 2 and "emb" not in name:
            scale = value.abs().amax(dim=1)
            found[name] = (value / scale[:, None] * INT8_MOST).round().to(torch.int8)
            found[name + "_scb"] = scale
    return found


def caller_codes(calls: int, steps: int) -> Tensor:
    """Random codes of callers, (calls, 8, steps)."""
    rng = np.random.default_rng(3)
    return torch.from_numpy(rng.integers(0, CARD, (calls, CODES, steps)))


def caller_sound(calls: int, frames: int) -> Tensor:
    """Noise that changes its loudness with every frame, (calls, 1920 frames), exact in PCM16."""
    rng = np.random.default_rng(7)
    noise = rng.standard_normal((calls, frames, 1920), dtype=np.float32)
    loudness = rng.random((calls, frames, 1), dtype=np.float32)
    pcm = np.rint(np.clip(0.1 * noise * loudness, -1, 1) * 32_767)
    return torch.from_numpy((pcm / np.float32(32_768)).astype(np.float32).reshape(calls, -1))


if __name__ == "__main__":
    tiny_folder(Path(sys.argv[1]))
