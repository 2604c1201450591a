"""The evaluation's progress, on one line."""

import time

from tqdm import tqdm


class ProgressBar:
    """Counts calls, recordings and minutes of sound towards one total."""

    def __init__(self, total: int) -> None:
        self._bar = tqdm(total=total, desc="evaluate", mininterval=2)
        self._started_s = time.process_time()
        self.spent_s: dict[str, float] = {}  # CPU time of each part
        self._part = ""

    def say(self, part: str) -> None:
        """Start the named part."""
        now_s = time.process_time()
        if self._part:
            self.spent_s[self._part] = round(now_s - self._started_s, 1)
        self._part, self._started_s = part, now_s
        self._bar.set_postfix_str(part)

    def add(self, count: int) -> None:
        """Add so many to the count."""
        self._bar.update(count)

    def close(self) -> None:
        """End the last part."""
        self.say("")
        self._bar.close()
