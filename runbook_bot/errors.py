"""Every error this program raises on purpose, drawn as a tree, and who handles each.

    RunbookError                one clear line for a person: what was wrong, and what to do
    ├── UsageError              wrong words or configuration; exit code 2
    │   ├── SettingsError       a key, token or file of the configuration; names it
    │   ├── PortTaken           a port somebody named is in use; names it
    │   └── ScenarioError       a scenario file of the playground; names file, line and key
    ├── JournalError            a journal that cannot be created, opened or appended to
    ├── LeaseLost               another worker has taken the investigation over; the loser stops quietly
    ├── ProviderError           a vendor answered with something no query can use
    ├── KnowledgeError          the index or a source cannot be read; names the file
    ├── PlaygroundError         the world in a box could not start (missing extra, a manifest that is none)
    └── DeskError               Slack refused a call for good; names the method and Slack's own error word

A query never raises: what went wrong is a `Result` with a status.
`RunbookError` is caught at the outer edges only: the command line (`__main__`), the worker, Bolt's error handler.
"""


class RunbookError(Exception):
    """The root. `str(error)` is one line that may be shown to a person; it never holds a secret."""

    exit_code = 1


class UsageError(RunbookError):
    """Wrong words on the command line or wrong configuration."""

    exit_code = 2


class SettingsError(UsageError):
    """A configuration key, an environment variable or a configuration file is wrong; names which."""


class PortTaken(UsageError):
    """A port that was asked for cannot be listened on; names it."""


class ScenarioError(UsageError):
    """A scenario file is wrong; names the file and the key."""


class JournalError(RunbookError):
    """A journal cannot be created, opened or appended to."""


class LeaseLost(RunbookError):
    """Another worker holds this investigation now; whoever sees this stops without writing."""


class ProviderError(RunbookError):
    """A vendor's answer cannot be used at all; raised outside queries only (discovery, preparation, a change)."""


class KnowledgeError(RunbookError):
    """The knowledge index or one of its sources cannot be read."""


class PlaygroundError(RunbookError):
    """The world in a box could not start."""


class DeskError(RunbookError):
    """Slack refused a call for good; the message names the method and Slack's error word."""
