"""The packaged hibari: its sound, its word times, and the seams between pieces."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shared.audio import SAMPLE_RATE_HZ
from shared.errors import ConfigError
from shared.voices import Persona
from workers.models.onnx_model import session, with_output
from workers.models.text_to_speech import hibari, phonemes
from workers.models.text_to_speech.hibari import load_hibari
from workers.models.text_to_speech.phonemes import Phonemes, assets
from workers.models.text_to_speech.sentence_speaker import STYLES, SentenceSpeaker

SENTENCE = "The capital of France is Paris, which is famous for its tower."
PLAIN = Persona()


@pytest.fixture(scope="module")
def speak() -> SentenceSpeaker:
    return load_hibari()


def test_it_offers_a_voice_and_three_styles(speak: SentenceSpeaker) -> None:
    assert speak.offer.voices[0] == "heart"
    assert speak.offer.styles == ("neutral", "calm", "lively")


def test_words_begin_in_order_and_where_something_sounds(speak: SentenceSpeaker) -> None:
    sound = speak.say(SENTENCE, 0, whole=True, seed=4, persona=PLAIN)
    assert [word for _, word in sound.words] == SENTENCE.split()
    places = [at for at, _ in sound.words]
    assert places == sorted(set(places))
    assert places[0] < 0.1 * SAMPLE_RATE_HZ
    assert 2.5 < len(sound.pcm) / SAMPLE_RATE_HZ < 5.5
    assert 0.2 < np.abs(sound.pcm).max() <= 1.0
    comma = places[6] - places[5]  # "Paris," and its pause
    assert comma > 0.4 * SAMPLE_RATE_HZ
    after = [np.sqrt(np.mean(sound.pcm[at : at + 3_600] ** 2)) for at in places]
    assert min(after) > 0.005


def test_equal_arguments_give_equal_samples(speak: SentenceSpeaker) -> None:
    one = speak.say(SENTENCE, 3, whole=True, seed=4, persona=PLAIN)
    other = load_hibari().say(SENTENCE, 3, whole=True, seed=4, persona=PLAIN)
    assert np.array_equal(one.pcm, other.pcm)
    assert one.words == other.words
    assert not np.array_equal(
        one.pcm, speak.say(SENTENCE, 3, whole=True, seed=5, persona=PLAIN).pcm
    )


def test_pieces_make_the_sentence(speak: SentenceSpeaker) -> None:
    words, pieces, since = SENTENCE.split(), [], 0
    for known in (5, 8, len(words)):
        sentence = " ".join(words[:known])
        sound = speak.say(sentence, since, whole=known == len(words), seed=4, persona=PLAIN)
        assert [word for _, word in sound.words] == words[since : sound.said]
        pieces.append(sound.pcm)
        since = sound.said
    whole = speak.say(SENTENCE, 0, whole=True, seed=4, persona=PLAIN)
    assert sum(map(len, pieces)) == pytest.approx(len(whole.pcm), rel=0.12)
    for one, other in pairwise(pieces):
        assert np.abs(one[-1]) < 0.01
        assert np.abs(other[0]) < 0.01


def test_a_pieces_pitch_begins_where_the_one_before_left_it(speak: SentenceSpeaker) -> None:
    voice = speak._renderer
    words, neutral = SENTENCE.split(), Persona("heart", "neutral")
    before = speak._begun(words[:5], neutral, 4, None)
    seam = speak._seam(words, 3, neutral, 5)
    assert np.array_equal(seam.before.pitch, before.pitch)  # type: ignore[arg-type]
    assert isinstance(voice, hibari.Hibari)
    plain = voice.render(words, "heart", STYLES["neutral"], 4)
    bent = voice.render(words, "heart", STYLES["neutral"], 4, seam)
    cut = plain.bounds[3]
    assert not np.array_equal(bent.pcm[:cut], plain.pcm[:cut])


def test_only_the_sound_of_a_rendering_depends_on_seed_and_seam(speak: SentenceSpeaker) -> None:
    voice, words = speak._renderer, SENTENCE.split()
    seam = speak._seam(words, 3, Persona("heart", "neutral"), 4)
    plain = voice.render(words, "heart", STYLES["neutral"], 4)
    bent = voice.render(words, "heart", STYLES["neutral"], 5, seam)
    assert (bent.begins, bent.bounds) == (plain.begins, plain.bounds)
    assert np.array_equal(bent.pitch, plain.pitch)  # type: ignore[arg-type]


def test_styles_differ_in_pace(speak: SentenceSpeaker) -> None:
    lengths = {
        style: len(speak.say(SENTENCE, 0, whole=True, seed=4, persona=Persona("", style)).pcm)
        for style in speak.offer.styles
    }
    assert lengths["lively"] < 0.99 * lengths["neutral"]
    assert lengths["calm"] > 1.05 * lengths["neutral"]


def test_a_very_long_sentence_is_said_in_parts(speak: SentenceSpeaker) -> None:
    long = " ".join(["and then the old man went down to the river, where he saw it"] * 8) + "."
    sound = speak.say(long, 0, whole=True, seed=4, persona=PLAIN)
    assert len(sound.words) == len(long.split())
    assert len(sound.pcm) > 20 * SAMPLE_RATE_HZ


def test_words_of_several_spoken_words_and_of_none_keep_their_phonemes() -> None:
    found = Phonemes().of_words(["five", "million dollars.", "", "B.B.C..", "Brillig?"])
    assert [bool(text) for text in found] == [True, True, False, True, True]
    assert found[1].count(" ") == 1
    assert found[3].endswith("i.")
    assert not found[3].endswith("..")


def test_the_durations_are_added_to_the_graph() -> None:
    model = (assets("a test") / "hibari.onnx").read_bytes()
    found = session(with_output(model, hibari.DURATIONS), 1)
    assert [output.name for output in found.get_outputs()][-1] == hibari.DURATIONS
    assert len(found.get_outputs()) == 7


def test_another_or_no_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hibari, "PINNED", "0" * 64)
    with pytest.raises(ConfigError, match="Expected sha256 0000"):
        load_hibari()
    monkeypatch.setattr(hibari, "assets", lambda purpose: tmp_path)
    with pytest.raises(ConfigError, match="but it is missing"):
        load_hibari()
    monkeypatch.setattr(phonemes, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install hibari-tts"):
        assets("SPEAK=hibari")
