"""The assistant's recordings: word times and shards, without a synthesiser."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from workers.training.questions.catalogue import language_of
from workers.training.questions.question_families import Language
from workers.training.speech import assistant
from workers.training.speech.assistant import Utterance, load_shard, save_shard


def test_word_times_follow_the_trimmed_sound(tmp_path: Path) -> None:
    path = tmp_path / "0.words"
    path.write_text("#\n0.5000 100 Twelve\n0.9000 100 plus\n2.5000 100 two\n")
    words = assistant._words(path, offset_s=0.2, length_s=2.0)
    assert words == [("Twelve", 0.0, 0.3), ("plus", 0.3, 0.7), ("two", 0.7, 2.0)]


def test_a_shard_is_read_as_it_was_written(tmp_path: Path) -> None:
    said = [
        Utterance("one", np.arange(5, dtype=np.int16), [("one", 0.0, 0.1)]),
        Utterance("two three", np.arange(7, dtype=np.int16), [("two", 0.0, 0.1)]),
    ]
    save_shard(tmp_path, "few", said)
    found = load_shard(tmp_path, "few")
    assert [(u.text, u.words, u.samples.tolist()) for u in found] == [
        (u.text, u.words, u.samples.tolist()) for u in said
    ]


def test_broad_texts_are_reproducible_and_varied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant, "ordinary_words", lambda _: [f"word{i}" for i in range(500)])
    texts = list(itertools.islice(assistant.broad_texts(), 50))
    assert texts == list(itertools.islice(assistant.broad_texts(), 50))
    assert len(set(texts)) == 50
    assert {text[-1] for text in texts} == set(".?!")


def test_a_spanish_utterance_has_its_own_words() -> None:
    times = [("zzhola", 0.0, 0.3), ("zzmaqs", 0.3, 0.7)]
    said = Utterance("¡hola! más.", np.zeros(5, dtype=np.int16), times)
    assert assistant._renamed(said).words == [("hola", 0.0, 0.3), ("más", 0.3, 0.7)]


def test_only_missing_or_outdated_shards_are_synthesised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []

    def synthesise(texts: Sequence[str]) -> list[Utterance]:
        spoken.extend(texts)
        return [Utterance(text, np.zeros(5, dtype=np.int16), []) for text in texts]

    monkeypatch.setattr(assistant, "synthesise", synthesise)
    monkeypatch.setattr(assistant, "ordinary_words", lambda _: [f"word{i}" for i in range(500)])
    assistant.main(tmp_path, 0.05)
    assert {text for text in spoken if language_of(text) is Language.SPANISH}
    assert len(spoken) > 100
    (tmp_path / "assistant" / "spanish.jsonl").unlink()
    spoken.clear()
    assistant.main(tmp_path, 0.05)
    assert spoken
    assert {language_of(text) for text in spoken} == {Language.SPANISH}
    spoken.clear()
    assistant.main(tmp_path, 0.05)
    assert not spoken
