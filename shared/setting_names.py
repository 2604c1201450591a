"""Tells misspelt settings in the environment from other programs' variables. Sans I/O."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Final

# Names that begin like this are ours, so an unknown one is a typo.
OUR_PREFIXES: Final = (
    "ANTIPHON_",
    "CLAIM_",
    "GATEWAY_",
    "INTERRUPT_",
    "LEASE_",
    "REPLY_",
    "SESSION_",
    "TURN_",
    "UPLINK_",
    "VAD_",
    "WORKER_",
)
# Names of others that begin like ours: X11's session manager (every desktop sets it), and CGI.
FOREIGN: Final = ("GATEWAY_INTERFACE", "SESSION_MANAGER")

# What Kubernetes sets in every pod for a service NAME: NAME_SERVICE_HOST, NAME_PORT_80_TCP, ...
_LINK: Final = re.compile(
    r".+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)"
)
_LINK_VALUE: Final = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def service_links(given: Mapping[str, str], known: Collection[str]) -> list[str]:
    """The variables that Kubernetes made for a service and that look like settings."""
    return sorted(
        name
        for name, value in given.items()
        if (name in known and _LINK_VALUE.fullmatch(value))
        or (name not in known and name.startswith(OUR_PREFIXES) and _is_link(name, value))
    )


def _is_link(name: str, value: str) -> bool:
    return bool(_LINK.fullmatch(name) or _LINK_VALUE.fullmatch(value))


def explain_links(names: Collection[str]) -> str:
    """The sentence for names that Kubernetes made."""
    return (
        f"{', '.join(names)}: Kubernetes sets this for a service of that name, and here it would "
        "be a setting: write `enableServiceLinks: false` into the pod's spec"
    )


def unknown(given: Collection[str], known: Collection[str]) -> list[str]:
    """A sentence for each name that looks like one of our settings but is not."""
    ours = (name for name in given if name.startswith(OUR_PREFIXES) and name not in FOREIGN)
    return [_no_such(name, known) for name in sorted(ours) if name not in known]


def _no_such(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
