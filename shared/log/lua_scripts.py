"""Runs the log's Lua scripts: one alone, or many calls of one script in a pipeline."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from shared.log.script_arguments import Arguments
from shared.log.writes import Answer
from shared.redis_client.pipeline import Command, Pipe, is_cluster

SCRIPTS: Final = Path(__file__).parent / "scripts"


class ScriptCall(NamedTuple):
    """One call of a script: its KEYS, its named ARGV, and what follows these."""

    keys: tuple[str, ...]
    arguments: Arguments
    rest: Sequence[Any] = ()


class LuaScripts:
    """The scripts on one Redis."""

    def __init__(self, redis: Redis, pipe: Pipe) -> None:
        self._redis = redis
        self._pipe = pipe
        self._scripts = {
            p.stem: redis.register_script(p.read_text()) for p in SCRIPTS.glob("*.lua")
        }

    async def ask(self, name: str, call: ScriptCall) -> tuple[Answer, str]:
        """One call's answer, for scripts that answer with a text. Raises RedisError."""
        script = self._scripts[name]
        arguments = [*call.arguments, *call.rest]
        found = await cast(Awaitable[list[bytes]], script(keys=call.keys, args=arguments))
        return text_answer(found)

    async def run(self, name: str, calls: Sequence[ScriptCall], wakeup: Command = ()) -> list[Any]:
        """One pipeline of calls, then `wakeup`: each call's answer, in order, or its exception."""
        if not calls:
            return []
        found = await self._pipeline(name, calls, wakeup)
        if any(isinstance(item, NoScriptError) for item in found):
            # Redis restarted and lost its scripts. Calls that did run are duplicates now.
            await self._redis.script_load(self._scripts[name].script)
            found = await self._pipeline(name, calls, wakeup)
        return found

    async def _pipeline(self, name: str, calls: Sequence[ScriptCall], wakeup: Command) -> list[Any]:
        """The answers of the calls. Whether Redis allows the wakeup does not matter."""
        sha = self._scripts[name].sha
        commands: list[Command] = [
            ("EVALSHA", sha, len(keys), *keys, *arguments, *rest) for keys, arguments, rest in calls
        ]
        if wakeup and not is_cluster(self._redis):
            commands.append(wakeup)
        return (await self._pipe.ask(commands))[: len(calls)]


def text_answer(found: Sequence[bytes]) -> tuple[Answer, str]:
    """A script's answer with a text as its value."""
    answer, value = found
    return Answer(answer.decode()), value.decode()
