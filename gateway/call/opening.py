"""How a session begins on this gateway: a new one, or one that its client resumes."""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Final

from redis.exceptions import RedisError

from gateway.call.claim_waiter import ClaimWaiter
from gateway.call.closing import delete_session
from gateway.call.connected_sessions import ConnectedSessions
from gateway.call.playout import (
    NATIVE_GROUP_FRAMES,
    NATIVE_LEAD_FRAMES,
    PLAIN_LEAD_FRAMES,
    Event,
    Playout,
)
from gateway.call.resume import Missed, Outcome, delivered, missed
from gateway.call.session import Session
from gateway.call.uplink import Uplink
from gateway.call.wire_audio import wire_audio
from gateway.edge.auth import TokenVerifier
from gateway.edge.fleet import Fleet
from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.client_messages import Resume, ResumePoint, Start
from gateway.protocol.errors import CallError, ErrorCode, NoCapacity
from shared.errors import SchemaError
from shared.log import formats
from shared.log.meta import Meta
from shared.log.records import OutputRecord, Speech
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer
from shared.modes import ReplyMode
from shared.voices import Persona

# How long a gateway takes to see a slot that a hang-up freed: a step, a beat and a look.
FREED_WITHIN_S: Final = 0.5
# All records that a session's `out` may hold; a worker keeps some 15 s of audio.
ALL_RECORDS: Final = 4_096


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that is ready, and what `ready` reports about it."""

    session: Session
    token: str
    outcome: Outcome
    mode: str
    position: int = 0  # the last output record that was read for `missed`
    missed: tuple[OutputRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session starts or continues: its numbers in the log, and when its client arrived."""

    sid: str
    conn: str
    arrived_at: float
    n: int = 0
    samples: int = 0
    next_frame: int = 1
    generation: int = 0
    client: bytes = b""  # the protocol state that the previous connection stored
    has_frame: int = 0  # the last frame that the client has or that the log no longer holds
    delivered: tuple[tuple[int, Event], ...] = ()  # numbered events that the client has


Build = Callable[[Place], Session]


class SessionOpener:
    """Begins new sessions, if their token permits it and a worker has room."""

    def __init__(
        self,
        log: SessionLog,
        registry: Registry,
        fleet: Fleet,
        tokens: TokenVerifier,
        sessions: ConnectedSessions,
        claims: ClaimWaiter,
        *,
        gateway: str,
        mode: ReplyMode,
        claim_within_s: float,
        next_look: Callable[[], Awaitable[None]],
        seed: int | None = None,
    ) -> None:
        """`seed`: of every session's sampling; None: a random one for each."""
        self._log = log
        self._registry = registry
        self._fleet = fleet
        self._tokens = tokens
        self._sessions = sessions
        self._claims = claims
        self._gateway = gateway
        self._mode = mode  # of clients that ask for none
        self.claim_within_s = claim_within_s
        self._next_look = next_look  # at the workers
        self._seed = seed
        self._opening = 0  # callers that are admitted and not yet served

    async def open(
        self,
        start: Start,
        *,
        native: bool = True,
        permitted: bool = False,
        build: Build | None = None,
    ) -> OpenedSession:
        """Begin a session and wait for a worker. Raises CallError, RedisError.

        `permitted`: the client has proved its right to call by other means than `start.auth`.
        `build` makes the session of a client that speaks neither antiphon.v1 nor plain PCM16.
        """
        arrived_at = time.monotonic()
        permit = None if permitted else self._tokens.verify(start.auth)
        self._check_persona(start.persona)
        # Before the caller takes a place, so that a used token takes none.
        await self._tokens.spend(permit)
        sid, token = secrets.token_hex(16), secrets.token_urlsafe(16)
        mode = start.mode or self._mode.value
        try:
            async with self._admitted():
                conn = await self._begin(sid, token, mode, start)
        except Exception:
            with suppress(RedisError, OSError):
                await self._tokens.give_back(permit)
            raise
        place = Place(sid, conn, arrived_at)
        session = build(place) if build else self._session(place, start, native=native)
        return OpenedSession(session, token, Outcome.NEW, mode)

    def _session(self, place: Place, start: Start, *, native: bool) -> Session:
        now = time.monotonic()
        return Session(
            place.sid,
            place.conn,
            native=native,
            # A client may have sent audio since then, without waiting for `ready`.
            uplink=Uplink(place.arrived_at),
            playout=_playout(native=native),
            now=now,
            audio=wire_audio(start.audio_format),
            takes_text=self._fleet.takes_text(now),
        )

    def _check_persona(self, persona: Persona) -> None:
        """Raises CallError when the workers have no such voice or style.

        Without a worker no voices are known. The caller is then refused for lack of a worker.
        """
        offer = self._fleet.offer(time.monotonic())
        if offer is not None:
            try:
                offer.check(persona)
            except SchemaError as error:
                raise CallError(ErrorCode.BAD_MESSAGE, str(error)) from error

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        """A place for one more caller, if one is free within a moment. Raises NoCapacity.

        When a caller has just hung up, the workers' statuses do not show the free slot yet.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(FREED_WITHIN_S):
                if self._fleet.scarce(time.monotonic()):
                    await self._next_look()
                while self._fleet.full(self._callers, time.monotonic()):
                    await self._next_look()
        self._fleet.admit(self._callers, time.monotonic())
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    @property
    def _callers(self) -> int:
        """How many places of this gateway are taken."""
        return len(self._sessions) + self._opening

    async def _begin(self, sid: str, token: str, mode: str, start: Start) -> str:
        """Make the session's log, wait for a worker, return the connection's name in the log."""
        written = formats.fields(start.options, self._log.writes)
        options = {name: value for name, value in written.items() if value is not None}
        if start.instructions:
            options["instructions"] = start.instructions
        fields: dict[str, str | int] = {
            "mode": mode,
            "seed": secrets.randbits(31) if self._seed is None else self._seed,
            "options": json.dumps(options),
            "codec": start.audio_format.codec.value,
            "sample_rate": start.audio_format.rate_hz,
            "record": int(start.record),
            **asdict(start.persona),
        }
        nonce = secrets.token_hex(4)
        try:
            _, conn = await self._log.open(sid, self._gateway, nonce, _hash(token), fields)
            await self._registry.announce(sid)
            await self._await_worker(sid, conn)
        except (RedisError, OSError):
            # If only the answer was lost, a worker would hold a slot for a call without a caller.
            with suppress(RedisError, OSError):
                await self._log.end(sid)
                await self._registry.forget([sid])
            raise
        return conn

    async def _await_worker(self, sid: str, conn: str) -> None:
        try:
            async with asyncio.timeout(self.claim_within_s):
                claimed = await self._claims.wait(sid)
        except TimeoutError:
            claimed = False
        if not claimed:
            await delete_session(self._log, self._registry, sid, conn)
            raise NoCapacity(
                "No worker took the call", self._fleet.retry_after_ms(time.monotonic())
            )


class SessionResumer:
    """Takes sessions over from another connection of this or another gateway."""

    def __init__(self, log: SessionLog, fleet: Fleet, *, gateway: str) -> None:
        self._log = log
        self._fleet = fleet
        self._gateway = gateway

    async def resume(self, request: Resume, build: Build | None = None) -> OpenedSession:
        """Go on with a session. Raises CallError, RedisError, SchemaError."""
        point = request.resume
        conn = await self._take_over(point)
        # Read after the takeover: the older connection cannot change the log any more.
        meta = (await self._log.metas([point.session]))[0]
        if meta is None:
            raise _not_found()
        position, found, events = await self._missed(meta, point.frame)
        now = time.monotonic()
        if build is not None:
            place = Place(
                meta.sid,
                conn,
                now,
                meta.n,
                meta.samples,
                found.next_frame,
                meta.generation,
                client=await self._log.client(meta.sid),
                has_frame=found.has_frame,
                delivered=events,
            )
            return OpenedSession(
                build(place), point.token, found.outcome, meta.mode, position, found.records
            )
        session = Session(
            meta.sid,
            conn,
            native=True,
            uplink=Uplink(now, n=meta.n, samples=meta.samples),
            playout=_playout(native=True, next_frame=found.next_frame),
            now=now,
            audio=wire_audio(request.audio_format_after(_first_format(meta))),
            takes_text=self._fleet.takes_text(now),
        )
        return OpenedSession(
            session, point.token, found.outcome, meta.mode, position, found.records
        )

    async def _take_over(self, point: ResumePoint) -> str:
        """Fence off the older connection; the new one's name in the log. Raises CallError."""
        nonce = secrets.token_hex(4)
        answer, conn = await self._log.connect(
            point.session, self._gateway, nonce, _hash(point.token)
        )
        if answer is Answer.FENCED:
            raise CallError(ErrorCode.BAD_TOKEN, "The token is not this session's")
        if answer is Answer.POISONED:
            raise CallError(ErrorCode.POISONED, "The model failed at this call: start a new one")
        if answer is Answer.GONE:
            raise _not_found()
        return conn

    async def _missed(
        self, meta: Meta, frame: int
    ) -> tuple[int, Missed, tuple[tuple[int, Event], ...]]:
        """The last output record's number, what the caller missed, and the events before that."""
        entries = (await self._log.read_outputs([(meta.sid, 0)], ALL_RECORDS))[0]
        last = max([meta.f, *(r.frame + r.frames - 1 for _, r in entries if isinstance(r, Speech))])
        position = entries[-1][0] if entries else meta.m
        found = missed([record for _, record in entries], frame, last)
        return position, found, delivered(entries, frame)


def _not_found() -> CallError:
    return CallError(ErrorCode.NOT_FOUND, "The session has ended or never existed: start a new one")


def _hash(token: str) -> str:
    """What Redis keeps of a resume token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _first_format(meta: Meta) -> AudioFormat:
    """What the session's binary messages held when it began."""
    if not meta.codec:
        return AudioFormat()
    try:
        return AudioFormat.of(Codec(meta.codec), meta.sample_rate)
    except (ValueError, CallError) as error:
        raise SchemaError(f"Expected a session's codec and rate, got {error}") from error


def _playout(*, native: bool, next_frame: int = 1) -> Playout:
    if not native:
        return Playout(lead_frames=PLAIN_LEAD_FRAMES, next_frame=next_frame)
    lead, group = NATIVE_LEAD_FRAMES, NATIVE_GROUP_FRAMES
    return Playout(lead_frames=lead, group_frames=group, next_frame=next_frame)
