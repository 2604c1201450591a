"""Makes other voices and styles with one vocoder: changes its pitch and its filters row by row.

The vocoder's network gives pitch and filters separately, so each can change before the sound is
made. F0 is scaled and its movement widened. The filters' frequency axis is stretched, as by a
longer or shorter vocal tract (VTLN, Lee and Rose 1996). A slope and a level are added to two
cepstra.

Letters: B rows, T frames, C cepstral coefficients, V stretched voices. Rows are independent, and a
row without a change stays the same bit by bit.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

from shared.voices import Persona
from workers.models.voice.repertoire import Repertoire, Style, Timbre

KNEE: Final = 0.8  # of the band; above it the axis bends, so that its end stays in place
GRID: Final = 2_048  # points at which the stretched spectrum is sampled
F0_HZ: Final = (50.0, 600.0)  # F0 is clamped to this


class Shape(NamedTuple):
    """How B rows differ from the recorded voice."""

    melody: Tensor  # (B, 3) middle of log F0, factor of the distance from it, and its new middle
    level: Tensor  # (B, 2) added to the first two cepstra: loudness, slope
    stretch: Tensor  # (B,) int64, the number of the row's matrix in `matrices`; 0: none
    matrices: Tensor  # (V, C, C) cepstra @ matrix -> cepstra of the stretched axis


class SlotShapes:
    """The shape of each of a fixed number of slots."""

    def __init__(self, slots: int, repertoire: Repertoire, weights: Tensor) -> None:
        """`weights` (C,): the vocoder's weight of each cepstrum."""
        self.repertoire = repertoire
        factors = {timbre.formants for timbre in repertoire.voices.values()} - {1.0}
        self._numbers = {1.0: 0} | {factor: at for at, factor in enumerate(sorted(factors), 1)}
        matrices = stretch_matrices(sorted(factors), weights)
        self._all = neutral(slots, repertoire.pitch_hz, matrices)
        self.fixed = False  # True: `take` returns shapes even if every slot is as recorded
        self._shaped: set[int] = set()  # slots that are not as recorded

    def put(self, rows: Tensor, personas: Sequence[Persona]) -> None:
        """Set the personas of the slots rows (R,). An unknown name means the default."""
        for row, persona in zip(rows.tolist(), personas, strict=True):
            chosen = self.repertoire.offer.settle(persona)
            timbre = self.repertoire.voices[chosen.voice]
            style = self.repertoire.styles[chosen.style]
            melody = melody_of(timbre, style, self.repertoire.pitch_hz)
            self._all.melody[row] = self._all.melody.new_tensor(melody)
            self._all.level[row] = self._all.level.new_tensor(level_of(style))
            self._all.stretch[row] = self._numbers[timbre.formants]
            if timbre == Timbre() and style == Style():
                self._shaped.discard(row)
            else:
                self._shaped.add(row)

    def take(self, rows: Tensor) -> Shape | None:
        """The shape of the slots rows (R,); None if every slot is as recorded."""
        if not (self._shaped or self.fixed):
            return None
        melody, level, stretch, matrices = self._all
        return Shape(melody[rows], level[rows], stretch[rows], matrices)


def neutral(rows: int, pitch_hz: float, matrices: Tensor) -> Shape:
    """The shape of rows that are as recorded."""
    middle = math.log(pitch_hz)
    melody = torch.tensor([middle, 1.0, middle], device=matrices.device).repeat(rows, 1)
    level = torch.zeros(rows, 2, device=matrices.device)
    stretch = torch.zeros(rows, dtype=torch.int64, device=matrices.device)
    return Shape(melody, level, stretch, matrices)


def melody_of(timbre: Timbre, style: Style, pitch_hz: float) -> tuple[float, float, float]:
    """One row of `Shape.melody`."""
    middle = math.log(pitch_hz)
    return middle, style.range, middle + math.log(timbre.pitch)


def level_of(style: Style) -> tuple[float, float]:
    """One row of `Shape.level`, in nepers. The slope from 0 to 12 kHz follows a cosine."""
    neper = math.log(10) / 20
    return style.level_db * neper, -style.tilt_db * neper / 2


def stretch_matrix(factor: float, weights: Tensor) -> Tensor:
    """The matrix (C, C) that moves formants to `factor` times their frequency: cepstra @ matrix.

    weights (C,): the vocoder's weight of each coefficient.
    """
    count = len(weights)
    w = (torch.arange(GRID, dtype=torch.float64) + 0.5) * math.pi / GRID
    knee = KNEE * min(factor, 1.0) * math.pi
    low = w / factor
    high = math.pi - (math.pi - knee / factor) * (math.pi - w) / (math.pi - knee)
    read = torch.where(w <= knee, low, high)  # where the new axis reads the old one
    numbers = torch.arange(count, dtype=torch.float64)
    old = torch.cos(numbers[:, None] * read)  # (C, G)
    new = torch.cos(numbers[:, None] * w) * 2 / GRID
    new[0] /= 2
    by = weights.double().cpu()
    return (by[:, None] * (old @ new.T) / by).to(weights)


def stretch_matrices(factors: Sequence[float], weights: Tensor) -> Tensor:
    """The identity, then one matrix for each factor: (V, C, C)."""
    found = [stretch_matrix(factor, weights) for factor in factors]
    return torch.stack([torch.eye(len(weights), device=weights.device), *found])


def shape_pitch(log_f0: Tensor, shape: Shape) -> Tensor:
    """log F0 (B, T) -> log F0 with each row's middle and range."""
    old, factor, new = shape.melody.unbind(dim=1)
    moved = new[:, None] + (log_f0 - old[:, None]) * factor[:, None]
    held = moved.clamp(math.log(F0_HZ[0]), math.log(F0_HZ[1]))
    as_recorded = (factor == 1) & (old == new)
    return torch.where(as_recorded[:, None], log_f0, held)


def shape_filter(cepstra: Tensor, shape: Shape) -> Tensor:
    """Cepstra (B, T, c), c <= C -> cepstra with each row's vocal tract, slope and level."""
    size = cepstra.shape[2]
    shaped = cepstra
    for number, matrix in enumerate(shape.matrices[1:, :size, :size], 1):
        mine = (shape.stretch == number)[:, None, None]
        shaped = torch.where(mine, cepstra @ matrix, shaped)
    level = torch.nn.functional.pad(shape.level, (0, size - shape.level.shape[1]))
    return shaped + level[:, None]
