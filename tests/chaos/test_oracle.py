"""What the chaos suite counts by: it must see each kind of harm."""

import pytest

from shared.audio import FRAME_BYTES
from shared.log.lua_scripts import SCRIPTS
from tests.chaos.ablations import ABLATIONS, write_scripts
from tests.chaos.faults import FAULTS
from tests.chaos.oracle import Ledger, Voice
from tests.chaos.trial import Count

VOICE = Voice(seed=1, number=70)


def heard(*indices: int) -> Ledger:
    ledger = Ledger(VOICE)
    for index in indices:
        ledger.take(VOICE.frame(index))
    return ledger


def harm(ledger: Ledger, chunks: int = 1) -> tuple[int, int, int, int]:
    return ledger.lost(chunks), ledger.doubled, ledger.reordered, ledger.foreign


def test_a_frame_says_who_said_it_and_as_which_one() -> None:
    assert VOICE.chunk(3)[FRAME_BYTES : 2 * FRAME_BYTES] == VOICE.frame(14)
    assert VOICE.index_of(VOICE.frame(9_000)) == 9_000
    assert VOICE.index_of(Voice(1, 71).frame(1)) is None
    assert VOICE.index_of(bytes(FRAME_BYTES)) is None
    damaged = bytearray(VOICE.frame(5))
    damaged[-2] ^= 1
    assert VOICE.index_of(bytes(damaged)) is None


def test_a_whole_call_is_unharmed() -> None:
    ledger = heard(1, 2, 3, 4)
    assert harm(ledger) == (0, 0, 0, 0)
    assert ledger.complete(1)
    assert not ledger.complete(2)


def test_each_harm_is_seen() -> None:
    assert harm(heard(1, 2, 4)) == (1, 0, 0, 0)
    assert harm(heard(1, 2, 2, 3, 4)) == (0, 1, 0, 0)
    assert harm(heard(1, 3, 2, 4)) == (0, 0, 1, 0)
    ledger = heard(1, 2, 3, 4)
    ledger.take(Voice(1, 71).frame(1))
    assert harm(ledger) == (0, 0, 0, 1)


def test_what_was_said_to_be_gone_or_to_come_again_is_no_harm() -> None:
    ledger = heard(1, 4)
    ledger.skip(2, 3)
    assert harm(ledger) == (0, 0, 0, 0)
    ledger.resumed("not_recovered", 4)
    ledger.take(VOICE.frame(4))
    assert harm(ledger) == (0, 0, 0, 0)
    ledger.take(VOICE.frame(1))
    assert harm(ledger) == (0, 1, 0, 0)


def test_a_verdict_names_what_is_wrong() -> None:
    rule = FAULTS["worker-kill"]
    assert Count("f").wrong(rule, times=True) == ["silent"]
    assert Count("f", frames=9, resumes_s=[0.4]).wrong(rule, times=True) == []
    slow = Count("f", frames=9, resumes_s=[9.0])
    assert (slow.wrong(rule, times=True), slow.wrong(rule, times=False)) == (["slow"], [])
    bad = Count("f", trials=1, frames=9, lost=1, told=1)
    assert bad.wrong(rule, times=False) == ["lost", "told"]
    assert bad.wrong(FAULTS["flushall"], times=False) == ["lost"]


@pytest.mark.parametrize("ablation", sorted(ABLATIONS))
def test_an_ablation_takes_its_promise_out(
    ablation: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = write_scripts(ablation, tmp_path_factory.mktemp("scripts") / "new")
    names = {path.name for path in SCRIPTS.glob("*.lua")}
    assert {path.name for path in folder.glob("*.lua")} == names
    changed = {
        p.stem for p in SCRIPTS.glob("*.lua") if (folder / p.name).read_text() != p.read_text()
    }
    assert changed == set(ABLATIONS[ablation])
