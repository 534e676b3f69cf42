"""The log: JSON lines in production, readable lines on a terminal, no secrets in either."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from runbook_bot.domain.redaction import redact, redact_json, sensitive

LOG_FILE = "runbook.log"
"""In `RUNBOOK_HOME`: where the commands that end by themselves leave their tracebacks."""

QUIET = ("slack_sdk", "slack_bolt", "botocore", "boto3", "urllib3", "werkzeug", "chromadb", "docket", "asyncio")
"""Libraries whose INFO would drown ours; at DEBUG some of them would log payloads."""


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: every text in the event redacted, whole values under sensitive names replaced."""
    return {
        key: "[redacted value]" if sensitive(key) and isinstance(value, str) else redact_json(_plain(value))
        for key, value in event.items()
    }


def _plain(value: Any) -> Any:
    """What the renderer will write, so that nothing turns into text behind the redaction's back."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return redact(str(value))


def configure(
    environ: Mapping[str, str], *, stream: TextIO | None = None, file: Path | None = None, level: int = logging.INFO
) -> None:
    """Set the log up, once per process: on `stream` (standard error by default), or quietly into a file.

    `LOG_FORMAT` is `json` or `console`; without it a terminal gets readable lines and everything else JSON.
    `LOG_LEVEL` wins over `level`; libraries stay at WARNING. A file takes warnings and worse.
    """
    stream = stream or sys.stderr
    wanted = environ.get("LOG_FORMAT", "").casefold()
    as_json = file is not None or wanted == "json" or (wanted != "console" and not stream.isatty())
    handler: logging.Handler = logging.StreamHandler(stream) if file is None else _LateFile(file)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(_SHARED),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendered(as_json)],
        )
    )
    level = logging.getLevelNamesMapping().get(environ.get("LOG_LEVEL", "").upper(), level)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level if file is None else max(level, logging.WARNING))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


@contextmanager
def investigating(investigation: str) -> Iterator[None]:
    """Every record made inside carries the investigation's id, whichever room makes it."""
    with structlog.contextvars.bound_contextvars(investigation=investigation):
        yield


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def _rendered(as_json: bool) -> list[Processor]:
    last: Processor = structlog.processors.JSONRenderer(sort_keys=True) if as_json else structlog.dev.ConsoleRenderer()
    return [structlog.processors.format_exc_info, without_secrets, last]


class _LateFile(logging.FileHandler):
    """A file that comes into being, with its folder, when there is something to write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            self.handleError(record)
        else:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is the library's
        """Nothing: a command whose home cannot be written says so itself, in one line."""
