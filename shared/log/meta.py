"""A session's meta hash: how far its streams have come, who may write them, and its voice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import SchemaError
from shared.log.records import Options
from shared.voices import Persona

# How long a session is on trial after its worker died or it failed alone in the engine.
TRIAL_STEPS: Final = 10
MAX_STRIKES: Final = 2  # within one trial; then its worker gives the session up

_NUMBERS: Final = (
    "n cursor k m f generation played seed samples trial strikes sample_rate record".split()
)
_WORDS: Final = ("state", "mode", "owner", "conn", "options", "voice", "style", "codec")


@dataclass(frozen=True, slots=True)
class Meta:
    """One session's meta hash."""

    sid: str
    state: str
    mode: str
    owner: str  # "epoch:worker:nonce"; "": no worker owns it
    conn: str  # "epoch:gateway:nonce"
    n: int
    cursor: int
    k: int
    m: int
    f: int
    generation: int
    played: int
    seed: int
    samples: int  # of the caller's audio since the start, without padding
    # JSON of the session's first Options, and its instructions: no log line may show these.
    options: str = field(repr=False)
    trial: int = 0  # the session is on trial until this step
    strikes: int = 0  # within the present trial
    voice: str = ""  # "": the model's default
    style: str = ""
    codec: str = ""  # of the caller's first connection; "": PCM16 at 24 kHz
    sample_rate: int = 0
    record: int = 0  # 1: the caller agreed to be recorded

    @property
    def suspect(self) -> bool:
        """Whether the session is on trial: a death of its worker now counts against it."""
        return self.k < self.trial

    @property
    def condemned(self) -> bool:
        """Whether one more death of its worker ends the session."""
        return self.suspect and self.strikes >= MAX_STRIKES - 1

    @property
    def persona(self) -> Persona:
        """The voice and the style of the assistant."""
        return Persona(self.voice, self.style)

    @property
    def first_options(self) -> Options:
        """The options with which the caller began. Raises ValueError or TypeError."""
        return Options(**{k: v for k, v in self._options().items() if k != "instructions"})

    @property
    def instructions(self) -> str:
        """The caller's own system prompt; "": the engine's. Raises ValueError."""
        return str(self._options().get("instructions", ""))

    def _options(self) -> dict[str, Any]:
        found = json.loads(self.options or "{}")
        if not isinstance(found, dict):
            raise SchemaError(f"Expected a session's options by name, got {type(found).__name__}")
        return found

    @property
    def worker(self) -> str:
        """The owning worker's id, or ""."""
        return self.owner.split(":")[1] if self.owner else ""


def parse_meta(sid: str, raw: Mapping[bytes, bytes]) -> Meta | None:
    """The hash as Redis returns it -> Meta; None when it is gone or of another schema."""
    if not raw:
        return None
    try:
        text = {name.decode(): value.decode() for name, value in raw.items()}
        number = {name: int(text.get(name) or 0) for name in _NUMBERS}
    except ValueError:  # one bad hash must not fail a read of many sessions
        return None
    word = {name: text.get(name, "") for name in _WORDS}
    return Meta(sid=sid, **word, **number)  # type: ignore[arg-type] # the names fix the types
