"""What else may happen in a world: it ends by itself, falls silent, the vendor tells of it, any call changes it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from runbook_bot.playground.cloud import Scenario
from runbook_bot.playground.cloud.course import Course
from runbook_bot.playground.cloud.plot import Fault
from runbook_bot.playground.cloud.vitals import vitals_of
from runbook_bot.playground.cloud.weather import Gauge
from tests.playground_cloud.conftest import RunningCloud

RULE = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
WORLD = {
    "title": "Everything at once",
    "seed": 5,
    "whole_day": False,
    "services": [
        {
            "name": "desk",
            "owner": "core",
            "depends_on": ["desk-db", "desk-cache"],
            "resources": [{"type": "ecs_service", "name": "desk", "image": "registry.example/desk:1", "desired": 4}],
        },
        {
            "name": "desk-db",
            "owner": "core",
            "resources": [{"type": "rds_instance", "name": "desk-db", "guarded": True}],
        },
        {
            "name": "desk-cache",
            "owner": "core",
            "resources": [{"type": "elasticache_cluster", "name": "desk-cache"}],
        },
    ],
    "changes": [
        {
            "kind": "call",
            "at": "-30m",
            "actor": "terry",
            "service": "ec2",
            "operation": "RevokeSecurityGroupIngress",
            "parameters": {"GroupId": "{guard:desk-db}", "IpPermissions": [RULE]},
            "of": "rds_instance:desk-db",
        },
        {
            "kind": "call",
            "at": "-2d",
            "actor": "terry",
            "service": "events",
            "operation": "PutRule",
            "parameters": {"Name": "nightly", "ScheduleExpression": "{cron:-20m}"},
        },
    ],
    "alarms": [
        {"name": "desk-cpu", "of": "ecs_service:desk", "metric": "CPUUtilization", "threshold": 99},
    ],
    "silences": [{"of": "ecs_service:desk", "metric": "MemoryUtilization"}],
    "fault": {
        "onset": "-20m",
        "lasts": "10m",
        "effects": [{"of": "elasticache_cluster:desk-cache", "metric": "Evictions", "add": 500}],
        "stops": [{"of": "ecs_service:desk", "every": "4m", "reason": "no room", "replaced": False}],
        "says": [{"of": "ecs_service:desk", "text": "was unable to place a task.", "every": "2m"}],
        "reports": [
            {"of": "rds_instance:desk-db", "message": "Multi-AZ instance failover started.", "category": "failover"}
        ],
    },
    "expected": {
        "failure_mode": "capacity_shortage",
        "service": "desk",
        "resource": None,
        "repair": None,
        "alarm": "desk-cpu",
        "question": "is the desk all right?",
    },
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    file: Path = tmp_path_factory.mktemp("worlds") / "everything.yaml"
    file.write_text(yaml.safe_dump(WORLD), encoding="utf-8")
    running = RunningCloud(str(file))
    yield running
    running.stop()


def test_any_call_is_made_at_its_time_by_its_actor_with_the_ids_it_means(world: RunningCloud) -> None:
    named = [{"AttributeKey": "EventName", "AttributeValue": "RevokeSecurityGroupIngress"}]
    [event] = world.client("cloudtrail").lookup_events(LookupAttributes=named)["Events"]
    assert event["Username"] == "terry"
    assert world.began - timedelta(minutes=31) < event["EventTime"] < world.ready - timedelta(minutes=29)
    [database] = world.client("rds").describe_db_instances()["DBInstances"]
    [guard] = [each["VpcSecurityGroupId"] for each in database["VpcSecurityGroups"]]
    assert json.loads(event["CloudTrailEvent"])["requestParameters"]["groupId"] == guard
    [group] = world.client("ec2").describe_security_groups(GroupIds=[guard])["SecurityGroups"]
    assert (group["GroupName"], group["IpPermissions"]) == ("desk-db-guard", [])


def test_a_schedule_is_that_of_every_day_at_a_time_counted_from_now(world: RunningCloud) -> None:
    [rule] = world.client("events").list_rules()["Rules"]
    began, took = world.began - timedelta(minutes=20), world.ready - world.began
    minutes = [began + timedelta(minutes=n) for n in range(int(took.total_seconds() / 60) + 2)]
    assert rule["ScheduleExpression"] in {f"cron({at.minute} {at.hour} * * ? *)" for at in minutes}


def test_the_vendor_tells_of_what_nobody_asked_for(world: RunningCloud) -> None:
    told = world.client("rds").describe_events(SourceType="db-instance", SourceIdentifier="desk-db", Duration=60)
    assert "Multi-AZ instance failover started." in [each["Message"] for each in told["Events"]]
    [desk] = world.client("ecs").describe_services(cluster="shop", services=["desk"])["services"]
    assert any("was unable to place a task." in each["message"] for each in desk["events"])


def test_tasks_that_are_not_replaced_are_missing(world: RunningCloud) -> None:
    [desk] = world.client("ecs").describe_services(cluster="shop", services=["desk"])["services"]
    assert desk["runningCount"] < desk["desiredCount"]


def test_a_cache_has_its_age_its_events_and_its_metrics(world: RunningCloud) -> None:
    cache = world.client("elasticache")
    [node] = cache.describe_cache_clusters()["CacheClusters"]
    assert node["CacheClusterCreateTime"] < datetime.now(UTC) - timedelta(days=100)
    assert cache.describe_events(Duration=60)["Events"] == []
    evicted = world.metric("desk-cache", "Evictions", back=timedelta(minutes=40), stat="Sum")
    assert max(value for _, value in evicted) > 300
    assert evicted[-2][1] < 100  # it ended by itself
    assert world.state().healthy


def test_a_metric_that_never_was_is_not_listed(world: RunningCloud) -> None:
    listed = world.client("cloudwatch").list_metrics(Namespace="AWS/ECS")["Metrics"]
    assert {each["MetricName"] for each in listed} == {"CPUUtilization"}


def test_a_silence_leaves_a_hole() -> None:
    silent = {"of": "ecs_service:desk", "metric": "CPUUtilization", "at": "-10m", "lasts": "4m"}
    scenario = Scenario.model_validate({"name": "hole", **WORLD, "silences": [silent]})
    now = 1_000_000.0
    [vital] = [v for v in vitals_of(scenario.services[0].resources[0], "", "") if v.name == "CPUUtilization"]
    gauge = Gauge(vital, scenario, Course.of(None, now), now)
    assert [at - now for at in gauge.heard([now - 660, now - 600, now - 400, now - 360, now])] == [-660, -360, 0]


def test_a_fault_that_ends_by_itself_is_over() -> None:
    fault = Fault.model_validate({**WORLD["fault"], "recovery": "60s"})  # type: ignore[dict-item]  # a file's words
    course = Course.of(fault, 10_000.0)
    severity = [float(course.severity([10_000.0 + at], timedelta(0), timedelta(0))[0]) for at in (-1100, -570, -500)]
    assert severity == pytest.approx([1.0, 0.5, 0.0])
