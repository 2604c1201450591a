"""API keys, of which a setting holds names and hashes: `python -m gateway.realtime.keys NAME`.

A key has 256 random bits, so one round of SHA-256 keeps it secret.
"""

import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "sk-antiphon-"
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def new_key() -> str:
    """A new key."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What the setting holds of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class ApiKeys:
    """The keys that open a session. Without any, every client may."""

    def __init__(self, entries: Iterable[str]) -> None:
        """`entries`: NAME:HASH each, as the setting holds them."""
        self._hashes = dict(entry.split(":") for entry in entries)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def name_of(self, key: str) -> str | None:
        """The name of a key; None if it is not one of them."""
        digest = hash_of(key)
        found = None
        for name, known in self._hashes.items():  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, digest):
                found = name
        return found


if __name__ == "__main__":
    if len(sys.argv) != 2 or not _NAME.fullmatch(sys.argv[1]):
        sys.exit("Expected the key's name: python -m gateway.realtime.keys NAME")
    key = new_key()
    sys.stdout.write(f"key (shown once): {key}\n")
    sys.stdout.write(f"GATEWAY_API_KEYS={sys.argv[1]}:{hash_of(key)}\n")
