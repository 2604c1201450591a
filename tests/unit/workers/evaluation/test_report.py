"""docs/evaluation.md contains every figure and keeps the sections of others."""

from pathlib import Path

from tests.unit.workers.evaluation.sample import sample
from workers.evaluation.goals import goals
from workers.evaluation.report import document, write_report


def test_the_document_has_every_row_and_names_weak_families() -> None:
    text = document(sample())
    assert "| unseen espeak-ng voices | 20 | 100 % | **90 % (70 % to 97 %)** |" in text
    assert "1 of 2 families are below 70 % of the ceiling: joke 50 %." in text
    assert "| 10 dB | energy | 0.800 | 650 | 10 % |" in text
    assert "nan" not in text
    assert "None" not in text
    assert max(map(len, text.splitlines())) < 300


def test_a_goal_is_met_or_not() -> None:
    found = sample()
    lines = {line.split("|")[1].strip(): line for line in goals(found).splitlines()[4:]}
    assert lines["trained engines, unseen voices, all families"].endswith("| yes |")
    assert lines["... each family"].endswith("| 1 of 2 families | **no** |")
    assert lines["cost of noise at 10 dB"].endswith("| 12.5 of 24 pairs | **no** |")
    assert lines["false answers an hour, VAD=energy"].endswith("| 3 | **no** |")
    assert lines["PESQ wide-band"].endswith("| 2.50 | yes |")


def test_a_few_pairs_do_not_decide_the_goal_about_noise() -> None:
    found = sample()
    found["lost_in_noise"] = {"noise 10 dB, x": {"count": 4, "clean": 1.0, "points": 0.0}}
    assert "| 0 of 4 pairs: too few to say | **no** |" in goals(found)


def test_the_section_of_another_command_stays(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.md"
    section = "<!-- voices: begin -->\n## Voices\nlow\n<!-- voices: end -->"
    path.write_text(f"old\n{section}\nold\n")
    write_report(path, sample())
    text = path.read_text()
    assert text.count(section) == 1
    assert "old" not in text.replace(section, "").split()
