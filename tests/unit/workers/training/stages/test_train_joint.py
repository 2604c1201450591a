"""Joint training of listener and model: its losses, its checkpoint and its two kinds of data."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from shared.errors import ConfigError
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.tokenizer.listener import Listener, ListenerConfig
from workers.training.questions.caller_texts import CallerText
from workers.training.questions.catalogue import Question, Split, questions
from workers.training.questions.question_families import Language
from workers.training.samples import spoken_turns
from workers.training.samples.spoken_turns import TurnBatch, encode_turns
from workers.training.speech import caller_stream
from workers.training.speech.augment import SILENCE
from workers.training.speech.callers import CallerUtterance
from workers.training.speech.utterances import ListenerBatch, collate
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.train_joint import (
    BROAD_EVERY,
    JointTrainer,
    ListenerAndModel,
    losses,
    word_error_rates,
)
from workers.training.stages.training_run import Run
from workers.training.stages.warm_start import WordLists, checkpoint_of, restore

SMALL = ListenerConfig(channels=(8, 8, 12), width=16, layers=2, heads=2, window=20)
FAMILIES = ("hello", "es hello")
VOCABULARY = CallerVocabulary(FAMILIES)
TEMPORAL = TransformerConfig(width=32, layers=4, heads=2, window=64)
CONFIG = S2SConfig(
    heard_width=16, texts=40, codebooks=2, codes=9, temporal=TEMPORAL, caller_words=len(VOCABULARY)
)
WORD_LISTS = {"words": ["one"], "caller_words": VOCABULARY.words}


def networks() -> ListenerAndModel:
    torch.manual_seed(0)
    return ListenerAndModel(Listener(SMALL), HybridS2S(CONFIG))


def greeting(language: Language, family: str) -> Question:
    return next(q for q in questions(Split.TRAIN, language) if q.family == family)


def spoken(language: Language = Language.ENGLISH, family: str = "hello") -> TurnBatch:
    """One greeting as a random sound in silence."""
    torch.manual_seed(1)
    mels = torch.full((1, 40 * spoken_turns.STEP, 80), SILENCE)
    mels[0, 40:160] = torch.randn(120, 80) - 5
    question = greeting(language, family)
    return TurnBatch([CallerText(question.text, question)], mels.half(), [40], [20])


def broad() -> ListenerBatch:
    torch.manual_seed(2)
    sound = (torch.randn(80, 80) - 5).half().numpy()
    return collate([CallerUtterance("a cat", "x", sound)], [0], [0])


def trainer(
    folder: Path, monkeypatch: pytest.MonkeyPatch, word_lists: WordLists = WORD_LISTS
) -> JointTrainer:
    def forever(one: object) -> Iterator[object]:
        while True:
            yield one

    monkeypatch.setattr(spoken_turns, "load", lambda *_: forever(spoken()))
    monkeypatch.setattr(caller_stream, "load", lambda *_: forever(broad()))
    return JointTrainer(
        Run(folder, minutes=1),
        networks(),
        vocabulary=VOCABULARY,
        word_lists=word_lists,
        families=FAMILIES,
        producers=1,
    )


def test_listener_and_lower_half_learn_the_words_and_the_upper_half_does_not() -> None:
    pair = networks()
    optimiser = torch.optim.Adam(pair.parameters(), 0.003)
    seen = []
    for _ in range(40):
        found = losses(pair, spoken(), VOCABULARY)
        assert set(found) == {"asked", "phone", "character"}
        optimiser.zero_grad()
        torch.autograd.backward(found["asked"])
        optimiser.step()
        seen.append(float(found["asked"].detach()))
    assert seen[-1] < 0.3 * seen[0]
    touched = [
        any(p.grad is not None and bool(p.grad.any()) for p in block.parameters())
        for block in pair.model.temporal.blocks
    ]
    assert touched == [True, True, False, False]
    assert all(p.grad is not None for p in pair.listener.convolutions.parameters())


class OneWord(ListenerAndModel):
    """Recognises one word in any sound."""

    def words(self, states: Tensor) -> Tensor:
        logits = torch.zeros(*states.shape[:2], len(VOCABULARY) + 1)
        logits[..., 0] = 1.0
        logits[:, 2:4, VOCABULARY.encode("hello")] = 2.0
        return logits


def test_word_errors_are_shares_of_a_conditions_words() -> None:
    pair = OneWord(networks().listener.eval(), networks().model)
    hello = encode_turns(pair.listener, spoken())[0]
    other = replace(hello, said=replace(hello.said, text="hello hello there"))
    checks = {"espeak": [hello], "rms": [hello, other]}
    assert word_error_rates(pair, checks, VOCABULARY) == {"words_espeak": 0.0, "words_rms": 0.5}


def test_other_languages_have_a_loss_on_words_alone() -> None:
    found = losses(networks(), spoken(Language.SPANISH, "es hello"), VOCABULARY)
    assert set(found) == {"asked"}
    assert float(found["asked"].detach()) > 0


def test_a_run_resumes_and_the_next_stage_starts_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trainer(tmp_path / "joint", monkeypatch)
    for _ in range(BROAD_EVERY):
        assert first.run.going()
        first.step()
    first.save()
    again = trainer(tmp_path / "joint", monkeypatch)
    assert again.run.step == BROAD_EVERY
    for part in ("networks", "averaged"):
        pairs = zip(
            getattr(again, part).parameters(), getattr(first, part).parameters(), strict=True
        )
        assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert again.optimiser.state_dict()["state"]
    others = WORD_LISTS | {"words": ["two"]}
    with pytest.raises(ConfigError, match="same words, got others"):
        trainer(tmp_path / "joint", monkeypatch, others)
    with pytest.raises(ConfigError, match="finished stage"):
        checkpoint_of(tmp_path, "joint", "reading")
    first.run.finish()
    assert checkpoint_of(tmp_path, "reading") is None
    state = checkpoint_of(tmp_path, "joint", "reading")
    assert state is not None
    model = HybridS2S(CONFIG)
    restore(model, state, WORD_LISTS)
    for mine, theirs in zip(model.parameters(), first.averaged.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_broad_speech_comes_every_few_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = trainer(tmp_path, monkeypatch)
    logged: list[set[str]] = []
    monkeypatch.setattr(taught.run, "log", lambda **found: logged.append(set(found)))
    for _ in range(2 * BROAD_EVERY):
        taught.step()
    assert logged.count({"broad_phone", "broad_character"}) == 2
    assert logged.count({"asked", "phone", "character"}) == 2 * BROAD_EVERY - 2
