"""Finds the sentences of a set that share most words with a given one."""

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from workers.training.questions.catalogue import words

_BITS: Final = 0xFFFFFFFF


class SentenceIndex:
    """An index of sentences by their words.

    A look-up takes a millisecond; comparing with every sentence would take a fifth of a second.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        self._sentences = list(sentences)
        bags = [Counter(words(sentence)) for sentence in self._sentences]
        self._sizes = np.array([bag.total() for bag in bags])
        places: dict[str, list[tuple[int, int]]] = {}
        for at, bag in enumerate(bags):
            for word, count in bag.items():
                places.setdefault(word, []).append((at, count))
        self._places = {word: np.array(pairs).T for word, pairs in places.items()}  # (2, n)

    def nearest(self, sentence: str, count: int) -> list[str]:
        """The `count` other sentences that share most words with this one; ties in a mixed order.

        In alphabetical order, all rivals of a word to repeat would begin with the same sound.
        """
        own = Counter(words(sentence))
        shared = np.zeros(len(self._sentences))
        for word, times in own.items():
            if word in self._places:
                at, counts = self._places[word]
                shared[at] += np.minimum(counts, times)
        likeness = 2 * shared / (self._sizes + own.total())
        first = np.argsort(-likeness, kind="stable")
        least = likeness[first[min(count, len(first) - 1)]]
        near = [int(at) for at in first if likeness[at] >= least]
        near.sort(key=lambda at: (-likeness[at], zlib.crc32(self._sentences[at].encode()) & _BITS))
        return [self._sentences[at] for at in near if self._sentences[at] != sentence][:count]
