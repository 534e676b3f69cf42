"""RDS: the log files of an instance and the end of one, without values and secrets."""

from datetime import UTC, datetime

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.rds_logs import LogFiles, LogTail
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

FILES = [
    {"LogFileName": "error/postgresql.log.2026-01-01-09", "LastWritten": 1767258000000, "Size": 90_000},
    {"LogFileName": "error/postgresql.log.2026-01-01-10", "LastWritten": 1767261600000, "Size": 4096},
    {"LogFileName": "slowquery/mysql-slowquery.log", "LastWritten": 1767262600000, "Size": 500},
]
TEXT = """2026-01-01 10:00:00 UTC:10.0.0.7(5):shop@orders:[7]:ERROR:  deadlock detected
2026-01-01 10:00:00 UTC:10.0.0.7(5):shop@orders:[7]:STATEMENT:  UPDATE carts SET note = 'bob' WHERE id = 7
\tpassword=hunter2
2026-01-01 10:00:03.250 UTC:[9]:FATAL:  remaining connection slots are reserved
"""


def _log(aws: StandIn, text: str = TEXT) -> None:
    """Canned: moto has one empty log file and no portions of it."""
    aws.tells("rds", "DescribeDBLogFiles", {"DescribeDBLogFiles": FILES})
    aws.tells("rds", "DownloadDBLogFilePortion", {"LogFileData": text, "AdditionalDataPending": False})


async def test_files_the_latest_first(aws: StandIn, provider: AwsProvider) -> None:
    _log(aws)
    result = await provider.ask(LogFiles(name="orders-db"))
    assert result.rows[0].name == "slowquery/mysql-slowquery.log"
    assert result.rows[1].facts["size_kib"] == 4


async def test_the_end_of_the_newest_error_log(aws: StandIn, provider: AwsProvider) -> None:
    _log(aws)
    result = await provider.ask(LogTail(name="orders-db", lines=3))
    assert result.status is Status.truncated
    assert result.message == "the last 3 lines of error/postgresql.log.2026-01-01-10 (4 KiB)"
    texts = [line.text for line in result.lines]
    assert texts[0].endswith("STATEMENT: UPDATE carts SET note = ? WHERE id = ?")
    assert "hunter2" not in texts[1]
    assert texts[2].endswith("FATAL: remaining connection slots are reserved")
    assert result.lines[1].at == datetime(2026, 1, 1, 10, 0, 0, tzinfo=UTC)
    assert result.lines[2].at == datetime(2026, 1, 1, 10, 0, 3, 250000, tzinfo=UTC)
    assert "NumberOfLines=3" in aws.asked("DownloadDBLogFilePortion")[0].body


async def test_a_slow_log_has_bare_statements(aws: StandIn, provider: AwsProvider) -> None:
    _log(aws, "# Query_time: 12.5\nSELECT * FROM users WHERE email = 'bob@example.org';\n")
    result = await provider.ask(LogTail(name="orders-db", file="slowquery/mysql-slowquery.log"))
    assert [line.text for line in result.lines] == ["# Query_time: 12.5", "SELECT * FROM users WHERE email = ?;"]


async def test_a_file_that_is_not_there_and_one_that_is_empty(aws: StandIn, provider: AwsProvider) -> None:
    _log(aws, "")
    gone = await provider.ask(LogTail(name="orders-db", file="error/gone.log"))
    assert (gone.status, gone.message) == (Status.no_data, "orders-db has no log file error/gone.log")
    empty = await provider.ask(LogTail(name="orders-db"))
    assert empty.status is Status.no_data
    assert empty.message == "error/postgresql.log.2026-01-01-10 is empty"


async def test_a_log_that_may_not_be_read_and_an_instance_that_is_gone(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    assert (await provider.ask(LogFiles(name="gone-db"))).status is Status.no_data
    _log(aws)
    aws.refuses_xml("DownloadDBLogFilePortion", "AccessDenied", "no", 403)
    result = await provider.ask(LogTail(name="orders-db"))
    assert result.status is Status.denied
    assert "rds:DownloadDBLogFilePortion" in result.message


async def test_an_endless_answer_is_bounded(aws: StandIn, provider: AwsProvider) -> None:
    _log(aws, "2026-01-01 10:00:00 UTC:LOG:  checkpoint\n" * 100_000)
    result = await provider.ask(LogTail(name="orders-db", lines=50))
    assert len(result.lines) == 50
