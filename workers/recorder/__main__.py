"""Record calls if their callers agreed: `python -m workers.recorder`.

It runs until SIGTERM; RECORD names the folder or URL. `delete` deletes all files of one call.
"""

import asyncio
import signal
from typing import Annotated

import typer
from redis.exceptions import RedisError

from shared import logs
from shared.errors import ConfigError
from shared.log.keys import SESSION_ID
from shared.log.registry import Registry
from shared.log.session_log import SessionLog, connect
from shared.redis_client.trouble import explained
from shared.redis_client.url import check_redis
from shared.settings import Settings, load_settings
from workers.recorder.recorder import Recorder
from workers.recorder.store import RecordingStore

app = typer.Typer(add_completion=False, help=__doc__, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Record until SIGTERM."""
    if context.invoked_subcommand is None:
        settings = load_settings()
        logs.set_up(settings.log_level, settings.log_format)
        asyncio.run(_run(settings))


@app.command()
def delete(
    session: Annotated[str, typer.Argument(help="the session's id, as in calls/ID.wav")],
) -> None:
    """Delete all files of one call."""
    if not SESSION_ID.fullmatch(session) or not RecordingStore(_place(load_settings())).delete(
        session
    ):
        raise ConfigError(f"Expected the id of a recorded call, got {session!r}: nothing is kept")
    typer.echo(f"deleted the recording of {session}")


async def _run(settings: Settings) -> None:
    store = RecordingStore(_place(settings))
    async with connect(settings.redis) as redis:
        await check_redis(redis)
        recorder = Recorder(SessionLog(redis), Registry(redis), store)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, recorder.stop)
        await recorder.run()


def _place(settings: Settings) -> str:
    if not settings.record:
        raise ConfigError(
            "RECORD: Expected a folder or a URL for recordings, got nothing: set RECORD=/srv/calls"
        )
    return settings.record


def main() -> None:
    """Run a command; an operator's mistake is one sentence."""
    try:
        app()
    except (ConfigError, OSError) as error:
        raise SystemExit(f"antiphon recorder: {error}") from error
    except RedisError as error:
        raise SystemExit(f"antiphon recorder: {explained(error)}") from error


if __name__ == "__main__":
    main()
