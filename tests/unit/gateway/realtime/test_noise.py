"""Noise suppression: as many samples, less noise, and the voice as loud as before."""

import numpy as np
import pytest

from gateway.realtime.noise import DELAY_SAMPLES, NoiseSuppressor
from shared.audio import Pcm16
from shared.log.records import Audio
from tests.sounds import joined, noise, voice
from tests.unit.gateway.realtime.stage import Stage

NEAR = {"audio": {"input": {"noise_reduction": {"type": "near_field"}, "turn_detection": None}}}


def level(pcm: Pcm16) -> float:
    return float(np.sqrt(np.mean(pcm.astype(float) ** 2)))


def suppressed(pcm: bytes, piece: int) -> Pcm16:
    suppressor = NoiseSuppressor()
    parts = [suppressor.process(pcm[at : at + piece]) for at in range(0, len(pcm), piece)]
    assert [len(part) for part in parts[:-1]] == [piece] * (len(parts) - 1)
    return np.frombuffer(b"".join(parts), "<i2")


def test_noise_goes_and_the_voice_stays() -> None:
    hiss = np.concatenate(noise(75, level=500))
    spoken = np.concatenate(voice(25))
    both = hiss.copy()
    both[-len(spoken) :] += spoken
    heard = suppressed(both.tobytes(), 960)
    assert len(heard) == len(both)
    before_voice = slice(24_000, len(both) - len(spoken) - 2_400)
    assert level(heard[before_voice]) < 0.5 * level(hiss[before_voice])
    assert level(heard[-len(spoken) :]) == pytest.approx(level(spoken), rel=0.3)


@pytest.mark.parametrize("piece", [2, 480, 962, 3_840, 50_000])
def test_the_pieces_do_not_matter(piece: int) -> None:
    sound = joined(noise(5))
    assert np.array_equal(suppressed(sound, piece), suppressed(sound, len(sound)))


def test_the_beginning_is_the_delay() -> None:
    assert not suppressed(joined(noise(1)), 960)[:DELAY_SAMPLES].any()


def test_a_session_asks_for_it_and_may_end_it() -> None:
    stage, hiss = Stage(), noise(50, level=500)
    stage.send("session.update", session=NEAR)
    stage.say(*hiss)
    stage.send("session.update", session={"audio": {"input": {"noise_reduction": None}}})
    stage.say(*hiss[:5])
    records = [record for _, record in stage.worker.inputs]
    heard = [record.pcm for record in records if isinstance(record, Audio)]
    late = np.frombuffer(b"".join(heard[20:50]), "<i2")
    assert level(late) < 0.5 * level(np.concatenate(hiss))
    assert b"".join(heard[50:]) == joined(hiss[:5])


def test_an_unknown_type_is_refused() -> None:
    stage = Stage()
    wrong = {"audio": {"input": {"noise_reduction": {"type": "loud"}}}}
    stage.send("session.update", session=wrong)
    assert "near_field" in stage.error()["message"]
    stage.send("session.update", session=NEAR)
    assert stage.events[-1]["type"] == "session.updated"
