"""Measures over several rows: the goals, families, noise, stream mode, turns and interruptions."""

from collections.abc import Mapping, Sequence
from typing import Final

from workers.evaluation.conditions import CLEAN, SPOKEN
from workers.evaluation.figures import (
    CallVerdict,
    Measures,
    Share,
    by_family,
    expected_ceiling,
    families,
    row,
    spread,
)
from workers.evaluation.interruptions import IN_TIME_S
from workers.training.questions.calendar_families import CALENDAR
from workers.training.questions.catalogue import FAMILIES
from workers.training.questions.knowledge import KNOWLEDGE
from workers.training.questions.reckoning import RECKONING
from workers.training.questions.sayings import SAYINGS

GROUPS: Final = {
    "reckoning": {family.name for family in RECKONING},
    "calendar": {family.name for family in CALENDAR},
    "knowledge": {family.name for family in KNOWLEDGE},
    "words said back": {family.name for family in SAYINGS},
}
SMALL_TALK: Final = "small talk"


def of_calls(verdicts: Sequence[CallVerdict], ceilings: Mapping[str, Share]) -> Measures:
    """All figures over more than one row, or over parts of one."""
    names = {condition.name for condition in SPOKEN if condition.known}
    known = [v for v in verdicts if v.condition in names]
    every = families(known)
    answered = [v for v in verdicts if v.reply_s]
    return {
        "known": row("known engines", known, ceilings),
        "families": every,
        "ceilings": {name: share.figures() for name, share in ceilings.items()},
        "groups": [row(name, own, ceilings) for name, own in grouped(known).items()],
        "lost_in_noise": _lost(verdicts),
        "streams": {c.name: _stream(c.name, verdicts) for c in SPOKEN if c.mode == "stream"},
        "second": [
            row(f"second question: {family}", own, ceilings)
            for family, own in by_family(verdicts).items()
            if family.startswith("then ")
        ],
        "decided_s": spread(v.decided_s for v in _turns(answered) if v.decided_s is not None),
        "steps": spread(float(v.steps) for v in answered),
        "head_s": spread(v.head_s for v in answered if v.head_s is not None),
        "reply_s": spread(v.reply_s for v in answered),
        "replies_from_2_s": Share.of(v.reply_s >= 2 for v in answered).figures(),
        "replies_over_6_s": Share.of(v.reply_s > 6 for v in answered).figures(),
        "ceiling": round(expected_ceiling(list(every), ceilings), 4),
    }


def _turns(verdicts: Sequence[CallVerdict]) -> list[CallVerdict]:
    """The calls in turn mode, without noise, which would move the end of a turn."""
    quiet = {c.name for c in SPOKEN if c.mode == "turn" and c.noise_db is None and not c.room}
    return [v for v in verdicts if v.condition in quiet]


def grouped(verdicts: Sequence[CallVerdict]) -> dict[str, list[CallVerdict]]:
    """The verdicts of each group of families."""
    found = {name: [v for v in verdicts if v.family in members] for name, members in GROUPS.items()}
    others = {family.name for family in FAMILIES}.difference(*GROUPS.values())
    return {**found, SMALL_TALK: [v for v in verdicts if v.family in others]}


def _lost(verdicts: Sequence[CallVerdict]) -> Measures:
    """The points that noise and rooms cost, against the same questions by the same voices."""
    clean = {v.asked: v.right for v in verdicts if v.condition == CLEAN}
    found: Measures = {}
    for condition in SPOKEN:
        if condition.noise_db is None and not condition.room:
            continue
        own = [v for v in verdicts if v.condition == condition.name and v.asked in clean]
        if own:
            before = Share.of(clean[v.asked] for v in own)
            after = Share.of(v.right for v in own)
            found[condition.name] = {
                "count": len(own),
                "clean": round(before.value, 4),
                "points": round(100 * (before.value - after.value), 1),
            }
    return found


def _stream(name: str, verdicts: Sequence[CallVerdict]) -> Measures:
    """Stream mode: replies that begin, and that are audible, before the question ends."""
    own = [v for v in verdicts if v.condition == name]
    began = [v.began_s for v in own if v.began_s is not None]
    audible = [v.began_s + v.head_s for v in own if v.began_s is not None and v.head_s is not None]
    return {
        "answered_early": Share(sum(at < 0 for at in began), len(own)).figures(),
        "talked_over": Share(sum(at < 0 for at in audible), len(own)).figures(),
        "began_s": spread(began),
    }


def interrupted(verdicts: Sequence[CallVerdict]) -> Measures:
    """Measures of the interruptions."""
    in_time = [v.cleared_s is not None and v.cleared_s <= IN_TIME_S for v in verdicts]
    return {
        "in_time_s": IN_TIME_S,
        "in_time": Share.of(in_time).figures(),
        "answered": Share.of(v.right for v in verdicts).figures(),
        "both": Share.of(a and v.right for a, v in zip(in_time, verdicts, strict=True)).figures(),
        "cleared_s": spread(v.cleared_s for v in verdicts if v.cleared_s is not None),
    }
