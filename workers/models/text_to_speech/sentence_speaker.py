"""Speaks a sentence in pieces while the model still writes it, without an audible seam.

Each piece is cut at word boundaries out of a rendering of the sentence so far, which has two more
words of look-ahead. So the melody does not fall as if the sentence ended there. Both sides of a
seam are cut in the quietest two milliseconds near the boundary. In a voiced sound that is just
before a glottal pulse, so pulses stay in step. The pitch begins where the previous piece left it;
that piece is rendered again if its pitch is not remembered. The sound depends on the arguments
alone.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from shared.audio import SAMPLE_RATE_HZ, Floats
from shared.voices import Offer, Persona
from workers.engines.cascade.parts import Sound
from workers.models.text_to_speech.text_normalisation import PAUSES, is_spoken, spoken_forms

LOOK_AHEAD: Final = 2  # words that are known but not spoken yet
RECENT: Final = 256  # renderings from which the next piece goes on, without sound: some KB each
FRONT_MS: Final = 20  # of silence before a sentence's first sound
PAUSES_MS: Final = {".": 300, "!": 280, "?": 320, "…": 450, ":": 250, ";": 250, ",": 150}
PAUSE_MS: Final = 150  # after words without an end mark
QUIET: Final = 10 ** (-45 / 20)  # RMS of 10 ms; less counts as silence
_MS: Final = SAMPLE_RATE_HZ // 1000  # 24 samples
_FADE: Final = 2 * _MS  # at the edges of a piece: no click where a cut is not quite at zero
_CUT: Final = 2 * _MS  # length of the quiet place to cut in
_REACH: Final = 10 * _MS  # its distance from the boundary at most: a period of 100 Hz


@dataclass(frozen=True, slots=True)
class SpeakingStyle:
    """How a style speaks."""

    speed: float  # 1: the voice's own
    movement: float  # of the pitch about its middle; 1: the voice's own
    pauses: float  # after a sentence; 1: PAUSES_MS


STYLES: Final = {
    "neutral": SpeakingStyle(1.0, 1.0, 1.0),
    "calm": SpeakingStyle(0.85, 0.85, 1.35),
    "lively": SpeakingStyle(1.12, 1.1, 0.75),
}


@dataclass(frozen=True, slots=True)
class Rendering:
    """A whole rendering of a sentence of W words, those without sound included.

    Only `pcm` depends on the seed and on the seam: the next piece may go on from any rendering of
    the same words.
    """

    pcm: Floats  # float32 mono 24 kHz
    begins: tuple[int, ...]  # (W,) sample of each word's first sound
    bounds: tuple[int, ...]  # (W + 1,) the middle between each word and the one before; the end
    pitch: Floats | None = None  # (F,) Hz before a seam changed it, if the voice outputs it


@dataclass(frozen=True, slots=True)
class Seam:
    """An earlier rendering, whose words before `word` were spoken; the next one goes on from it."""

    before: Rendering
    word: int


class Renderer(Protocol):
    """One voice or several."""

    offer: Offer
    exact: bool  # it knows where words begin; if not, it speaks whole sentences only

    def render(
        self,
        forms: Sequence[str],
        voice: str,
        style: SpeakingStyle,
        seed: int,
        seam: Seam | None = None,
    ) -> Rendering:
        """Render the spoken forms of a sentence's words; at least one of them must have sound."""


class SentenceSpeaker:
    """The cascade's `TextToSpeech`, by a renderer."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._recent: OrderedDict[Hashable, Rendering] = OrderedDict()  # of what is not whole
        self.offer = renderer.offer

    def say(self, sentence: str, since: int, *, whole: bool, seed: int, persona: Persona) -> Sound:
        """Speak the words from number `since` on that can be spoken by now; see `TextToSpeech`."""
        words = sentence.split()
        ready = whole or self._renderer.exact
        end = len(words) if whole else max(since, (len(words) - LOOK_AHEAD) * ready)
        forms = spoken_forms(words)
        if since >= end or not any(map(is_spoken, forms[since:end])):
            return Sound(np.zeros(0, np.float32), tuple((0, w) for w in words[since:end]), end)
        chosen = self.offer.settle(persona)
        first = not any(map(is_spoken, forms[:since]))
        seam = None if first else self._seam(words, since, chosen, seed)
        if whole:
            made = self._renderer.render(forms, chosen.voice, STYLES[chosen.style], seed, seam)
        else:
            made = self._begun(words, chosen, seed, seam)
        start = _onset(made.pcm) if first else _quietest(made.pcm, made.bounds[since])
        if whole:
            pause_ms = STYLES[chosen.style].pauses * PAUSES_MS.get(_mark(forms), PAUSE_MS)
            pcm = _with_pause(made.pcm[start:], round(pause_ms))
        else:
            pcm = made.pcm[start : max(start, _quietest(made.pcm, made.bounds[end]))]
        at = [min(max(0, begin - start), len(pcm)) for begin in made.begins[since:end]]
        pcm = _faded(pcm, into=not first, out=not whole)
        return Sound(pcm, tuple(zip(at, words[since:end], strict=True)), end)

    def _seam(self, words: Sequence[str], since: int, chosen: Persona, seed: int) -> Seam:
        """The rendering that the previous piece was cut from, which had two words of look-ahead.

        That piece had another seed.
        """
        before = words[: since + LOOK_AHEAD]
        key = (tuple(before), chosen)
        if key not in self._recent:  # another worker spoke it, or long ago
            self._begun(before, chosen, seed, None)
        return Seam(self._recent[key], since)

    def _begun(
        self, words: Sequence[str], chosen: Persona, seed: int, seam: Seam | None
    ) -> Rendering:
        """Render a sentence's beginning. What the next piece's seam needs of it is remembered."""
        forms = spoken_forms(words)
        forms[-1] = forms[-1].rstrip(PAUSES)
        made = self._renderer.render(forms, chosen.voice, STYLES[chosen.style], seed, seam)
        self._recent[(tuple(words), chosen)] = replace(made, pcm=np.zeros(0, np.float32))
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return made

    def warm_up(self) -> None:
        """Speak a sentence with a word that no dictionary has, in pieces and whole."""
        for whole in (False, True):
            self.say("Hello, this is brillig and done.", 0, whole=whole, seed=0, persona=Persona())


def _mark(forms: Sequence[str]) -> str:
    last = next((form for form in reversed(forms) if is_spoken(form)), "")
    return last[-1:] if last[-1:] in PAUSES_MS else ""


def _levels(pcm: Floats) -> Floats:
    """RMS of each 10 ms, (len(pcm) // 240,)."""
    blocks = pcm[: len(pcm) // (10 * _MS) * 10 * _MS].reshape(-1, 10 * _MS)
    levels: Floats = np.sqrt(np.mean(blocks**2, axis=1))
    return levels


def _onset(pcm: Floats) -> int:
    loud = np.flatnonzero(_levels(pcm) > QUIET)
    return max(0, int(loud[0]) * 10 * _MS - FRONT_MS * _MS) if len(loud) else 0


def _with_pause(pcm: Floats, pause_ms: int) -> Floats:
    """The samples up to their last sound and a pause: the voice's own silence, then zeros."""
    loud = np.flatnonzero(_levels(pcm) > QUIET)
    length = ((int(loud[-1]) + 1) * 10 if len(loud) else 0) * _MS + pause_ms * _MS
    if length <= len(pcm):
        return _faded(pcm[:length], into=False, out=True)
    return np.pad(pcm, (0, length - len(pcm)))


def _quietest(pcm: Floats, about: int) -> int:
    """The middle of the quietest two milliseconds within 10 ms of a place."""
    low, high = max(0, about - _REACH), min(len(pcm), about + _REACH)
    if high - low <= _CUT:
        return min(about, len(pcm))
    energy = np.concatenate([[0.0], np.cumsum(pcm[low:high].astype(np.float64) ** 2)])
    return low + int(np.argmin(energy[_CUT:] - energy[:-_CUT])) + _CUT // 2


def _faded(pcm: Floats, *, into: bool, out: bool) -> Floats:
    count = min(_FADE, len(pcm) // 2)
    ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
    pcm = pcm.copy()
    if into:
        pcm[:count] *= ramp
    if out and count:
        pcm[-count:] *= ramp[::-1]
    return pcm
