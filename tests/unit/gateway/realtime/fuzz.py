"""`make fuzz`: many sequences of Realtime client events, random from a seed that it prints.

`python -m tests.unit.gateway.realtime.fuzz [SEQUENCES] [SEED]`. A failure prints the shortest
sequence that fails; one that runs longer than a minute prints where it hangs.
"""

import faulthandler
import json
import sys
import time
from typing import Any, Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.gateway.realtime.grammar import Grammar

ROUND: Final = 500  # sequences of one seed
HANGS_AFTER_S: Final = 60


class Watched(Grammar):
    """Ends the process when one sequence hangs."""

    def __init__(self) -> None:
        faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        super().__init__()

    def teardown(self) -> None:
        """See `Grammar`."""
        super().teardown()
        faulthandler.cancel_dump_traceback_later()


def run(sequences: int, number: int | None = None) -> None:
    """Run so many sequences; `number`: the seed, None for always the same."""
    machine: Any = Grammar if number is None else seed(number)(Watched)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=number is None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def main(sequences: int, number: int) -> None:
    """Run them in rounds, and print how many there were and what the client got."""
    began = time.monotonic()
    for at in range(0, sequences, ROUND):
        _say(f"seed {number + at}: {min(ROUND, sequences - at)} sequences")
        run(min(ROUND, sequences - at), number + at)
    spent_s = round(time.monotonic() - began)
    _say(f"{Grammar.sequences} sequences, {Grammar.events} client events, {spent_s} s; got:")
    _say(json.dumps(Grammar.got, indent=1, sort_keys=True))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(given[0] if given else 10_000, given[1] if len(given) > 1 else 1)
