"""Seats follow from free memory, and too little memory says what would fit."""

from dataclasses import replace

import pytest

from shared.errors import ConfigError
from shared.modes import MoshiPrecision
from workers.engines.moshi.load import layout_for
from workers.engines.moshi.memory_plan import GIB, Layout, plan
from workers.models.moshi.config import LmConfig, MimiConfig


def published(precision: MoshiPrecision = MoshiPrecision.FULL) -> Layout:
    """Moshi 7B on a GPU."""
    return layout_for(
        LmConfig(),
        MimiConfig(),
        gpu=True,
        dtype="bfloat16",
        precision=precision,
        prompted=False,
    )


def test_the_published_model_has_the_published_size() -> None:
    layout = published()
    assert (layout.linear + layout.embeddings) / 1e9 == pytest.approx(7.69, abs=0.01)
    assert layout.weights / GIB == pytest.approx(14.7, abs=0.1)
    assert layout.call / GIB == pytest.approx(0.78, abs=0.02)
    assert published(MoshiPrecision.INT8).weights < 0.6 * layout.weights


def test_seats_fill_the_memory() -> None:
    layout = published()
    free = 130 * GIB
    seats = plan(layout, free, 0, {})
    used = layout.weights + layout.workspace + seats * layout.call
    assert used <= free < used + layout.call
    assert seats > 100  # an H200
    assert plan(layout, free, 60, {}) == 60


def test_too_little_memory_says_what_would_fit() -> None:
    layout, small = published(), published(MoshiPrecision.INT8)
    others = {"MOSHI_PRECISION=int8": small}
    with pytest.raises(ConfigError) as caught:
        plan(layout, 22 * GIB, 8, others)
    said = str(caught.value)
    assert f"set WORKER_SLOTS={layout.seats(22 * GIB)} or MOSHI_PRECISION=int8" in said
    with pytest.raises(ConfigError, match=r"got 12\.0 GiB free: set MOSHI_PRECISION=int8 WORKER_S"):
        plan(layout, 12 * GIB, 8, others)
    with pytest.raises(ConfigError, match="take a device with more memory"):
        plan(layout, 4 * GIB, 8, others)
    assert plan(replace(layout, workspace=0), 22 * GIB, 8, {}) == 8
