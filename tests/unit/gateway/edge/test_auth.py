"""Tokens that permit a call: the valid one, and everything close to it that is not."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from gateway.edge.auth import MAX_LIFETIME_S, read
from gateway.protocol.errors import CallError, ErrorCode

SECRET = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    made = {"aud": "antiphon", "iat": now, "exp": now + MAX_LIFETIME_S, "jti": "one", **changed}
    return {name: value for name, value in made.items() if value is not None}


def token(secret: str = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), secret, algorithm=algorithm)


def unsigned() -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims())
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, b""]).decode()


def flipped(at: int) -> str:
    good = token()
    return good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]


def test_a_valid_token_permits_a_call() -> None:
    permit = read(token(), SECRET)
    assert permit.jti == "one"
    assert permit.expires_at - time.time() <= MAX_LIFETIME_S


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("a.b.c", id="no token"),
        pytest.param(unsigned(), id="alg none"),
        pytest.param(token(OTHER), id="another's secret"),
        pytest.param(token(SECRET * 2, "HS512"), id="another algorithm"),
        pytest.param(token(aud="elsewhere"), id="another service"),
        pytest.param(token(iat=int(time.time()) - 90, exp=int(time.time()) - 30), id="expired"),
        pytest.param(token(exp=int(time.time()) + 3_600), id="too long a life"),
        pytest.param(token(iat=int(time.time()) + 3_600, exp=int(time.time()) + 3_630), id="later"),
        pytest.param(token(exp=None), id="for ever"),
        pytest.param(token(iat=None), id="of no time"),
        pytest.param(token(aud=None), id="for nobody"),
        pytest.param(token(jti=None), id="no jti"),
        pytest.param(token(jti=""), id="empty jti"),
        pytest.param(token(jti="x" * 129), id="long jti"),
        pytest.param(token(exp="9" * 400), id="exp of 400 digits"),
        pytest.param(token(exp=float("inf")), id="infinite exp"),
        pytest.param(token(iat=time.time() + 0.5), id="half seconds"),
    ],
)
def test_an_invalid_token_is_refused(bad: str | None) -> None:
    with pytest.raises(CallError) as caught:
        read(bad, SECRET)
    assert caught.value.code is ErrorCode.UNAUTHORIZED
    assert SECRET not in str(caught.value)


def test_no_byte_of_a_token_may_change() -> None:
    good = token()
    # The last character of a part may hold unused bits.
    for at in [i for i in range(len(good) - 1) if "." not in good[i : i + 2]]:
        with pytest.raises(CallError):
            read(flipped(at), SECRET)
