"""`python -m docs.generate`: write the reference pages from the code, or check them.

python -m docs.generate           # write docs/reference/*.md
python -m docs.generate --check   # exit 1 with the name of each page that the code has outgrown
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from prometheus_client import REGISTRY

import gateway.telemetry.fleet_gauges  # these series register themselves
import gateway.telemetry.metrics  # noqa: F401
import shared.telemetry  # noqa: F401
import workers.monitoring.gauges  # noqa: F401
from docs.meanings import MEANINGS
from gateway.protocol import client_messages, frames, server_messages
from gateway.protocol.audio_format import RATES_HZ
from gateway.protocol.errors import (
    ABNORMAL_CLOSE_CODE,
    GOAWAY_CLOSE_CODE,
    INVALID_TEXT_CLOSE_CODE,
    NORMAL_CLOSE_CODE,
    PROTOCOL_CLOSE_CODE,
    TOO_LARGE_CLOSE_CODE,
    ErrorCode,
)
from gateway.socket.uvicorn_adapter import WS_READ_BYTES
from shared.log.records import Options
from shared.settings import reference

FOLDER: Final = Path(__file__).parent / "reference"
MAKEFILE: Final = Path(__file__).parents[1] / "Makefile"
CLOSE_CODES: Final = {
    NORMAL_CLOSE_CODE: "The client sent `end`.",
    PROTOCOL_CLOSE_CODE: "The bytes are no WebSocket frames. Resumable, after an `error`.",
    ABNORMAL_CLOSE_CODE: "The connection broke without a close frame; the session can be resumed.",
    INVALID_TEXT_CLOSE_CODE: "A text message is not UTF-8. Resumable, after an `error`.",
    TOO_LARGE_CLOSE_CODE: f"A message in fragments or before `ready` has over {WS_READ_BYTES:,} "
    "bytes. Resumable, after an `error`.",
    GOAWAY_CLOSE_CODE: "The gateway restarts; resume on another gateway.",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def stacked(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, which a phone shows cell below cell."""
    return f'<div class="stacked" markdown>\n\n{table(head, rows)}\n\n</div>'


def settings() -> str:
    """Every setting, from the settings class."""
    rows = [
        (f"`{e.name}`", f"`{e.default}`" if e.default else "", cell(e.description))
        for e in reference()
    ]
    return f"""# Settings

Antiphon reads its settings from the environment and from a `.env` file in the working directory.
Startup fails on invalid values and on unknown names that look like ours. An empty value means the
default.

{stacked(("name", "default", "meaning"), rows)}
"""


def protocol() -> str:
    """Every message, flag, error and close code of /ws/stream."""
    sent = [kind for kind in _structs(client_messages) if kind.__struct_config__.tag]
    received = [kind for kind in _structs(server_messages) if kind.__struct_config__.tag]
    nested = [client_messages.ResumePoint, Options]
    return f"""# The WebSocket protocol

`/ws/stream` carries a call. Binary messages are audio; text messages are JSON objects with a
`type`. [The guide](../protocol.md) explains the order of events; this page lists every message.

Without a subprotocol a client sends and receives raw PCM16 and nothing else. With
`{client_messages.SUBPROTOCOL}` the first message is `start`, and everything below applies.

{_audio()}

## Messages to the server

{_messages(sent)}

### Nested objects

{_messages(nested)}

## Messages from the server

{_messages(received)}

{_errors()}
"""


def _errors() -> str:
    errors = [
        (f"`{e.value}`", str(e.close_code), "yes" if e.resumable else "no", e.meaning)
        for e in ErrorCode
    ]
    codes = [(str(code), meaning) for code, meaning in CLOSE_CODES.items()]
    return f"""## Errors

An `error` message names one of these codes; then the server closes the socket with the close code,
whose reason repeats the message. With `closes` false the socket stays open and the call goes
on. After a resumable error a session that had begun can be resumed:
its log is whole up to the fault. A client refused with `no_capacity` may retry with the same token
after `retry_after_ms`, when there is likely to be room.

{stacked(("code", "close code", "resumable", "meaning"), errors)}

Other close codes:

{table(("close code", "meaning"), codes)}"""


def _audio() -> str:
    flags = [
        (str(frames.FIRST_OF_REPLY), "the first frame of a reply"),
        (str(frames.LAST_OF_REPLY), "the last frame of a reply"),
    ]
    formats = [(f"`{c.value}`", ", ".join(f"{hz:,}" for hz in hz)) for c, hz in RATES_HZ.items()]
    return f"""## Audio

Mono, in the format that `ready` names. PCM16 is little-endian. Up: a message of any size, which may
end inside a sample; with Opus each message is one packet. Down: a header of {frames.HEADER.size}
bytes (`{frames.HEADER.format}`: frame number, generation, flags, zero), then 20 ms of audio, or one
Opus packet.

{table(("`codec`", "`sample_rate`, the default first"), formats)}

{table(("flag", "meaning"), flags)}"""


def metrics() -> str:
    """Every series that /metrics exports."""
    rows = []
    for metric in sorted(REGISTRY.collect(), key=lambda m: m.name):
        if not metric.name.startswith("antiphon"):
            continue
        name = metric.name + ("_total" if metric.type == "counter" else "")
        rows.append((f"`{name}`", metric.type, cell(metric.documentation)))
    return f"""# Metrics

A gateway serves these series at `/metrics`; a worker serves its own at `WORKER_METRICS_PORT`.
Labels take few values and never name a session. Names follow Prometheus' conventions: base units,
`_total` for counters. Every gateway shows the whole fleet (`antiphon_fleet_*`): take the greatest
value, never the sum.

{stacked(("series", "type", "meaning"), rows)}
"""


def commands() -> str:
    """Every make target, from the Makefile's own index."""
    lines = MAKEFILE.read_text().splitlines()
    pairs = [re.fullmatch(r"#   (make .*?) {2,}(.*)", line) for line in lines]
    rows = [(f"`{cell(m[1])}`", cell(m[2])) for m in pairs if m]
    return f"""# Commands

Each target sets up what it needs. `ARGS="..."` passes flags on; [Command line](command-line.md)
lists them.

{stacked(("command", "what it does"), rows)}
"""


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings,
    "protocol.md": protocol,
    "metrics.md": metrics,
    "commands.md": commands,
}


def tags(module: Any) -> list[str]:
    """The `type` of every message that a module declares."""
    found = (kind.__struct_config__.tag for kind in _structs(module))
    return sorted({tag for tag in found if isinstance(tag, str)})


def field_names(module: Any) -> set[str]:
    """The fields of a module's messages, nested ones included, as "message.field"."""
    kinds = [*_structs(module), Options]
    return {f"{key(kind)}.{f.name}" for kind in kinds for f in msgspec.structs.fields(kind)}


def _structs(module: Any) -> list[type[msgspec.Struct]]:
    found = (v for v in vars(module).values() if isinstance(v, type))
    return [v for v in found if issubclass(v, msgspec.Struct) and v.__module__ == module.__name__]


def _messages(kinds: Sequence[type[msgspec.Struct]]) -> str:
    return "\n\n".join(map(_message, kinds))


def _message(kind: type[msgspec.Struct]) -> str:
    tag = kind.__struct_config__.tag
    rows = [
        (f"`{f.name}`", cell(_type(f.type)), _needed(f), MEANINGS[f"{key(kind)}.{f.name}"])
        for f in msgspec.structs.fields(kind)
    ]
    head = ("field", "type", "default", "meaning")
    fields = stacked(head, rows) if rows else "No further fields."
    title = f"#### `{tag}`" if tag else f"#### {kind.__name__}"
    if kind is client_messages.Resume:
        title += " with `resume`"
    text = " ".join((kind.__doc__ or "").split()).replace("None", "null")
    return f"{title}\n\n{text}\n\n{fields}"


def key(kind: type[msgspec.Struct]) -> str:
    """The name of a message's class as MEANINGS has it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _needed(field: msgspec.structs.FieldInfo) -> str:
    return "required" if field.required else f"`{_default(field)}`"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if isinstance(field.default, msgspec.Struct):
        return "{}"
    if isinstance(field.default, Enum):
        return str(field.default.value)
    names = {None: "null", True: "true", False: "false", "": '""'}
    return str(names.get(field.default, field.default))


def _type(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].description)
    if kind is Any:
        return "any JSON value"
    if kind is NoneType:
        return "null"
    if members := get_args(kind):
        return " or ".join(map(_type, members))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{m.value}`" for m in kind)
    names = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
    return str(names.get(kind.__name__, kind.__name__))


def cell(text: str) -> str:
    """Text that is safe in a table's cell."""
    return " ".join(text.split()).replace("|", r"\|")


def stale() -> list[str]:
    """The pages that differ from what the code says now."""
    return [
        name
        for name, page in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != page()
    ]


def main() -> None:
    """Read the command line; write or check."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        if old := stale():
            sys.exit(f"Run `python -m docs.generate`: {', '.join(old)} differ from the code")
        return
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())


if __name__ == "__main__":
    main()
