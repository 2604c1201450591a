"""The chaos suite's own counting: it must notice every kind of damage."""

import pytest

from shared.audio import FRAME_BYTES
from shared.log.lua_scripts import SCRIPTS
from tests.chaos.ablations import ABLATIONS, write_scripts
from tests.chaos.faults import FAULTS
from tests.chaos.oracle import CallAudio, Ledger
from tests.chaos.trial import Count

AUDIO = CallAudio(seed=1, number=70)


def received(*indices: int) -> Ledger:
    ledger = Ledger(AUDIO)
    for index in indices:
        ledger.take(AUDIO.frame(index))
    return ledger


def damage(ledger: Ledger, chunks: int = 1) -> tuple[int, int, int, int]:
    return ledger.lost(chunks), ledger.doubled, ledger.reordered, ledger.foreign


def test_a_frame_identifies_its_call_and_its_index() -> None:
    assert AUDIO.chunk(3)[FRAME_BYTES : 2 * FRAME_BYTES] == AUDIO.frame(14)
    assert AUDIO.index_of(AUDIO.frame(9_000)) == 9_000
    assert AUDIO.index_of(CallAudio(1, 71).frame(1)) is None
    assert AUDIO.index_of(bytes(FRAME_BYTES)) is None
    damaged = bytearray(AUDIO.frame(5))
    damaged[-2] ^= 1
    assert AUDIO.index_of(bytes(damaged)) is None


def test_a_whole_call_is_undamaged() -> None:
    ledger = received(1, 2, 3, 4)
    assert damage(ledger) == (0, 0, 0, 0)
    assert ledger.complete(1)
    assert not ledger.complete(2)


def test_each_kind_of_damage_is_counted() -> None:
    assert damage(received(1, 2, 4)) == (1, 0, 0, 0)
    assert damage(received(1, 2, 2, 3, 4)) == (0, 1, 0, 0)
    assert damage(received(1, 3, 2, 4)) == (0, 0, 1, 0)
    ledger = received(1, 2, 3, 4)
    ledger.take(CallAudio(1, 71).frame(1))
    assert damage(ledger) == (0, 0, 0, 1)


def test_announced_losses_and_repeats_are_no_damage() -> None:
    ledger = received(1, 4)
    ledger.skip(2, 3)
    assert damage(ledger) == (0, 0, 0, 0)
    ledger.resumed("not_recovered", 4)
    ledger.take(AUDIO.frame(4))
    assert damage(ledger) == (0, 0, 0, 0)
    ledger.take(AUDIO.frame(1))
    assert damage(ledger) == (0, 1, 0, 0)


def test_a_verdict_names_the_broken_promises() -> None:
    fault = FAULTS["worker-kill"]
    assert Count("f").broken_promises(fault, times=True) == ["silent"]
    assert Count("f", frames=9, resumes_s=[0.4]).broken_promises(fault, times=True) == []
    slow = Count("f", frames=9, resumes_s=[9.0])
    assert slow.broken_promises(fault, times=True) == ["slow"]
    assert slow.broken_promises(fault, times=False) == []
    bad = Count("f", trials=1, frames=9, lost=1, ended=1)
    assert bad.broken_promises(fault, times=False) == ["lost", "ended"]
    assert bad.broken_promises(FAULTS["flushall"], times=False) == ["lost"]


@pytest.mark.parametrize("ablation", sorted(ABLATIONS))
def test_an_ablation_changes_its_own_scripts_alone(
    ablation: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_scripts(ablation, tmp_path_factory.mktemp("scripts") / "new")
    names = {path.name for path in SCRIPTS.glob("*.lua")}
    assert {path.name for path in folder.glob("*.lua")} == names
    changed = {
        p.stem for p in SCRIPTS.glob("*.lua") if (folder / p.name).read_text() != p.read_text()
    }
    assert changed == set(ABLATIONS[ablation])
