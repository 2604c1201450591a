"""Made-up figures in the form that an evaluation writes."""

from typing import Any, Final

from workers.evaluation.figures import Share, spread


def _row(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "right": Share(18, 20).figures(),
        "text": Share(20, 20).figures(),
        "ceiling": 0.95,
        "of_ceiling": 0.9474,
        "unsure": Share(1, 20).figures(),
        "none": Share(0, 20).figures(),
    }


def _quiet() -> dict[str, Any]:
    kinds = {"hush": {"turns": 0, "answers": 0}, "keys": {"turns": 4, "answers": 3}}
    return {"answers": 3, "answers_an_hour": 3.0, "turns": 4, "kinds": kinds}


def _vad(name: str) -> dict[str, Any]:
    return {
        "vad": name,
        "noise": "pink",
        "snr_db": 10,
        "f1": 0.8,
        "end_delay_ms": 650,
        "missed_ends": 0.1,
        "false_ends": 0.0,
        "false_turns_min": 0.2,
    }


VOICE = {
    "sentences": 100,
    "codebooks": 8,
    "stoi": 0.96,
    "pesq": 2.5,
    "word_errors_recorded": 0.1,
    "word_errors": 0.15,
    "delay_ms": 60,
}


ENGINE: Final = "engine never heard: festival"
NAMES: Final = ("unseen espeak-ng voices", f"{ENGINE} ked", f"{ENGINE} kal")


def sample() -> dict[str, Any]:
    """Figures as `evaluate.main` returns them."""
    errors = {"utterances": 20, "characters": 0.2, "words": 0.4, "told": 0.1}
    stream = {
        "answered_early": Share(0, 20).figures(),
        "talked_over": Share(0, 20).figures(),
        "began_s": spread([0.8]),
    }
    counts = ["intents", "families_taught", "phrasings", "combinations"]
    counts += ["spanish_intents", "spanish_families", "spanish_phrasings"]
    return {
        "weights": {"name": "tiny"},
        "share": 1.0,
        "minutes": 18.0,
        "hardware": "a processor, one thread",
        **dict.fromkeys(counts, 7),
        "rows": [_row(name) for name in NAMES],
        "known": _row("known engines"),
        "groups": [_row("reckoning")],
        "second": [],
        "families": {"sum": Share(9, 10).figures(), "joke": Share(5, 10).figures()},
        "ceiling": 0.95,
        "lost_in_noise": {"noise 10 dB, unseen": {"count": 24, "clean": 1.0, "points": 12.5}},
        "streams": {"stream mode": stream},
        "transcript": dict.fromkeys(NAMES, errors),
        "interruptions": {
            "in_time": Share(19, 20).figures(),
            "answered": Share(19, 20).figures(),
            "both": Share(18, 20).figures(),
            "cleared_s": spread([0.3]),
        },
        **{key: spread([0.5, 1.0]) for key in ("decided_s", "steps", "head_s", "reply_s")},
        "replies_from_2_s": Share(5, 20).figures(),
        "replies_over_6_s": Share(1, 20).figures(),
        "quiet": {"minutes": 60.0, "energy": _quiet(), "silero": _quiet()},
        "voice": VOICE,
        "codebooks": {"flite rms": {"0": 0.3, "1": 0.9, "8": 0.6}},
        "vad": [_vad("energy"), _vad("silero")],
    }
