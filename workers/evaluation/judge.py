"""Recognises a reply's audio by pocketsphinx, as a forced choice among the most similar answers.

A listener who knows the possible answers makes such a choice. Free dictation of a synthetic voice
would measure the recogniser instead. The same judge on original recordings gives the ceiling.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
from pocketsphinx import Decoder
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Pcm16
from workers.evaluation.nearest_sentences import SentenceIndex
from workers.training.questions.catalogue import all_reply_texts, language_of, words
from workers.training.questions.question_families import Language
from workers.training.speech import spanish_pronunciation

RATE_HZ: Final = 16_000
EDGE_S: Final = 0.25  # silence on both sides, which the recogniser expects
SHORTEST_S: Final = 0.2
# Answers beside the right one. All 7,000 at once take minutes, and most are not similar.
CHOICES: Final = 350


class Judge:
    """A recogniser of a closed set of sentences. Not thread-safe."""

    def __init__(self, sentences: Sequence[str], language: Language = Language.ENGLISH) -> None:
        """The sentences differ in their words.

        Every English word must be in the dictionary, which learns Spanish words by their sound.
        """
        self._decoder = _decoder(language)
        self._sentences: dict[str, str] = {}  # by their names in the recogniser
        for sentence in sentences:
            plain = " ".join(words(sentence))
            name = spanish_pronunciation.respelled(plain) if language is Language.SPANISH else plain
            self._sentences[name] = plain
        if language is Language.SPANISH:
            self._learn({word for sentence in sentences for word in words(sentence)})
        choices = list(self._sentences)
        unknown = {w for c in choices for w in c.split() if self._decoder.lookup_word(w) is None}
        if unknown:
            raise ValueError(f"Expected words of the recogniser's dictionary, got {unknown}")
        rule = _alternatives(_tree(choices))
        self._grammar = f"#JSGF V1.0;\ngrammar answers;\npublic <answer> = {rule};\n"

    def _learn(self, spanish: Collection[str]) -> None:
        """Add words to the dictionary, under their names from `spanish_pronunciation.spelled`."""
        for word in spanish:
            name = spanish_pronunciation.spelled(word)
            if self._decoder.lookup_word(name) is None:
                self._decoder.add_word(
                    name, " ".join(spanish_pronunciation.pronounced(word)), update=False
                )

    def recognise(self, pcm: Pcm16) -> str:
        """The words of the sentence in these 24 kHz samples; '' if it is none of them."""
        if len(pcm) < SHORTEST_S * SAMPLE_RATE_HZ:
            return ""
        audio = resample_poly(pcm.astype(np.float32), 2, 3)
        edge = round(EDGE_S * RATE_HZ)
        padded = np.pad(np.clip(audio, -32768, 32767).astype("<i2"), (edge, edge))
        self._decoder.add_jsgf_string("answers", self._grammar)
        self._decoder.activate_search("answers")
        self._decoder.start_utt()
        self._decoder.process_raw(padded.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return self._sentences.get(found.hypstr, str(found.hypstr)) if found else ""


@cache
def _decoder(language: Language) -> Any:
    """The decoder that all judges of a language share; loading it takes as long as a reply."""
    del language  # each language has its own dictionary
    return Decoder(lm=None, samprate=RATE_HZ, loglevel="FATAL")


def _tree(sentences: Sequence[str]) -> dict[str, Any]:
    """The sentences as a tree of words, with '' where one ends.

    Sentences share the search of a common beginning, which makes it 2.5 times faster.
    """
    root: dict[str, Any] = {}
    for sentence in sentences:
        node = root
        for word in sentence.split():
            node = node.setdefault(word, {})
        node[""] = {}
    return root


def _alternatives(tree: Mapping[str, Any]) -> str:
    """The tree as a JSGF expression; '' if nothing follows."""
    ways = [f"{word} {_alternatives(rest)}".strip() for word, rest in tree.items() if word]
    if not ways:
        return ""
    if len(ways) == 1 and "" not in tree:
        return ways[0]
    return f"[ {' | '.join(ways)} ]" if "" in tree else f"( {' | '.join(ways)} )"


@cache
def _answers(language: Language) -> SentenceIndex:
    return SentenceIndex([text for text in all_reply_texts(language) if text])


def most_similar(sentence: str) -> list[str]:
    """The sentence, and the CHOICES other answers that share most words with it."""
    return [sentence, *_answers(language_of(sentence)).nearest(sentence, CHOICES)]


@lru_cache(maxsize=8)
def judge_of(sentence: str) -> Judge:
    """A judge that chooses among this answer and the most similar ones."""
    return Judge(most_similar(sentence), language_of(sentence))


def says(pcm: Pcm16, sentence: str) -> bool:
    """Whether the judge recognises exactly this sentence, with every slot word."""
    return judge_of(sentence).recognise(pcm) == " ".join(words(sentence))
