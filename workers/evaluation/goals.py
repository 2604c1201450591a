"""The table of goals: what was aimed at, what was reached, and whether the goal is met."""

from typing import Final

from workers.evaluation.figures import Measures

KNOWN: Final = 0.9
FAMILY: Final = 0.7
UNSEEN_ENGINE: Final = 0.7
NOISE_POINTS: Final = 10.0  # at 10 dB
PAIRS: Final = 20  # of questions with and without noise, at least, to decide the goal
INTERRUPTED: Final = 0.95
STOI: Final = 0.95
PESQ: Final = 2.4
WORD_ERRORS: Final = 0.03  # above those of the recordings

Goal = tuple[str, str, str, bool]  # name, wanted, reached, met


def goals(found: Measures) -> str:
    """The table in Markdown; shares are relative to the judge's ceiling."""
    lines = [
        f"| {name} | {wanted} | {reached} | {'yes' if met else '**no**'} |"
        for name, wanted, reached, met in (*_answers(found), *_calls(found), *_voice(found))
    ]
    head = "## Goals\n\n| | goal | reached | met |\n|---|---|---|---|\n"
    return head + "\n".join(lines) + "\n"


def _answers(found: Measures) -> list[Goal]:
    known, rows = found["known"], {row["name"]: row for row in found["rows"]}
    ceiling = found["ceiling"] or 1.0
    shares = [share["share"] / ceiling for share in found["families"].values()]
    enough = sum(share >= FAMILY for share in shares)
    goals = [
        _share("trained engines, unseen voices, all families", KNOWN, known["of_ceiling"]),
        (
            "... each family",
            f"{FAMILY:.0%}",
            f"{enough} of {len(shares)} families",
            enough == len(shares),
        ),
    ]
    goals += [
        _share(name, UNSEEN_ENGINE, row["of_ceiling"])
        for name, row in rows.items()
        if name.startswith("engine never heard")
    ]
    for name, lost in found["lost_in_noise"].items():
        if name.startswith("noise 10 dB"):
            points, pairs = lost["points"], lost["count"]
            reached = f"{points:g} of {pairs} pairs"
            met = points <= NOISE_POINTS and pairs >= PAIRS
            reached += "" if pairs >= PAIRS else ": too few to say"
            goals.append(("cost of noise at 10 dB", "at most 10 points", reached, met))
    return goals


def _share(name: str, wanted: float, reached: float) -> Goal:
    return name, f"{wanted:.0%}", f"{reached:.1%}", reached >= wanted


def _calls(found: Measures) -> list[Goal]:
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
    goals.append(
        _share("interrupted replies silent in time", INTERRUPTED, over["in_time"]["share"])
    )
    return [*goals, _share("... and answered right", INTERRUPTED, over["both"]["share"])]


def _voice(found: Measures) -> list[Goal]:
    voice = found["voice"]
    more = voice["word_errors"] - voice["word_errors_recorded"]
    return [
        ("STOI of the voice", f"{STOI}", f"{voice['stoi']:.3f}", voice["stoi"] >= STOI),
        ("PESQ wide-band", f"{PESQ}", f"{voice['pesq']:.2f}", voice["pesq"] >= PESQ),
        (
            "word errors above the recordings'",
            f"{100 * WORD_ERRORS:g} points",
            f"{100 * more:.1f}",
            more <= WORD_ERRORS,
        ),
    ]
