"""Replies from a remote model: streamed words, cancelled requests, spoken apologies."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.patience import PATIENCE_S
from workers.engines.cascade.memory import RememberedTurn
from workers.engines.cascade.remote import APOLOGY, CUT_OFF, FINISHED, UNFINISHED, RemoteThinker
from workers.engines.cascade.think import SYSTEM, Prompt

WORDS = ("The moon", " is made", " of rock.")
KEY = "sk-a-secret-key"


class Endpoint(ThreadingHTTPServer):
    """Sends the answers that a test sets, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.words = WORDS
        self.status = 200
        self.hangs_after: int | None = None  # words; then nothing more comes
        self.released = threading.Event()
        self.broken = 0  # clients that went away in mid-answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/"


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append({"path": self.path, **json.loads(body)})
        self.server.headers.append(dict(self.headers))
        self.send_response(self.server.status)
        self.end_headers()
        try:
            for at, words in enumerate(self.server.words):
                if self.server.hangs_after == at:
                    self.server.released.wait(PATIENCE_S)
                event = {"choices": [{"delta": {"content": words}}]}
                self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.broken += 1

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def reply(thinker: RemoteThinker, slot: int) -> str:
    """Think until the slot's reply is complete."""
    text = ""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        thinker.think([slot])
        delta = thinker.take(slot)
        text += delta.text
        if delta.complete:
            return text
    raise AssertionError("the reply does not end")


def test_the_words_of_a_reply_are_streamed(endpoint: Endpoint) -> None:
    thinker = RemoteThinker(endpoint.url, "small", KEY)
    thinker.open(
        0, Prompt(1, earlier=(RememberedTurn("Hi.", "Hello."), RememberedTurn("Well?", "")))
    )
    thinker.ask(0, "What is the moon made of?")
    assert reply(thinker, 0) == "".join(WORDS)
    asked = endpoint.asked[0]
    assert asked["path"] == "/v1/chat/completions"
    assert asked["model"] == "small"
    assert asked["stream"] is True
    assert [(m["role"], m["content"]) for m in asked["messages"]] == [
        ("system", SYSTEM),
        ("user", "Hi."),
        ("assistant", "Hello."),
        ("user", "Well?"),
        ("user", "What is the moon made of?"),
    ]
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_nothing_is_asked_before_the_turn_has_ended(endpoint: Endpoint) -> None:
    thinker = RemoteThinker(endpoint.url)
    thinker.open(0, Prompt(1, "Talk like a pirate."))
    thinker.ask(0, "What is")
    assert thinker.finished(0) == UNFINISHED
    thinker.ask(0, "What is the moon made of?")
    assert thinker.finished(0) == FINISHED
    assert reply(thinker, 0) == "".join(WORDS)
    assert len(endpoint.asked) == 1
    assert endpoint.asked[0]["messages"][0]["content"] == "Talk like a pirate."


def test_a_reply_goes_on_after_a_takeover(endpoint: Endpoint) -> None:
    thinker = RemoteThinker(endpoint.url)
    thinker.open(0, Prompt(1))
    thinker.resume(0, "What is the moon made of?", (), "The moon is")
    assert reply(thinker, 0) == "".join(WORDS)
    roles = [m["role"] for m in endpoint.asked[0]["messages"]]
    assert roles == ["system", "user", "assistant", "system"]


def test_a_failing_endpoint_gives_an_apology(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.status = 401
    thinker = RemoteThinker(endpoint.url, key=KEY)
    thinker.open(0, Prompt(1))
    thinker.ask(0, "What is my secret?")
    with caplog.at_level(logging.DEBUG):
        assert reply(thinker, 0) == APOLOGY
    logged = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("workers"))
    assert "it answered with the status 401" in logged
    assert KEY not in logged
    assert "secret" not in logged


def test_an_endpoint_that_is_not_there_gives_an_apology() -> None:
    thinker = RemoteThinker("http://127.0.0.1:9/v1")
    thinker.open(0, Prompt(1))
    thinker.ask(0, "Hello?")
    assert reply(thinker, 0) == APOLOGY


def test_an_endpoint_that_falls_silent_ends_the_reply_in_words(endpoint: Endpoint) -> None:
    endpoint.hangs_after = 2
    thinker = RemoteThinker(endpoint.url, timeout_s=3.0)  # for the words before, too
    thinker.open(0, Prompt(1))
    thinker.ask(0, "What is the moon made of?")
    assert reply(thinker, 0) == "The moon is made" + CUT_OFF


def test_an_interruption_cancels_the_request_and_a_neighbour_goes_on(endpoint: Endpoint) -> None:
    endpoint.hangs_after = 1
    thinker = RemoteThinker(endpoint.url)
    for slot in (0, 1):
        thinker.open(slot, Prompt(1))
        thinker.ask(slot, "What is the moon made of?")
    until = time.monotonic() + PATIENCE_S
    while len(endpoint.asked) < 2 and time.monotonic() < until:
        thinker.think([0, 1])
    thinker.open(0, Prompt(2))  # the caller spoke over it
    endpoint.released.set()
    assert reply(thinker, 1) == "".join(WORDS)
    thinker.ask(0, "Another question.")
    assert reply(thinker, 0) == "".join(WORDS)
