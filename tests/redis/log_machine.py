"""One session's log beside its list model: opening, loss, crash, and the invariants."""

import asyncio
import copy
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from redis.asyncio import Redis

from shared.audio import CHUNK_SAMPLES
from shared.log import keys
from shared.log.records import Audio, Cancel, InputRecord
from shared.log.session_log import SessionLog
from shared.log.writes import Answer, Append, Receipt, StepCommit
from tests.redis.list_model import BACKLOG, Model

SID: Final = "machine"
TOKEN: Final = "hash"  # noqa: S105 # of the resume token
TTL_S: Final = 60

_T = TypeVar("_T")


class LogMachine(RuleBasedStateMachine):
    """One session. No name of an owner or a connection is used twice, whatever Redis loses."""

    def __init__(self, url: str, runner: "asyncio.Runner") -> None:
        super().__init__()
        self.runner = runner
        self.redis = Redis.from_url(url)  # without time-outs, so that no answer is lost
        self.log = SessionLog(self.redis, ttl_s=TTL_S, backlog=BACKLOG)
        self.model: Model | None = None
        self.owners: list[str] = []
        self.conns: list[str] = []
        self.committed: list[StepCommit] = []
        self.saved: tuple[Model, dict[str, bytes]] | None = None
        self.names = 0
        self.do(self.redis.flushall())

    def do(self, work: Awaitable[_T]) -> _T:
        """Run an awaitable to its end."""

        async def awaited() -> _T:
            return await work

        return self.runner.run(awaited())

    def teardown(self) -> None:
        """Leave the server empty."""
        self.do(self.redis.flushall())
        self.do(self.redis.aclose())

    def nonce(self) -> str:
        """A name that was not used before."""
        self.names += 1
        return f"n{self.names}"

    @property
    def live(self) -> Model:
        """The model, which every rule that uses it has as its precondition."""
        assert self.model is not None
        return self.model

    def records(self, first: int, kinds: list[bool]) -> list[InputRecord]:
        """Records from `first` on; those that the model already has are the same again."""
        said = self.live.inputs[first - 1 :]
        new = [
            Audio(bytes([(first + i) % 251]) * 3840) if k else Cancel() for i, k in enumerate(kinds)
        ]
        return [*said, *new[len(said) :]] if len(said) < len(new) else said[: len(new)]

    def say(self, conn: str, first: int, kinds: list[bool]) -> None:
        """Append, and compare the answer."""
        records = self.records(first, kinds)
        (receipt,) = self.do(
            self.log.append([Append(sid=SID, conn=conn, first=first, records=tuple(records))])
        )
        assert receipt == self.live.append(conn, first, records)

    def send(self, wish: StepCommit) -> None:
        """Commit, and compare the answer."""
        (receipt,) = self.do(self.log.commit([wish]))
        assert receipt == self.live.commit(wish)

    # Opening and losing the log.

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
        """An id that is taken is refused."""
        assert self.do(self.log.open(SID, "gate", self.nonce(), TOKEN, {})) == (
            Answer.DUPLICATE,
            self.live.conn,
        )

    @precondition(lambda self: self.model is not None and len(self.live.inputs) > 4)
    @rule()
    def flush(self) -> None:
        """FLUSHALL and no scripts: every call answers `gone`, and no key appears again."""
        self.do(self.redis.flushall())
        self.do(self.redis.script_flush())
        first = len(self.live.inputs) + 1
        append = Append(sid=SID, conn=self.live.conn, first=first, records=(Cancel(),))
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
        """The state to which a later crash of Redis returns."""
        dumps = {key: self.do(self.redis.dump(key)) for key in keys.session(SID)}
        held = {key: dump for key, dump in dumps.items() if dump is not None}
        self.saved = copy.deepcopy(self.live), held

    @precondition(lambda self: self.model is not None and self.saved is not None)
    @rule()
    def crash(self) -> None:
        """Redis returns without its newest writes and its scripts; the writers do not know."""
        assert self.saved is not None
        model, dumps = self.saved
        self.do(self.redis.delete(*keys.session(SID)))
        self.do(self.redis.script_flush())
        for key, dump in dumps.items():
            self.do(self.redis.restore(key, TTL_S * 1_000, dump))
        self.model = copy.deepcopy(model)

    # Invariants.

    @invariant()
    def streams_are_the_lists(self) -> None:
        """Every stream holds its list from the last trim on, each number once."""
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
        """The meta has the lists' lengths, and every key expires."""
        if (live := self.model) is None:
            return
        (meta,) = self.do(self.log.metas([SID]))
        assert meta is not None
        assert meta.n == len(live.inputs)
        assert (meta.k, meta.m) == (len(live.steps), len(live.outputs))
        assert (meta.cursor, meta.owner, meta.conn) == (live.cursor, live.owner, live.conn)
        chunks = sum(isinstance(record, Audio) for record in live.inputs)
        assert meta.samples == CHUNK_SAMPLES * chunks
        assert all(0 < self.do(self.redis.ttl(k)) <= TTL_S for k in self.do(self.redis.keys("*")))
