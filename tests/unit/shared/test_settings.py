"""The settings: defaults, checks, and errors that show no secret."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import ConfigError
from shared.modes import EngineName, ReplyMode
from shared.settings import SECRET, Settings, load_settings, reference


def test_defaults_need_no_environment() -> None:
    settings = load_settings({})
    assert settings.reply_mode is ReplyMode.TURN
    assert settings.engine is EngineName.CASCADE
    assert settings.gateway_port == 8000


def test_the_environment_is_parsed() -> None:
    settings = load_settings(
        {
            "REPLY_MODE": "stream",
            "WORKER_SLOTS": "3",
            "VAD_THRESHOLD": "0.02",
            "GATEWAY_ORIGINS": "https://a.example, https://b.example/",
            "GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "CUDA_VISIBLE_DEVICES": "0,1",
            "HOME": "/ignored",
        }
    )
    assert settings.reply_mode is ReplyMode.STREAM
    assert settings.worker_slots == 3
    assert settings.vad_threshold == 0.02
    assert settings.gateway_origins == ("https://a.example", "https://b.example")
    assert settings.gateway_trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert settings.cuda_visible_devices == "0,1"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REPLY_MODE", "sometimes", "'stream' or 'turn'"),
        ("WORKER_SLOTS", "-1", "greater than or equal to 0"),
        ("GATEWAY_PORT", "web", "valid integer"),
        ("ENGINE", "magic", "'hybrid' or 'moshi'"),
        ("GATEWAY_TRUSTED_PROXIES", "proxy.example", "IPv4 or IPv6 network"),
    ],
)
def test_an_invalid_setting_says_what_was_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        load_settings({name: value})
    assert name in str(caught.value)
    assert value in str(caught.value)


def test_a_secret_is_long_and_never_shown() -> None:
    settings = load_settings({"GATEWAY_AUTH_SECRET": "0123456789abcdef" * 2})
    assert "0123456789" not in repr(settings)
    with pytest.raises(ConfigError, match="at least 32 bytes") as caught:
        load_settings({"GATEWAY_AUTH_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("GATEWAY_STATS_TOKEN=hunter2 !", "GATEWAY_STATS_TOKEN: expected 16 to 256 characters"),
        ("GATEWAY_AUTH_SECERT=hunter2", "GATEWAY_AUTH_SECERT: no such setting; did you mean"),
        ("SESSION_RESUME_S=4000\nGATEWAY_STATS_TOKEN=hunter2hunter2hunter2", "SESSION_TTL_S"),
    ],
    ids=["too short", "misspelt", "beside another"],
)
def test_a_secret_in_a_file_is_not_shown(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(line + "\n")
    with pytest.raises(ConfigError) as caught:
        load_settings({})
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_redis_must_keep_a_call_longer_than_its_caller_may_be_away() -> None:
    with pytest.raises(ConfigError, match="at least SESSION_RESUME_S and 60 s more"):
        load_settings({"SESSION_TTL_S": "100"})
    assert load_settings({"SESSION_TTL_S": "120"}).session_ttl_s == 120


def test_a_typo_is_refused_with_the_closest_name() -> None:
    with pytest.raises(ConfigError, match="VAD_TRESHOLD: no such setting; did you mean VAD_THRESH"):
        load_settings({"VAD_TRESHOLD": "0.1"})


def test_one_error_names_every_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"REPLY_MOD": "turn", "LEASE_MS": "1"})
    assert "REPLY_MOD" in str(caught.value)
    assert "LEASE_MS" in str(caught.value)


def test_the_settings_page_names_every_setting() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "settings.md").read_text()
    assert [n.upper() for n in Settings.model_fields if f"`{n.upper()}`" not in page] == []


def test_the_reference_describes_every_setting() -> None:
    entries = {entry.name: entry for entry in reference()}
    assert list(entries) == [name.upper() for name in Settings.model_fields]
    assert [e.name for e in entries.values() if not e.description.endswith(".")] == []
    assert entries["REPLY_MODE"].default == "turn"
    assert entries["GATEWAY_MAX_SESSIONS"].default == "1000"
    assert entries["MODEL_CACHE_DIR"].default == "~/.cache/antiphon"
    assert entries["GATEWAY_AUTH_SECRET"].default == ""
    assert entries["TORCH_HOME"].default == ""


def test_a_default_is_valid_as_the_reference_writes_it() -> None:
    written = {e.name: e.default for e in reference() if e.default and "~" not in e.default}
    assert load_settings(written) == load_settings({})


def test_the_local_redis_is_the_default() -> None:
    assert load_settings({"REDIS_PORT": "6400"}).redis == "redis://127.0.0.1:6400/0"
    assert load_settings({"REDIS_URL": "redis://far:1/0"}).redis == "redis://far:1/0"


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
@pytest.mark.parametrize("empty", ["", "  \n"])
def test_an_empty_setting_is_the_default(name: str, empty: str) -> None:
    if name == "GATEWAY_AUTH_SECRET" and empty:
        with pytest.raises(ConfigError, match="at least 32 bytes"):  # not: no tokens
            load_settings({name: empty})
    elif name == "CUDA_VISIBLE_DEVICES":
        assert load_settings({name: empty}).cuda_visible_devices == ""  # hides every GPU
    else:
        assert load_settings({name: empty}) == load_settings({})


def test_white_space_around_a_value_does_not_count() -> None:
    assert load_settings({"REDIS_URL": " redis://h:1/0\n"}).redis == "redis://h:1/0"


@pytest.mark.parametrize(
    "link",
    [
        {"REDIS_PORT": "tcp://10.96.0.7:6379"},
        {"GATEWAY_PORT": "tcp://10.96.0.7:8000"},
        {"GATEWAY_SERVICE_HOST": "10.96.0.7", "GATEWAY_SERVICE_PORT": "8000"},
        {"GATEWAY_PORT_8000_TCP_ADDR": "10.96.0.7", "GATEWAY_SERVICE_PORT_HTTP": "8000"},
        {"ANTIPHON_PORT": "tcp://10.96.0.7:80"},
    ],
)
def test_service_links_of_kubernetes_are_one_sentence(link: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="enableServiceLinks: false") as caught:
        load_settings({**link, "KUBERNETES_SERVICE_HOST": "10.96.0.1"})
    lines = str(caught.value).splitlines()
    assert lines[0] == "Invalid settings:"
    assert len(lines) == 2
    assert all(name in lines[1] for name in link)


def test_a_service_of_another_name_does_no_harm() -> None:
    load_settings({"REDIS_SERVICE_HOST": "10.96.0.7", "DB_PORT": "tcp://10.96.0.8:5432"})


def test_names_that_a_desktop_and_cgi_set_are_not_ours() -> None:
    load_settings({"SESSION_MANAGER": "local/pc:@/tmp/.ICE-unix/1", "GATEWAY_INTERFACE": "CGI/1.1"})


@pytest.mark.parametrize("path", ["/antiphon", "/antiphon/", "/a/b-c_d.e"])
def test_a_root_path_has_no_final_slash(path: str) -> None:
    assert load_settings({"GATEWAY_ROOT_PATH": path}).gateway_root_path == path.rstrip("/")


@pytest.mark.parametrize(
    "path", ["antiphon", "//evil.example", "/a/../b", "/a?b", "/web", "/api/x"]
)
def test_a_root_path_that_cannot_work_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match=r"GATEWAY_ROOT_PATH: expected (a path such as|none of)"):
        load_settings({"GATEWAY_ROOT_PATH": path})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THINK", "https://ann:hunter2@host/v1"),
        ("THINK", "https://host/v1?key=hunter2"),
        ("THINK", "http://"),
        ("THINK", "https:///v1"),
        ("THINK", "http://host:hunter2/v1"),
        ("THINK_KEY", "hunter2 two"),
        ("THINK_KEY", "hunter2é"),
        ("THINK_KEY", "hunter2\r\nHost: evil"),
    ],
)
def test_a_key_that_no_request_can_carry_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: expected") as caught:
        load_settings({name: value})
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_in_the_representation() -> None:
    given = {
        **dict.fromkeys(SECRET, "hunter2" * 5),
        "redis_url": "redis://:hunter2@host",
        "gateway_api_keys": "ann:" + "a" * 64,
    }
    assert "hunter2" not in repr(load_settings({n.upper(): v for n, v in given.items()}))


def test_every_secret_is_known_as_one() -> None:
    """Its value stays out of errors."""
    secrets = {
        name
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr or name.endswith(("_key", "_keys", "_secret", "_token"))
    }
    assert secrets <= SECRET


def test_an_error_of_the_class_itself_holds_no_value() -> None:
    with pytest.raises(ValueError, match="gateway_stats_token") as caught:
        Settings.model_validate({"gateway_stats_token": "hunter2"})  # too short
    assert "hunter2" not in str(caught.value)


def test_the_local_redis_keeps_its_files_in_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert load_settings({}).redis_folder == tmp_path / "antiphon" / "redis-6379"
    assert load_settings({"REDIS_PORT": "1"}).redis_folder == tmp_path / "antiphon" / "redis-1"
    assert load_settings({"REDIS_DIR": "/data"}).redis_folder == Path("/data")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # which the specification ignores
    monkeypatch.setenv("HOME", "/home/ann")
    assert load_settings({}).redis_folder == Path("/home/ann/.local/state/antiphon/redis-6379")


def test_a_user_without_a_home_has_folders_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", fail)
    assert f"antiphon-{os.getuid()}" in str(load_settings({}).redis_folder)
