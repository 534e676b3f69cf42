"""Performance Insights: waits by kind against the processors, top statements without values. All canned: moto has none.

The answers are in the form of the service models.
"""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.pi import TopClients, TopStatements, Waits
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.stand_in import Answer, StandIn

INSTANCE = {
    "DBInstanceIdentifier": "orders-db",
    "DBInstanceClass": "db.t3.medium",
    "Engine": "postgres",
    "DbiResourceId": "db-ABC",
    "PerformanceInsightsEnabled": True,
}


def series(values: list[float], **dimensions: str) -> dict[str, Any]:
    start = NOW.replace(second=0) - timedelta(minutes=len(values))
    points = [{"Timestamp": start + timedelta(minutes=i), "Value": value} for i, value in enumerate(values)]
    return {"Key": {"Metric": "db.load.avg", "Dimensions": dimensions}, "DataPoints": points}


def wait(type: str, name: str, values: list[float]) -> dict[str, Any]:
    return series(values, **{"db.wait_event.type": type, "db.wait_event.name": name})


@pytest.fixture
def database(aws: StandIn) -> StandIn:
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [INSTANCE]})
    return aws


async def test_waits_by_kind_against_the_processors(database: StandIn, provider: AwsProvider) -> None:
    told = [
        series([2.0, 8.0]),
        wait("CPU", "CPU", [1.0, 1.0]),
        wait("Lock", "transactionid", [0.0, 6.0]),
        wait("IO", "DataFileRead", [1.0, 1.0]),
        wait("LWLock", "BufferContent", [0.0, 0.0]),
    ]
    database.tells("pi", "GetResourceMetrics", {"MetricList": told})
    result = await provider.ask(Waits(name="orders-db"))
    assert result.status is Status.ok, result.message
    whole, first, *_ = result.rows
    assert whole.facts == {
        "active_sessions": 5,
        "active_sessions_peak": 8,
        "vcpus": 2,
        "peak_percent_of_vcpus": 400,
        "percent_by_kind": {"lock": 60, "cpu": 20, "io": 20},
    }
    assert (first.name, first.facts["kind"], first.facts["percent"]) == ("Lock:transactionid", "lock", 60)
    assert [row.name for row in result.rows[2:]] == ["CPU", "IO:DataFileRead"]


@pytest.mark.parametrize(
    ("type", "name", "shown", "kind"),
    [
        ("io", "io/table/sql/handler", "io/table/sql/handler", "io"),
        ("synch", "synch/cond/innodb/row_lock_wait", "synch/cond/innodb/row_lock_wait", "lock"),
        ("User I/O", "db file sequential read", "User I/O:db file sequential read", "io"),
        ("Application", "enq: TX - row lock contention", "Application:enq: TX - row lock contention", "lock"),
        ("Lock", "LCK_M_X", "Lock:LCK_M_X", "lock"),
        ("LWLock", "WALWrite", "LWLock:WALWrite", "other"),
        ("cpu", "", "CPU", "cpu"),
    ],
)
async def test_each_engine_has_names_of_its_own(
    database: StandIn, provider: AwsProvider, type: str, name: str, shown: str, kind: str
) -> None:
    database.tells("pi", "GetResourceMetrics", {"MetricList": [series([1.0]), wait(type, name, [1.0])]})
    row = (await provider.ask(Waits(name="orders-db"))).rows[1]
    assert (row.name, row.facts["kind"]) == (shown, kind)


def _keys() -> dict[str, Any]:
    waits = [
        {"Dimensions": {"db.wait_event.type": "Lock", "db.wait_event.name": "tuple"}},
        {"Dimensions": {"db.wait_event.type": "CPU", "db.wait_event.name": "CPU"}},
    ]
    statement = {
        "db.sql_tokenized.statement": "UPDATE carts SET note = 'bob' WHERE id = 7",
        "db.sql_tokenized.id": "77",
    }
    select = {"db.sql_tokenized.statement": "SELECT 1", "db.sql_tokenized.id": "88"}
    extra = {"db.sql_tokenized.stats.calls_per_sec.avg": 12.0}
    return {
        "PartitionKeys": waits,
        "Keys": [
            {"Dimensions": select, "Total": 1.0, "Partitions": [0.0, 1.0]},
            {"Dimensions": statement, "Total": 3.0, "Partitions": [2.4, 0.6], "AdditionalMetrics": extra},
        ],
    }


async def test_the_heaviest_statement_first_without_its_values(database: StandIn, provider: AwsProvider) -> None:
    database.tells("pi", "DescribeDimensionKeys", _keys())
    result = await provider.ask(TopStatements(name="orders-db"))
    assert result.rows[0].name == "UPDATE carts SET note = ? WHERE id = ?"
    assert result.rows[0].facts == {
        "active_sessions": 3,
        "percent_of_these": 75,
        "waits_percent": {"Lock:tuple": 80, "CPU": 20},
        "calls_per_s": 12,
        "id": "77",
    }
    assert "bob" not in str(result.model_dump())


async def test_numbers_that_a_version_does_not_have_are_left_out(database: StandIn, provider: AwsProvider) -> None:
    database.tells("pi", "DescribeDimensionKeys", _keys())
    fine = database.answers["DescribeDimensionKeys"]
    refusal = Answer(400, b'{"__type": "InvalidArgumentException", "message": "no such metric"}')
    database.answers["DescribeDimensionKeys"] = lambda body: refusal if "AdditionalMetrics" in body else fine(body)
    result = await provider.ask(TopStatements(name="orders-db"))
    assert result.status is Status.ok
    assert len(database.asked("DescribeDimensionKeys")) == 2


async def test_who_loads_it(database: StandIn, provider: AwsProvider) -> None:
    keys = [{"Dimensions": {"db.host.name": "10.0.0.7", "db.host.id": "x"}, "Total": 2.0, "Partitions": []}]
    database.tells("pi", "DescribeDimensionKeys", {"Keys": keys, "PartitionKeys": []})
    result = await provider.ask(TopClients(name="orders-db"))
    assert result.rows[0].name == "10.0.0.7"
    assert '"Group": "db.host"' in database.asked("DescribeDimensionKeys")[0].body


async def test_not_enabled_is_not_no_load(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [{**INSTANCE, "PerformanceInsightsEnabled": False}]})
    result = await provider.ask(Waits(name="orders-db"))
    assert result.status is Status.error
    assert "Performance Insights is not enabled on orders-db" in result.message
    assert not aws.asked("GetResourceMetrics")


async def test_no_load_and_denied(database: StandIn, provider: AwsProvider) -> None:
    database.tells("pi", "GetResourceMetrics", {"MetricList": []})
    result = await provider.ask(Waits(name="orders-db"))
    assert result.status is Status.no_data
    assert "keeps seven days" in result.message
    database.refuses("DescribeDimensionKeys", "NotAuthorizedException", "no")
    denied = await provider.ask(TopStatements(name="orders-db"))
    assert denied.status is Status.denied
    assert "pi:DescribeDimensionKeys" in denied.message


async def test_of_a_cluster_the_writer_is_looked_at(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [{**INSTANCE, "DBInstanceIdentifier": "ledger-2"}]})
    found = aws.answers["DescribeDBInstances"]
    missing = Answer(404, b"<ErrorResponse><Error><Code>DBInstanceNotFound</Code></Error></ErrorResponse>", "text/xml")
    aws.answers["DescribeDBInstances"] = lambda body: found(body) if "ledger-2" in body else missing
    members = [{"DBInstanceIdentifier": "ledger-1"}, {"DBInstanceIdentifier": "ledger-2", "IsClusterWriter": True}]
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": [{"DBClusterMembers": members}]})
    aws.tells("pi", "GetResourceMetrics", {"MetricList": [series([1.0])]})
    assert (await provider.ask(Waits(name="ledger"))).status is Status.ok
