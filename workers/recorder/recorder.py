"""Follows the logs of calls to record, and stores both sides' audio and words."""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from redis.exceptions import RedisError

from shared.errors import SchemaError
from shared.log.meta import Meta
from shared.log.records import InputRecord, OutputRecord
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.wakeups import INPUTS, OUTPUTS, WakeupListener
from workers.recorder.assembly import Assembly, PlacedSound
from workers.recorder.store import RecordingStore

logger = logging.getLogger(__name__)

READ_WITHIN_S: Final = 0.1  # the log drops what a worker no longer needs
SAVE_EVERY_S: Final = 1.0
LOOK_EVERY_S: Final = 1.0  # for new calls, and for those that are over


@dataclass(slots=True)
class _Call:
    assembly: Assembly
    about: dict[str, Any]  # what the transcript says of the call
    sounds: list[PlacedSound]  # not saved yet


class Recorder:
    """Records until it is stopped. Another recorder with the same store continues from there."""

    def __init__(self, log: SessionLog, registry: Registry, store: RecordingStore) -> None:
        self._log, self._registry, self._store = log, registry, store
        self._calls: dict[str, _Call] = {}
        self._others: set[str] = set()  # calls without consent
        self._wakeups = [WakeupListener(log.redis, channel) for channel in (INPUTS, OUTPUTS)]
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Make `run` save and return."""
        self._stopped.set()
        self._wakeups[0].event.set()

    async def run(self) -> None:
        """Follow the log until `stop`."""
        for sid in self._store.unfinished():  # of a recorder before this one
            self._calls[sid] = _Call(*self._store.part(sid).load(), [])
        listening = [asyncio.create_task(listener.run()) for listener in self._wakeups]
        saved_at = looked_at = 0.0
        try:
            while not self._stopped.is_set():
                await self._wakeups[0].wait(READ_WITHIN_S)
                for listener in self._wakeups:
                    listener.take()
                now = time.monotonic()
                looks = now - looked_at >= LOOK_EVERY_S
                saves = now - saved_at >= SAVE_EVERY_S
                looked_at, saved_at = now if looks else looked_at, now if saves else saved_at
                await self._turn(looks=looks, saves=saves)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            await self._save(self._calls)

    async def _turn(self, *, looks: bool, saves: bool) -> None:
        try:
            if looks:
                await self._find_calls()
            await self._read()
            if looks:
                await self._finish_ended()
        except (RedisError, OSError, SchemaError) as error:
            logger.warning("the log could not be read, trying again: %s", error)
        if saves:
            await self._save(self._calls)

    async def _find_calls(self) -> None:
        live = set(await self._registry.sessions())
        self._others &= live
        new = sorted(live - self._others - self._calls.keys())
        for meta in await self._log.metas(new):
            if meta is not None and meta.record:
                self._calls[meta.sid] = _Call(Assembly(), _about(meta), [])
            elif meta is not None:
                self._others.add(meta.sid)

    async def _read(self) -> None:
        calls = list(self._calls.items())
        inputs = await self._log.read_inputs([(sid, call.assembly.n) for sid, call in calls])
        outputs = await self._log.read_outputs([(sid, call.assembly.m) for sid, call in calls])
        for (_, call), heard, said in zip(calls, inputs, outputs, strict=True):
            call.sounds += _taken(call.assembly, heard, said)

    async def _finish_ended(self) -> None:
        sids = list(self._calls)
        metas = await self._log.metas(sids)
        for sid, meta in zip(sids, metas, strict=True):
            if meta is None:
                await self._save([sid])
                del self._calls[sid]
                await asyncio.to_thread(self._store.finish, sid)
                logger.info("recorded call %s", sid)

    async def _save(self, sids: Iterable[str]) -> None:
        for sid in sids:
            call = self._calls[sid]
            sounds, call.sounds = call.sounds, []
            part = self._store.part(sid)
            await asyncio.to_thread(part.save, call.assembly, sounds, call.about)


def _taken(
    assembly: Assembly,
    inputs: list[tuple[int, InputRecord]],
    outputs: list[tuple[int, OutputRecord]],
) -> list[PlacedSound]:
    return assembly.take(inputs, outputs) if inputs or outputs else []


def _about(meta: Meta) -> dict[str, Any]:
    return {
        "session": meta.sid,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "mode": meta.mode,
        "voice": meta.voice,
        "style": meta.style,
    }
