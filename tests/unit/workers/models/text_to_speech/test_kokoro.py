"""Kokoro's loader and word times, with an artificial model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.audio import Floats
from shared.errors import ConfigError
from shared.voices import Persona
from workers.models.text_to_speech import kokoro
from workers.models.text_to_speech.kokoro import Kokoro, load_kokoro
from workers.models.text_to_speech.sentence_speaker import SentenceSpeaker


@dataclass(frozen=True)
class Port:
    name: str
    type: str = "tensor(float)"


@dataclass
class Network:
    """Says each phoneme for 50 ms, with 250 ms of silence around."""

    timed: bool
    given: list[dict[str, Any]] = field(default_factory=list)

    def get_inputs(self) -> list[Port]:
        return [Port("tokens", "tensor(int64)"), Port("style"), Port("speed")]

    def get_outputs(self) -> list[Port]:
        return [Port("audio"), Port("duration")][: 1 + self.timed]

    def run(self, names: None, given: dict[str, Any]) -> list[Any]:
        self.given.append(given)
        count = given["tokens"].shape[1]
        pcm = np.full(1_200 * count, 0.3, np.float32)
        pcm[:1_200] = pcm[-1_200:] = 0.0
        return [pcm, np.ones(count)][: 1 + self.timed]


def voices() -> dict[str, Floats]:
    styles = np.zeros((510, 1, 256), np.float32) + np.arange(510)[:, None, None]
    return {name: styles.astype(np.float32) for name in ("bf_emma", "af_heart", "zf_xiaobei")}


def test_english_voices_are_offered_heart_first() -> None:
    assert Kokoro(Network(True), voices()).offer.voices == ("af_heart", "bf_emma")


@pytest.mark.parametrize("timed", [True, False])
def test_words_lie_where_their_phonemes_do(timed: bool) -> None:
    network = Network(timed)
    sound = SentenceSpeaker(Kokoro(network, voices())).say(
        "So it is.", 0, whole=True, seed=1, persona=Persona()
    )
    given = network.given[0]
    count = given["tokens"].shape[1]
    assert given["tokens"].dtype == np.int64
    assert given["style"].shape == (1, 256)
    assert given["style"][0, 0] == count - 3  # the row of so many phonemes without the silence
    places = [at for at, _ in sound.words]
    assert places == sorted(places)
    assert places[1] - places[0] == pytest.approx(1_200 * 4, abs=300)  # s ˈ O and a space


def test_without_durations_only_whole_sentences_are_said() -> None:
    for timed, said in ((True, 2), (False, 0)):
        sayer = SentenceSpeaker(Kokoro(Network(timed), voices()))
        assert sayer.say("So it is so", 0, whole=False, seed=1, persona=Persona()).said == said


def test_files_that_are_missing_or_wrong_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"Expected one \*\.onnx"):
        load_kokoro(tmp_path)
    (tmp_path / "kokoro.onnx").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"Expected one voices\*\.bin"):
        load_kokoro(tmp_path)
    with (tmp_path / "voices.bin").open("wb") as file:
        np.savez(file, **voices())  # type: ignore[arg-type]
    monkeypatch.setattr(kokoro, "session", lambda model, threads: Network(True))
    assert load_kokoro(tmp_path).offer.voices == ("af_heart", "bf_emma")
    with (tmp_path / "voices.bin").open("wb") as file:
        np.savez(file, zf_xiaobei=np.zeros(1))
    with pytest.raises(ConfigError, match="Expected an English voice"):
        load_kokoro(tmp_path)
