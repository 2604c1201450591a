"""One error tree, by what the caller does next.

AntiphonError
├── ConfigError        fix the setting, start again
├── SchemaError        drop the message, close its sender: it will be as wrong the next time
├── RetryLater         refused now, nothing was kept; the same call may pass later
│   ├── Busy           this session's log is full
│   └── NoCapacity     no slot is free
└── SessionLost        this session cannot go on here
    ├── Fenced         somebody newer owns it
    └── Gone           its log does not exist (ended, expired or flushed)
"""


class AntiphonError(Exception):
    """Base of every error that Antiphon raises on purpose."""


class ConfigError(AntiphonError):
    """A setting is unknown or invalid; the message says what was expected."""


class SchemaError(AntiphonError):
    """A message breaks the written schema; the message says what was expected and got."""


class RetryLater(AntiphonError):
    """Refused for now; nothing of the call was kept."""


class Busy(RetryLater):
    """The session's log holds as many unread records as it may."""


class NoCapacity(RetryLater):
    """No worker has a free slot."""


class SessionLost(AntiphonError):
    """The session cannot go on in this process."""


class Fenced(SessionLost):
    """A newer owner or connection writes this session."""


class Gone(SessionLost):
    """The session's log is not there."""
