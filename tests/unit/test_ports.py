"""Ports of the tests' servers: no two test processes draw the same one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ports

ANOTHER = """
import sys; from pathlib import Path; from tests.ports import reserved
print(reserved(Path(sys.argv[1])).start, flush=True); sys.stdin.read()
"""


def test_a_process_reserves_what_no_other_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "PORTS", range(10_000, 10_000 + 2 * ports.BLOCK))
    mine = {ports.reserved(tmp_path).start, ports.reserved(tmp_path).start}
    assert mine == {10_000, 10_000 + ports.BLOCK}
    with pytest.raises(RuntimeError, match="Expected a free block of ports, got 2 locked"):
        ports.reserved(tmp_path)


def test_the_end_of_a_process_frees_its_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = [sys.executable, "-c", ANOTHER, str(tmp_path)]
    with subprocess.Popen(line, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout
        theirs = int(other.stdout.readline())
        monkeypatch.setattr(ports, "PORTS", range(theirs, theirs + ports.BLOCK))
        with pytest.raises(RuntimeError):
            ports.reserved(tmp_path)
        other.communicate()
    assert ports.reserved(tmp_path).start == theirs


def test_a_process_draws_each_of_its_ports_once_before_any_again() -> None:
    drawn = [ports.free_port() for _ in range(ports.BLOCK // 2)]
    assert len(set(drawn)) == len(drawn)
