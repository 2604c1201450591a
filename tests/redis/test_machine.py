"""The log against a list model, in any order of writes, retries, deaths, resumes and losses."""

import asyncio
import copy
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from shared import keys
from shared.messages import Audio, Cancel, InputRecord, OutputRecord, Speech, Step, StepRecord
from shared.streams import (
    MAX_STRIKES,
    TRIAL_STEPS,
    Answer,
    Append,
    Receipt,
    SessionLog,
    StepCommit,
)

pytestmark = pytest.mark.redis

SID = "machine"
TOKEN = "hash"  # noqa: S105 # what the log keeps of a token
BACKLOG = 6
TTL_S = 60
# Both Redis versions together stay under 20 s.
SEARCH = settings(
    max_examples=30,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

_T = TypeVar("_T")


@dataclass
class Model:
    """A session as lists: number 1 of each stream is item 0, trimmed or not."""

    conn: str
    owner: str = ""
    cursor: int = 0
    trial: int = 0
    strikes: int = 0
    inputs: list[InputRecord] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    outputs: list[OutputRecord] = field(default_factory=list)
    kept: tuple[int, int, int] = (1, 1, 1)  # the oldest number that no trim has taken

    def append(self, conn: str, first: int, records: list[InputRecord]) -> Receipt:
        """What the log must answer; takes what it must store."""
        last = len(self.inputs)
        if conn != self.conn:
            return Receipt(Answer.FENCED, last)
        if first > last + 1:
            return Receipt(Answer.GAP, last)
        answer = Answer.DUPLICATE
        for record in records[last + 1 - first :]:
            if len(self.inputs) - self.cursor >= BACKLOG and isinstance(record, Audio):
                answer = Answer.BUSY
                break
            self.inputs.append(record)
            answer = Answer.STORED
        return Receipt(answer, len(self.inputs))

    def strike(self, first: int) -> Answer:
        """A death or a failure; `first` is what it counts for outside a trial."""
        k = len(self.steps)
        self.strikes = self.strikes + 1 if k < self.trial else first
        self.trial = k + TRIAL_STEPS
        return Answer.POISONED if self.strikes >= MAX_STRIKES else Answer.STORED

    def commit(self, wish: StepCommit) -> Receipt:
        """What the log must answer; takes what it must store."""
        k, m = len(self.steps), len(self.outputs)
        if wish.owner != self.owner:
            return Receipt(Answer.FENCED, k)
        if wish.first_step + len(wish.steps) - 1 <= k:
            return Receipt(Answer.DUPLICATE, k)
        if (wish.first_step, wish.first_output) != (k + 1, m + 1) or wish.cursor < self.cursor:
            return Receipt(Answer.GAP, k)
        self.steps += wish.steps
        self.outputs += wish.outputs
        self.cursor = wish.cursor
        streams = ((wish.keep_inputs, self.inputs), (wish.keep_steps, self.steps))
        kept = [min(keep, len(stream) + 1) for keep, stream in streams]
        kept.append(min(wish.keep_outputs, len(self.outputs) + 1))
        self.kept = tuple(map(max, self.kept, kept))  # type: ignore[assignment] # three of three
        return Receipt(Answer.STORED, len(self.steps))


class LogMachine(RuleBasedStateMachine):
    """One session. Names of owners and connections are never used twice, whatever is lost."""

    def __init__(self, url: str, runner: "asyncio.Runner") -> None:
        super().__init__()
        self.runner = runner
        self.redis = Redis.from_url(url)  # without the data path's time-outs: no answer is lost
        self.log = SessionLog(self.redis, ttl_s=TTL_S, backlog=BACKLOG)
        self.model: Model | None = None
        self.owners: list[str] = []
        self.conns: list[str] = []
        self.committed: list[StepCommit] = []
        self.saved: tuple[Model, dict[str, bytes]] | None = None
        self.names = 0
        self.do(self.redis.flushall())

    def do(self, work: Awaitable[_T]) -> _T:
        """Run to the end."""

        async def awaited() -> _T:
            return await work

        return self.runner.run(awaited())

    def teardown(self) -> None:
        """Leave the server empty."""
        self.do(self.redis.flushall())
        self.do(self.redis.aclose())

    def nonce(self) -> str:
        """A name that nobody had."""
        self.names += 1
        return f"n{self.names}"

    @property
    def live(self) -> Model:
        """The model; rules that use it have it as their precondition."""
        assert self.model is not None
        return self.model

    def records(self, first: int, kinds: list[bool]) -> list[InputRecord]:
        """What the caller says from record `first` on: what was said before is said again alike."""
        said = self.live.inputs[first - 1 :]
        new = [
            Audio(bytes([(first + i) % 251]) * 3840) if k else Cancel() for i, k in enumerate(kinds)
        ]
        return [*said, *new[len(said) :]] if len(said) < len(new) else said[: len(new)]

    def say(self, conn: str, first: int, kinds: list[bool]) -> None:
        """Append, and compare the answer."""
        records = self.records(first, kinds)
        (receipt,) = self.do(self.log.append([Append(SID, conn, first, tuple(records))]))
        assert receipt == self.live.append(conn, first, records)

    def send(self, wish: StepCommit) -> None:
        """Commit, and compare the answer."""
        (receipt,) = self.do(self.log.commit([wish]))
        assert receipt == self.live.commit(wish)

    # Life and death of the log.

    @precondition(lambda self: self.model is None)
    @rule()
    def open(self) -> None:
        """A call begins."""
        fields: dict[str, str | int] = {"mode": "turn", "seed": 7, "options": "{}"}
        answer, conn = self.do(self.log.open(SID, "gate", self.nonce(), TOKEN, fields))
        assert answer is Answer.STORED
        self.model, self.saved, self.committed = Model(conn), None, []
        self.conns.append(conn)

    @precondition(lambda self: self.model is not None)
    @rule()
    def open_again(self) -> None:
        """An id that is taken is not given twice."""
        assert self.do(self.log.open(SID, "gate", self.nonce(), TOKEN, {})) == (
            Answer.DUPLICATE,
            self.live.conn,
        )

    @precondition(lambda self: self.model is not None and len(self.live.inputs) > 4)
    @rule()
    def flush(self) -> None:
        """FLUSHALL, and the scripts with it: everybody is told, nothing comes to life again."""
        self.do(self.redis.flushall())
        self.do(self.redis.script_flush())
        append = Append(SID, self.live.conn, len(self.live.inputs) + 1, (Cancel(),))
        assert self.do(self.log.append([append])) == [Receipt(Answer.GONE, 0)]
        assert self.do(self.log.claim(SID, self.live.owner, "w", "n")) == (Answer.GONE, "")
        assert self.do(self.log.connect(SID, "g", "n", TOKEN)) == (Answer.GONE, "")
        assert self.do(self.log.release(SID, self.live.owner)) is Answer.GONE
        assert (
            self.do(self.log.commit(self.committed[-1:]))
            == [Receipt(Answer.GONE, 0)][: len(self.committed)]
        )
        assert self.do(self.redis.keys("*")) == []
        self.model = None

    @precondition(lambda self: self.model is not None)
    @rule()
    def save(self) -> None:
        """What a Redis that crashes later still has."""
        dumps = {key: self.do(self.redis.dump(key)) for key in keys.session(SID)}
        held = {key: dump for key, dump in dumps.items() if dump is not None}
        self.saved = copy.deepcopy(self.live), held

    @precondition(lambda self: self.model is not None and self.saved is not None)
    @rule()
    def crash(self) -> None:
        """Redis comes back without its tail and without scripts; the writers do not know."""
        assert self.saved is not None
        model, dumps = self.saved
        self.do(self.redis.delete(*keys.session(SID)))
        self.do(self.redis.script_flush())
        for key, dump in dumps.items():
            self.do(self.redis.restore(key, TTL_S * 1_000, dump))
        self.model = copy.deepcopy(model)

    # The caller's side.

    @precondition(lambda self: self.model is not None)
    @rule(kinds=st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=4))
    def append(self, kinds: list[bool]) -> None:
        """The caller goes on."""
        self.say(self.live.conn, len(self.live.inputs) + 1, kinds)

    @precondition(lambda self: self.model is not None)
    @rule(back=st.integers(1, 5), more=st.integers(0, 3))
    def retry(self, back: int, more: int) -> None:
        """The answer to an append was lost: all of it is sent again, and some more."""
        first = max(self.live.kept[0], len(self.live.inputs) + 1 - back)
        first = min(first, len(self.live.inputs) + 1)
        self.say(self.live.conn, first, [True] * (back + more))

    @precondition(lambda self: self.model is not None)
    @rule(ahead=st.integers(2, 4))
    def skip_ahead(self, ahead: int) -> None:
        """Records between are missing: nothing is stored."""
        self.say(self.live.conn, len(self.live.inputs) + ahead, [True])

    @precondition(lambda self: self.model is not None)
    @rule(right=st.sampled_from([True, True, False]), behind=st.integers(0, 6))
    def resume(self, right: bool, behind: int) -> None:
        """The caller comes back to some gateway, which reads all that came after `behind` ago."""
        live = self.live
        token = TOKEN if right else "wrong"
        answer, conn = self.do(self.log.connect(SID, "gate", self.nonce(), token))
        if not right:
            assert (answer, conn) == (Answer.FENCED, "")
            return
        assert answer is Answer.STORED
        assert conn not in self.conns
        self.conns.append(conn)
        live.conn = conn
        after = max(live.kept[2] - 1, len(live.outputs) - behind)
        (found,) = self.do(self.log.read_outputs([(SID, after)], None))
        assert found == list(enumerate(live.outputs[after:], after + 1))

    @precondition(lambda self: self.model is not None and len(self.conns) > 1)
    @rule(data=st.data())
    def replaced_gateway_writes(self, data: st.DataObject) -> None:
        """An older connection's late append changes nothing."""
        conn = data.draw(st.sampled_from(self.conns))
        if conn != self.live.conn:
            self.say(conn, len(self.live.inputs) + 1, [True])

    # The workers' side.

    @precondition(lambda self: self.model is not None)
    @rule(seen=st.sampled_from(["owner", "stale"]), worker=st.sampled_from(["w1", "w2", "w3"]))
    def claim(self, seen: str, worker: str) -> None:
        """A kill, a lease that ran out, a free session: whoever saw the owner last gets it."""
        expected = self.live.owner if seen == "owner" else "0:nobody:n0"
        answer, owner = self.do(self.log.claim(SID, expected, worker, self.nonce()))
        if expected != self.live.owner:
            assert (answer, owner) == (Answer.FENCED, self.live.owner)
            return
        wanted = Answer.STORED
        if self.live.owner and f":{worker}:" not in self.live.owner:
            wanted = self.live.strike(0)  # else it is its own: an answer was lost, nobody died
        assert answer is wanted
        assert owner not in self.owners
        self.owners.append(owner)
        self.live.owner = owner
        if answer is Answer.POISONED:
            self.give_up()

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule()
    def fail_alone(self) -> None:
        """The engine cannot step this session, by itself: twice in a trial is the end."""
        assert self.do(self.log.strike(SID, "0:nobody:n0")) is Answer.FENCED
        answer = self.do(self.log.strike(SID, self.live.owner))
        assert answer is self.live.strike(1)
        if answer is Answer.POISONED:
            self.give_up()

    def give_up(self) -> None:
        """Quarantined: everybody is told, nobody can write, and its log is kept longer."""
        owner, conn, n = self.live.owner, self.live.conn, len(self.live.inputs)
        assert self.do(self.log.quarantine(SID, "0:nobody:n0")) is Answer.FENCED
        assert self.do(self.log.quarantine(SID, owner)) is Answer.STORED
        append = Append(SID, conn, n + 1, (Cancel(),))
        assert self.do(self.log.append([append])) == [Receipt(Answer.POISONED, n)]
        assert self.do(self.log.claim(SID, "", "w", "n")) == (Answer.GONE, "")
        assert self.do(self.log.connect(SID, "g", "n", TOKEN)) == (Answer.POISONED, "")
        assert self.do(self.log.end(SID, "conn", conn)) is Answer.GONE
        self.live.owner = ""
        self.streams_are_the_lists()
        assert all(self.do(self.redis.ttl(k)) > TTL_S for k in self.do(self.redis.keys("*")))
        self.do(self.redis.flushall())
        self.model = None

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule()
    def release(self) -> None:
        """A worker leaves in order."""
        assert self.do(self.log.release(SID, "0:nobody:n0")) is Answer.FENCED
        assert self.do(self.log.release(SID, self.live.owner)) is Answer.STORED
        self.live.owner = ""

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule(
        eats=st.integers(0, 4),
        steps=st.integers(1, 3),
        says=st.integers(0, 3),
        keep=st.integers(0, 9),
    )
    def step(self, eats: int, steps: int, says: int, keep: int) -> None:
        """The owner takes records, makes steps and outputs, and trims all but the last `keep`."""
        live = self.live
        k, m = len(live.steps) + 1, len(live.outputs) + 1
        cursor = min(live.cursor + eats, max(live.cursor, len(live.inputs)))
        wish = StepCommit(
            sid=SID,
            owner=live.owner,
            first_step=k,
            steps=tuple(Step(cursor, k + i, said=b"%d" % k) for i in range(steps)),
            first_output=m,
            outputs=tuple(Speech(m + i, k, bytes([m % 251]) * 960) for i in range(says)),
            cursor=cursor,
            frame=m + says - 1,
            generation=k,
            mode="turn",
            keep_inputs=max(1, cursor - keep),
            keep_steps=max(1, k - keep),
            keep_outputs=max(1, m - keep),
        )
        self.committed.append(wish)
        self.send(wish)

    @precondition(lambda self: self.model is not None and self.committed)
    @rule(data=st.data(), ours=st.booleans())
    def commit_again(self, data: st.DataObject, ours: bool) -> None:
        """A commit whose answer was lost, or of a worker that woke up late, or of a lost tail."""
        wish: StepCommit = data.draw(st.sampled_from(self.committed[-4:]))
        self.send(replace(wish, owner=self.live.owner) if ours and self.live.owner else wish)

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule(wrong=st.sampled_from(["step", "output", "cursor"]))
    def commit_out_of_order(self, wrong: str) -> None:
        """A step, an output or an input too far, or back: nothing is stored."""
        live = self.live
        k, m, cursor = len(live.steps) + 1, len(live.outputs) + 1, live.cursor
        k, m = k + (wrong == "step"), m + (wrong == "output")
        cursor -= wrong == "cursor"
        step = (Step(max(0, cursor), 1),)
        self.send(StepCommit(SID, live.owner, k, step, m, (), cursor, 0, 1, "turn", 1, 1, 1))

    # What always holds.

    @invariant()
    def streams_are_the_lists(self) -> None:
        """Every stream holds its list, from where it was trimmed, each number once."""
        if (live := self.model) is None:
            return
        (inputs,) = self.do(self.log.read_inputs([(SID, 0)], None))
        (outputs,) = self.do(self.log.read_outputs([(SID, 0)], None))
        found: list[list[tuple[int, Any]]] = [list(inputs), self.do(self.log.read_steps(SID))]
        found.append(list(outputs))
        lists: list[list[Any]] = [[*live.inputs], [*live.steps], [*live.outputs]]
        for entries, all_of_it, first in zip(found, lists, live.kept, strict=True):
            expected = list(enumerate(all_of_it, 1))[first - 1 :]
            assert entries == expected

    @invariant()
    def meta_counts_them(self) -> None:
        """The hash says how far each has come, and every key expires."""
        if (live := self.model) is None:
            return
        (meta,) = self.do(self.log.metas([SID]))
        assert meta is not None
        assert meta.n == len(live.inputs)
        assert (meta.k, meta.m) == (len(live.steps), len(live.outputs))
        assert (meta.cursor, meta.owner, meta.conn) == (live.cursor, live.owner, live.conn)
        chunks = sum(isinstance(record, Audio) for record in live.inputs)
        assert meta.samples == 1920 * chunks
        assert all(0 < self.do(self.redis.ttl(k)) <= TTL_S for k in self.do(self.redis.keys("*")))


def test_the_log_is_the_list_model(any_redis_url: str) -> None:
    with asyncio.Runner() as runner:

        class Bound(LogMachine):
            def __init__(self) -> None:
                super().__init__(any_redis_url, runner)

        run_state_machine_as_test(Bound, settings=SEARCH)
