"""The folders of this user, by the XDG base directory specification."""

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """For what can be downloaded again: $XDG_CACHE_HOME/antiphon, or ~/.cache/antiphon."""
    return _base("XDG_CACHE_HOME", ".cache") / "antiphon"


def state_folder() -> Path:
    """For what outlives a restart: $XDG_STATE_HOME/antiphon, or ~/.local/state/antiphon."""
    return _base("XDG_STATE_HOME", ".local/state") / "antiphon"


def _base(variable: str, below_home: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():  # the specification ignores other paths
        return named
    try:
        return Path.home() / below_home
    except RuntimeError:  # a container's user without an entry in /etc/passwd
        return Path(tempfile.gettempdir()) / f"antiphon-{os.getuid()}" / below_home
