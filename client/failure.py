"""Declares the error with which a call fails."""


class CallFailed(Exception):
    """The call brought no complete reply; the message says why."""
