"""Declares the types of settings that need more than a range: lists, addresses, secrets.

Each type converts the text of an environment variable, or raises ValueError with what it expected.
Errors about secrets hold no part of the value.
"""

import re
from ipaddress import ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from shared.origins import normalised
from shared.redis_client import url as redis_url

MIN_SECRET_BYTES: Final = 32
# No segment is empty or begins with a dot, so that no redirect leads elsewhere.
ROOT_PATH: Final = r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$"
STATS_CHARACTERS: Final = r"[!-~]{16,256}"
KEY_HASH: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}:[0-9a-f]{64}")  # name and SHA-256
OWN_PATHS: Final = (
    *("api", "dashboard", "health", "metrics", "ready"),
    *("telnyx", "twilio", "v1", "web", "ws"),
)


def _parts(value: str | tuple[str, ...]) -> list[str]:
    """The parts of a list that commas separate."""
    parts = value.split(",") if isinstance(value, str) else value
    return [part.strip() for part in parts if part.strip()]


def _networks(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(ip_network(part)) for part in _parts(value))


def _origins(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(normalised(part) for part in _parts(value))


def _key_hashes(value: str | tuple[str, ...]) -> tuple[str, ...]:
    parts = tuple(_parts(value))
    if not all(KEY_HASH.fullmatch(part) for part in parts):
        raise ValueError("expected NAME:HASH as `python -m gateway.realtime.keys NAME` prints it")
    return parts


def _root_path(value: str) -> str:
    if value.lstrip("/").partition("/")[0] in OWN_PATHS:
        raise ValueError(f"expected none of the gateway's own paths: {', '.join(OWN_PATHS)}")
    if not re.fullmatch(ROOT_PATH, path := value.rstrip("/")):
        raise ValueError(f"expected a path such as /antiphon, got {value!r}")
    return path


def _redis(value: str) -> str:
    if value:
        redis_url.client(value, timeout_s=1)
    return value


def _model_or_endpoint(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        return value
    if set("@?#") & set(value) or not _names_host(value):
        raise ValueError(
            "expected an address such as http://host:8000/v1, without a user, a query or a "
            "fragment: THINK_KEY takes the key"
        )
    return value


def _names_host(address: str) -> bool:
    """Whether a URL has a host, and no port or one that exists."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _for_the_dashboard(value: str) -> str:
    if value and not re.fullmatch(STATS_CHARACTERS, value):
        raise ValueError("expected 16 to 256 characters of printable ASCII without spaces")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"expected at least {MIN_SECRET_BYTES} bytes")
    return value


def _for_a_header(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError("expected printable ASCII without spaces")
    return value


Networks = Annotated[tuple[str, ...], BeforeValidator(_networks)]
KeyHashes = Annotated[tuple[str, ...], BeforeValidator(_key_hashes)]
Origins = Annotated[tuple[str, ...], BeforeValidator(_origins)]
RootPath = Annotated[str, AfterValidator(_root_path)]
StatsToken = Annotated[str, AfterValidator(_for_the_dashboard)]
RedisUrl = Annotated[str, AfterValidator(_redis)]
ModelOrEndpoint = Annotated[str, AfterValidator(_model_or_endpoint)]
SigningSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
BearerKey = Annotated[SecretStr, AfterValidator(_for_a_header)]
