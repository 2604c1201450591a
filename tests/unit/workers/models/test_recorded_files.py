"""Recorded files."""

from pathlib import Path

import pytest

from shared.errors import ConfigError
from workers.models.recorded_files import put_file, read_file


def test_a_file_comes_back_with_its_facts(tmp_path: Path) -> None:
    put_file(tmp_path, "a.bin", b"one", {"made_by": "a test"})
    put_file(tmp_path, "b.bin", b"two", {})
    assert read_file(tmp_path, "a.bin") == (b"one", {"made_by": "a test"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "b.bin", "record.json"]


def test_a_changed_or_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Expected record\.json"):
        read_file(tmp_path, "a.bin")
    put_file(tmp_path, "a.bin", b"one", {})
    with pytest.raises(ConfigError, match=r"Expected b\.bin"):
        read_file(tmp_path, "b.bin")
    (tmp_path / "a.bin").write_bytes(b"other")
    with pytest.raises(ConfigError, match="Expected sha256"):
        read_file(tmp_path, "a.bin")
