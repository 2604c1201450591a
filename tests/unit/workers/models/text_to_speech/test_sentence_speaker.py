"""Sentences in pieces, with a voice that makes a distinct tone of each word."""

from collections.abc import Sequence

import numpy as np
import pytest

from shared.audio import SAMPLE_RATE_HZ
from shared.voices import Offer, Persona
from workers.models.text_to_speech.sentence_speaker import (
    STYLES,
    Rendering,
    Seam,
    SentenceSpeaker,
    SpeakingStyle,
)

MS = SAMPLE_RATE_HZ // 1000
WORD, GAP, EDGE = 200 * MS, 10 * MS, 300 * MS
PLAIN = Persona()


class Tones:
    """Words of 200 ms with 10 ms between them, 300 ms of silence around."""

    offer = Offer(("tones",), tuple(STYLES))

    def __init__(self, exact: bool = True) -> None:
        self.exact = exact
        self.rendered: list[tuple[str, int | None]] = []

    def render(
        self,
        forms: Sequence[str],
        voice: str,
        style: SpeakingStyle,
        seed: int,
        seam: Seam | None = None,
    ) -> Rendering:
        assert voice == "tones"
        self.rendered.append((" ".join(forms), seam.word if seam else None))
        sounds, begins, at = [np.zeros(EDGE)], [], EDGE
        for number, form in enumerate(forms):
            begins.append(at)
            if form:
                hz = 200 + 50 * number
                tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(WORD) / SAMPLE_RATE_HZ)
                sounds += [tone, np.zeros(GAP)]
                at += WORD + GAP
        pcm = np.concatenate([*sounds, np.zeros(EDGE)]).astype(np.float32)
        bounds = [0, *(begin - GAP // 2 for begin in begins[1:]), len(pcm)]
        return Rendering(pcm, tuple(begins), tuple(bounds))


def test_a_whole_sentence_is_trimmed_to_a_pause_that_fits_its_end() -> None:
    for sentence, pause_ms in (("One two.", 300), ("One two?", 320), ("One two", 150)):
        sound = SentenceSpeaker(Tones()).say(sentence, 0, whole=True, seed=1, persona=PLAIN)
        assert sound.said == 2
        assert len(sound.pcm) == pytest.approx(
            20 * MS + 2 * WORD + GAP + pause_ms * MS, abs=20 * MS
        )
        assert [word for _, word in sound.words] == sentence.split()
        assert [at for at, _ in sound.words] == pytest.approx(
            [20 * MS, 20 * MS + WORD + GAP], abs=240
        )


def test_two_words_are_kept_back_until_the_sentence_is_whole() -> None:
    sayer = SentenceSpeaker(Tones())
    first = sayer.say("One two three four five", 0, whole=False, seed=1, persona=PLAIN)
    assert [word for _, word in first.words] == ["One", "two", "three"]
    assert first.said == 3
    assert not len(sayer.say("One two", 0, whole=False, seed=1, persona=PLAIN).pcm)
    last = sayer.say("One two three four five six.", 3, whole=True, seed=1, persona=PLAIN)
    assert [word for _, word in last.words] == ["four", "five", "six."]
    assert last.said == 6
    whole = sayer.say("One two three four five six.", 0, whole=True, seed=1, persona=PLAIN)
    joined = np.concatenate([first.pcm, last.pcm])
    assert len(joined) == pytest.approx(len(whole.pcm), abs=GAP)
    assert np.abs(np.diff(joined)).max() <= np.abs(np.diff(whole.pcm)).max() + 0.01  # no click


def test_a_piece_goes_on_from_what_the_one_before_was_cut_from() -> None:
    tones = Tones()
    sayer = SentenceSpeaker(tones)
    sayer.say("One two three four five", 0, whole=False, seed=1, persona=PLAIN)
    sayer.say("One two three four five six.", 3, whole=True, seed=2, persona=PLAIN)
    assert tones.rendered == [
        ("One two three four five", None),
        ("One two three four five six.", 3),
    ]
    another = Tones()  # a worker that takes over
    again = SentenceSpeaker(another).say(
        "One two three four five six.", 3, whole=True, seed=2, persona=PLAIN
    )
    assert another.rendered == tones.rendered
    assert again.said == 6


def test_the_look_ahead_has_no_end_mark() -> None:
    tones = Tones()
    SentenceSpeaker(tones).say("One two three.", 0, whole=False, seed=1, persona=PLAIN)
    assert tones.rendered == [("One two three", None)]


def test_words_without_sound_are_said_in_silence() -> None:
    sound = SentenceSpeaker(Tones()).say("— 😀", 0, whole=True, seed=1, persona=PLAIN)
    assert (len(sound.pcm), sound.words, sound.said) == (0, ((0, "—"), (0, "😀")), 2)
    sound = SentenceSpeaker(Tones()).say("— One.", 0, whole=True, seed=1, persona=PLAIN)
    assert [word for _, word in sound.words] == ["—", "One."]
    assert sound.words[1][0] <= 30 * MS
    assert not SentenceSpeaker(Tones()).say("", 0, whole=True, seed=1, persona=PLAIN).words


def test_a_voice_that_cannot_tell_its_words_says_whole_sentences() -> None:
    sayer = SentenceSpeaker(Tones(exact=False))
    assert sayer.say("One two three four", 0, whole=False, seed=1, persona=PLAIN).said == 0
    assert sayer.say("One two three four.", 0, whole=True, seed=1, persona=PLAIN).said == 4
