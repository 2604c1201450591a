"""Shapes move pitch and formants as set, and leave rows as recorded untouched."""

import math

import pytest
import torch
from torch import Tensor

from shared.voices import Persona
from tests.tolerances import FLOAT32_SUMS
from workers.models.voice.repertoire import Repertoire, Style, Timbre
from workers.models.voice.shaping import F0_HZ, Shape, SlotShapes, shape_filter, shape_pitch

PITCH_HZ = 200.0
CEPSTRA = 96
REPERTOIRE = Repertoire(
    {"own": Timbre(), "low": Timbre(0.5, 0.8), "high": Timbre(formants=1.25)},
    {"own": Style(), "wide": Style(range=2.0), "soft": Style(level_db=-6.0, tilt_db=-10.0)},
    PITCH_HZ,
)


def shape(*personas: Persona) -> Shape:
    shapes = SlotShapes(len(personas) + 1, REPERTOIRE, torch.ones(CEPSTRA))
    rows = torch.arange(len(personas)) + 1
    shapes.put(rows, personas)
    found = shapes.take(rows)
    assert found is not None
    return found


def decibels(cepstra: Tensor) -> Tensor:
    """(..., C) -> the filter's gain at 0 Hz to 12 kHz, (..., 513)."""
    gain: Tensor = torch.fft.rfft(cepstra, n=1024).real * 20 / math.log(10)
    return gain


def peak_at(bin_: int) -> Tensor:
    """Cepstra (1, 1, C) of a smooth bump at a bin of 513."""
    bins = torch.arange(513)
    bump = 3 * torch.exp(-(((bins - bin_) / 12.0) ** 2))
    cepstra: Tensor = torch.fft.irfft(bump, n=1024)[:CEPSTRA]
    cepstra[1:] *= 2
    return cepstra[None, None]


def test_pitch_is_scaled_about_the_voices_own_middle() -> None:
    f0 = torch.log(torch.tensor([[100.0, 200.0, 250.0]]))
    low, wide = shape(Persona("low")), shape(Persona("own", "wide"))
    assert shape_pitch(f0, low).exp()[0].tolist() == pytest.approx([50, 100, 125], rel=1e-4)
    assert shape_pitch(f0, wide).exp()[0].tolist() == pytest.approx([50, 200, 312.5], rel=1e-4)
    far = torch.log(torch.tensor([[20.0, 480.0]]))
    assert shape_pitch(far, wide).exp()[0].tolist() == pytest.approx(F0_HZ, rel=1e-4)


@pytest.mark.parametrize(("voice", "factor"), [("low", 0.8), ("high", 1.25)])
@pytest.mark.parametrize("bin_", [60, 150, 250])
def test_formants_move_by_their_factor(voice: str, factor: float, bin_: int) -> None:
    moved = decibels(shape_filter(peak_at(bin_), shape(Persona(voice))))[0, 0]
    assert int(moved.argmax()) == pytest.approx(bin_ * factor, abs=2)
    assert float(moved.max()) == pytest.approx(float(decibels(peak_at(bin_)).max()), abs=1.0)


def test_a_soft_style_is_quieter_and_duller() -> None:
    change = decibels(shape_filter(torch.zeros(1, 1, CEPSTRA), shape(Persona("own", "soft"))))
    assert float(change.mean()) == pytest.approx(-6, abs=0.1)
    assert float(change[0, 0, -1] - change[0, 0, 0]) == pytest.approx(-10, abs=0.1)


def test_rows_as_recorded_are_untouched_by_their_neighbours() -> None:
    torch.manual_seed(3)
    cepstra, f0 = torch.randn(2, 4, CEPSTRA), torch.randn(2, 4) / 10 + 5
    both = shape(Persona("low", "wide"), Persona("own", "own"))
    alone = shape(Persona("low", "wide"))
    for size in (CEPSTRA, 64):  # the noise's filter has fewer
        shaped = shape_filter(cepstra[..., :size], both)
        assert torch.equal(shaped[1], cepstra[1, :, :size])
        assert torch.allclose(
            shaped[:1], shape_filter(cepstra[:1, :, :size], alone), atol=FLOAT32_SUMS, rtol=0
        )
    assert torch.equal(shape_pitch(f0, both)[1], f0[1])
    assert torch.equal(shape_pitch(f0, both)[:1], shape_pitch(f0[:1], alone))


def test_nothing_is_shaped_while_all_slots_are_as_recorded() -> None:
    shapes = SlotShapes(3, REPERTOIRE, torch.ones(CEPSTRA))
    rows = torch.tensor([0, 2])
    assert shapes.take(rows) is None
    shapes.put(rows, [Persona("low"), Persona("no such voice")])
    assert shapes.take(rows) is not None
    shapes.put(rows, [Persona(), Persona("own")])
    assert shapes.take(rows) is None
