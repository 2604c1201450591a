"""Lets a process that a test starts be interrupted."""

import signal


def heed_sigint() -> None:
    """Run in the child: a test run in the background inherits an ignored SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
