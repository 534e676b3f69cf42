"""Performance Insights on a database becomes one event, and only where the load rose. Canned: moto has none of it."""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.database_load import load_lines
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import ORDERS_DB
from tests.providers.stand_in import StandIn

ONSET = NOW.replace(second=0) - timedelta(minutes=10)
WINDOW = TimeWindow(start=NOW - timedelta(minutes=30), end=NOW + timedelta(minutes=5), onset=ONSET)


def series(before: float, after: float, **dimensions: str) -> dict[str, Any]:
    minutes = [ONSET + timedelta(minutes=each) for each in range(-15, 8)]
    points = [{"Timestamp": at, "Value": after if at >= ONSET else before} for at in minutes]
    return {"Key": {"Metric": "db.load.avg", "Dimensions": dimensions}, "DataPoints": points}


def wait(type: str, name: str, before: float, after: float) -> dict[str, Any]:
    return series(before, after, **{"db.wait_event.type": type, "db.wait_event.name": name})


async def lines(aws: StandIn, *told: dict[str, Any], enabled: bool = True) -> list[LogLine]:
    instance = {"DBInstanceIdentifier": "orders-db", "DBInstanceClass": "db.t3.medium", "Engine": "postgres",
                "DbiResourceId": "db-ABC", "PerformanceInsightsEnabled": enabled}  # fmt: skip
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    aws.tells("pi", "GetResourceMetrics", {"MetricList": list(told)})
    found, failures = await load_lines(Places(AwsSettings()).all[0], ORDERS_DB, WINDOW, NOW)
    assert not failures
    return found


async def test_sessions_that_wait_for_locks(aws: StandIn) -> None:
    statement = {"db.sql_tokenized.statement": "UPDATE carts SET note = 'bob'", "db.sql_tokenized.id": "1"}
    (line,) = await lines(
        aws, series(1, 12), wait("CPU", "CPU", 1, 2), wait("Lock", "transactionid", 0, 10), series(0, 9, **statement)
    )
    assert line.text == (
        "Performance Insights: active sessions rose from 1 to 9.8 on 2 processors; most sessions wait for locks "
        "(82% Lock:transactionid, 18% CPU); most of it in: UPDATE carts SET note = ?"
    )
    assert line.at == ONSET


@pytest.mark.parametrize(
    ("type", "name", "said"),
    [
        ("IO", "DataFileRead", "most sessions wait for reads and writes"),
        ("CPU", "CPU", "most sessions compute"),
        ("Client", "ClientRead", "most sessions wait for something else"),
    ],
)
async def test_each_sort_of_wait_has_its_words(aws: StandIn, type: str, name: str, said: str) -> None:
    (line,) = await lines(aws, series(0.5, 8), wait(type, name, 0.2, 7))
    assert said in line.text


async def test_load_as_usual_is_no_event(aws: StandIn) -> None:
    assert await lines(aws, series(1.2, 1.4), wait("CPU", "CPU", 1, 1)) == []


async def test_more_than_the_processors_can_do_is_one_even_if_it_did_not_rise(aws: StandIn) -> None:
    (line,) = await lines(aws, series(6, 6), wait("CPU", "CPU", 5, 5))
    assert "active sessions are 6 on 2 processors; most sessions compute" in line.text


async def test_where_it_is_off_nothing_is_asked_and_no_point_is_no_event(aws: StandIn) -> None:
    assert await lines(aws, enabled=False) == []
    assert not aws.asked("GetResourceMetrics")


async def test_no_points(aws: StandIn) -> None:
    assert await lines(aws) == []


async def test_of_a_cluster_the_writer_counts(aws: StandIn) -> None:
    members = [{"DBInstanceIdentifier": "a"}, {"DBInstanceIdentifier": "orders-db", "IsClusterWriter": True}]
    aws.tells("rds", "DescribeDBClusters", {"DBClusters": [{"DBClusterIdentifier": "c", "DBClusterMembers": members}]})
    instance = {"DBInstanceIdentifier": "orders-db", "DbiResourceId": "db-ABC", "PerformanceInsightsEnabled": True}
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    aws.tells("pi", "GetResourceMetrics", {"MetricList": [series(1, 9), wait("CPU", "CPU", 1, 9)]})
    cluster = Resource(type=ResourceType.rds_cluster, name="c")
    (line,), _ = await load_lines(Places(AwsSettings()).all[0], cluster, WINDOW, NOW)
    assert "active sessions rose from 1 to 7.4; most sessions compute" in line.text
    assert [each.operation for each in aws.calls] == ["DescribeDBClusters", "DescribeDBInstances", "GetResourceMetrics"]


async def test_what_may_not_be_read_is_named(aws: StandIn) -> None:
    aws.refuses("GetResourceMetrics", "NotAuthorizedException", "no")
    instance = {"DBInstanceIdentifier": "orders-db", "DbiResourceId": "db-A", "PerformanceInsightsEnabled": True}
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    found, failures = await load_lines(Places(AwsSettings()).all[0], ORDERS_DB, WINDOW, NOW)
    assert found == []
    assert [each.action for each in failures] == ["pi:GetResourceMetrics"]


async def test_it_stands_among_the_events_of_the_database(aws: StandIn, provider: AwsProvider) -> None:
    instance = {"DBInstanceIdentifier": "orders-db", "DBInstanceClass": "db.t3.medium", "Engine": "postgres",
                "DbiResourceId": "db-ABC", "PerformanceInsightsEnabled": True}  # fmt: skip
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    aws.tells("rds", "DescribeEvents", {"Events": []})
    told = [series(1, 12), wait("Lock", "transactionid", 0, 10)]
    aws.tells("pi", "GetResourceMetrics", {"MetricList": told})
    result = await provider.ask(ListEvents(resource=ORDERS_DB, window=WINDOW))
    assert result.status is Status.ok
    assert [line.stream for line in result.lines] == ["performance insights"]


async def test_events_are_told_where_the_load_may_not_be_read(aws: StandIn, provider: AwsProvider) -> None:
    instance = {"DBInstanceIdentifier": "orders-db", "DbiResourceId": "db-A", "PerformanceInsightsEnabled": True}
    aws.tells("rds", "DescribeDBInstances", {"DBInstances": [instance]})
    event = {"SourceIdentifier": "orders-db", "Message": "DB instance restarted", "Date": ONSET}
    aws.tells("rds", "DescribeEvents", {"Events": [event]})
    aws.refuses("GetResourceMetrics", "NotAuthorizedException", "no")
    result = await provider.ask(ListEvents(resource=ORDERS_DB, window=WINDOW))
    assert [line.text for line in result.lines] == ["DB instance restarted"]
    assert result.status is Status.truncated
    assert "pi:GetResourceMetrics" in result.message
