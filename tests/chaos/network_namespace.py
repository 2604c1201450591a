"""A network namespace for callers on a link that can go dark without a word: half-open TCP."""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Final

CLONE_NEWNET: Final = 0x40000000


def missing() -> str:
    """Why this machine has no network namespaces; "" if it has."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "no network namespaces (root and iproute2)"
    made = subprocess.run(["ip", "netns", "add", _name()], capture_output=True)
    if made.returncode:
        return f"no network namespaces: {made.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "del", _name()], check=True)
    return ""


class NetworkNamespace:
    """One namespace, joined to the host by a pair of virtual network cards."""

    def __init__(self) -> None:
        self._part = 1 + os.getpid() % 250
        self.gateway = f"10.213.{self._part}.1"  # the host's address inside the namespace
        self._self = f"10.213.{self._part}.2"
        self._card = f"chaos{self._part}"
        ip = f"ip -n {_name()}"
        for line in (
            f"ip netns add {_name()}",
            f"ip link add {self._card} type veth peer name inside netns {_name()}",
            f"ip addr add {self.gateway}/24 dev {self._card}",
            f"ip link set {self._card} up",
            f"{ip} addr add {self._self}/24 dev inside",
            f"{ip} link set inside up",
        ):
            subprocess.run(line.split(), check=True)

    def connect(self, port: int) -> socket.socket:
        """A connection from the namespace to a port of the host."""
        made: list[socket.socket] = []
        # A thread of its own: a thread that has entered the namespace cannot return.
        thread = threading.Thread(target=lambda: made.append(self._connected(port)))
        thread.start()
        thread.join()
        return made[0]

    def go_dark(self) -> None:
        """Remove the namespace's address: the host's packets are dropped in silence."""
        line = f"ip -n {_name()} addr del {self._self}/24 dev inside"
        subprocess.run(line.split(), check=True)

    def close(self) -> None:
        """Remove the namespace and its network cards."""
        subprocess.run(["ip", "netns", "del", _name()], check=True)
        subprocess.run(["ip", "link", "del", self._card], check=False, capture_output=True)

    def _connected(self, port: int) -> socket.socket:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/var/run/netns/{_name()}").open("rb") as file:
            if libc.setns(file.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return socket.create_connection((self.gateway, port), timeout=5)


def _name() -> str:
    return f"chaos-{os.getpid()}"
