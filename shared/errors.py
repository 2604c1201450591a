"""Declares all errors as one tree, ordered by what the caller does next.

AntiphonError
├── ConfigError        fix the setting, then start again
├── SchemaError        drop the message and close its sender, which would send it again
│   └── NewerFormat    leave the session to a process of a newer release
└── SessionLost        end this session in this process
    └── Gone           its log does not exist: it ended, expired or was flushed
"""


class AntiphonError(Exception):
    """The base of every error that Antiphon raises on purpose."""


class ConfigError(AntiphonError):
    """A setting is unknown or invalid; the message says what was expected."""


class SchemaError(AntiphonError):
    """A message breaks the schema; the message says what was expected and got."""


class NewerFormat(SchemaError):
    """A newer release wrote this, in a format that this one does not read."""


class SessionLost(AntiphonError):
    """The session cannot go on in this process."""


class Gone(SessionLost):
    """The session's log does not exist."""
