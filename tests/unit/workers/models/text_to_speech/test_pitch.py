"""Widened pitch, and pitch that goes on from an earlier rendering."""

import numpy as np
import pytest

from workers.models.text_to_speech.pitch import FRAME, level_difference, raised_before, widened


def test_movement_is_about_the_middle_and_leaves_what_has_no_pitch() -> None:
    pitch = np.array([0.0, 100.0, 200.0, 400.0], np.float32)
    assert widened(pitch, 200.0, 1.0) is pitch
    assert widened(pitch, 200.0, 0.5) == pytest.approx([0.0, 141.4, 200.0, 282.8], abs=0.1)


def test_a_step_is_told_from_voiced_frames_before_the_cuts() -> None:
    before = np.array([200.0] * 10 + [0.0] * 4 + [500.0] * 9, np.float32)
    after = np.array([180.0] * 12 + [90.0] * 9, np.float32)
    assert level_difference(before, 14 * FRAME, after, 12 * FRAME) == pytest.approx(
        np.log(200 / 180), abs=1e-5
    )
    assert level_difference(before * 9, 14 * FRAME, after, 12 * FRAME) == pytest.approx(
        np.log(2) / 3
    )
    assert level_difference(np.zeros(20, np.float32), 14 * FRAME, after, 12 * FRAME) == 0.0


def test_a_bend_meets_the_earlier_pitch_and_returns() -> None:
    pitch = np.full(80, 200.0, np.float32)
    found = raised_before(pitch, 20 * FRAME, float(np.log(1.1)))
    assert found[:21] == pytest.approx(np.full(21, 220.0), abs=0.01)
    assert found[52:] == pytest.approx(np.full(28, 200.0))
    assert np.all(np.diff(found[20:53]) < 0)
