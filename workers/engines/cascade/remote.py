"""Gets replies from an OpenAI-compatible chat endpoint: THINK=https://host/v1.

Each reply is a streamed request in a thread of its own. An interruption cancels it. If the endpoint
fails or stays silent for too long, the assistant apologises and the call goes on.
"""

import json
import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from workers.engines.cascade.parts import TurnTranscript
from workers.engines.cascade.think import SYSTEM, Delta, Prompt

TIMEOUT_S: Final = 8.0  # the longest wait for the endpoint's next words
WAIT_S: Final = 0.010  # how long a round waits for words, so that the loop does not spin
MAX_TOKENS: Final = 160
APOLOGY: Final = "I'm sorry, I can't think of an answer right now. Please ask me again."
CUT_OFF: Final = " I'm sorry, I lost my thread."
GO_ON: Final = "Go on with your last answer exactly where it stopped. Do not repeat any of it."
# A transcript without an end mark sounds unfinished.
FINISHED: Final = 0.8
UNFINISHED: Final = 0.1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Request:
    """One streamed reply. Its thread writes, the engine's thread takes."""

    messages: list[dict[str, str]]
    begun: bool  # another worker began the reply
    text: str = ""
    taken: int = 0
    complete: bool = False
    started: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)


class RemoteThinker:
    """See `think.Thinker`."""

    def __init__(
        self, url: str, model: str = "default", key: str = "", timeout_s: float = TIMEOUT_S
    ) -> None:
        self._client = httpx.Client(
            timeout=timeout_s, headers={"Authorization": f"Bearer {key}"} if key else {}
        )
        self._url = url.rstrip("/") + "/chat/completions"
        self._model = model
        self._prompts: dict[int, Prompt] = {}
        self._requests: dict[int, _Request] = {}
        self._transcripts: dict[int, str] = {}
        self._news = threading.Condition()

    def open(self, slot: int, prompt: Prompt) -> None:
        """See `Thinker`."""
        self.close(slot)
        self._prompts[slot] = prompt

    def likeliest(self, transcript: TurnTranscript) -> str:
        """See `Thinker`. The endpoint is not asked."""
        return transcript.text

    def ask(self, slot: int, transcript: str) -> None:
        """See `Thinker`. Sends nothing before the turn has ended."""
        self._cancel(slot)
        self._transcripts[slot] = transcript
        self._requests[slot] = _Request(self._messages(slot), begun=False)

    def resume(self, slot: int, transcript: str, tokens: Sequence[int], text: str) -> None:
        """See `Thinker`. Sends the endpoint the spoken text and asks it to go on."""
        self.ask(slot, transcript)
        if text:
            messages = self._messages(slot)
            messages += [_message("assistant", text), _message("system", GO_ON)]
            self._requests[slot] = _Request(messages, begun=True)

    def finished(self, slot: int) -> float | None:
        """See `Thinker`: by the transcript's end mark."""
        words = self._transcripts.get(slot)
        if not words:
            return None
        return FINISHED if words.endswith((".", "?", "!")) and words[-3:] != "..." else UNFINISHED

    def pending(self, slot: int) -> int:
        """See `Thinker`. Reports enough text, since an early request costs money."""
        return MAX_TOKENS

    def read(self, until: float, slots: Collection[int] | None = None) -> bool:
        """See `Thinker`. Nothing needs to be read here."""
        return False

    def think(self, slots: Collection[int]) -> None:
        """See `Thinker`. Starts new requests, then waits a moment for words."""
        requests = [self._requests[slot] for slot in slots if slot in self._requests]
        for request in requests:
            if not request.started:
                request.started = True
                threading.Thread(target=self._stream, args=(request,), daemon=True).start()
        with self._news:
            self._news.wait_for(lambda: any(map(_grown, requests)), WAIT_S)

    def take(self, slot: int) -> Delta:
        """See `Thinker`."""
        request = self._requests[slot]
        with self._news:
            delta = Delta((), request.text[request.taken :], request.complete)
            request.taken = len(request.text)
        return delta

    def close(self, slot: int) -> None:
        """See `Thinker`."""
        self._cancel(slot)
        self._prompts.pop(slot, None)
        self._transcripts.pop(slot, None)

    def _cancel(self, slot: int) -> None:
        if (request := self._requests.pop(slot, None)) is not None:
            request.cancelled.set()

    def _messages(self, slot: int) -> list[dict[str, str]]:
        prompt = self._prompts[slot]
        messages = [_message("system", prompt.instructions or SYSTEM)]
        for turn in prompt.earlier:
            messages.append(_message("user", turn.caller))
            if turn.assistant:
                messages.append(_message("assistant", turn.assistant))
        return [*messages, _message("user", self._transcripts[slot])]

    # In the request's own thread

    def _stream(self, request: _Request) -> None:
        try:
            for piece in self._pieces(request):
                self._write(request, piece)
            failed = not (request.text.strip() or request.begun)
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            if not request.cancelled.is_set():
                # The text of an error may quote the request, and so the caller's words.
                log.warning("the thinking endpoint failed: %s", _what(error))
            failed = True
        with self._news:
            if failed:
                request.text += CUT_OFF if request.text or request.begun else APOLOGY
            request.complete = True
            self._news.notify_all()

    def _pieces(self, request: _Request) -> Iterator[str]:
        body = {
            "model": self._model,
            "messages": request.messages,
            "stream": True,
            "max_tokens": MAX_TOKENS,
        }
        with self._client.stream("POST", self._url, json=body) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if request.cancelled.is_set():
                    return
                if line.startswith("data:") and (data := line[5:].strip()) != "[DONE]":
                    yield _content(json.loads(data))

    def _write(self, request: _Request, piece: str) -> None:
        if piece:
            with self._news:
                request.text += piece
                self._news.notify_all()


def _what(error: Exception) -> str:
    """The status of a refusal, such as 401 for a wrong THINK_KEY; else the kind of error."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered with the status {error.response.status_code}"
    return type(error).__name__


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _grown(request: _Request) -> bool:
    return request.complete or len(request.text) > request.taken


def _content(event: dict[str, Any]) -> str:
    """The words of one streamed event; "" for events of other kinds."""
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""
