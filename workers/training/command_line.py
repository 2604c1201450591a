"""Command lines: a settings dataclass becomes a command, and errors are reported in one line."""

import inspect
import sys
from collections.abc import Callable
from typing import TypeVar, get_type_hints

import typer

from shared.errors import ConfigError

SettingsT = TypeVar("SettingsT")


def add_command(
    app: typer.Typer,
    name: str,
    settings: type[SettingsT],
    run: Callable[[SettingsT], None],
    summary: str,
) -> None:
    """Register the command `name`; it calls `run` with the settings from the command line.

    `settings` is a keyword-only dataclass whose fields carry typer's annotations.
    """

    def command(**options: object) -> None:
        run(settings(**options))

    command.__annotations__ = get_type_hints(settings, include_extras=True)
    command.__signature__ = inspect.signature(settings)  # type: ignore[attr-defined]
    app.command(name, help=summary)(command)


def run_app(app: typer.Typer) -> None:
    """Run the command line; report a wrong file or setting without a traceback."""
    try:
        app()
    except ConfigError as error:
        sys.exit(f"antiphon: {error}")
