"""The content security policies of the page's files."""

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from gateway.app import SecurityHeaders
from gateway.edge.pages import EXAMPLE, WEB, Pages, example_policy

LINES_OF_THE_EXAMPLE = 150
EXAMPLE_TO_COPY = WEB.parents[1] / "examples" / "browser.html"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Mount("/web", Pages())], middleware=[Middleware(SecurityHeaders)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def test_the_examples_policy_allows_its_script_by_hash_and_no_other() -> None:
    digest = base64.b64encode(hashlib.sha256(b"\nlet a = 1;\n").digest()).decode()
    policy = example_policy('<script type="module">\nlet a = 1;\n</script>')
    assert f"script-src 'sha256-{digest}' data:;" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/web/", "/web/index.html", "/web/main.js", "/web/style.css"])
async def test_the_page_allows_no_inline_script(client: httpx.AsyncClient, path: str) -> None:
    policy = (await client.get(path)).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "sha256" not in policy


async def test_the_example_is_one_short_file_under_its_own_policy(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/web/example.html")
    assert answer.headers["content-security-policy"] == example_policy(answer.text)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.text.splitlines()) < LINES_OF_THE_EXAMPLE
    assert "src=" not in answer.text


def test_the_example_for_copying_is_the_file_that_the_gateway_serves() -> None:
    assert EXAMPLE_TO_COPY.read_bytes() == (WEB / EXAMPLE).read_bytes()


@pytest.mark.parametrize("file", sorted(WEB.rglob("*.html")), ids=lambda file: file.name)
def test_no_page_has_inline_style(file: Path) -> None:
    text = file.read_text()
    assert "<style" not in text
    assert " style=" not in text
