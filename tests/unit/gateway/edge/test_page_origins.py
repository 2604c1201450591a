"""Which pages may open a call."""

from gateway.edge.page_origins import MAX_SAID, MAX_SHOWN, PageOrigins

HEADERS = {"origin": "https://evil.example", "host": "a.example"}


def test_own_listed_and_no_origins_are_allowed() -> None:
    origins = PageOrigins(("https://b.example",))
    assert origins.allow({"host": "a.example"})
    assert origins.allow({"host": "a.example", "origin": "https://a.example"})
    assert origins.allow({"host": "a.example", "origin": "https://b.example"})
    assert not origins.allow(HEADERS)


def test_a_refusal_is_said_once_a_minute_with_what_to_do() -> None:
    origins = PageOrigins(())
    said = origins.refusal(HEADERS, now=100.0)
    assert said is not None
    assert "'https://evil.example'" in said
    assert "'a.example'" in said
    assert "GATEWAY_ORIGINS" in said
    assert origins.refusal(HEADERS, now=159.9) is None
    assert origins.refusal(HEADERS, now=160.0) is not None


def test_strangers_cannot_fill_the_log() -> None:
    origins = PageOrigins(())
    lines = [origins.refusal({"origin": f"{n}" + "x\n" * 999}, now=0.0) for n in range(1_000)]
    said = [line for line in lines if line is not None]
    assert len(said) == MAX_SAID
    assert all(len(line) < 4 * MAX_SHOWN and "\n" not in line for line in said)
