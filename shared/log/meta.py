"""A session's meta hash: how far its streams have come, who may write them, and its voice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.voices import Persona

# A session that was taken from a dead worker, or failed alone, is on trial for so many steps.
TRIAL_STEPS: Final = 10
MAX_STRIKES: Final = 2  # within one trial; then the session is given up

_NUMBERS: Final = "n cursor k m f generation played seed samples trial strikes".split()
_WORDS: Final = ("state", "mode", "owner", "conn", "options", "voice", "style")


@dataclass(frozen=True, slots=True)
class Meta:
    """A session's meta hash."""

    sid: str
    state: str
    mode: str
    owner: str  # "epoch:worker:nonce", "" when nobody owns it
    conn: str  # "epoch:gateway:nonce"
    n: int
    cursor: int
    k: int
    m: int
    f: int
    generation: int
    played: int
    seed: int
    samples: int  # of the caller's audio in the log since the start, without padding
    options: str  # JSON of the session's first Options
    trial: int = 0  # the session is on trial until this step
    strikes: int = 0  # of the present trial
    voice: str = ""  # what the assistant sounds like; "": the model's default
    style: str = ""

    @property
    def suspect(self) -> bool:
        """Whether its worker's death, should it be dead, would be the session's doing."""
        return self.k < self.trial

    @property
    def condemned(self) -> bool:
        """Whether another death would end it."""
        return self.suspect and self.strikes >= MAX_STRIKES - 1

    @property
    def persona(self) -> Persona:
        """What the assistant sounds like."""
        return Persona(self.voice, self.style)

    @property
    def worker(self) -> str:
        """The owning worker's id, or ""."""
        return self.owner.split(":")[1] if self.owner else ""


def parse_meta(sid: str, raw: Mapping[bytes, bytes]) -> Meta | None:
    """A meta hash as Redis gives it; None when it is gone or of another schema."""
    if not raw:
        return None
    try:
        text = {name.decode(): value.decode() for name, value in raw.items()}
        number = {name: int(text.get(name) or 0) for name in _NUMBERS}
    except ValueError:  # whoever reads many sessions at once must not stumble over one
        return None
    word = {name: text.get(name, "") for name in _WORDS}
    return Meta(sid=sid, **word, **number)  # type: ignore[arg-type] # the names fix the types
