"""The listening sockets: their addresses, and the causes when they cannot open."""

import errno
import socket

import pytest

from gateway.socket.listening_sockets import listen, page_address
from shared.errors import ConfigError


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")


def reaches(host: str, port: int) -> str:
    """The address as which a client at this address is seen."""
    with socket.create_connection((host, port)) as client:
        return str(client.getpeername()[0])


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("localhost", "http://127.0.0.1:"),
        pytest.param("::1", "http://[::1]:", marks=needs_ipv6),
        pytest.param("[::1]", "http://[::1]:", marks=needs_ipv6),
    ],
)
def test_it_listens_at_one_address(host: str, page: str) -> None:
    (listener,) = listen(host, 0)
    with listener:
        port = listener.getsockname()[1]
        assert page_address(listener) == f"{page}{port}/web"
        assert reaches(host.strip("[]"), port)


@needs_ipv6
def test_every_address_means_ipv4_too_as_itself() -> None:
    listeners = listen("::", 0)
    port = listeners[0].getsockname()[1]
    for listener, address in zip(listeners, ("::1", "127.0.0.1"), strict=True):
        with socket.create_connection((address, port)):
            connection, peer = listener.accept()
            connection.close()
            assert peer[0] == address
    for listener in listeners:
        listener.close()


def test_a_taken_address_says_so() -> None:
    (first,) = listen("127.0.0.1", 0)
    with first, pytest.raises(ConfigError, match="another process listens there"):
        listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "cause"),
    [
        ("192.0.2.1", "no network interface of this machine has that address"),
        ("no-such-host.invalid", "the name has no address"),
    ],
)
def test_the_message_names_the_true_cause(host: str, cause: str) -> None:
    with pytest.raises(ConfigError, match=cause) as caught:
        listen(host, 0)
    assert host in str(caught.value)
    assert "free" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "cause"),
    [(errno.EACCES, "1024 or more"), (errno.EAFNOSUPPORT, "no IPv6"), (errno.EMFILE, "Too many")],
)
def test_causes_that_this_machine_does_not_have(
    number: int, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(ConfigError, match=cause):
        listen("127.0.0.1", 80)
