"""The Redis users of deploy/redis/users.acl, in every Redis of the tests.

Gateways and workers log in as their users, so a test also shows whether the file allows what they
do. The tests themselves keep the default user, without a password.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import redis

USERS: Final = Path(__file__).parents[1] / "deploy/redis/users.acl"
PASSWORD: Final = "chaos"  # noqa: S105 # of servers that live as long as a test
EVERYTHING: Final = "user default on nopass ~* &* +@all"


def users(password: str = PASSWORD) -> str:
    """The file with this password for each user, and with a default user who may do anything."""
    text = USERS.read_text()
    for role in ("GATEWAY", "WORKER", "OPERATOR"):
        text = text.replace(f"@{role}@", sha256(password.encode()).hexdigest())
    lines = [line for line in text.splitlines() if not line.startswith("user default ")]
    return "\n".join([EVERYTHING, *lines, ""])


def write_users(folder: Path) -> tuple[str, str]:
    """Write the file; a server's options to read it."""
    path = folder / "users.acl"
    path.write_text(users())
    return "--aclfile", str(path)


def as_user(url: str, user: str) -> str:
    """A REDIS_URL of any form that logs in as this user."""
    return url.replace("://", f"://{user}:{PASSWORD}@", 1)


def refusals(client: Any) -> list[str]:
    """What the servers refused to gateways and workers: user, reason, and command or key."""
    everywhere = {"target_nodes": "primaries"} if isinstance(client, redis.RedisCluster) else {}
    found = client.execute_command("ACL LOG", **everywhere)
    logs = found.values() if isinstance(found, dict) else [found]
    shown = ("username", "reason", "object")
    return [" ".join(_text(entry[name]) for name in shown) for log in logs for entry in log]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
