"""Checks that a request comes from Twilio: the header X-Twilio-Signature. Sans I/O.

The signature is an HMAC-SHA1 by the account's auth token. It covers the URL as Twilio called it and
then the POST fields in the order of their names. Source: Twilio, "Webhooks Security".
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

HEADER: Final = "x-twilio-signature"


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """The signature that Twilio gives a request."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_signed(
    token: str, given: str | None, urls: Iterable[str], fields: Mapping[str, str] | None = None
) -> bool:
    """Whether a signature fits one of the URLs under which this gateway may have been called."""
    found = (given or "").encode()
    fits = [
        hmac.compare_digest(signature(token, url, fields or {}).encode(), found) for url in urls
    ]
    return any(fits)


def called_as(scheme: str, host: str, target: str) -> tuple[str, ...]:
    """The URLs of a request: a proxy may have taken TLS off, and Twilio may add the port."""
    kinds = ("wss", "ws") if scheme in ("ws", "wss") else ("https", "http")
    bare = host.rsplit(":", 1)[0] if host.endswith((":443", ":80")) else host
    hosts = dict.fromkeys((host, bare, f"{bare}:443"))
    return tuple(f"{kind}://{name}{target}" for kind in kinds for name in hosts)
