"""What is aimed at, what was reached, and whether that is enough: a table, whatever it shows."""

from typing import Any, Final

Data = dict[str, Any]
KNOWN: Final = 0.9
FAMILY: Final = 0.7
NEVER_HEARD: Final = 0.7
NOISE_POINTS: Final = 10.0  # at 10 dB
PAIRS: Final = 20  # of questions, with noise and without, that decide
INTERRUPTED: Final = 0.95
STOI: Final = 0.95
PESQ: Final = 2.4
WORD_ERRORS: Final = 0.03  # more than in the recordings

Goal = tuple[str, str, str, bool]  # what, wanted, reached, met


def goals(found: Data) -> str:
    """Markdown. Shares are of the judge's ceiling; whole numbers hide nothing that decides."""
    lines = [
        f"| {what} | {wanted} | {reached} | {'yes' if met else '**no**'} |"
        for what, wanted, reached, met in (*_answers(found), *_calls(found), *_voice(found))
    ]
    head = "## Goals\n\n| | goal | reached | met |\n|---|---|---|---|\n"
    return head + "\n".join(lines) + "\n"


def _answers(found: Data) -> list[Goal]:
    known, rows = found["known"], {row["name"]: row for row in found["rows"]}
    ceiling = found["ceiling"] or 1.0
    shares = [share["share"] / ceiling for share in found["families"].values()]
    enough = sum(share >= FAMILY for share in shares)
    goals = [
        _share("known engines, voices never heard, all families", KNOWN, known["of_ceiling"]),
        (
            "... each family",
            f"{FAMILY:.0%}",
            f"{enough} of {len(shares)} families asked",
            enough == len(shares),
        ),
    ]
    goals += [
        _share(name, NEVER_HEARD, row["of_ceiling"])
        for name, row in rows.items()
        if name.startswith("engine never heard")
    ]
    for name, lost in found["lost_in_noise"].items():
        if name.startswith("noise 10 dB"):
            points, pairs = lost["points"], lost["count"]
            reached = f"{points:g} of {pairs} pairs"
            met = points <= NOISE_POINTS and pairs >= PAIRS
            reached += "" if pairs >= PAIRS else ": too few to say"
            goals.append(("lost at 10 dB noise", "at most 10 points", reached, met))
    return goals


def _share(what: str, wanted: float, reached: float) -> Goal:
    return what, f"{wanted:.0%}", f"{reached:.1%}", reached >= wanted


def _calls(found: Data) -> list[Goal]:
    quiet, over = found["quiet"], found["interruptions"]
    goals = [
        (
            f"false answers an hour, VAD={vad}",
            "0",
            f"{quiet[vad]['answers_an_hour']:g}",
            quiet[vad]["answers"] == 0,
        )
        for vad in quiet
        if vad != "minutes"
    ]
    goals.append(_share("interruptions silenced in time", INTERRUPTED, over["in_time"]["share"]))
    return [*goals, _share("... and answered right", INTERRUPTED, over["both"]["share"])]


def _voice(found: Data) -> list[Goal]:
    voice = found["voice"]
    more = voice["word_errors"] - voice["word_errors_recorded"]
    return [
        ("STOI of the voice", f"{STOI}", f"{voice['stoi']:.3f}", voice["stoi"] >= STOI),
        ("PESQ wide-band", f"{PESQ}", f"{voice['pesq']:.2f}", voice["pesq"] >= PESQ),
        (
            "word errors over the recordings'",
            f"{100 * WORD_ERRORS:g} points",
            f"{100 * more:.1f}",
            more <= WORD_ERRORS,
        ),
    ]
