"""A reply's tokens lie where its words begin, in order, one a step."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from workers.models.speech_to_speech.vocabulary import EOS, PAD, Vocabulary
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.training.samples import replies
from workers.training.samples.replies import ReplyCache, make_reply, place_tokens
from workers.training.speech.assistant import Utterance


def test_tokens_lie_where_their_words_begin() -> None:
    tokens = place_tokens([0.0, 0.30, 0.62], [[7], [8], [9]], 10)
    assert tokens.tolist() == [7, PAD, PAD, 8, PAD, PAD, PAD, 9, PAD, PAD, EOS]


def test_words_that_begin_in_one_step_follow_each_other() -> None:
    assert place_tokens([0.0, 0.01, 0.02], [[7], [8], [9]], 4).tolist() == [7, 8, 9, PAD, EOS]


def test_late_words_still_fit() -> None:
    assert place_tokens([0.30, 0.31], [[7], [8, 9]], 4).tolist() == [PAD, 7, 8, 9, EOS]


def test_words_that_cannot_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="fit into 1 steps"):
        place_tokens([0.0, 0.1], [[7], [8]], 1)


def test_a_reply_has_one_token_more_than_steps_of_sound() -> None:
    vocabulary = Vocabulary(["sir", "yes"])
    reply = make_reply("Yes, sir.", [0.0, 0.5], np.zeros((12, 8), np.int64), vocabulary)
    assert len(reply.codes) == 12
    assert len(reply.tokens) == 13
    assert vocabulary.text(reply.tokens.tolist()) == "yes sir"


def test_a_reply_beyond_the_longest_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 128 steps, got 129"):
        make_reply("yes", [0.0], np.zeros((129, 8), np.int64), Vocabulary(["yes"]))


def test_the_cache_records_each_reply_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []

    def synthesise(texts: Sequence[str]) -> list[Utterance]:
        spoken.extend(texts)
        samples = np.zeros(24_000, np.int16)
        return [Utterance(text, samples, [("yes", 0.0, 0.5)]) for text in texts]

    monkeypatch.setattr(replies, "synthesise", synthesise)
    codec = SpeechCodec(CodecConfig())
    vocabulary = Vocabulary(["yes", "no"])
    ReplyCache(tmp_path, codec, "a").require(["yes.", "no.", "yes.", ""])
    assert spoken == ["yes.", "no."]
    again = ReplyCache(tmp_path, codec, "a")
    again.require(["no.", "yes."])
    assert spoken == ["yes.", "no."]
    assert vocabulary.text(again.reply("no.", vocabulary).tokens.tolist()) == "no"
    assert again.reply("yes.", vocabulary).codes.shape == (13, 8)
    assert again.reply("", vocabulary).tokens.tolist() == [EOS]


def test_an_unknown_word_is_spelled() -> None:
    vocabulary = Vocabulary(["yes"])
    assert vocabulary.text([*vocabulary.encode("yes"), *vocabulary.encode("no")]) == "yes no"


def test_a_word_keeps_its_accents_from_the_reply_to_the_transcript() -> None:
    text = "¿Más años? Sí, perdón."
    vocabulary = Vocabulary(["años", "más", "perdón", "sí"])
    reply = make_reply(text, [0.0, 0.3, 0.6, 0.9], np.zeros((16, 8), np.int64), vocabulary)
    said = vocabulary.text(reply.tokens.tolist())
    assert said == "más años sí perdón"
