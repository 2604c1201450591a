"""Lists the signals that hang up."""

import signal


def heeded_signals() -> list[signal.Signals]:
    """Those that this system has and that are not ignored, as SIGHUP is under nohup."""
    known = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
    return [n for n in known if n is not None and signal.getsignal(n) is not signal.SIG_IGN]
