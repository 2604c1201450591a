"""A Realtime session's configuration: defaults, the merge of updates, and what the log needs of it.

An update is merged deeply: what it leaves out stays, and `null` turns a part off. Parts that only
OpenAI's service has are accepted and ignored.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.realtime.errors import RealtimeError
from shared.log.records import MAX_TEXT_BYTES, Options
from shared.modes import ReplyMode
from shared.voices import DEFAULT

MAX_INSTRUCTIONS: Final = 2_000  # characters; longer ones are cut, and the client sees where
MAX_CONFIG_BYTES: Final = 16 * 1024
DEFAULT_MODEL: Final = "antiphon"
SERVER_VAD: Final = "server_vad"
SEMANTIC_VAD: Final = "semantic_vad"

Config = dict[str, Any]

_RESPONSES: Final[Mapping[str, Any]] = {"create_response": True, "interrupt_response": True}
_TURN_DETECTION: Final[Mapping[str, Config]] = {
    SERVER_VAD: {
        "type": SERVER_VAD,
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "idle_timeout_ms": None,
        **_RESPONSES,
    },
    SEMANTIC_VAD: {"type": SEMANTIC_VAD, "eagerness": "auto", **_RESPONSES},
}
_PCM: Final[Config] = {"type": "audio/pcm", "rate": 24_000}
_FORMATS: Final[Mapping[str, Config]] = {
    "audio/pcm": _PCM,
    "audio/pcmu": {"type": "audio/pcmu"},
    "audio/pcma": {"type": "audio/pcma"},
}
# Plain values of a session that a client may set and read back; nothing depends on them.
_ECHOED: Final[Mapping[str, type | tuple[type, ...]]] = {
    "include": list,
    "max_output_tokens": (int, str),
    "parallel_tool_calls": bool,
    "prompt": dict,
    "reasoning": dict,
    "tool_choice": (str, dict),
    "tracing": (str, dict),
    "truncation": (str, dict),
}
_KINDS: Final[Mapping[type | tuple[type, ...], str]] = {
    bool: "true or false",
    dict: "an object",
    list: "an array",
    (int, str): "a number or a string",
    (str, dict): "a string or an object",
}
_EAGERNESS: Final = ("low", "medium", "high", "auto")


def initial(session_id: str, model: str) -> Config:
    """The configuration of a session that nobody has changed."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model or DEFAULT_MODEL,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": {"model": DEFAULT_MODEL},
                "noise_reduction": None,
                "turn_detection": dict(_TURN_DETECTION[SERVER_VAD]),
            },
            "output": {"format": dict(_PCM), "voice": DEFAULT, "speed": 1.0},
        },
    }


NOISE_TYPES: Final = ("near_field", "far_field")


def merged(config: Config, update: Mapping[str, Any]) -> Config:
    """The configuration with the update's parts. Raises RealtimeError and changes nothing."""
    kind = update.get("type", "realtime")
    if kind != "realtime":
        raise _invalid("session.type", "realtime", kind)
    new = copy.deepcopy(config)
    for name, kinds in _ECHOED.items():
        if name in update:
            if update[name] is not None and not isinstance(update[name], kinds):
                raise _invalid(f"session.{name}", _KINDS[kinds], update[name])
            new[name] = copy.deepcopy(update[name])
    if update.get("model") is not None:
        new["model"] = _text(update["model"], "session.model")
    if update.get("instructions") is not None:
        new["instructions"] = cut(_text(update["instructions"], "session.instructions"))
    if update.get("output_modalities") is not None:
        new["output_modalities"] = modalities(update["output_modalities"])
    if update.get("mode") is not None:  # an extension
        new["mode"] = _mode(update["mode"])
    audio = _object(update.get("audio"), "session.audio")
    _merge_input(new["audio"]["input"], _object(audio.get("input"), "session.audio.input"))
    _merge_output(new["audio"]["output"], _object(audio.get("output"), "session.audio.output"))
    if (size := len(msgspec.json.encode(new))) > MAX_CONFIG_BYTES:
        raise _invalid("session", f"at most {MAX_CONFIG_BYTES} bytes of JSON", size)
    return new


def cut(instructions: str) -> str:
    """Instructions as far as a session keeps them."""
    encoded = instructions[:MAX_INSTRUCTIONS].encode("utf-8", "ignore")
    return encoded[:MAX_TEXT_BYTES].decode("utf-8", "ignore")


def modalities(value: object) -> list[str]:
    """The output modalities: text or audio, and audio where both are named."""
    if value not in (["audio"], ["text"], ["text", "audio"], ["audio", "text"]):
        raise _invalid("session.output_modalities", "['audio'] or ['text']", value)
    return ["text"] if value == ["text"] else ["audio"]


def asks_for_tools(update: Mapping[str, Any]) -> bool:
    """Whether an update names tools, which no engine of ours calls."""
    return bool(update.get("tools"))


def no_tools() -> RealtimeError:
    """What such a client gets."""
    return RealtimeError(
        "tools_not_supported",
        "This server's engines call no functions: the session goes on without tools.",
        "session.tools",
    )


def options_of(config: Config) -> Options:
    """How turns are found in the log's terms."""
    detection = config["audio"]["input"]["turn_detection"]
    if detection is None:
        return Options(manual=True, interrupts=False, reports=False)
    answers = detection["create_response"]
    return Options(
        manual=not answers,
        reports=not answers,
        interrupts=detection["interrupt_response"],
        silence_ms=detection.get("silence_duration_ms"),
    )


def detects_turns(config: Config) -> bool:
    """Whether the server finds the caller's turns; else the client commits them."""
    return config["audio"]["input"]["turn_detection"] is not None


def answers_turns(config: Config) -> bool:
    """Whether the server decides when to answer."""
    detection = config["audio"]["input"]["turn_detection"]
    return streams(config) or bool(detection and detection["create_response"])


def reduces_noise(config: Config) -> bool:
    """Whether the caller's sound passes a noise suppressor; that of a Live session never does."""
    heard = config.get("audio", {}).get("input", {})
    return heard.get("noise_reduction") is not None


def mode_of(config: Config) -> ReplyMode:
    """The mode of the session."""
    return ReplyMode(config.get("mode", ReplyMode.TURN))


def streams(config: Config) -> bool:
    """Whether the session is in stream mode: the end of a turn promises no reply."""
    return mode_of(config) is ReplyMode.STREAM


def _merge_input(part: Config, update: Mapping[str, Any]) -> None:
    at = "session.audio.input"
    if update.get("format") is not None:
        part["format"] = _format(update["format"], f"{at}.format")
    if "transcription" in update:
        given = update["transcription"]
        old = part["transcription"] or {}
        asked = None if given is None else _object(given, f"{at}.transcription")
        part["transcription"] = None if asked is None else {**old, **asked}
    if "noise_reduction" in update:
        part["noise_reduction"] = _noise_reduction(update["noise_reduction"], at)
    if "turn_detection" in update:
        part["turn_detection"] = _turn_detection(
            part["turn_detection"], update["turn_detection"], f"{at}.turn_detection"
        )


def _noise_reduction(given: object, at: str) -> Config | None:
    if given is None:
        return None
    kind = _object(given, f"{at}.noise_reduction").get("type")
    if kind not in NOISE_TYPES:
        raise _invalid(f"{at}.noise_reduction.type", " or ".join(map(repr, NOISE_TYPES)), kind)
    return {"type": kind}


def _merge_output(part: Config, update: Mapping[str, Any]) -> None:
    at = "session.audio.output"
    if update.get("format") is not None:
        part["format"] = _format(update["format"], f"{at}.format")
    if update.get("voice") is not None:
        voice = update["voice"]
        name = voice.get("id") if isinstance(voice, dict) else voice
        part["voice"] = _text(name, f"{at}.voice")[:64]
    if update.get("speed") is not None:
        part["speed"] = _number(update["speed"], f"{at}.speed", (0.25, 1.5))


def _turn_detection(old: Config | None, update: object, at: str) -> Config | None:
    if update is None:
        return None
    given = _object(update, at)
    kind = given.get("type") or (old or {}).get("type") or SERVER_VAD
    if kind not in _TURN_DETECTION:
        raise _invalid(f"{at}.type", f"{SERVER_VAD} or {SEMANTIC_VAD}", kind)
    base = old if old is not None and old["type"] == kind else _TURN_DETECTION[kind]
    new = {**base, **{name: value for name, value in given.items() if name != "type"}}
    for name in _RESPONSES:
        new[name] = True if new[name] is None else _flag(new[name], f"{at}.{name}")
    for name, bounds in _RANGES.items():
        if new.get(name) is not None:
            value = _number(new[name], f"{at}.{name}", bounds)
            new[name] = value if name == "threshold" else int(value)
    if new.get("eagerness", "auto") not in _EAGERNESS:
        raise _invalid(f"{at}.eagerness", " or ".join(_EAGERNESS), new["eagerness"])
    silence = new.get("silence_duration_ms")
    if silence is not None:
        # A client that asks for what no session allows gets the nearest.
        silence = _number(silence, f"{at}.silence_duration_ms", (0, 60_000))
        new["silence_duration_ms"] = int(min(5_000, max(100, silence)))
    return {name: value for name, value in new.items() if name in _KNOWN[kind]}


_RANGES: Final = {
    "threshold": (0.0, 1.0),
    "prefix_padding_ms": (0, 60_000),
    "idle_timeout_ms": (0, 3_600_000),
}
_KNOWN: Final = {
    SERVER_VAD: {*_TURN_DETECTION[SERVER_VAD], "silence_duration_ms"},
    SEMANTIC_VAD: set(_TURN_DETECTION[SEMANTIC_VAD]),
}


def _mode(value: object) -> str:
    if value not in list(ReplyMode):
        raise _invalid("session.mode", " or ".join(ReplyMode), value)
    return str(value)


def _format(value: object, at: str) -> Config:
    given = _object(value, at)
    kind = given.get("type", "audio/pcm")
    if kind not in _FORMATS:
        raise _invalid(f"{at}.type", " or ".join(_FORMATS), kind)
    if given.get("rate", 0) not in (None, 0, _FORMATS[kind].get("rate", 8_000)):
        raise _invalid(f"{at}.rate", str(_FORMATS[kind].get("rate", 8_000)), given["rate"])
    return dict(_FORMATS[kind])


def _object(value: object, at: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(at, "an object", value)
    return value


def _text(value: object, at: str) -> str:
    if not isinstance(value, str):
        raise _invalid(at, "a string", value)
    return value


def _flag(value: object, at: str) -> bool:
    if not isinstance(value, bool):
        raise _invalid(at, "true or false", value)
    return value


def _number(value: object, at: str, bounds: tuple[float, float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(at, "a number", value)
    if not bounds[0] <= value <= bounds[1]:
        raise _invalid(at, f"{bounds[0]:g} to {bounds[1]:g}", value)
    return value


def _invalid(at: str, wanted: str, got: object) -> RealtimeError:
    message = f"Invalid value at '{at}': expected {wanted}, got {got!r:.80}."
    return RealtimeError("invalid_value", message, at)
