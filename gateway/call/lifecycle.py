"""How a call begins and ends in Redis: open, resume, hang up, detach."""

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from redis.exceptions import RedisError

from gateway.call.log_exchange import Exchange, until
from gateway.call.opus import AVAILABLE, Opus
from gateway.call.playout import NATIVE_GROUP_FRAMES, NATIVE_LEAD_FRAMES, PLAIN_LEAD_FRAMES, Playout
from gateway.call.resume import Missed, Outcome, missed
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.edge.admission import Fleet
from gateway.edge.auth import Guard
from gateway.protocol.client_messages import Resume, Start
from gateway.protocol.errors import CallError, ErrorCode, NoCapacity
from gateway.protocol.frames import Codec
from shared.errors import SchemaError
from shared.log.meta import Meta
from shared.log.records import Detach, End, InputRecord, OutputRecord, Speech, fields_of
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer
from shared.settings import Settings
from shared.voices import Persona

logger = logging.getLogger(__name__)

# All records that a session's `out` may hold; a worker keeps some 15 s of audio.
ALL_RECORDS: Final = 4_096
FLUSH_WITHIN_S: Final = 1.0  # for the last records to reach the log
ENDED_WITHIN_S: Final = 1.0  # for the worker to delete a session that hung up
LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Welcome:
    """A session that is ready, and what `ready` says of it."""

    session: Session
    token: str
    outcome: Outcome
    mode: str
    position: int = 0  # the last output record that was read for `missed`
    missed: tuple[OutputRecord, ...] = ()


class Reception:
    """Opens and closes sessions for this gateway process."""

    def __init__(self, settings: Settings, log: SessionLog, exchange: Exchange) -> None:
        self.settings = settings
        self.log = log
        self.exchange = exchange
        self.registry = Registry(log.redis, ttl_s=settings.session_ttl_s)
        self.guard = Guard(settings.gateway_auth_secret.get_secret_value(), self.registry)
        self.fleet = Fleet(
            lease_s=settings.lease_ms / 1_000,
            max_sessions=settings.gateway_max_sessions,
            step_budget_ms=settings.gateway_step_budget_ms,
        )
        self.name = secrets.token_hex(4)  # of this process, in every connection's name
        self.claim_within_s = settings.claim_timeout_ms / 1_000
        self.opening = 0  # callers that are let in and not yet served

    async def open(self, start: Start, *, native: bool) -> Welcome:
        """Begin a session and wait for a worker. Raises CallError: no capacity, unauthorized."""
        came_at = time.monotonic()
        permit = self.guard.read(start.auth)
        self._check(start.persona)
        # Before a place is taken: a token that was used takes none.
        await self.guard.spend(permit)
        sid, token = secrets.token_hex(16), secrets.token_urlsafe(16)
        mode = start.mode or self.settings.reply_mode.value
        options = {k: v for k, v in fields_of(start.options).items() if v is not None}
        fields: dict[str, str | int] = {
            "mode": mode,
            "seed": secrets.randbits(31),
            "options": json.dumps(options),
            **asdict(start.persona),
        }
        try:
            conn = await self._admitted(sid, token, fields)
        except Exception:
            with suppress(RedisError, OSError):
                await self.guard.give_back(permit)
            raise
        now = time.monotonic()
        session = Session(
            sid,
            conn,
            native=native,
            # Who talks at once has talked since then.
            uplink=Uplink(came_at),
            playout=_playout(native),
            now=now,
            opus=_opus(start.codec),
        )
        return Welcome(session, token, Outcome.NEW, mode)

    def _check(self, persona: Persona) -> None:
        """Raises CallError when the model has no such voice or style.

        Where no worker is known nothing is: the caller is refused for that.
        """
        offer = self.fleet.offer(time.monotonic())
        if offer is not None:
            try:
                offer.check(persona)
            except SchemaError as error:
                raise CallError(ErrorCode.BAD_MESSAGE, str(error)) from error

    async def resume(self, wish: Resume) -> Welcome:
        """Go on with a session of this or another gateway. Raises CallError."""
        nonce = secrets.token_hex(4)
        answer, conn = await self.log.connect(
            wish.resume.session, self.name, nonce, _hash(wish.resume.token)
        )
        if answer is Answer.FENCED:
            raise CallError(ErrorCode.BAD_TOKEN, "The token is not this session's")
        if answer is Answer.POISONED:
            raise CallError(ErrorCode.POISONED, "The model failed at this call: start a new one")
        # Read behind the fence: the older connection can change nothing any more.
        meta = (await self.log.metas([wish.resume.session]))[0]
        if answer is Answer.GONE or meta is None:
            raise CallError(
                ErrorCode.NOT_FOUND, "The session is over or never was: start a new one"
            )
        position, found = await self._missed(meta, wish.resume.frame)
        now = time.monotonic()
        session = Session(
            meta.sid,
            conn,
            native=True,
            uplink=Uplink(now, n=meta.n, samples=meta.samples),
            playout=_playout(native=True, next_frame=found.next_frame),
            now=now,
            opus=_opus(wish.codec),
        )
        return Welcome(
            session, wish.resume.token, found.outcome, meta.mode, position, found.records
        )

    def seat(self, welcome: Welcome) -> None:
        """Serve a session, beginning with what it missed; `ready` was said before."""
        now, session = time.monotonic(), welcome.session
        session.replay(welcome.missed, welcome.position, now)
        self.exchange.add(session, now)

    async def leave(self, session: Session, *, clean: bool) -> None:
        """The socket is gone. `clean`: the call is over; else the caller may come back."""
        session.start_leaving()
        try:
            if session.log_lost:
                return
            if clean:
                await self._hang_up(session)
            else:
                await self._flush(session, Detach())
        except (RedisError, OSError) as error:
            logger.warning("session %s is left to its time limit: %s", session.sid, error)
        finally:
            self.exchange.remove(session)

    async def _admitted(self, sid: str, token: str, fields: Mapping[str, str | int]) -> str:
        """A session for which there is room; its connection. Raises CallError: no capacity."""
        self.fleet.admit(len(self.exchange.sessions) + self.opening, time.monotonic())
        self.opening += 1
        try:
            return await self._opened(sid, token, fields)
        finally:
            self.opening -= 1

    async def _opened(self, sid: str, token: str, fields: Mapping[str, str | int]) -> str:
        """Make a session that a worker owns; its connection. What fails leaves no key behind."""
        nonce = secrets.token_hex(4)
        try:
            _, conn = await self.log.open(sid, self.name, nonce, _hash(token), fields)
            await self.registry.announce(sid)
            await self._await_worker(sid, conn)
        except (RedisError, OSError):
            # Perhaps only the answer was lost: a worker would keep a slot for nobody.
            with suppress(RedisError, OSError):
                await self.log.end(sid)
                await self.registry.forget([sid])
            raise
        return conn

    async def _await_worker(self, sid: str, conn: str) -> None:
        try:
            async with asyncio.timeout(self.claim_within_s):
                claimed = await self.exchange.claimed(sid)
        except TimeoutError:
            claimed = False
        if not claimed:
            await self._delete(sid, conn)
            raise NoCapacity("No worker took the call")

    async def _missed(self, meta: Meta, frame: int) -> tuple[int, Missed]:
        """The last output record there is, and what the caller lacks of them."""
        entries = (await self.log.read_outputs([(meta.sid, 0)], ALL_RECORDS))[0]
        last = max([meta.f, *(r.frame + r.frames - 1 for _, r in entries if isinstance(r, Speech))])
        position = entries[-1][0] if entries else meta.m
        return position, missed([record for _, record in entries], frame, last)

    async def _flush(self, session: Session, record: InputRecord) -> bool:
        """Say a last thing to the log; whether it got there."""
        if not session.push_last(record):
            return False
        self.exchange.spoke(session)
        return await until(lambda: session.log_lost or not session.unwritten, FLUSH_WITHIN_S)

    async def _hang_up(self, session: Session) -> None:
        """End the session: its worker deletes it; if that does not happen soon, this does."""
        if await self._flush(session, End()):
            for _ in range(round(ENDED_WITHIN_S / LOOK_EVERY_S)):
                if session.log_lost or (await self.log.metas([session.sid]))[0] is None:
                    break
                await asyncio.sleep(LOOK_EVERY_S)
        await self._delete(session.sid, session.conn)

    async def _delete(self, sid: str, conn: str) -> None:
        """Leave no key of the session, unless a newer connection has it."""
        if await self.log.end(sid, "conn", conn) is not Answer.FENCED:
            await self.registry.forget([sid])


def _hash(token: str) -> str:
    """What Redis keeps of a resume token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _opus(wish: Codec) -> Opus | None:
    """A codec for a caller who wishes it; None where this gateway has none: they send PCM16."""
    return Opus() if wish is Codec.OPUS and AVAILABLE else None


def _playout(native: bool, next_frame: int = 1) -> Playout:
    if not native:
        return Playout(lead_frames=PLAIN_LEAD_FRAMES, next_frame=next_frame)
    lead, group = NATIVE_LEAD_FRAMES, NATIVE_GROUP_FRAMES
    return Playout(lead_frames=lead, group_frames=group, next_frame=next_frame)
