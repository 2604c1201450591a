"""The promises of the log's scripts, on every installed version of Redis."""

import asyncio
from typing import Any

import pytest
from msgspec import structs
from redis.asyncio import Redis

from shared.errors import ConfigError
from shared.log import keys
from shared.log.meta import TRIAL_STEPS
from shared.log.records import Audio, Cancel, InputRecord, Played, Speech, Step, Text
from shared.log.registry import Registry
from shared.log.session_log import QUARANTINE_S, SessionLog
from shared.log.writes import Answer, Append, Receipt
from shared.redis_client.url import check_redis
from tests.commits import a_commit

SID = "5f"
CONN = "1:gate:n1"
OWNER = "1:w1:n1"
TTL_S = 60


def chunk(value: int) -> Audio:
    return Audio(bytes([value]) * 3840)


@pytest.fixture
async def log(any_redis: Redis) -> SessionLog:
    """A log with one session that worker w1 owns; its input holds at most ten unread chunks."""
    log = SessionLog(any_redis, ttl_s=TTL_S, backlog=10)
    fields: dict[str, str | int] = {"mode": "turn", "seed": 7, "options": "{}"}
    assert await log.open(SID, "gate", "n1", "hash", fields) == (Answer.STORED, CONN)
    assert await log.claim(SID, "", "w1", "n1") == (Answer.STORED, OWNER)
    return log


async def append(
    log: SessionLog, first: int, *records: InputRecord, conn: str = CONN
) -> Receipt | Exception:
    (receipt,) = await log.append([Append(sid=SID, conn=conn, first=first, records=records)])
    return receipt


async def commit(
    log: SessionLog,
    k: int,
    m: int,
    cursor: int,
    *,
    owner: str = OWNER,
    keep: int = 1,
    drop: int = 0,
) -> Receipt | Exception:
    step = Step(cursor=cursor, generation=1, state=b"%d" % k)
    said = (Speech(m, 1, bytes(960)), Text(1, "word"))
    (receipt,) = await log.commit(
        [
            a_commit(
                sid=SID,
                owner=owner,
                first_step=k,
                steps=(step,),
                first_output=m,
                outputs=said,
                cursor=cursor,
                frame=m,
                keep_inputs=keep,
                keep_steps=keep,
                keep_outputs=keep,
                drop_step=drop,
            )
        ]
    )
    return receipt


async def test_records_are_stored_once_and_in_order(log: SessionLog) -> None:
    assert await append(log, 1, chunk(1), chunk(2)) == Receipt(Answer.STORED, 2)
    assert await append(log, 1, chunk(1), chunk(2)) == Receipt(Answer.DUPLICATE, 2)
    assert await append(log, 2, chunk(2), chunk(3)) == Receipt(Answer.STORED, 3)
    assert await append(log, 9, chunk(9)) == Receipt(Answer.GAP, 3)
    (found,) = await log.read_inputs([(SID, 0)])
    assert found == [(1, chunk(1)), (2, chunk(2)), (3, chunk(3))]
    assert await log.read_inputs([(SID, 2)]) == [[(3, chunk(3))]]


async def test_a_full_log_refuses_audio_and_still_takes_a_control(log: SessionLog) -> None:
    receipt = await append(log, 1, *(chunk(i) for i in range(12)))
    assert receipt == Receipt(Answer.BUSY, 10)
    assert await append(log, 11, Cancel()) == Receipt(Answer.STORED, 11)
    assert await append(log, 12, chunk(1)) == Receipt(Answer.BUSY, 11)
    assert await commit(log, 1, 1, 11) == Receipt(Answer.STORED, 1)
    assert await append(log, 12, chunk(1)) == Receipt(Answer.STORED, 12)


async def test_only_the_newest_connection_writes(log: SessionLog) -> None:
    assert await log.connect(SID, "gate2", "n2", "wrong") == (Answer.FENCED, "")
    assert await append(log, 1, chunk(1)) == Receipt(Answer.STORED, 1)
    assert await log.connect(SID, "gate2", "n2", "hash") == (Answer.STORED, "2:gate2:n2")
    assert await append(log, 2, chunk(2)) == Receipt(Answer.FENCED, 1)
    assert await append(log, 2, chunk(2), conn="2:gate2:n2") == Receipt(Answer.STORED, 2)
    assert await log.connect("unknown", "gate", "n", "hash") == (Answer.GONE, "")


async def test_only_the_owner_commits(log: SessionLog) -> None:
    await append(log, 1, chunk(1), chunk(2))
    assert await commit(log, 1, 1, 1) == Receipt(Answer.STORED, 1)
    assert await log.claim(SID, "", "w2", "n2") == (Answer.FENCED, OWNER)
    assert await log.claim(SID, OWNER, "w2", "n2") == (Answer.STORED, "2:w2:n2")
    assert await commit(log, 2, 3, 2) == Receipt(Answer.FENCED, 1)
    assert await commit(log, 2, 3, 2, owner="2:w2:n2") == Receipt(Answer.STORED, 2)


async def test_one_of_many_claimants_wins(log: SessionLog) -> None:
    rivals = [log.claim(SID, OWNER, f"w{i}", f"n{i}") for i in range(20)]
    answers = [answer for answer, _ in await asyncio.gather(*rivals)]
    assert answers.count(Answer.STORED) == 1
    assert answers.count(Answer.FENCED) == 19


async def test_a_released_session_is_claimed_with_a_new_epoch(log: SessionLog) -> None:
    assert await log.release(SID, "9:other:n") is Answer.FENCED
    assert await log.release(SID, OWNER) is Answer.STORED
    assert await commit(log, 1, 1, 0) == Receipt(Answer.FENCED, 0)
    assert await log.claim(SID, "", "w1", "n2") == (Answer.STORED, "2:w1:n2")


async def test_a_commit_is_stored_once_whole_and_in_order(log: SessionLog) -> None:
    await append(log, 1, chunk(1), chunk(2), chunk(3))
    assert await commit(log, 1, 1, 2) == Receipt(Answer.STORED, 1)
    assert await commit(log, 1, 1, 2) == Receipt(Answer.DUPLICATE, 1)
    assert await commit(log, 3, 5, 3) == Receipt(Answer.GAP, 1)
    assert await commit(log, 2, 9, 3) == Receipt(Answer.GAP, 1)
    assert await commit(log, 2, 3, 1) == Receipt(Answer.GAP, 1), "the cursor went back"
    assert await commit(log, 2, 3, 3) == Receipt(Answer.STORED, 2)
    (out,) = await log.read_outputs([(SID, 0)])
    assert [m for m, _ in out] == [1, 2, 3, 4]
    assert [k for k, _ in await log.read_steps(SID)] == [1, 2]
    (meta,) = await log.metas([SID])
    assert meta is not None
    assert (meta.k, meta.m, meta.cursor, meta.f, meta.generation) == (2, 4, 3, 3, 1)


async def test_trimming_removes_only_what_the_commit_allows(log: SessionLog) -> None:
    await append(log, 1, *(chunk(i) for i in range(6)))
    for k in range(1, 9):  # the eighth step also trims the streams that it does not write
        await commit(log, k, 2 * k - 1, min(k, 6), keep=min(k, 4))
    assert [n for n, _ in (await log.read_inputs([(SID, 0)]))[0]] == [4, 5, 6]
    assert [k for k, _ in await log.read_steps(SID)] == [4, 5, 6, 7, 8]
    assert [m for m, _ in (await log.read_outputs([(SID, 0)]))[0]] == list(range(4, 17))


async def test_a_commit_may_delete_one_of_the_kept_steps(log: SessionLog) -> None:
    await append(log, 1, *(chunk(i) for i in range(6)))
    for k in range(1, 5):
        await commit(log, k, 2 * k - 1, k, drop=2 if k == 3 else 0)
    assert [k for k, _ in await log.read_steps(SID)] == [1, 3, 4]


async def test_the_meta_shows_the_playhead(log: SessionLog) -> None:
    await append(log, 1, Played(41), chunk(1))
    (meta,) = await log.metas([SID])
    assert meta is not None
    assert meta.played == 41
    assert meta.worker == "w1"


async def test_two_deaths_in_one_trial_poison_and_a_survived_trial_forgives(
    log: SessionLog,
) -> None:
    async def die(worker: str) -> Answer:
        (meta,) = await log.metas([SID])
        assert meta is not None
        return (await log.claim(SID, meta.owner, worker, worker))[0]

    assert await die("w2") is Answer.STORED  # a first death does not count
    assert await die("w3") is Answer.STORED
    (meta,) = await log.metas([SID])
    assert meta is not None
    assert (meta.trial, meta.strikes, meta.suspect) == (TRIAL_STEPS, 1, True)
    for k in range(1, TRIAL_STEPS + 1):
        assert await commit(log, k, 2 * k - 1, 0, owner=meta.owner) == Receipt(Answer.STORED, k)
    assert await die("w4") is Answer.STORED
    assert await die("w5") is Answer.STORED
    assert await die("w6") is Answer.POISONED


async def test_a_released_session_is_not_on_trial(log: SessionLog) -> None:
    owner = OWNER
    for name in ("w2", "w3", "w4"):
        assert await log.release(SID, owner) is Answer.STORED
        answer, owner = await log.claim(SID, "", name, "n")
        assert answer is Answer.STORED


async def test_a_session_that_was_given_up_refuses_writes_and_keeps_its_log(
    log: SessionLog,
) -> None:
    await append(log, 1, chunk(1))
    await commit(log, 1, 1, 1)
    assert await log.strike(SID, OWNER) is Answer.STORED
    assert await log.strike(SID, OWNER) is Answer.POISONED
    assert await log.quarantine(SID, OWNER) is Answer.STORED
    assert await append(log, 2, chunk(2)) == Receipt(Answer.POISONED, 1)
    assert await commit(log, 2, 3, 1) == Receipt(Answer.FENCED, 1)
    assert await log.end(SID) is Answer.GONE
    for key in keys.session(SID):
        assert TTL_S < await log.redis.ttl(key) <= QUARANTINE_S


async def test_every_key_of_a_session_expires(log: SessionLog) -> None:
    await append(log, 1, chunk(1))
    await commit(log, 1, 1, 1)
    for key in keys.session(SID):
        assert 0 < await log.redis.ttl(key) <= TTL_S


async def test_only_the_newest_connection_ends_a_session_and_deletes_its_keys(
    log: SessionLog,
) -> None:
    await append(log, 1, chunk(1))
    await commit(log, 1, 1, 1)
    assert await log.end(SID, "conn", "0:old:n") is Answer.FENCED
    assert await log.end(SID, "conn", CONN) is Answer.STORED
    assert await log.redis.keys("*") == []
    assert await append(log, 2, chunk(1)) == Receipt(Answer.GONE, 0)
    assert await commit(log, 2, 3, 1) == Receipt(Answer.GONE, 0)
    assert await log.claim(SID, OWNER, "w2", "n") == (Answer.GONE, "")
    assert await log.redis.keys("*") == []


async def test_a_restarted_redis_gets_its_scripts_again(log: SessionLog) -> None:
    await append(log, 1, chunk(1))
    await log.redis.script_flush()
    assert await append(log, 2, chunk(2)) == Receipt(Answer.STORED, 2)
    await log.redis.script_flush()
    assert await commit(log, 1, 1, 2) == Receipt(Answer.STORED, 1)
    await log.redis.script_flush()
    assert await log.release(SID, OWNER) is Answer.STORED


async def test_a_refused_write_does_not_affect_others_in_the_pipeline(log: SessionLog) -> None:
    batch = [
        Append(sid="unknown", conn=CONN, first=1, records=(chunk(1),)),
        Append(sid=SID, conn=CONN, first=1, records=(chunk(1),)),
        Append(sid=SID, conn="0:old:n", first=2, records=(chunk(1),)),
    ]
    receipts = await log.append(batch)
    assert [r.answer for r in receipts if isinstance(r, Receipt)] == ["gone", "stored", "fenced"]


async def test_an_evicting_redis_is_refused(any_redis: Redis) -> None:
    await check_redis(any_redis)
    await any_redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigError, match="noeviction"):
            await check_redis(any_redis)
    finally:
        await any_redis.config_set("maxmemory-policy", "noeviction")


async def test_the_registry_keeps_hints(any_redis: Redis) -> None:
    registry = Registry(any_redis, ttl_s=TTL_S)
    await registry.announce("a")
    await registry.announce("b")
    await registry.requeue(["c"])
    assert await registry.sessions() == ["a", "b"]
    assert await registry.queued() == 3
    assert await registry.take(0) == []
    assert await registry.take(2) == ["a", "b"]
    await registry.forget(["a", "b", "c"])
    assert (await registry.sessions(), await registry.queued()) == ([], 0)
    await registry.publish_worker("w1", {"beat": 3, "free": 2})
    assert await registry.workers() == {"w1": {"beat": 3, "free": 2, "client": None}}
    await registry.remove_worker("w1")
    assert await registry.workers() == {}
    await registry.relist(["d"])
    await registry.add_dead("d", "w1", "it failed")
    assert await registry.sessions() == []
    dead: Any = await any_redis.xrange(keys.DEAD)
    ((_, entry),) = dead
    assert entry == {b"session": b"d", b"worker": b"w1", b"reason": b"it failed"}


async def test_a_worker_releases_only_sessions_that_it_still_owns(log: SessionLog) -> None:
    assert await log.release_all({"never was": OWNER, SID: "9:other:n"}) == []
    for _ in range(2):  # again: a worker that leaves may miss the first answer
        assert await log.release_all({"never was": OWNER, SID: OWNER}) == [SID]
    (meta,) = await log.metas([SID])
    assert meta is not None
    assert meta.owner == ""


@pytest.mark.parametrize("room_kib", [0, 16, 64, 128, 256])
async def test_a_redis_that_fills_up_during_a_commit_keeps_all_of_it_or_nothing(
    log: SessionLog, any_redis: Redis, room_kib: int
) -> None:
    """Memory runs out between the first and the last record of a commit."""
    assert await append(log, 1, chunk(1)) == Receipt(Answer.STORED, 1)
    steps = tuple(Step(cursor=1, generation=1, state=bytes(32_000)) for _ in range(4))
    said = tuple(Speech(4 * m + 1, 1, bytes(3_840)) for m in range(16))
    whole = a_commit(sid=SID, owner=OWNER, steps=steps, outputs=said, cursor=1, frame=64)
    used = (await any_redis.info("memory"))["used_memory"]
    await any_redis.config_set("maxmemory", used + room_kib * 1_024)
    try:
        (receipt,) = await log.commit([whole])
    finally:
        await any_redis.config_set("maxmemory", 0)
    (meta,) = await log.metas([SID])
    assert meta is not None
    stored = [await any_redis.xlen(key) for key in (keys.steps(SID), keys.outputs(SID))]
    if isinstance(receipt, Exception):
        assert "maxmemory" in str(receipt)
        assert (stored, meta.k, meta.m) == ([0, 0], 0, 0)
    else:
        assert (stored, meta.k, meta.m) == ([4, 16], 4, 16)
    assert -1 not in [await any_redis.ttl(key) for key in keys.session(SID)]
    (again,) = await log.commit([whole])
    assert isinstance(again, Receipt)
    assert again.ok
    assert [await any_redis.xlen(keys.steps(SID)), await any_redis.xlen(keys.outputs(SID))] == [
        4,
        16,
    ]


async def test_what_is_kept_of_a_client_is_written_with_its_records_and_ends_with_them(
    log: SessionLog,
) -> None:
    (opened,) = await log.metas([SID])
    assert opened is not None
    assert await log.client(SID) == b""
    kept = Append(sid=SID, conn=opened.conn, first=1, records=(chunk(1),), client=b"one")
    assert await log.append([kept]) == [Receipt(Answer.STORED, 1)]
    assert await log.client(SID) == b"one"
    assert 0 < await log.redis.ttl(keys.client(SID)) <= TTL_S
    await append(log, 2, chunk(2))
    alone = Append(sid=SID, conn=opened.conn, first=3, records=(), client=b"two")
    assert await log.append([alone]) == [Receipt(Answer.DUPLICATE, 2)]
    for wrong in (structs.replace(kept, conn="0:old:n"), structs.replace(kept, first=9)):
        (refused,) = await log.append([wrong])
        assert isinstance(refused, Receipt)
        assert refused.answer in (Answer.FENCED, Answer.GAP)
    assert await log.client(SID) == b"two"
    assert await log.end(SID) is Answer.STORED
    assert await log.redis.keys("*") == []
