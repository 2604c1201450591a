"""Pages of other origins that read OpenAI's HTTP routes."""

from typing import Any

import httpx

from gateway.app import Gateway
from gateway.realtime.keys import hash_of
from shared.settings import Settings

LISTED = "https://pages.example"
OTHER = "https://elsewhere.example"
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, x-stainless-os",
}


def page(origin: str, **settings: Any) -> httpx.AsyncClient:
    """A page's way to a gateway with these settings."""
    app = Gateway(Settings.model_validate({"gateway_origins": LISTED, **settings})).app()
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers={"Origin": origin}
    )


async def test_without_keys_only_pages_of_listed_origins_may_read() -> None:
    async with page(LISTED) as http:
        answer = await http.get("/v1/models")
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == LISTED
    async with page(OTHER) as http:
        assert "access-control-allow-origin" not in (await http.get("/v1/models")).headers
        assert (await http.options("/v1/realtime/client_secrets", headers=ASKS)).status_code == 400


async def test_with_keys_any_page_may_ask_with_the_headers_of_openai_s_packages() -> None:
    keys = {"gateway_api_keys": f"test:{hash_of('sk-test')}"}
    async with page(OTHER, **keys) as http:
        asked = await http.options("/v1/realtime/client_secrets", headers=ASKS)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "x-stainless-os" in asked.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in asked.headers
        refused = await http.get("/v1/models")  # which explains itself to that page too
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-origin" not in (await http.get("/api/config")).headers
