"""Paths below which a proxy offers the gateway, and pages of other origins."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from gateway.app import Gateway
from gateway.edge.pages import WEB
from gateway.edge.root_path import RootPath
from shared.setting_types import OWN_PATHS
from shared.settings import Settings

PROXY = "10.0.0.9"
ORIGIN = "https://pages.example"


@pytest.fixture
def app() -> ASGIApp:
    return Gateway(Settings.model_validate({"gateway_origins": ORIGIN})).app()


async def get(
    app: ASGIApp, path: str, *, root: str = "", prefix: str = "", client: str = PROXY
) -> httpx.Response:
    """The answer to a request that comes from `client`."""
    behind = RootPath(app, root, ["10.0.0.0/8"])
    transport = httpx.ASGITransport(behind, client=(client, 1))
    headers = {b"X-Forwarded-Prefix": prefix.encode("latin-1")} if prefix else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        return await http.get(path, headers=headers)


@pytest.mark.parametrize("path", ["/web/", "/antiphon/web/", "/antiphon/web/main.js", "/health"])
async def test_a_proxy_may_pass_the_whole_path_or_strip_it(app: ASGIApp, path: str) -> None:
    for way in ({"root": "/antiphon"}, {"prefix": "/antiphon"}, {"prefix": "/antiphon/"}):
        assert (await get(app, path, **way)).status_code == 200


@pytest.mark.parametrize(
    ("way", "path", "location"),
    [
        ({}, "/", "web/"),
        ({}, "/web?processing=off", "web/?processing=off"),
        ({}, "/dashboard", "web/dashboard.html"),
        ({"root": "/antiphon"}, "/antiphon", "/antiphon/web/"),
        ({"root": "/antiphon"}, "/antiphon/", "/antiphon/web/"),
        ({"root": "/antiphon"}, "/web", "/antiphon/web/"),
        ({"prefix": "/a, /b"}, "/dashboard", "/a/b/web/dashboard.html"),
        ({"root": "/set", "prefix": "/sent"}, "/web", "/sent/web/"),
    ],
)
async def test_redirects_stay_below_the_root_path(
    app: ASGIApp, way: dict[str, str], path: str, location: str
) -> None:
    answer = await get(app, path, **way)
    assert (answer.status_code, answer.headers["location"]) == (307, location)


@pytest.mark.parametrize(
    "way",
    [
        {"prefix": "/antiphon", "client": "203.0.113.5"},  # no trusted proxy
        {"prefix": "//evil.example"},
        {"prefix": "/a/../b"},
        {"prefix": "https://evil.example"},
        {"prefix": "/a\xe9"},
        {"prefix": "/a?b"},
    ],
)
async def test_a_prefix_that_cannot_be_believed_is_ignored(
    app: ASGIApp, way: dict[str, str]
) -> None:
    assert (await get(app, "/dashboard", **way)).headers["location"] == "web/dashboard.html"


@pytest.mark.parametrize("file", sorted(WEB.rglob("*.html")), ids=lambda file: file.name)
def test_no_page_has_an_absolute_path(file: Any) -> None:
    assert re.findall(r"""(?:href|src)=["']/[^"']*""", file.read_text()) == []


@pytest.fixture
async def foreign(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A page of the listed origin."""
    transport = httpx.ASGITransport(RootPath(app, "/antiphon", []))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers={"Origin": ORIGIN}
    ) as http:
        yield http


async def test_a_listed_origin_may_read_the_api(foreign: httpx.AsyncClient) -> None:
    for path in ("/api/config", "/antiphon/api/config"):
        answer = await foreign.get(path)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "Origin" in answer.headers["vary"]
    refused = await foreign.get("/api/stats")  # which explains itself to that page too
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN


async def test_its_browser_may_ask_whether_a_token_may_be_sent(foreign: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "GET"}
    with_token = {**asked, "Access-Control-Request-Headers": "authorization"}
    answer = await foreign.options("/api/stats", headers=with_token)
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN + ".evil.example"])
async def test_no_other_origin_may(foreign: httpx.AsyncClient, origin: str) -> None:
    answer = await foreign.get("/api/config", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_rest_is_for_the_own_page(foreign: httpx.AsyncClient) -> None:
    for path in ("/metrics", "/web/"):
        assert "access-control-allow-origin" not in (await foreign.get(path)).headers


def test_no_root_path_can_be_taken_for_a_path_of_the_gateway(app: Any) -> None:
    first = {route.path.split("/")[1] for route in app.routes}
    assert first - {"", "{path:path}"} == set(OWN_PATHS)
