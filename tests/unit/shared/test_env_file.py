"""The file `.env`: names, encodings, and what comes first."""

from pathlib import Path

import pytest

from shared.env_file import read_env_file
from shared.errors import ConfigError
from shared.settings import load_settings


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_keys_of_other_programs_are_ignored() -> None:
    Path(".env").write_text("OPENAI_API_KEY=sk-1\nPORT=3000\nDEBUG\nexport LEASE_MS=2000\n")
    assert load_settings({}).lease_ms == 2_000


def test_a_misspelt_setting_is_refused_from_a_file_too() -> None:
    Path(".env").write_text("GATEWAY_PROT=1\n")
    with pytest.raises(ConfigError, match="GATEWAY_PROT: no such setting; did you mean GATEWAY_PO"):
        load_settings({})


def test_the_environment_comes_before_the_file() -> None:
    Path(".env").write_text("LEASE_MS=2000\nREDIS_URL=redis://far:1/0\n")
    settings = load_settings({"LEASE_MS": "3000", "REDIS_URL": ""})
    assert settings.lease_ms == 3_000
    assert settings.redis == "redis://127.0.0.1:6379/0"  # empty: the default, not the file's


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(mark: bytes) -> None:
    Path(".env").write_bytes(mark + b"LEASE_MS=2000\n")
    assert load_settings({}).lease_ms == 2_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"LEASE_MS=2000\nTHINK_KEY=hunter2\xe9\n", "got another encoding in line 2"),
        ("THINK_KEY=hunter2\n".encode("utf-16"), "got UTF-16"),
    ],
)
def test_another_encoding_is_one_sentence_without_the_line(data: bytes, said: str) -> None:
    Path(".env").write_bytes(data)
    with pytest.raises(ConfigError, match=said) as caught:
        load_settings({})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_folder_in_its_place_is_one_sentence() -> None:
    Path(".env").mkdir()
    with pytest.raises(ConfigError, match=r"Expected a readable file \.env, got: Is a directory"):
        load_settings({})


def test_no_file_is_no_settings() -> None:
    assert read_env_file(Path(".env")) == {}
