"""Writes docs/evaluation.md: the figures in tables, with sentences that hold for any figures."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from workers.evaluation.figures import Measures
from workers.evaluation.goals import goals
from workers.evaluation.judge import CHOICES
from workers.training.questions.catalogue import HELD_OUT_ONE_IN
from workers.training.speech.callers import (
    TRAINED_ESPEAK,
    TRAINED_SPANISH,
    UNSEEN_ESPEAK,
    UNSEEN_SPANISH,
)

WEAK: Final = 0.7  # of the ceiling; the report names the families below it
OLD_IN_TIME_S: Final = 0.6  # of figures that do not hold it
# Sections that other commands or people write; they stay as they are.
_FOREIGN: Final = re.compile(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", re.DOTALL)

HEAD: Final = """# Evaluation of `{name}`

Each call asks spoken questions and judges the answers. It runs from WAV to WAV in one process,
without sockets, through the runtime's VAD, turn logic and limiter and the batched engine. An answer
is **right** if its text is the expected reply word for word, and if pocketsphinx recognises its
audio as that sentence. Pocketsphinx must choose among the {answers} most similar answers. So every
number, day and name in it is right. The **ceiling** is the same judge's result on original
recordings of such replies. {balance} Intervals are Wilson's, 95 %.

All speech is synthetic. These figures do not show how well the assistant understands people.
"""

EVEN: Final = "Each row has the same number of calls for every family of questions."
UNEVEN: Final = "Each row draws its questions from a list with the same number for every family."

SPLIT: Final = """## The questions, and what training held out

- The evaluation asks the families that the weights list as taught: {intents} intents in
  {families_taught} English families, in {phrasings} questions. Training never used one combination
  in {one_in} of each compositional family ({combinations} in all), nor one or more phrasings of
  each family, with any voice.
- Trained voices: {trained} combinations of accent and speaker of espeak-ng, and flite kal, kal16,
  awb and slt. Unseen voices: {unseen} others of espeak-ng, and flite rms. Unseen engine: festival's
  diphone synthesiser. Its speaker `ked` occurs nowhere in training; its `kal` is the speaker of
  flite's kal.
- Spanish: {spanish_intents} intents in {spanish_families} families, in {spanish_phrasings} trained
  questions, split as the English ones are. Trained voices: {spanish_trained} of espeak-ng, with the
  accents of Spain and Latin America. Unseen voices: {spanish_unseen} others, of 14 speakers that
  training used in no language. `ked` speaks Spanish with English phones, an untrained accent. The
  listener learned English letters only. The replies' recordings are the assistant's English voice
  with the nearest English phones: an American accent without rolled r's. The judge's dictionary has
  the words in the same phones, and the judge chooses among all Spanish replies.
- The evaluation asks weights without such a list all families.
"""


def write_report(path: Path, found: Measures) -> None:
    """Write docs/evaluation.md; sections between `<!-- x: begin -->` and `<!-- x: end -->` stay."""
    old = path.read_text() if path.exists() else ""
    kept = [match.group(0) for match in _FOREIGN.finditer(old)]
    path.write_text("\n".join([document(found), *(section + "\n" for section in kept)]))


def document(found: Measures) -> str:
    """The report, without the sections of others."""
    whole = found["share"] == 1
    head = HEAD.format(
        name=found["weights"]["name"], answers=CHOICES + 1, balance=EVEN if whole else UNEVEN
    )
    if not whole:
        asked = percent(found["share"])
        head += f"\nOnly {asked} of each row's questions were asked, which widens the intervals.\n"
    split = SPLIT.format(
        one_in=HELD_OUT_ONE_IN,
        trained=len(TRAINED_ESPEAK),
        unseen=len(UNSEEN_ESPEAK),
        spanish_trained=len(TRAINED_SPANISH),
        spanish_unseen=len(UNSEEN_SPANISH),
        **found,
    )
    parts = [head, goals(found), _answers(found), _families(found), _turns(found), _silence(found)]
    parts += [_voice(found), _hearing(found), _vad(found), split, _made(found)]
    return "\n".join(parts)


def percent(share: float) -> str:
    """.981 -> 98 %"""
    return f"{100 * share:.0f} %"


def ranged(figures: Measures) -> str:
    """A share with its interval."""
    low, high = percent(figures["low"]), percent(figures["high"])
    return f"{percent(figures['share'])} ({low} to {high})"


def _table(head: str, lines: Sequence[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *lines]) + "\n"


def _line(row: Measures) -> str:
    right, text = row["right"], row["text"]
    return (
        f"| {row['name']} | {right['count']} | {percent(text['share'])} | **{ranged(right)}** "
        f"| {percent(row['ceiling'])} | {percent(row['of_ceiling'])} "
        f"| {percent(row['unsure']['share'])} | {percent(row['none']['share'])} |"
    )


ROWS: Final = (
    "| asked by | calls | text right | right (95 % interval) | ceiling | of the ceiling "
    '| "did not catch that" | no answer |'
)


def _answers(found: Measures) -> str:
    lines = [_line(row) for row in found["rows"]]
    lost = [
        f"{name.partition(',')[0]} {data['points']:.1f} points (of {data['count']})"
        for name, data in found["lost_in_noise"].items()
    ]
    compared = f"Cost against the same questions by the same voices in quiet: {'; '.join(lost)}. "
    note = (compared if lost else "") + (
        "The noise lies under the whole call. `No question at all` is strings of words that "
        "training never speaks; the right answer is that the assistant did not catch them.\n"
    )
    plot = "![right answers](plots/evaluation_conditions.svg)\n"
    return "\n".join(["## Answers\n", _table(ROWS, lines), note, plot])


def _families(found: Measures) -> str:
    groups = [row for row in found["groups"] if row["right"]["count"]]
    lines = [_line(row) for row in (*groups, found["known"], *found["second"])]
    weak = [
        f"{name} {percent(share['share'])}"
        for name, share in sorted(found["families"].items(), key=lambda item: item[1]["share"])
        if share["share"] < WEAK * found["ceiling"]
    ]
    count = len(found["families"])
    text = f"{len(weak)} of {count} families are below 70 % of the ceiling"
    text += f": {', '.join(weak)}.\n" if weak else ".\n"
    plot = "![families](plots/evaluation_families.svg)\n"
    title = "## Families, asked by unseen voices of trained engines\n"
    return "\n".join([title, _table(ROWS, lines), text, plot])


def _turns(found: Measures) -> str:
    over, decided, reply = found["interruptions"], found["decided_s"], found["reply_s"]
    streams = [
        f"| {name} | {data['answered_early']['count']} | {ranged(data['answered_early'])} "
        f"| {ranged(data['talked_over'])} | {data['began_s'].get('median', '-')} |"
        for name, data in found["streams"].items()
    ]
    head = "| | calls | began before the end | audible before the end | began after, s (median) |"
    in_time_s = over.get("in_time_s", OLD_IN_TIME_S)
    text = f"""A turn ended {decided.get("median")} s after the last sound (median; 5 to 95 %:
{decided.get("p5")} to {decided.get("p95")}), 0.6 s of which is the silence that ends a turn. The
reply's first samples came with the model's step {found["steps"].get("median")} after that decision
(0: the same step); {found["head_s"].get("median")} s of them are inaudible. The vocoder looks
{found["voice"]["delay_ms"]} ms ahead; nothing else waits for later steps.

Replies: median {reply.get("median")} s, 5 to 95 %: {reply.get("p5")} to {reply.get("p95")} s;
{percent(found["replies_from_2_s"]["share"])} last at least 2 s,
{percent(found["replies_over_6_s"]["share"])} over 6 s.

Interruptions ({over["in_time"]["count"]}): in {ranged(over["in_time"])} the reply fell silent in
time, within {in_time_s:g} s of the caller's first sound. The median is
{over["cleared_s"].get("median")} s. The interrupting question got a right answer in
{ranged(over["answered"])}.
"""
    plot = "![reply lengths](plots/evaluation_replies.svg)\n"
    return "\n".join(["## Turns\n", text, _table(head, streams), plot])


def _silence(found: Measures) -> str:
    quiet = found["quiet"]
    vads = [name for name in quiet if name != "minutes"]
    lines = [
        f"| {kind} | " + " | ".join(_counts(quiet[vad]["kinds"][kind]) for vad in vads) + " |"
        for kind in quiet[vads[0]]["kinds"]
    ]
    lines.append("| all | " + " | ".join(_counts(quiet[vad]) for vad in vads) + " |")
    hours = ", ".join(f"{vad} {quiet[vad]['answers_an_hour']:g}" for vad in vads)
    text = (
        f"{quiet['minutes']:g} minutes for each VAD, in equal parts of each kind, from -60 to -25 "
        f"dBFS (speech is at -23). False answers an hour: {hours}. The setting `VAD` chooses.\n"
    )
    head = "| turns begun, answers given | " + " | ".join(f"VAD={vad}" for vad in vads) + " |"
    return "\n".join(["## Sounds without speech\n", text, _table(head, lines)])


def _counts(data: Measures) -> str:
    return f"{data['turns']}, {data['answers']}"


def _voice(found: Measures) -> str:
    voice = found["voice"]
    wrong = [f"{100 * voice[key]:.1f} %" for key in ("word_errors_recorded", "word_errors")]
    return f"""## The assistant's voice

{voice["sentences"]} sentences through codec ({voice["codebooks"]} codebooks) and vocoder, streamed
as in service, compared with their own recordings: STOI {voice["stoi"]:.3f}, wide-band PESQ
{voice["pesq"]:.2f}. Word errors of free dictation (pocketsphinx): {wrong[0]} on the recordings,
{wrong[1]} after codec and vocoder.
"""


def _hearing(found: Measures) -> str:
    errors = [
        f"| {name} | {data['utterances']} | {percent(data['characters'] or 0)} "
        f"| {percent(data['words'] or 0)} | {percent(data['told'] or 0)} |"
        for name, data in found["transcript"].items()
    ]
    books = found["codebooks"]
    counts = list(next(iter(books.values())))
    coded = [
        f"| {name} | " + " | ".join(percent(rates[count]) for count in counts) + " |"
        for name, rates in books.items()
    ]
    heads = ["without", *(f"{count} codebooks" for count in counts[1:])]
    return "\n".join(
        [
            "## Transcripts of the callers\n",
            "Error rates of the listener's letters, of the words that they form, and of the final "
            "transcript. The letters are decoded greedily, without a dictionary or a language "
            "model. The transcript's words come from the language model's lower half, which knows "
            "the words of trained questions only.\n",
            _table("| | utterances | letters | words of letters | transcript |", errors),
            "The service never codes callers: the codec knows the assistant's voice alone. "
            "Character error rates with and without it:\n",
            _table("| | " + " | ".join(heads) + " |", coded),
        ]
    )


def _vad(found: Measures) -> str:
    results = found["vad"]
    lines = []
    for snr_db in dict.fromkeys(result["snr_db"] for result in results):
        for vad in dict.fromkeys(result["vad"] for result in results):
            own = [r for r in results if r["snr_db"] == snr_db and r["vad"] == vad]
            delays = [r["end_delay_ms"] for r in own if r["end_delay_ms"] is not None]
            means = [
                sum(r[key] for r in own) / len(own)
                for key in ("f1", "missed_ends", "false_ends", "false_turns_min")
            ]
            delay = f"{sum(delays) / len(delays):.0f}" if delays else "-"
            lines.append(
                f"| {snr_db:g} dB | {vad} | {means[0]:.3f} | {delay} | {percent(means[1])} "
                f"| {means[2]:.2f} | {means[3]:.1f} |"
            )
    head = (
        "| noise | VAD | speech F1 | turn end after, ms | missed ends | false ends a turn "
        "| turns without speech a minute |"
    )
    text = "Means over white and pink noise, hum, keys and babble; the plot shows each of them.\n"
    plot = "![VADs](plots/evaluation_vad.svg)\n"
    return "\n".join(["## VADs\n", text, _table(head, lines), plot])


def _made(found: Measures) -> str:
    how = "make evaluate" + (f' ARGS="--share {found["share"]:g}"' if found["share"] < 1 else "")
    return (
        f"`{how}` took {found['minutes']:g} CPU minutes on {found['hardware']}. It wrote the "
        "figures to `docs/evaluation.json`, each call's record to `runs/evaluation/calls.jsonl`.\n"
    )
