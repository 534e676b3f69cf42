"""What can be asked of the logs that RDS keeps itself: which files there are, and the end of one."""

import asyncio
import re
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import LogLine, Row
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import rounded
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.rds import databases_link
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.statements import log_line

_MOST_FILES = 1000
_MOST_BYTES = 1_000_000
_STAMP = re.compile(r"^\[?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?")
_BARE = re.compile(r"slow|general|audit", re.IGNORECASE)
_NOT_ERRORS = re.compile(r"slow|general|audit|trace|\.trc|xel|upgrade", re.IGNORECASE)


class LogFiles(Operation):
    """Log files of a DB instance with size and when each was last written, the latest first."""

    kind: ClassVar[str] = "aws.rds.log_files"
    service = "rds"
    calls = ("DescribeDBLogFiles",)
    words = ("database log files", "rds logs")

    name: str = Field(description="Identifier of the DB instance")

    async def answer(self, place: Place, now: datetime) -> Result:
        files = await _files(place, self.name)
        rows = [
            Row(
                name=str(each.get("LogFileName", "?")),
                at=_written(each),
                facts={"size_kib": rounded(int(each.get("Size") or 0) / 1024)},
            )
            for each in files
        ]
        return self.table(place, rows, empty="RDS keeps no log file of it", console=databases_link(place))


class LogTail(Operation):
    """The last lines of a database's log, by default of the newest error log; values of statements are left out."""

    kind: ClassVar[str] = "aws.rds.log_tail"
    service = "rds"
    calls = ("DescribeDBLogFiles", "DownloadDBLogFilePortion")
    words = ("database log", "postgres log", "mysql error log", "rds log tail")

    name: str = Field(description="Identifier of the DB instance")
    file: str | None = Field(default=None, description="Name of the log file; none means the newest error log")
    lines: int = Field(default=100, ge=1, le=1000, description="How many of the last lines")

    async def answer(self, place: Place, now: datetime) -> Result:
        files = await _files(place, self.name)
        chosen = self._chosen(files)
        if chosen is None:
            text = f"{self.name} has no log file {self.file}" if self.file else "RDS keeps no log file of it"
            raise CallFailed("missing", text, action="rds:DescribeDBLogFiles")
        name = str(chosen["LogFileName"])
        # without a marker RDS answers with the end of the file
        answer = await place.call(
            "rds",
            "DownloadDBLogFilePortion",
            DBInstanceIdentifier=self.name,
            LogFileName=name,
            NumberOfLines=self.lines,
        )
        text = str(answer.get("LogFileData") or "")
        cut = len(text) > _MOST_BYTES
        told = [each for each in text[-_MOST_BYTES:].splitlines() if each.strip()]
        kept = told[-self.lines :]
        size = int(chosen.get("Size") or 0)
        more = cut or len(told) > len(kept) or size > len(text.encode())
        message = f"the last {len(kept)} lines of {name} ({rounded(size / 1024)} KiB)" if more else ""
        return Result(
            status=Status.no_data if not kept else Status.truncated if more else Status.ok,
            source=self.source,
            asked=self.request(),
            where=f"{self.where(place)}, file {name}",
            message=message if kept else f"{name} is empty",
            lines=tuple(await asyncio.to_thread(_lines, kept, name, _written(chosen) or now)),
            console=databases_link(place),
        )

    def _chosen(self, files: list[Answer]) -> Answer | None:
        """The file of that name; else the newest that has errors in it and is not empty; else the newest."""
        if self.file is not None:
            return next((each for each in files if each.get("LogFileName") == self.file), None)
        errors = [each for each in files if not _NOT_ERRORS.search(str(each.get("LogFileName", "")))]
        filled = [each for each in errors if each.get("Size")]
        return next(iter(filled or errors or files), None)


async def _files(place: Place, name: str) -> list[Answer]:
    """Newest first. Raises `CallFailed`."""
    files = await place.gather(
        "rds", "DescribeDBLogFiles", "DescribeDBLogFiles", _MOST_FILES, DBInstanceIdentifier=name
    )
    return sorted(
        (each for each in files if each.get("LogFileName")), key=lambda e: int(e.get("LastWritten") or 0), reverse=True
    )


def _written(told: Answer) -> datetime | None:
    stamp = told.get("LastWritten")
    return datetime.fromtimestamp(int(stamp) / 1000, UTC) if stamp else None


def _lines(told: list[str], file: str, otherwise: datetime) -> list[LogLine]:
    """A line without a time of its own has that of the line before it."""
    found: list[LogLine] = []
    at = next((stamp for stamp in map(_stamp, told) if stamp), otherwise)
    bare = bool(_BARE.search(file))
    for line in told:
        at = _stamp(line) or at
        found.append(LogLine(at=at, text=one_line(redact(log_line(line, bare=bare)), 1000), stream=file))
    return found


def _stamp(line: str) -> datetime | None:
    """RDS's engines write UTC."""
    found = _STAMP.match(line)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1].replace(" ", "T") + f".{(found[2] or '0').ljust(6, '0')}+00:00")
    except ValueError:
        return None


OPERATIONS = (LogFiles, LogTail)
