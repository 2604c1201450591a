"""Sounds without speech, and the count of replies to them."""

import numpy as np
import pytest

from shared.modes import VadName
from tests.sounds import voice
from workers.engines.base import Traits
from workers.engines.echo import EchoEngine
from workers.evaluation.calls import run_calls
from workers.evaluation.non_speech import NonSpeechCall, sound_of


class Gated(EchoEngine):
    """An echo that acts like a model."""

    traits = Traits()


@pytest.mark.parametrize("kind", ["hush", "taps", "hum", "beeps", "birds"])
def test_a_sound_depends_on_its_seed_and_has_the_stated_levels(kind: str) -> None:
    sound = sound_of(kind, 1.0, 3)
    assert (sound == sound_of(kind, 1.0, 3)).all()
    rms = np.sqrt(np.mean((sound.reshape(4, -1) / 32_768.0) ** 2, axis=1))
    if kind == "hush":
        assert rms == pytest.approx(1e-4, rel=0.05)
    else:
        assert (np.diff(rms) > 0).all()  # each quarter of a minute is louder
        assert 1e-4 < rms[0] < 0.01 < rms[3] < 0.2


def test_quiet_begins_no_turn_and_a_voice_does() -> None:
    silent = NonSpeechCall(sound_of("hush", 0.1, 1), VadName.ENERGY)
    spoken = NonSpeechCall(np.concatenate(voice(20)), VadName.ENERGY)
    quiet_behind = np.zeros(24_000, np.int16)
    answered = NonSpeechCall(np.concatenate([*voice(20), quiet_behind]), VadName.ENERGY)
    run_calls(Gated(3), [silent, spoken, answered])
    assert (silent.turns, silent.replies) == (0, 0)
    assert (spoken.turns, spoken.replies) == (1, 0)  # it ended before the turn did
    assert (answered.turns, answered.replies) == (1, 1)
