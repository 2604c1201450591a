"""Names the ARGV of each Lua script, in the script's order.

The first statement of a script gives its ARGV the same names; a test compares the two.
"""

from typing import Final, NamedTuple


class Open(NamedTuple):
    """ARGV of open.lua; fields of the meta follow: name, value, name, value, ..."""

    ttl_s: int
    conn: str


class Connect(NamedTuple):
    """ARGV of connect.lua."""

    ttl_s: int
    token_hash: str
    gateway: str
    nonce: str


class Append(NamedTuple):
    """ARGV of append.lua; the records follow: type, msgpack, type, msgpack, ..."""

    ttl_s: int
    conn: str
    first: int
    max_unread: int
    control_room: int
    chunk_samples: int
    client: bytes


class Claim(NamedTuple):
    """ARGV of claim.lua."""

    ttl_s: int
    seen_owner: str
    worker: str
    nonce: str
    trial_steps: int
    max_strikes: int


class Commit(NamedTuple):
    """ARGV of commit.lua; the records follow, all steps before all outputs."""

    ttl_s: int
    owner: str
    first_step: int
    step_count: int
    first_output: int
    cursor: int
    frame: int
    generation: int
    mode: str
    keep_inputs: int
    keep_steps: int
    keep_outputs: int
    drop_step: int


class Strike(NamedTuple):
    """ARGV of strike.lua."""

    ttl_s: int
    owner: str
    trial_steps: int
    max_strikes: int


class Quarantine(NamedTuple):
    """ARGV of quarantine.lua."""

    ttl_s: int
    owner: str


class Release(NamedTuple):
    """ARGV of release.lua."""

    ttl_s: int
    owner: str


class End(NamedTuple):
    """ARGV of end.lua."""

    field: str
    value: str


Arguments = Open | Connect | Append | Claim | Commit | Strike | Quarantine | Release | End
# script -> its arguments
BY_SCRIPT: Final[dict[str, type[Arguments]]] = {
    "append": Append,
    "claim": Claim,
    "commit": Commit,
    "connect": Connect,
    "end": End,
    "open": Open,
    "quarantine": Quarantine,
    "release": Release,
    "strike": Strike,
}
