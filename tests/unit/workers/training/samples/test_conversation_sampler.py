"""Samples of one and two turns with their replies."""

import random
from difflib import SequenceMatcher

import numpy as np
import pytest

from workers.models.speech_to_speech.hybrid_s2s import S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS, GO, Vocabulary
from workers.training.questions import follow_ups
from workers.training.questions.caller_texts import (
    FOLLOW_UP,
    SHUFFLED,
    CallerText,
    CallerTextSampler,
    caller_text_source,
)
from workers.training.questions.catalogue import vocabulary_words
from workers.training.questions.listener_texts import PHONES, phones
from workers.training.questions.question_families import Language
from workers.training.samples import text_turns
from workers.training.samples.conversation_sampler import (
    LONGEST,
    READ_OUT,
    TWO_TURNS,
    ConversationSampler,
)
from workers.training.samples.sequences import GO_AFTER, GO_LATE
from workers.training.samples.text_turns import PhoneStates, TextTurns
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.model_setup import reply_texts
from workers.training.stages.train_s2s import silent_reply

CONFIG = S2SConfig(heard_width=4, texts=900, codebooks=2, codes=9)
VOCABULARY = Vocabulary(vocabulary_words())
FAMILIES = ("day after", "sum", "hello")
PHONE_STATES = PhoneStates({p: np.full((3, 4), p, np.float16) for p in range(len(PHONES) + 1)})


def conversations(seed: int) -> ConversationSampler:
    rng = random.Random(seed)
    turns = TextTurns(PHONE_STATES, caller_text_source(rng, FAMILIES))
    replies = {text: silent_reply(text, VOCABULARY, 2) for text in reply_texts(FAMILIES)}
    return ConversationSampler(
        turns,
        replies,
        CONFIG,
        spread=np.zeros(4, np.float32),
        seed=seed,
        vocabulary=CallerVocabulary(FAMILIES),
    )


def test_every_sample_ends_a_reply_and_fits_the_window() -> None:
    sampler = conversations(0)
    samples = [sampler.sample() for _ in range(300)]
    assert all(0 < len(sample.text) <= LONGEST for sample in samples)
    ends = [int((sample.next_text == EOS).sum()) for sample in samples]
    assert set(ends) == {1, 2}
    taught = [sample for sample in samples if sample.text_weight.any()]
    assert all((sample.next_text[sample.text_weight > 0.9] == EOS).any() for sample in taught)


def test_some_replies_are_unrelated_and_have_their_text_given() -> None:
    """Training learns only the sound of these replies."""
    sampler = conversations(8)
    samples = [sampler.sample() for _ in range(600)]
    read_out = [sample for sample in samples if not sample.text_weight.any()]
    loose = SHUFFLED / (1 - FOLLOW_UP)
    expected = loose + (1 - loose) * (1 - TWO_TURNS) * READ_OUT
    assert len(read_out) / len(samples) == pytest.approx(expected, rel=0.3)
    assert all(sample.speaks.any() for sample in read_out)


def test_batches_have_the_requested_rows() -> None:
    batch = next(conversations(1).batches(4))
    assert batch.next_text.shape[0] == 4
    assert batch.inputs.heard.shape == (*batch.next_text.shape, 4)


def test_a_text_turn_follows_its_phones_with_few_errors() -> None:
    rng = random.Random(2)
    next_text = CallerTextSampler(rng, ("capital",))
    likeness = []
    for _ in range(40):
        one = next_text()
        turn = PHONE_STATES.turn(one, rng)
        found = turn.states[:, 0].astype(int).tolist()
        assert not any(found[turn.end :])
        spoken = [p for p in found if p]
        likeness.append(SequenceMatcher(None, spoken, phones(one.text)).ratio())
    assert 0.7 < np.mean(likeness) < 1.0


def test_a_pause_lies_inside_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_turns, "PAUSED", 1.0)
    monkeypatch.setattr(text_turns, "SLIP", 0.0)
    rng = random.Random(7)
    next_text = CallerTextSampler(rng, ("capital",))
    for _ in range(40):
        turn = PHONE_STATES.turn(next_text(), rng)
        said = np.flatnonzero(turn.states[:, 0])
        if len(said):
            assert np.diff(said).max() > text_turns.PAUSE_STEPS[0]
            assert turn.end - 2 <= said[-1] < turn.end


def test_unfinished_speech_gets_a_later_reply_in_stream_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_turns, "SLIP", 0.0)
    rng = random.Random(9)
    question = CallerTextSampler(rng, FAMILIES).question()
    replies = {text: silent_reply(text, VOCABULARY, 2) for text in reply_texts(FAMILIES)}
    for unfinished, later in ((False, GO_AFTER), (True, GO_LATE)):
        next_text = CallerText("what is the", question, unfinished=unfinished)
        turns = TextTurns(PHONE_STATES, lambda next_text=next_text: next_text)  # type: ignore[misc]
        sampler = ConversationSampler(
            turns,
            replies,
            CONFIG,
            spread=np.zeros(4, np.float32),
            seed=3,
            vocabulary=CallerVocabulary(FAMILIES),
            read_out=0.0,
        )
        samples = [sampler.sample() for _ in range(60)]
        waited = []
        for sample in samples:
            if (sample.next_text == GO).sum() != 1:
                continue  # turn mode, or two turns
            go = np.flatnonzero(sample.next_text == GO)[0]
            waited.append(go - np.flatnonzero(sample.states[: go + 1, 0])[-1] - 1)
        assert len(waited) > 5
        assert all(later <= steps <= later + 2 for steps in waited)


def test_text_turns_include_follow_ups() -> None:
    rng = random.Random(3)
    turns = TextTurns(PHONE_STATES, CallerTextSampler(rng))
    first = turns.first(rng)
    assert all(not turns.first(rng).said.is_follow_up for _ in range(50))
    question = follow_ups.trained_follow_up(first.said.question, rng)
    assert turns.second(question, rng).said == CallerText(
        question.text, question, is_follow_up=True
    )


def test_spanish_texts_become_english_phones_in_either_accent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_turns, "spanish_phones", lambda text, accent: [7] * len(accent))
    next_text = CallerTextSampler(random.Random(4), ("es thanks",), Language.SPANISH)
    rng = random.Random(5)
    counts = set()
    for _ in range(40):
        found = (
            PHONE_STATES.turn(CallerText("gracias", next_text.question()), rng)
            .states[:, 0]
            .astype(int)
        )
        counts.add(int((found == 7).sum()))
    assert min(counts) <= len("roa/es") < max(counts) <= len("roa/es-419")


def test_both_languages_occur_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_turns, "spanish_phones", lambda text, accent: [7] * 9)
    rng = random.Random(6)
    families = ("hello", "es hello", "es sum")
    sampler = ConversationSampler(
        TextTurns(PHONE_STATES, caller_text_source(rng, families)),
        {text: silent_reply(text, VOCABULARY, 2) for text in reply_texts(families)},
        CONFIG,
        spread=np.zeros(4, np.float32),
        seed=6,
        vocabulary=CallerVocabulary(families),
    )
    said = " ".join(
        VOCABULARY.text([int(t) for t in sample.next_text if t > EOS])
        for sample in (sampler.sample() for _ in range(300))
    )
    assert "hello it is nice to hear you" in said
    assert "hola me alegro de oírle" in said
    assert {"más", "son"} <= set(said.split())
