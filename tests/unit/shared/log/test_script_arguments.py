"""Each Lua script names its ARGV as Python does, in the same order."""

import re

import pytest

from shared.log.lua_scripts import SCRIPTS
from shared.log.script_arguments import BY_SCRIPT

_NAMES = re.compile(r"^local ([\w,\s]+?) = unpack\(ARGV, 1, (\d+)\)$", re.MULTILINE)
_BEFORE = re.compile(r"^local before_\w+ = (\d+)$", re.MULTILINE)


def test_every_script_has_its_arguments() -> None:
    assert {path.stem for path in SCRIPTS.glob("*.lua")} == set(BY_SCRIPT)


@pytest.mark.parametrize("script", sorted(BY_SCRIPT))
def test_a_script_names_its_arguments_as_python_does(script: str) -> None:
    text = (SCRIPTS / f"{script}.lua").read_text()
    ((names, count),) = _NAMES.findall(text)
    expected = list(BY_SCRIPT[script]._fields)
    assert [name.strip() for name in names.split(",")] == expected
    assert int(count) == len(expected)
    assert [int(before) for before in _BEFORE.findall(text)] in ([], [len(expected)])


@pytest.mark.parametrize("script", sorted(BY_SCRIPT))
def test_a_script_reads_no_argument_by_its_number(script: str) -> None:
    assert not re.findall(r"ARGV\[\d", (SCRIPTS / f"{script}.lua").read_text())
