"""Compares the log with a list model over random writes, retries, deaths and losses."""

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from shared.log.records import Cancel, Speech, Step
from shared.log.writes import Answer, Append, Receipt, StepCommit
from tests.commits import a_commit
from tests.redis.log_machine import SID, TOKEN, TTL_S, LogMachine

pytestmark = pytest.mark.redis

# Both Redis versions together must take less than 20 s.
SEARCH = settings(
    max_examples=30,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class CallMachine(LogMachine):
    """The right and the wrong actions of gateways and workers."""

    # The caller's side.

    @precondition(lambda self: self.model is not None)
    @rule(kinds=st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=4))
    def append(self, kinds: list[bool]) -> None:
        """The gateway appends new records."""
        self.say(self.live.conn, len(self.live.inputs) + 1, kinds)

    @precondition(lambda self: self.model is not None)
    @rule(back=st.integers(1, 5), more=st.integers(0, 3))
    def retry(self, back: int, more: int) -> None:
        """The answer to an append was lost: the gateway sends it again with more records."""
        first = max(self.live.kept[0], len(self.live.inputs) + 1 - back)
        first = min(first, len(self.live.inputs) + 1)
        self.say(self.live.conn, first, [True] * (back + more))

    @precondition(lambda self: self.model is not None)
    @rule(ahead=st.integers(2, 4))
    def skip_ahead(self, ahead: int) -> None:
        """Earlier records are missing: the log stores nothing."""
        self.say(self.live.conn, len(self.live.inputs) + ahead, [True])

    @precondition(lambda self: self.model is not None)
    @rule(right=st.sampled_from([True, True, False]), behind=st.integers(0, 6))
    def resume(self, right: bool, behind: int) -> None:
        """A caller resumes at some gateway, which reads the last `behind` outputs."""
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
        """Only a worker that saw the present owner gets the session."""
        expected = self.live.owner if seen == "owner" else "0:nobody:n0"
        answer, owner = self.do(self.log.claim(SID, expected, worker, self.nonce()))
        if expected != self.live.owner:
            assert (answer, owner) == (Answer.FENCED, self.live.owner)
            return
        wanted = Answer.STORED
        if self.live.owner and f":{worker}:" not in self.live.owner:
            wanted = self.live.strike(0)  # its own session: only an answer was lost
        assert answer is wanted
        assert owner not in self.owners
        self.owners.append(owner)
        self.live.owner = owner
        if answer is Answer.POISONED:
            self.give_up()

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule()
    def fail_alone(self) -> None:
        """The engine cannot step this session alone; twice in one trial ends it."""
        assert self.do(self.log.strike(SID, "0:nobody:n0")) is Answer.FENCED
        answer = self.do(self.log.strike(SID, self.live.owner))
        assert answer is self.live.strike(1)
        if answer is Answer.POISONED:
            self.give_up()

    def give_up(self) -> None:
        """Quarantine: every script refuses to write, and the log is kept longer."""
        owner, conn, n = self.live.owner, self.live.conn, len(self.live.inputs)
        assert self.do(self.log.quarantine(SID, "0:nobody:n0")) is Answer.FENCED
        assert self.do(self.log.quarantine(SID, owner)) is Answer.STORED
        append = Append(sid=SID, conn=conn, first=n + 1, records=(Cancel(),))
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
        """A worker leaves and releases the session."""
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
        """The owner consumes records, commits, and trims all but the last `keep` records."""
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
        """A retry, a late commit of a replaced worker, or a repair after Redis lost its tail."""
        wish: StepCommit = data.draw(st.sampled_from(self.committed[-4:]))
        self.send(
            msgspec.structs.replace(wish, owner=self.live.owner)
            if ours and self.live.owner
            else wish
        )

    @precondition(lambda self: self.model is not None and self.live.owner)
    @rule(wrong=st.sampled_from(["step", "output", "cursor"]))
    def commit_out_of_order(self, wrong: str) -> None:
        """A step or output leaves a gap, or the cursor goes back: the log stores nothing."""
        live = self.live
        k, m, cursor = len(live.steps) + 1, len(live.outputs) + 1, live.cursor
        k, m = k + (wrong == "step"), m + (wrong == "output")
        cursor -= wrong == "cursor"
        step = (Step(max(0, cursor), 1),)
        self.send(
            a_commit(
                sid=SID,
                owner=live.owner,
                first_step=k,
                steps=step,
                first_output=m,
                outputs=(),
                cursor=cursor,
                frame=0,
            )
        )


def test_the_log_is_the_list_model(any_redis_url: str) -> None:
    with asyncio.Runner() as runner:

        class Bound(CallMachine):
            def __init__(self) -> None:
                super().__init__(any_redis_url, runner)

        run_state_machine_as_test(Bound, settings=SEARCH)
