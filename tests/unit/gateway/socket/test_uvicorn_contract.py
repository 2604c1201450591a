"""What the adapter needs of uvicorn and websockets, name by name.

A failure here means that a new version changed one of these names. Read what it does now, change
gateway/socket/uvicorn_adapter.py, then this table and the bounds in pyproject.toml.
"""

import asyncio
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

ROOT = Path(__file__).parents[4]
METHODS: dict[type, dict[str, list[str]]] = {
    HttpToolsProtocol: {
        "connection_made": ["transport"],
        "connection_lost": ["exc"],
        "on_message_complete": [],
        "on_response_complete": [],
        "handle_websocket_upgrade": [],
    },
    WebSocketsSansIOProtocol: {
        "data_received": ["data"],
        "run_asgi": [],
        "send": ["message"],
        "handle_ping": [],
        "handle_pong": ["event"],
        "handle_cont": ["event"],
        "send_receive_event_to_app": [],
        "keepalive_timeout": [],
    },
    uvicorn.Server: {"startup": ["sockets"], "shutdown": ["sockets"], "capture_signals": []},
}
# Attributes that the adapter reads or sets, and their types in a new connection.
ATTRIBUTES: dict[type, dict[str, type]] = {
    HttpToolsProtocol: {"transport": object, "timeout_keep_alive_task": type(None)},
    WebSocketsSansIOProtocol: {
        "queue": asyncio.Queue,
        "read_paused": bool,
        "handshake_initiated": bool,
        "handshake_complete": bool,
        "initial_response": type(None),
        "close_sent": bool,
        "disconnected": bool,
        "close_timeout": float,
        "writable": asyncio.Event,
        "frames": list,
        "curr_msg_data_type": str,
        "config": uvicorn.Config,
        "transport": object,
        "loop": asyncio.AbstractEventLoop,
    },
}


def installed() -> str:
    return f"uvicorn {version('uvicorn')} with websockets {version('websockets')}"


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, names) for owner, found in METHODS.items() for name, names in found.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_adapter_overrides_a_method_that_uvicorn_calls(
    owner: type, name: str, parameters: list[str]
) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"Expected {owner.__name__}.{name}, got none in {installed()}"
    found = [p for p in inspect.signature(method).parameters if p != "self"]
    assert found == parameters, (
        f"Expected {owner.__name__}.{name}({', '.join(parameters)}), "
        f"got ({', '.join(found)}) in {installed()}"
    )


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        *(
            (HttpToolsProtocol, name)
            for name in ("on_response_complete", "handle_websocket_upgrade")
        ),
        *((WebSocketsSansIOProtocol, name) for name in METHODS[WebSocketsSansIOProtocol]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_uvicorn_calls_what_the_adapter_overrides(owner: type, name: str) -> None:
    if name == "data_received":  # asyncio calls it
        return
    source = inspect.getsource(owner)
    assert f"self.{name}" in source, (
        f"Expected {owner.__name__} to call its {name}, got no such call in {installed()}"
    )


@pytest.mark.parametrize(
    ("owner", "name", "kind"),
    [(owner, name, kind) for owner, found in ATTRIBUTES.items() for name, kind in found.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_the_adapter_uses_an_attribute_that_uvicorn_sets(
    owner: Any, name: str, kind: type
) -> None:
    config = uvicorn.Config(lambda: None, interface="asgi3")
    connection = owner(config=config, server_state=ServerState(), app_state={})
    assert hasattr(connection, name), (
        f"Expected {owner.__name__}.{name}, got no such attribute in {installed()}"
    )
    value = getattr(connection, name)
    assert isinstance(value, kind), (
        f"Expected {owner.__name__}.{name} to be {kind.__name__}, got {value!r} in {installed()}"
    )


async def test_the_server_knows_its_connections() -> None:
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    assert isinstance(server.server_state.connections, set), (
        f"Expected uvicorn.Server.server_state.connections as a set, got another in {installed()}"
    )
    assert "self.servers" in inspect.getsource(uvicorn.Server), (
        f"Expected uvicorn.Server to keep its listeners in `servers`, got none in {installed()}"
    )


def test_the_scope_offers_extensions() -> None:
    source = inspect.getsource(WebSocketsSansIOProtocol.handle_connect)
    assert '"extensions"' in source, (
        f"Expected 'extensions' in the ASGI scope of a WebSocket, got none in {installed()}"
    )


def test_websockets_masks_with_a_function_of_its_own() -> None:
    from websockets.speedups import apply_mask

    assert apply_mask(b"\1\2\3\4\5", b"\1\1\1\1") == b"\0\3\2\5\4", (
        f"Expected websockets.speedups.apply_mask to XOR data and mask, got {installed()}"
    )


@pytest.mark.parametrize("package", ["uvicorn", "websockets"])
def test_the_dependency_has_an_upper_bound(package: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = extras["optional-dependencies"]["gateway"]
    (line,) = [line for line in wanted if re.match(rf"{package}\b", line)]
    assert "<" in line, f"Expected an upper bound, got {line!r}: the adapter uses private names"
