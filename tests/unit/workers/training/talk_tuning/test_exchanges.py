"""The written exchanges that the cascade's language model is tuned on: enough, varied, sayable."""

import re
from pathlib import Path

import pytest

from shared.errors import ConfigError
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.finetune import EXCHANGES, is_written, main
from workers.training.talk_tuning.systematic.corpus import corpus

MOST_WORDS = 48


@pytest.fixture(scope="module")
def written() -> list[conversations.Conversation]:
    return conversations.read([EXCHANGES])


def test_there_are_enough_of_many_topics(written: list[conversations.Conversation]) -> None:
    systematic = [one for found in corpus(1).values() for one in found]
    count = sum(len(one.turns) for one in written)
    count += sum(len(one.turns) for one in systematic)
    assert count >= 10_000
    assert len({one.topic for one in written}) >= 80
    longer = sum(len(one.turns) for one in written if len(one.turns) > 1)
    longer += sum(len(one.turns) for one in systematic if len(one.turns) > 1)
    assert longer >= count / 3


def test_every_answer_can_be_said(written: list[conversations.Conversation]) -> None:
    for one in written:
        for _, answer in one.turns:
            assert not re.search(r"[\d*#_\[\](){}<>/@$%&=+~^|\"]", answer), answer
            assert len(answer.split()) <= MOST_WORDS, answer
            assert answer[-1] in ".!?", answer


def test_some_are_held_out_by_their_first_words(written: list[conversations.Conversation]) -> None:
    held_out = {one.turns[0][0] for one in written if one.held_out}
    assert 0.01 < len(held_out) / len(written) < 0.06
    assert not held_out & {one.turns[0][0] for one in written if not one.held_out}


def test_written_conversations_are_told_from_recordings(tmp_path: Path) -> None:
    assert not is_written(tmp_path)
    (tmp_path / "data.jsonl").write_text('{"path": "a.wav", "duration": 61.2}\n')
    assert not is_written(tmp_path)
    (tmp_path / "data.jsonl").write_text('{"topic": "shop", "turns": [["Hi.", "Hello."]]}\n')
    assert is_written(tmp_path)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"topic": "shop", "turns": [["Hi."]]}\n')
    with pytest.raises(ConfigError, match=r"mine\.jsonl:1"):
        main(tmp_path, tmp_path / "run", 1)
