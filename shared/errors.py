"""One error tree, by what the caller does next.

AntiphonError
├── ConfigError        fix the setting, start again
├── SchemaError        drop the message, close its sender: it will be as wrong the next time
└── SessionLost        this session cannot go on here
    └── Gone           its log does not exist (ended, expired or flushed)
"""


class AntiphonError(Exception):
    """Base of every error that Antiphon raises on purpose."""


class ConfigError(AntiphonError):
    """A setting is unknown or invalid; the message says what was expected."""


class SchemaError(AntiphonError):
    """A message breaks the written schema; the message says what was expected and got."""


class SessionLost(AntiphonError):
    """The session cannot go on in this process."""


class Gone(SessionLost):
    """The session's log is not there."""
