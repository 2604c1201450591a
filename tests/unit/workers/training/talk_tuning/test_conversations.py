"""Reading conversations; how callers' words may be heard."""

import json
import random
from pathlib import Path

import pytest

from shared.errors import ConfigError
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.conversations import single
from workers.training.talk_tuning.hearing import as_heard, without_marks

LINE = json.dumps({"topic": "animals", "turns": [["What do bees make?", "Honey."]]}) + "\n"


def test_files_and_folders_are_read_each_conversation_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(LINE + "\n" + LINE)
    (tmp_path / "b.jsonl").write_text(LINE.replace("bees", "cows") + LINE[:20])
    found = conversations.read([tmp_path, tmp_path / "a.jsonl"])
    assert [one.turns[0][0] for one in found] == ["What do bees make?", "What do cows make?"]
    conversations.write(tmp_path / "all.jsonl", found)
    assert conversations.read([tmp_path / "all.jsonl"]) == found


@pytest.mark.parametrize("line", ["{", "[]", '{"turns": [["a"]]}', '{"turns": [["a", " "]]}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(LINE + line + "\n")
    with pytest.raises(ConfigError, match=r"a.jsonl:2"):
        conversations.read([tmp_path / "a.jsonl"])
    with pytest.raises(ConfigError, match="is missing"):
        conversations.read([tmp_path / "b.jsonl"])


def test_about_three_of_a_hundred_are_held_out_by_their_words() -> None:
    talks = [single("", f"Question {at}?", "Yes.") for at in range(3000)]
    assert 60 < sum(one.held_out for one in talks) < 120
    again = [single("x", f"question {at}", "No.") for at in range(3000)]
    assert [one.held_out for one in talks] == [one.held_out for one in again]


def test_marks_go_but_not_those_within_numbers_and_words() -> None:
    assert without_marks("Well, it's 3:30; isn't it? 1,000!") == "Well it's 3:30 isn't it 1,000"


def test_callers_are_heard_in_several_spellings() -> None:
    chance = random.Random(1)
    found = {as_heard("Well, why?", chance) for _ in range(200)}
    assert found == {"Well, why?", "well why", "Well why", "Well, why"}
    assert as_heard("?", random.Random(3)) == "?"
