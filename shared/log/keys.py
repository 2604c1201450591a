"""Every Redis key, one builder each. The hash tag keeps a session's keys in one Cluster slot."""

from typing import Final

QUEUE: Final = "c:queue"  # list: sessions that want a worker, oldest first (a hint)
WORKERS: Final = "c:workers"  # hash: worker -> JSON of its beat, slots and step time
GATEWAYS: Final = "c:gateways"  # hash: gateway -> JSON of its beat and its figures (a hint)
SESSIONS: Final = "c:sessions"  # set: sessions that may be live (a hint, for the sweeper)
DEAD: Final = "c:dead"  # stream: sessions that were given up, and why


def spent(name: str) -> str:
    """String: this one-time permit has been used; it expires with the permit."""
    return f"c:spent:{name}"


def meta(sid: str) -> str:
    """Hash: where the session stands."""
    return f"s:{{{sid}}}:meta"


def inputs(sid: str) -> str:
    """Stream: what the caller's side said."""
    return f"s:{{{sid}}}:in"


def steps(sid: str) -> str:
    """Stream: what the model did."""
    return f"s:{{{sid}}}:steps"


def outputs(sid: str) -> str:
    """Stream: what the caller gets."""
    return f"s:{{{sid}}}:out"


def session(sid: str) -> tuple[str, str, str, str]:
    """All four keys of a session, as the scripts take them."""
    return meta(sid), inputs(sid), steps(sid), outputs(sid)
