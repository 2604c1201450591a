"""Spanish by the real engines: all words have sounds, callers speak, replies are understood."""

import pytest

from workers.evaluation.judge import says
from workers.training.questions import spanish
from workers.training.questions.catalogue import Split, all_reply_texts, questions, words
from workers.training.questions.question_families import Language
from workers.training.speech import callers
from workers.training.speech.assistant import synthesise
from workers.training.speech.spanish_pronunciation import ACCENTS, pronounced
from workers.training.speech.tts import SpeechJob, speak

pytestmark = pytest.mark.e2e


def test_every_spanish_word_is_pronounced_in_both_accents() -> None:
    texts = {question.text for split in Split for question in questions(split, Language.SPANISH)}
    texts.update(all_reply_texts(Language.SPANISH), spanish.AGAIN, spanish.OTHER_SPEECH)
    texts.update(spanish.LEADS, spanish.HESITATIONS)
    said = {word for text in texts for word in words(text)}
    assert len(said) > 250
    for accent in ACCENTS:
        assert all(pronounced(word, accent) for word in said)


def test_voices_of_every_engine_speak_spanish() -> None:
    voices = (*callers.TRAINED_SPANISH[:1], *callers.UNSEEN_SPANISH[-1:])
    text = "¿qué día viene después del miércoles?"
    spoken = speak([SpeechJob(voice, text) for voice in voices + callers.UNSEEN_FESTIVAL_SPANISH])
    assert all(1.2 < len(samples) / 24_000 < 4 for samples in spoken)


@pytest.mark.parametrize("reply", ["siete más nueve son dieciséis.", spanish.UNKNOWN_REPLY])
def test_the_assistants_spanish_is_told_from_all_its_other_replies(reply: str) -> None:
    (said,) = synthesise([reply])
    assert [word for word, _, _ in said.words] == words(reply)
    assert says(said.samples, reply)
