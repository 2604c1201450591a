"""Declares what the cascade logs of each step: everything that no other worker may recompute.

Another CPU gives other transcripts and tokens: only 55 of 60 and 34 of 40 were the same. So the log
holds both.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgpack

from shared.errors import SchemaError

_PACKER: Final = msgpack.Packer(use_bin_type=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedStep:
    """One speaking step of one slot."""

    # The turn's transcript. None: this step did not decide it. "": the caller did not speak.
    transcript: str | None = None
    typed: str = ""  # words that the caller typed, with which the turn ended in this step
    tokens: tuple[int, ...] = ()  # sampled in this step; empty for a remote model
    text: str = ""  # what these tokens add to the reply's text
    complete: bool = False  # the model ended the reply here
    words: tuple[tuple[int, str], ...] = ()  # spoken in this step: frame of its sound, word
    frames: int = 0  # of sound in this step
    sentence: int = 0  # after this step: character at which the current sentence begins
    said: int = 0  # after this step: words of that sentence that were spoken
    # After this step: samples (PCM16) that fill no whole frame. The next piece begins with them, so
    # that a join in mid-sentence has no gap.
    rest: bytes = b""

    def to_bytes(self) -> bytes:
        """A msgpack map by field name, without fields that have their default."""
        return bytes(_PACKER.pack(_changed(self)))

    @classmethod
    def from_bytes(cls, logged: bytes) -> "LoggedStep":
        """A step from its logged bytes. Raises SchemaError on bytes of another engine."""
        try:
            body = msgpack.unpackb(logged)
            body["tokens"] = tuple(body.get("tokens", ()))
            body["words"] = tuple((frame, word) for frame, word in body.get("words", ()))
            return cls(**body)
        except (ValueError, TypeError, AttributeError, msgpack.UnpackException) as error:
            raise SchemaError(f"Expected a step of the cascade, got {logged!r:.40}") from error


_EMPTY: Final = LoggedStep()


def _changed(step: LoggedStep) -> dict[str, Any]:
    fields = LoggedStep.__dataclass_fields__
    values = ((name, getattr(step, name)) for name in fields)
    return {name: value for name, value in values if value != getattr(_EMPTY, name)}
