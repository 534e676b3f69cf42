"""What anybody sees who looks at the cloud through boto3 while a bad deployment hurts."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.playground_cloud.conftest import RunningCloud

CHECKOUT = "/ecs/checkout-api"


def test_three_hours_of_history_are_there_and_yesterday_too(shop: RunningCloud) -> None:
    points = shop.metric("checkout-api", "RequestCount", back=timedelta(hours=3), stat="Sum")
    assert len(points) >= 178
    assert all(5000 < value < 14000 for _, value in points[:-1])
    yesterday = shop.metric("checkout-api", "CPUUtilization", back=timedelta(hours=26), stat="Average")
    assert sum(at < time.time() - 23.7 * 3600 for at, _ in yesterday) > 100


def test_the_errors_began_twenty_minutes_ago(shop: RunningCloud) -> None:
    points = shop.metric("checkout-api", "HTTPCode_Target_5XX_Count", back=timedelta(hours=2), stat="Sum")
    before = [v for at, v in points if at < shop.began.timestamp() - 22 * 60]
    after = [v for at, v in points[:-1] if at > shop.ready.timestamp() - 18 * 60]
    assert max(before) < 60
    assert min(after) > 500


def test_new_points_arrive_and_a_period_of_ten_seconds_works(shop: RunningCloud) -> None:
    def newest() -> float:
        points = shop.metric("storefront", "RequestCount", back=timedelta(minutes=5), stat="Sum", period=10)
        return points[-1][0]

    first = newest()
    assert shop.comes(lambda: newest() > first)
    assert first % 10 == newest() % 10 == 0
    ten = shop.metric("storefront", "RequestCount", back=timedelta(minutes=6), stat="Sum", period=10)[:-1]
    sixty = shop.metric("storefront", "RequestCount", back=timedelta(minutes=6), stat="Sum", period=60)[1:-1]
    assert sum(v for _, v in ten) / len(ten) * 6 == pytest.approx(sum(v for _, v in sixty) / len(sixty), rel=0.1)


def test_alarms_are_evaluated_and_know_since_when(shop: RunningCloud) -> None:
    cloudwatch = shop.client("cloudwatch")
    alarms = {each["AlarmName"]: each for each in cloudwatch.describe_alarms()["MetricAlarms"]}
    names = {name for name, alarm in alarms.items() if alarm["StateValue"] == "ALARM"}
    assert "checkout-api-5xx" in names
    assert names <= {"checkout-api-5xx", "checkout-api-latency-p99", "storefront-5xx"}, "its callers hurt in busy hours"
    ringing = alarms["checkout-api-5xx"]
    assert "were greater than the threshold (150)" in ringing["StateReason"]
    since = ringing["StateTransitionedTimestamp"]
    assert shop.began - timedelta(minutes=20) < since < shop.ready - timedelta(minutes=14)
    assert alarms["orders-db-cpu"]["StateTransitionedTimestamp"] < datetime.now(UTC) - timedelta(days=80)
    only = cloudwatch.describe_alarms(StateValue="ALARM", MaxRecords=1)["MetricAlarms"]
    assert [each["AlarmName"] for each in only] == ["checkout-api-5xx"]
    history = cloudwatch.describe_alarm_history(AlarmName="checkout-api-5xx", HistoryItemType="StateUpdate")
    assert history["AlarmHistoryItems"][0]["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_the_service_tells_of_its_deployment(shop: RunningCloud) -> None:
    ecs = shop.client("ecs")
    [service] = ecs.describe_services(cluster="shop", services=["checkout-api"])["services"]
    assert service["taskDefinition"].endswith(":task-definition/checkout-api:4")
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (6, 6, 0)
    [deployment] = service["deployments"]
    assert deployment["rolloutState"] == "COMPLETED"
    assert deployment["taskDefinition"] == service["taskDefinition"]
    assert datetime.now(UTC) - deployment["createdAt"] > timedelta(minutes=21)
    assert any("deployment completed" in event["message"] for event in service["events"])
    definition = ecs.describe_task_definition(taskDefinition=deployment["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"].endswith("checkout-api:2.15.0")
    assert definition["registeredBy"].endswith("assumed-role/ci-deploy/github-actions")
    tasks = ecs.list_tasks(cluster="shop", serviceName="checkout-api")["taskArns"]
    described = ecs.describe_tasks(cluster="shop", tasks=tasks)["tasks"]
    assert {task["healthStatus"] for task in described} == {"HEALTHY"}
    stopped = ecs.list_tasks(cluster="shop", serviceName="checkout-api", desiredStatus="STOPPED")["taskArns"]
    assert ecs.describe_tasks(cluster="shop", tasks=stopped)["tasks"][0]["stoppedReason"].startswith("Scaling activity")


def test_cloudtrail_names_the_deployment_and_who_made_it(shop: RunningCloud) -> None:
    trail = shop.client("cloudtrail")
    hour = datetime.now(UTC) - timedelta(hours=1)
    by_name = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "checkout-api"}], StartTime=hour
    )["Events"]
    assert [event["EventName"] for event in by_name] == ["UpdateService"]
    detail = json.loads(by_name[0]["CloudTrailEvent"])
    assert detail["requestParameters"]["taskDefinition"].endswith("checkout-api:4")
    assert detail["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "ci-deploy"
    updates = [{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}]
    pages = [
        page["Events"]
        for page in trail.get_paginator("lookup_events").paginate(
            LookupAttributes=updates, EndTime=shop.ready, PaginationConfig={"PageSize": 2}
        )
    ]
    assert [len(page) for page in pages] == [2, 2, 2]
    assert pages[0][1]["Username"] == "maria.keller"


def test_logs_are_filtered_by_pattern(shop: RunningCloud) -> None:
    logs = shop.client("logs")
    recent, settled = int((time.time() - 900) * 1000), int((time.time() - 60) * 1000)  # no new lines come before then

    def found(pattern: str, since: int = recent, until: int = settled) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=CHECKOUT,
            startTime=since,
            endTime=until,
            filterPattern=pattern,
            PaginationConfig={"PageSize": 200},
        )
        return [event["message"] for page in pages for event in page["events"]]

    errors = found('{ $.level = "ERROR" }')
    assert errors
    assert all('"ERROR"' in line for line in errors)
    thrown = found("NullPointerException TaxRate")
    assert len(thrown) > 200
    assert len(found("?NullPointerException ?authorised")) > len(thrown)
    assert not any("NullPointerException" in line for line in found("ERROR -NullPointerException"))
    assert found('"unhandled exception in POST"') == thrown
    hour_ago = int((time.time() - 3600) * 1000)
    assert found("NullPointerException", since=hour_ago - 3_600_000, until=hour_ago) == []
    with pytest.raises(ClientError) as refused:
        logs.filter_log_events(logGroupName="/ecs/none-such")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_insights_counts_by_time(shop: RunningCloud) -> None:
    logs = shop.client("logs")
    query = "filter @message like /NullPointerException/ | stats count(*) as hits by bin(5m) as at | sort at asc"
    started = logs.start_query(
        logGroupName=CHECKOUT, startTime=int(time.time() - 3600), endTime=int(time.time()), queryString=query
    )
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
    hits = {datetime.fromisoformat(row["at"]).replace(tzinfo=UTC): int(row["hits"]) for row in rows}
    bins = sorted(hits)
    assert shop.began - timedelta(minutes=25) < bins[0] < shop.ready - timedelta(minutes=19)
    assert {later - earlier for earlier, later in pairwise(bins)} == {timedelta(minutes=5)}
    assert all(hits[each] > 10 for each in bins[1:-1]), "the first and the last may have just begun or ended"
    with pytest.raises(ClientError) as refused:
        logs.start_query(logGroupName=CHECKOUT, startTime=0, endTime=1, queryString="flter @message")
    assert refused.value.response["Error"]["Code"] == "MalformedQueryException"


def test_metric_math_and_percentiles_come_in_one_call(shop: RunningCloud) -> None:
    cloudwatch = shop.client("cloudwatch")
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["checkout-api-5xx"])["MetricAlarms"]

    def query(id: str, name: str, stat: str) -> dict[str, object]:
        metric = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": alarm["Dimensions"]}
        return {"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, "ReturnData": id == "p99"}

    results = cloudwatch.get_metric_data(
        MetricDataQueries=[
            query("errors", "HTTPCode_Target_5XX_Count", "Sum"),
            query("requests", "RequestCount", "Sum"),
            query("p99", "TargetResponseTime", "p99"),
            {"Id": "share", "Expression": "FILL(errors, 0) / requests * 100", "Label": "failed, percent"},
        ],
        StartTime=datetime.now(UTC) - timedelta(minutes=10),
        EndTime=datetime.now(UTC),
        ScanBy="TimestampAscending",
    )["MetricDataResults"]
    by_id = {result["Id"]: result for result in results}
    assert set(by_id) == {"p99", "share"}
    assert by_id["share"]["Label"] == "failed, percent"
    assert all(5 < value < 15 for value in by_id["share"]["Values"][:-1])
    assert all(1.0 < value < 3.0 for value in by_id["p99"]["Values"])


def test_target_health_and_the_policy_simulator_answer_in_xml(shop: RunningCloud) -> None:
    balancing = shop.client("elbv2")
    [group] = balancing.describe_target_groups(Names=["checkout-api"])["TargetGroups"]
    described = balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert [each["TargetHealth"]["State"] for each in described] == ["healthy"] * 6
    simulated = shop.client("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:role/runbook",
        ActionNames=["ecs:UpdateService", "rds:DescribeEvents"],
    )["EvaluationResults"]
    assert [each["EvalDecision"] for each in simulated] == ["allowed", "allowed"]


def test_the_database_has_its_limit_and_its_events(shop: RunningCloud) -> None:
    rds = shop.client("rds")
    [instance] = rds.describe_db_instances(DBInstanceIdentifier="orders-db")["DBInstances"]
    assert datetime.now(UTC) - instance["InstanceCreateTime"] > timedelta(days=199)
    group = instance["DBParameterGroups"][0]["DBParameterGroupName"]
    parameters = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    assert {p["ParameterName"]: p["ParameterValue"] for p in parameters}["max_connections"] == "500"
    events = rds.describe_events(SourceIdentifier="orders-db", SourceType="db-instance", Duration=3 * 24 * 60)["Events"]
    assert "Finished DB Instance backup" in {event["Message"] for event in events}


def test_a_denied_action_looks_as_it_does_on_aws(shop: RunningCloud) -> None:
    shop.cloud.knobs.deny.update(
        ("rds:DescribeDBInstances", "ecs:Update*", "lambda:ListFunctions", "cloudwatch:DescribeAlarms")
    )
    try:
        calls: dict[str, list[Callable[[], Any]]] = {
            "AccessDenied": [
                lambda: shop.client("rds").describe_db_instances(),
                lambda: shop.client("cloudwatch").describe_alarms(),
            ],
            "AccessDeniedException": [
                lambda: shop.client("ecs").update_service(cluster="shop", service="storefront", desiredCount=9),
                lambda: shop.client("lambda").list_functions(),
            ],
        }
        for code, asked in calls.items():
            for call in asked:
                with pytest.raises(ClientError) as refused:
                    call()
                assert refused.value.response["Error"]["Code"] == code
                assert "is not authorized to perform" in refused.value.response["Error"]["Message"]
        [service] = shop.client("ecs").describe_services(cluster="shop", services=["storefront"])["services"]
        assert service["desiredCount"] == 4
    finally:
        shop.cloud.knobs.deny.clear()


def test_throttling_and_latency_can_be_turned_on(shop: RunningCloud) -> None:
    shop.cloud.knobs.throttle["logs:FilterLogEvents"] = 1
    with pytest.raises(ClientError) as refused:
        shop.client("logs").filter_log_events(logGroupName=CHECKOUT, limit=1)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert shop.client("logs").filter_log_events(logGroupName=CHECKOUT, limit=1)["events"]
    shop.cloud.knobs.latency["sts:*"] = 0.6
    try:
        began = time.monotonic()
        shop.client("sts").get_caller_identity()
        assert time.monotonic() - began >= 0.6
    finally:
        shop.cloud.knobs.latency.clear()


def test_nothing_announces_the_fault(shop: RunningCloud) -> None:
    words = ("fault", "scenario", "simulat", "playground", "inject", "chaos")
    logs, seen = shop.client("logs"), []
    for group in logs.describe_log_groups()["logGroups"]:
        seen += [e["message"] for e in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]]
    seen += [json.dumps(shop.client("cloudwatch").describe_alarms(), default=str)]
    seen += [e["CloudTrailEvent"] for e in shop.client("cloudtrail").lookup_events()["Events"]]
    assert len(seen) > 1000
    assert [line for line in seen if any(word in line.lower() for word in words)] == []
