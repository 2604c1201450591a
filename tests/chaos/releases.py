"""The release before this one, from the repository's history, to run beside this one."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.log import formats
from tests.e2e.launcher import ROOT

# Where a release says its format's number: here, and in the first release.
PLACES: Final = (
    ("shared/log/formats.py", r"^CURRENT: Final = (\d+)"),
    ("workers/runtime/conversation/snapshot.py", r"^VERSION: Final = (\d+)"),
)


def previous_commit() -> str:
    """The newest commit whose format is the one before ours; "" where history does not reach it."""
    newer = "HEAD"
    for commit in _git("log", "--format=%H", "--", *(path for path, _ in PLACES)).decode().split():
        number = next(_numbers(commit), None)
        if number == formats.PREVIOUS:
            # Commits that did not touch these files follow it.
            return commit if newer == "HEAD" else _git("rev-parse", f"{newer}^").decode().strip()
        newer = commit
    return ""


def missing() -> str:
    """Why the release before cannot run here, or ""."""
    try:
        found = previous_commit()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no history: {error}"
    return "" if found else f"the history holds no release of format {formats.PREVIOUS}"


def missing_engine(engine: str) -> str:
    """Why the release before cannot run this engine, or ""."""
    had = f'= "{engine}"'.encode() in _git("show", f"{previous_commit()}:shared/modes.py")
    return "" if had else f"the release before has no ENGINE={engine}"


def unpack_previous(folder: Path) -> Path:
    """Unpack the release before into this folder."""
    folder.mkdir()
    archive = _git("archive", previous_commit())
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def _numbers(commit: str) -> Iterator[int]:
    for path, pattern in PLACES:
        try:
            text = _git("show", f"{commit}:{path}").decode()
        except subprocess.CalledProcessError:  # it has no such file
            continue
        yield from (int(found[1]) for found in re.finditer(pattern, text, re.MULTILINE))


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout
