"""The chaos suite's own counting: it must notice every kind of damage."""

from typing import cast

import numpy as np
import pytest
import redis
from msgspec import structs

from shared.audio import FRAME_BYTES
from shared.log import keys
from shared.log.lua_scripts import SCRIPTS
from shared.log.records import encode
from shared.modes import ReplyMode
from tests.chaos.ablations import ABLATIONS, write_scripts
from tests.chaos.faults import FAULTS
from tests.chaos.oracle import CallAudio, Ledger
from tests.chaos.talk import OPTIONS, Babble, TalkLedger
from tests.chaos.trial import Count
from tests.unit.workers.engines.moshi.made import made_engine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.runtime.conversation.tuning import Tuning

AUDIO = CallAudio(seed=1, number=70)


def received(*indices: int) -> Ledger:
    ledger = Ledger(AUDIO)
    for index in indices:
        ledger.take(AUDIO.frame(index), index)
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
    ledger.take(CallAudio(1, 71).frame(1), 5)
    assert damage(ledger) == (0, 0, 0, 1)


def test_announced_losses_and_repeats_are_no_damage() -> None:
    ledger = received(1, 4)
    ledger.skip(2, 3)
    assert damage(ledger) == (0, 0, 0, 0)
    ledger.resumed("not_recovered", 4)
    ledger.take(AUDIO.frame(4), 4)
    assert damage(ledger) == (0, 0, 0, 0)
    ledger.take(AUDIO.frame(1), 5)
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


class Log:
    """What the log holds of one talking call."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal

    def hget(self, key: str, name: str) -> bytes:
        """The session's seed."""
        assert (key, name) == (keys.meta("s"), "seed")
        return str(self.rehearsal.seed).encode()

    def xrange(self, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """The newest of its steps."""
        assert key == keys.steps("s")
        entries = [(b"%d-0" % k, encode(step)) for k, step in self.rehearsal.steps[-5:]]
        return [(name, {kind.encode(): value}) for name, (kind, value) in entries]


def talked(chunks: int, seed: int) -> tuple[TalkLedger, list[bytes]]:
    """A ledger without frames, and the frames that the engine said."""
    audio = Babble(1, 70)
    rehearsal = Rehearsal(ReplyMode.STREAM, made_engine(), Tuning(**OPTIONS), seed=seed)
    rehearsal.run(*(np.frombuffer(audio.chunk(i), "<i2") for i in range(chunks)))
    ledger = TalkLedger(audio, log=cast("redis.Redis", Log(rehearsal)))
    ledger.session = "s"
    pcm = rehearsal.pcm
    return ledger, [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]


def test_a_talking_call_is_compared_with_one_that_never_died() -> None:
    ledger, frames = talked(8, seed=5)
    assert len(frames) > 16
    for number, pcm in enumerate(frames, 1):
        ledger.take(pcm, number)
    assert damage(ledger, 8) == (0, 0, 0, 0)

    ledger, frames = talked(8, seed=5)
    frames[3] = frames[7]
    for number in (1, 2, 4, 3, 3, *range(5, len(frames) + 1)):
        ledger.take(frames[number - 1], number)
    assert damage(ledger, 8) == (0, 1, 1, 1)


def test_other_codes_in_the_log_are_noticed() -> None:
    ledger, frames = talked(8, seed=5)
    step = cast("Log", ledger.log).rehearsal.steps
    step[-1] = step[-1][0], structs.replace(step[-1][1], said=bytes(18))
    for number, pcm in enumerate(frames, 1):
        ledger.take(pcm, number)
    assert damage(ledger, 8) == (0, 0, 0, 1)
