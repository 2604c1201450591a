"""Every setting of every process, read once at start from the environment and `.env`.

A setting that is unknown or invalid stops the start with what was expected: a typo must not
silently run with a default.
"""

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import ConfigError
from shared.modes import EngineName, ReplyMode, VadName, VocoderName
from shared.redis_client import url as redis_url

MIN_SECRET_BYTES: Final = 32
AWAY_MARGIN_S: Final = 60
# Environment names that begin so are ours: one that we do not know is a typo.
OUR_PREFIXES: Final = (
    "ANTIPHON_",
    "CLAIM_",
    "GATEWAY_",
    "LEASE_",
    "REPLY_",
    "SESSION_",
    "TURN_",
    "UPLINK_",
    "VAD_",
    "WORKER_",
)


class Settings(BaseSettings):
    """All settings; the environment name of each is its name in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="forbid", frozen=True)

    # Empty: the local Redis that `make run` starts on redis_port.
    redis_url: str = ""
    redis_port: int = Field(6379, ge=1, le=65_535)
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    # The conversation, for sessions that do not say otherwise.
    reply_mode: ReplyMode = ReplyMode.TURN
    vad: VadName = VadName.ENERGY
    # RMS of full scale below which nothing is speech; the energy VAD adapts upwards from it.
    vad_threshold: float = Field(0.001, gt=0, lt=1)
    turn_silence_ms: int = Field(600, ge=100, le=5_000)
    turn_min_speech_ms: int = Field(120, ge=20, le=2_000)

    # The gateway.
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(8000, ge=0, le=65_535)
    gateway_max_sessions: int = Field(1_000, ge=1)
    # Connections and lost calls of one address (an IPv6 /64); loopback is not counted.
    gateway_max_per_address: int = Field(100, ge=1)
    # Addresses or networks whose X-Forwarded-For is believed, comma-separated.
    gateway_trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    # Signs the tokens that begin a call; empty: anyone may. RFC 7518 asks for 32 bytes.
    gateway_auth_secret: SecretStr = SecretStr("")
    # A worker whose recent steps took longer (p95) gets no more callers; a step has 80 ms.
    gateway_step_budget_ms: float = Field(70, gt=0, le=10_000)
    # Origins that may open a socket, comma-separated; empty: same host as the page only.
    gateway_origins: Annotated[tuple[str, ...], NoDecode] = ()
    # What /dashboard and /api/stats ask for; empty: they are for this machine only (access.py).
    gateway_stats_token: str = Field("", pattern=r"^(|[!-~]{16,256})$", repr=False)
    uplink_backlog_chunks: int = Field(50, ge=5, le=500)  # 4 s not yet consumed; then `busy`

    # The worker.
    engine: EngineName = EngineName.HYBRID
    worker_slots: int = Field(8, ge=1, le=4_096)
    worker_metrics_port: int = Field(0, ge=0, le=65_535)  # Prometheus at /metrics; 0: none
    model: Path = Path("workers/weights/tiny")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    dtype: str = Field("auto", pattern="^(auto|float32|bfloat16)$")
    torch_threads: int = Field(1, ge=1, le=256)
    vocoder: VocoderName = VocoderName.AUTO
    # Named so by PyTorch and CUDA; listed here so that `.env` may hold them.
    model_cache_dir: Path = Path.home() / ".cache" / "antiphon"
    torch_home: Path | None = None
    cuda_visible_devices: str | None = None

    # Liveness. A worker whose beat stood still for the lease, by the observer's clock, is dead.
    lease_ms: int = Field(1_000, ge=200, le=60_000)
    claim_timeout_ms: int = Field(3_000, ge=100, le=60_000)
    session_ttl_s: int = Field(3_600, ge=AWAY_MARGIN_S)
    # How long a caller may be away and still resume; longer, and the session ends.
    session_resume_s: float = Field(60, gt=0)

    @property
    def redis(self) -> str:
        """The URL of the Redis to use."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"

    @model_validator(mode="after")
    def _kept_while_away(self) -> Self:
        if self.session_ttl_s < self.session_resume_s + AWAY_MARGIN_S:
            raise ValueError(
                f"expected SESSION_TTL_S of SESSION_RESUME_S and {AWAY_MARGIN_S} s more at least: "
                "a caller who may be away so long must find the call"
            )
        return self

    @field_validator("redis_url")
    @classmethod
    def _of_a_known_form(cls, value: str) -> str:
        if value:
            redis_url.client(value, timeout_s=1)
        return value

    @field_validator("gateway_trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(str(ip_network(part.strip())) for part in value.split(",") if part.strip())

    @field_validator("gateway_auth_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"expected at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("gateway_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            # As browsers write an origin: no slash behind it.
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ConfigError naming every unknown or invalid one."""
    environ = os.environ if environ is None else environ
    known = {name.upper() for name in Settings.model_fields}
    unknown = [n for n in environ if n.startswith(OUR_PREFIXES) and n.upper() not in known]
    problems = [_unknown(name, known) for name in sorted(unknown)]
    values = {n.lower(): v for n, v in environ.items() if n.upper() in known}
    try:
        settings = Settings(**values)  # type: ignore[arg-type] # pydantic parses the strings
    except ValidationError as error:
        problems += [_problem(e, known) for e in error.errors()]
    if problems:
        raise ConfigError("Invalid settings:\n  " + "\n  ".join(problems))
    return settings


def _problem(error: ErrorDetails, known: set[str]) -> str:
    if not error["loc"]:  # of several together; what was given holds the secrets too
        return error["msg"]
    name = ".".join(map(str, error["loc"])).upper()
    if error["type"] == "extra_forbidden":  # of `.env`; its value may be a secret
        return _unknown(name, known)
    return f"{name}: {error['msg']}, got {_shown(error)}"


def _shown(error: ErrorDetails) -> str:
    """What was given; neither a secret nor a URL that may hold a password: errors are logged."""
    hidden = {"gateway_auth_secret", "gateway_stats_token", "redis_url"} & set(error["loc"])
    return "another" if hidden else repr(error["input"])


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
