"""`python -m docs.command_line`: write docs/reference/command-line.md from the programs themselves.

python -m docs.command_line           # write it
python -m docs.command_line --check   # exit 1 where the programs have outgrown the page

It loads every program, and so takes some seconds.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, NoReturn

import click
import typer

from docs.generate import FOLDER, cell, stacked

PAGE: Final = FOLDER / "command-line.md"
# The module of each program that takes flags, and the make target that runs it.
PROGRAMS: Final = {
    "client.talk": "talk",
    "shared.log.inspect": "inspect",
    "tests.chaos.__main__": "chaos",
    "tests.chaos.soak": "soak",
    "tests.operations.scaling": "scaling",
    "tests.operations.redis_costs": "redis-costs",
    "tests.load.__main__": "bench",
    "tests.load.plan": "plan",
    "workers.evaluation.__main__": "evaluate",
    "workers.training.__main__": "train",
    "workers.training.talk_tuning.__main__": "train-chat",
    "docs.generate": "docs",
    "tests.sdk.__main__": "test-sdk",
}

DESCRIBED: Final = {"tests.sdk.__main__"}  # its docstring names its flags


class Flag(NamedTuple):
    """One argument or option."""

    name: str
    default: str
    meaning: str


class Command(NamedTuple):
    """A program, or one of its commands."""

    name: str
    meaning: str
    flags: list[Flag]


class _Parsing(Exception):  # it ends a program's main() where it would read its flags
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def commands(module_name: str) -> Iterator[Command]:
    """Every command of a program."""
    module = importlib.import_module(module_name)
    program = f"python -m {module_name.removesuffix('.__main__')}"
    if module_name in DESCRIBED:
        yield Command(program, " ".join((module.__doc__ or "").split("\n\n")), [])
    elif hasattr(module, "app"):
        yield from _of_typer(program, typer.main.get_command(module.app))
    else:
        yield _of_argparse(program, _parser_of(module))


def _parser_of(module: Any) -> argparse.ArgumentParser:
    def stop(parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        raise _Parsing(parser)

    real = argparse.ArgumentParser.parse_args
    argparse.ArgumentParser.parse_args = stop  # type: ignore[assignment, method-assign]
    try:
        module.main()
    except _Parsing as parsing:
        return parsing.parser
    finally:
        argparse.ArgumentParser.parse_args = real  # type: ignore[method-assign]
    raise RuntimeError(f"Expected {module.__name__} to read its flags, got an end without")


def _of_argparse(program: str, parser: argparse.ArgumentParser) -> Command:
    flags = [
        Flag(", ".join(action.option_strings) or action.dest, _shown(action.default), _text(action))
        for action in parser._actions
        if action.dest != "help"
    ]
    return Command(program, (parser.description or "").partition("\n\n")[0], flags)


def _text(action: argparse.Action) -> str:
    choices = f" ({', '.join(map(str, filter(None, action.choices)))})" if action.choices else ""
    return (action.help or "") + choices


def _of_typer(program: str, command: Any) -> Iterator[Command]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _of_typer(f"{program} {name}", inner)
        return
    flags = [
        Flag(
            ", ".join([*param.opts, *param.secondary_opts]),
            "required" if param.required else _shown(param.default),
            getattr(param, "help", None) or "",
        )
        for param in command.params
        if param.name != "help"
    ]
    yield Command(program, (command.help or "").partition("\n\n")[0], flags)


def _shown(default: object) -> str:
    if default in (None, False, argparse.SUPPRESS) or default == []:
        return ""
    if isinstance(default, list | tuple):
        return "all" if len(default) > 3 else ",".join(map(str, default))
    return str(getattr(default, "value", default))


def page() -> str:
    """The whole page."""
    parts = [
        "# Command line\n\n"
        "Flags of every program. `make` passes them on as `ARGS`. Gateway and worker take none:\n"
        "[settings](settings.md) come from the environment.",
    ]
    for module, target in PROGRAMS.items():
        parts.append(f"## make {target}")
        parts += [_section(command) for command in commands(module)]
    return "\n\n".join(parts) + "\n"


def _section(command: Command) -> str:
    head = f"### `{command.name}`\n\n{cell(click.unstyle(command.meaning))}"
    if not command.flags:
        return head
    rows = [
        (f"`{flag.name}`", f"`{flag.default}`" if flag.default else "", cell(flag.meaning))
        for flag in command.flags
    ]
    return f"{head}\n\n{stacked(('flag', 'default', 'meaning'), rows)}"


def main() -> None:
    """Write or check the page."""
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.exit("Run `python -m docs.command_line`: the page differs from the programs")


if __name__ == "__main__":
    main()
