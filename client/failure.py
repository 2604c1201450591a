"""The one error of a call."""


class CallFailed(Exception):
    """The call brought no whole reply; the message says why."""
