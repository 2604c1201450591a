"""Turns a settings dataclass into a command: each field is an option or an argument."""

import inspect
from collections.abc import Callable
from typing import TypeVar, get_type_hints

import typer

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
