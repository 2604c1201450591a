"""A Moshi engine on the tiny checkpoint, for tests."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from shared.audio import CHUNK_SAMPLES, Pcm16
from shared.modes import MoshiPrecision
from tests.moshi.tiny import tiny_folder
from workers.engines.moshi.engine import MoshiEngine
from workers.engines.moshi.load import assemble, codec_dtype, layout_for
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.config import Sampling
from workers.models.moshi.text import TextTokens


@cache
def shared_folder() -> Path:
    """The tiny checkpoint of this process."""
    return tiny_folder(Path(mkdtemp(prefix="moshi-")))


def made_engine(
    slots: int = 1,
    *,
    folder: Path | None = None,
    sampling: Sampling | None = None,
    device: str = "cpu",
    prompted: bool = False,
) -> MoshiEngine:
    """The engine, in float32."""
    opened = open_folder(folder or shared_folder())
    temporal, depth = load_lm(opened, device=device)
    layout = layout_for(
        opened.config,
        opened.mimi_config,
        gpu=device != "cpu",
        dtype="float32",
        precision=MoshiPrecision.FULL,
        prompted=prompted,
    )
    return assemble(
        temporal,
        depth,
        load_mimi(opened, device=device, dtype=codec_dtype(device)),
        TextTokens(opened.text),
        layout=layout,
        slots=slots,
        voices=opened.lm.parent / "voices",
        sampling=sampling or Sampling(),
    )


def babble(chunks: int, seed: int = 0) -> list[Pcm16]:
    """Different noise in every chunk, in which the codec hears different codes."""
    rng = np.random.default_rng(seed)
    loud = rng.integers(100, 6_000, chunks)
    return [rng.integers(-most, most, CHUNK_SAMPLES, dtype=np.int16) for most in loud]
