"""Names every Redis key. The braces keep a session's keys in one slot of a Cluster."""

import re
from typing import Final

# Only ids that a gateway made may become part of a key.
SESSION_ID: Final = re.compile(r"[0-9a-f]{32}")

QUEUE: Final = "c:queue"  # list: sessions that need a worker, oldest first (a hint)
WORKERS: Final = "c:workers"  # hash: worker -> JSON of its beat, slots and step time
GATEWAYS: Final = "c:gateways"  # hash: gateway -> JSON of its beat and figures (a hint)
SESSIONS: Final = "c:sessions"  # set: sessions that may be live (a hint for the sweeper)
DEAD: Final = "c:dead"  # stream: sessions that workers gave up, and why


def spent(name: str) -> str:
    """String: marks a one-time permit as used; it expires with the permit."""
    return f"c:spent:{name}"


def client_secret(name: str) -> str:
    """String: JSON of the session that a client secret begins; it expires with the secret."""
    return f"c:secret:{name}"


def meta(sid: str) -> str:
    """Hash: the session's counters, owner, connection and choices (`meta.py`)."""
    return f"s:{{{sid}}}:meta"


def inputs(sid: str) -> str:
    """Stream: input records, which the gateway writes."""
    return f"s:{{{sid}}}:in"


def steps(sid: str) -> str:
    """Stream: step records, which the worker writes."""
    return f"s:{{{sid}}}:steps"


def outputs(sid: str) -> str:
    """Stream: output records, which the worker writes for the gateway."""
    return f"s:{{{sid}}}:out"


def client(sid: str) -> str:
    """String: the client's protocol state, which a gateway keeps for the next connection."""
    return f"s:{{{sid}}}:client"


def session(sid: str) -> tuple[str, str, str, str]:
    """The four keys of a session, in the order of the scripts' KEYS."""
    return meta(sid), inputs(sid), steps(sid), outputs(sid)
