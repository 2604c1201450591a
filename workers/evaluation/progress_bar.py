"""How far the evaluation is, on one line."""

import time

from tqdm import tqdm


class ProgressBar:
    """Counts calls, recordings and minutes of sound, as parts of one whole."""

    def __init__(self, total: int) -> None:
        self._bar = tqdm(total=total, desc="evaluate", mininterval=2)
        self._started_s = time.process_time()
        self.spent_s: dict[str, float] = {}  # CPU time, by what was done
        self._part = ""

    def say(self, part: str) -> None:
        """What is done now."""
        now_s = time.process_time()
        if self._part:
            self.spent_s[self._part] = round(now_s - self._started_s, 1)
        self._part, self._started_s = part, now_s
        self._bar.set_postfix_str(part)

    def add(self, count: int) -> None:
        """So many more are done."""
        self._bar.update(count)

    def close(self) -> None:
        """All is done."""
        self.say("")
        self._bar.close()
