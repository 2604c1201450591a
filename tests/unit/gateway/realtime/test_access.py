"""API keys and where a client's key comes from."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.realtime.access import key_of
from gateway.realtime.keys import ApiKeys, hash_of, new_key
from shared.errors import ConfigError
from shared.settings import load_settings

ROOT = Path(__file__).parents[4]


def test_a_key_comes_in_the_header_or_in_a_browser_s_subprotocol() -> None:
    assert key_of("Bearer sk-1") == "sk-1"
    assert key_of("bearer  sk-1 ") == "sk-1"
    assert key_of("Basic abc") is None
    names = ["realtime", "openai-insecure-api-key.ek_2", "openai-agents-sdk.0.24"]
    assert key_of(None, names) == "ek_2"
    assert key_of("Bearer sk-1", names) == "sk-1"
    assert key_of(None, ["realtime"]) is None


def test_keys_are_known_by_their_hashes() -> None:
    one, other = new_key(), new_key()
    keys = ApiKeys([f"phone:{hash_of(one)}", f"web:{hash_of(other)}"])
    assert (keys.name_of(one), keys.name_of(other)) == ("phone", "web")
    assert keys.name_of(one + "x") is None
    assert keys
    assert not ApiKeys(())


def test_the_command_makes_a_key_that_the_setting_takes() -> None:
    line = [sys.executable, "-m", "gateway.realtime.keys", "phone"]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    key_line, setting_line = done.stdout.splitlines()
    name, value = setting_line.split("=")
    settings = load_settings({name: value})
    assert ApiKeys(settings.gateway_api_keys).name_of(key_line.split()[-1]) == "phone"


def test_a_key_in_place_of_its_hash_stops_the_start_and_is_not_shown() -> None:
    with pytest.raises(ConfigError, match="NAME:HASH") as found:
        load_settings({"GATEWAY_API_KEYS": "phone:sk-antiphon-secret"})
    assert "secret" not in str(found.value)
