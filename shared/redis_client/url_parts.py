"""Parses a REDIS_URL and refuses what cannot work. Sans I/O.

No error of this module quotes the URL. An unencoded character in a password moves parts of the
password to the host, the path or the query.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SENTINEL_PORT: Final = 26_379
REDIS_PORT: Final = 6_379
PLAIN: Final = ("redis", "rediss")
SCHEMES: Final = (
    *PLAIN,
    "unix",
    *(f"{s}+{kind}" for s in PLAIN for kind in ("sentinel", "cluster")),
)
TEXTS: Final = ("username", "password", "client_name")
NUMBERS: Final = ("db", "socket_timeout", "socket_connect_timeout", "max_connections")
FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS: Final = (*FILES, "ssl_ca_path", "ssl_cert_reqs", "ssl_check_hostname", "ssl_password")
CHOICES: Final = {
    "ssl_cert_reqs": ("none", "optional", "required"),
    "ssl_check_hostname": ("true", "false"),
}
ENCODE: Final = (
    "expected a Redis URL such as redis://user:password@host:6379/0, whose user and password are "
    "percent-encoded: %40 for @, %2F for /, %3F for ?, %23 for #, %5B for [, %25 for %"
)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A URL that was checked."""

    kind: str  # "", "sentinel" or "cluster"
    tls: bool
    hosts: tuple[tuple[str, int], ...]  # none for a Unix socket
    path: str  # of the Unix socket; else the sentinels' service, or ""
    options: dict[str, str]  # user, password, database and what came after the `?`

    @property
    def shown(self) -> str:
        """Where it leads, for logs: without user, password and options."""
        hosts = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.hosts)
        scheme = ("rediss" if self.tls else "redis") + (f"+{self.kind}" if self.kind else "")
        return f"{scheme}://{hosts}" if hosts else f"unix://{self.path}"


def parsed(url: str) -> RedisUrl:
    """The parts of a URL. Raises ValueError."""
    parts = _split(url)
    scheme, _, kind = parts.scheme.partition("+")
    options = _options(parts, tls=scheme == "rediss")
    hosts = _hosts(parts, SENTINEL_PORT if kind == "sentinel" else REDIS_PORT)
    if kind == "" and len(hosts) > 1:
        raise ValueError(
            "expected one host, got several: write redis+sentinel:// or redis+cluster://"
        )
    path, database = _path(parts, kind)
    if parts.scheme == "unix" and hosts:
        raise ValueError("expected unix:///path/of/the/socket, got a host")
    if database:
        options.setdefault("db", database)
    if kind == "cluster" and int(options.get("db", 0)):
        raise ValueError("expected no database or 0, since a Cluster has no other")
    return RedisUrl(kind, scheme == "rediss", hosts, path, options)


def _split(url: str) -> SplitResult:
    if url.partition("://")[0].lower() not in SCHEMES:
        forms = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise ValueError(f"expected a Redis URL that begins with one of {forms}")
    if any(c.isspace() or not c.isprintable() for c in url):
        raise ValueError("expected a Redis URL without white space and control characters")
    try:
        parts = urlsplit(url)
    except ValueError:  # its text quotes the URL
        raise ValueError(ENCODE) from None
    if parts.fragment or "#" in url or "@" in parts.path + parts.query:
        raise ValueError(ENCODE)
    return parts


def _hosts(parts: SplitResult, port: int) -> tuple[tuple[str, int], ...]:
    """The addresses between the @ and the path; localhost if there is nothing at all."""
    netloc = parts.netloc.rpartition("@")[2]
    if not parts.netloc and parts.scheme in PLAIN:
        return (("localhost", port),)
    if parts.scheme == "unix" and not netloc:
        return ()
    return tuple(_host(address, port) for address in netloc.split(","))


def _host(address: str, port: int) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{address}")
        found = (split.hostname or "", port if split.port is None else split.port)
    except ValueError:
        raise ValueError(ENCODE) from None
    if not found[0] or not found[1]:
        raise ValueError("expected host:port, or host:port,host:port for sentinels and a Cluster")
    return found


def _path(parts: SplitResult, kind: str) -> tuple[str, str]:
    """A socket's path or a service, and a database."""
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("expected unix:///path/of/the/socket")
        return unquote(parts.path), ""
    service, _, database = parts.path.strip("/").partition("/")
    if kind != "sentinel":
        service, database = "", parts.path.removeprefix("/").removesuffix("/")
    elif not service:
        raise ValueError("expected redis+sentinel://host:26379,host:26379/service or .../service/0")
    if not (database or "0").isdecimal():
        where = ".../service/0" if kind == "sentinel" else "redis://host:6379/0"
        raise ValueError(f"expected the number of a database at the end, as in {where}; {ENCODE}")
    return unquote(service), database


def _options(parts: SplitResult, *, tls: bool) -> dict[str, str]:
    """What comes after the `?`, and the user and the password before the @."""
    known = (*TEXTS, *NUMBERS, *TLS)
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not found.keys() <= set(known) or bool(parts.query) != bool(found):
        raise ValueError(f"expected after the ? only {', '.join(known)}; {ENCODE}")
    if not tls and found.keys() & set(TLS):
        raise ValueError("expected rediss:// for the options of TLS after the ?")
    for name, value in found.items():
        if name in NUMBERS and not value.replace(".", "", 1).isdecimal():
            raise ValueError(f"expected a number for the option {name} after the ?")
        if name in CHOICES and value.lower() not in CHOICES[name]:
            choices = " or ".join(CHOICES[name])
            raise ValueError(f"expected {choices} for the option {name} after the ?")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    named = {"username": unquote(user), "password": unquote(password)}
    return {**found, **{name: value for name, value in named.items() if value}}
