"""Each scenario from its alarm to its end: the wrong repair does nothing, the right one heals.

Recoveries take minutes of metrics, so the worlds are lived through side by side, and a test waits for its own.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.playground_cloud.conftest import RunningCloud

Tale = Callable[[RunningCloud], None]


def update(cloud: RunningCloud, cluster: str, service: str, **how: Any) -> None:
    cloud.client("ecs").update_service(cluster=cluster, service=service, **how)


def heals(cloud: RunningCloud) -> bool:
    return cloud.comes(lambda: cloud.state().healthy)


def good_points(cloud: RunningCloud, of: str, name: str, stat: str, below: float) -> bool:
    points = cloud.metric(of, name, back=timedelta(seconds=60), stat=stat, period=10)
    return len(points) >= 4 and all(value < below for _, value in points[-4:-1])


def ringing(cloud: RunningCloud) -> set[str]:
    return {name for name, state in cloud.state().alarms.items() if state == "ALARM"}


def a_bad_deployment_is_mended_by_going_back_and_returns_with_the_revision(cloud: RunningCloud) -> None:
    assert "checkout-api-5xx" in ringing(cloud)  # in busy hours its callers' alarms ring too
    update(cloud, "shop", "catalog-api", taskDefinition="catalog-api:1")
    update(cloud, "shop", "checkout-api", forceNewDeployment=True)
    update(cloud, "shop", "checkout-api", desiredCount=9)
    assert not cloud.state().mended
    expected = cloud.scenario.expected.repair
    assert expected
    update(cloud, "shop", "checkout-api", taskDefinition=expected.parameters["taskDefinition"])
    ecs = cloud.client("ecs")
    [service] = ecs.describe_services(cluster="shop", services=["checkout-api"])["services"]
    assert [each["rolloutState"] for each in service["deployments"]] == ["IN_PROGRESS", "COMPLETED"]
    assert heals(cloud)
    assert cloud.comes(lambda: good_points(cloud, "checkout-api", "HTTPCode_Target_5XX_Count", "Sum", 25))
    [service] = ecs.describe_services(cluster="shop", services=["checkout-api"])["services"]
    assert (service["runningCount"], service["desiredCount"]) == (9, 9)
    newest = cloud.client("cloudtrail").lookup_events(MaxResults=1)["Events"][0]
    assert newest["EventName"] == "UpdateService"
    assert json.loads(newest["CloudTrailEvent"])["requestParameters"]["taskDefinition"] == "checkout-api:3"
    update(cloud, "shop", "checkout-api", taskDefinition="checkout-api:4")
    assert cloud.comes(lambda: not cloud.state().healthy)


def exhausted_connections_come_free_with_a_restart_of_the_client(cloud: RunningCloud) -> None:
    assert ringing(cloud) >= {"booking-api-errors"}
    levels = cloud.metric("reservations-db", "DatabaseConnections", back=timedelta(minutes=5), stat="Maximum")
    assert levels[-1][1] == 300
    recent = cloud.client("logs").filter_log_events(
        logGroupName="/aws/rds/instance/reservations-db/postgresql",
        filterPattern='"remaining connection slots"',
        limit=9,
    )["events"]
    assert recent
    update(cloud, "booking", "payment-adapter", taskDefinition="payment-adapter:1")
    update(cloud, "booking", "guest-web", forceNewDeployment=True)
    assert not cloud.state().mended
    update(cloud, "booking", "booking-api", forceNewDeployment=True)
    assert heals(cloud)
    assert cloud.comes(lambda: good_points(cloud, "reservations-db", "DatabaseConnections", "Average", 130))


def a_reboot_of_the_database_frees_them_too(cloud: RunningCloud) -> None:
    rds = cloud.client("rds")
    rds.reboot_db_instance(DBInstanceIdentifier="reservations-db")
    assert heals(cloud)

    def restarted() -> bool:
        events = rds.describe_events(SourceIdentifier="reservations-db", SourceType="db-instance")["Events"]
        return "DB instance restarted" in {event["Message"] for event in events}

    assert cloud.comes(restarted)


def a_function_at_its_limit_needs_more_concurrency(cloud: RunningCloud) -> None:
    assert ringing(cloud) >= {"media-thumbnailer-throttles", "media-jobs-oldest-message"}
    functions = cloud.client("lambda")
    assert functions.get_function(FunctionName="media-thumbnailer")["Concurrency"] == {
        "ReservedConcurrentExecutions": 50
    }
    limits = functions.get_account_settings()["AccountLimit"]
    assert limits["UnreservedConcurrentExecutions"] == 950
    changed = {f["FunctionName"]: f["LastModified"] for f in functions.list_functions()["Functions"]}
    assert changed["media-thumbnailer"] < changed["push-notifier"]
    flat = cloud.metric("media-thumbnailer", "ConcurrentExecutions", back=timedelta(minutes=10), stat="Maximum")
    assert {value for _, value in flat} == {50.0}
    functions.put_function_concurrency(FunctionName="media-thumbnailer", ReservedConcurrentExecutions=55)
    assert not cloud.state().mended
    functions.put_function_concurrency(FunctionName="media-thumbnailer", ReservedConcurrentExecutions=100)
    assert heals(cloud)
    assert cloud.comes(lambda: good_points(cloud, "media-thumbnailer", "Throttles", "Sum", 1))
    free = cloud.metric(
        "media-thumbnailer", "ConcurrentExecutions", back=timedelta(seconds=30), stat="Maximum", period=10
    )
    assert 50 < free[-1][1] < 100, "the surge itself goes on, at the quietest hour too"
    functions.put_function_concurrency(FunctionName="media-thumbnailer", ReservedConcurrentExecutions=50)
    assert cloud.comes(lambda: not cloud.state().healthy)
    functions.delete_function_concurrency(FunctionName="media-thumbnailer")
    assert heals(cloud)


def a_leak_fills_the_memory_kills_tasks_and_goes_with_a_restart(cloud: RunningCloud) -> None:
    assert ringing(cloud) >= {"documents-api-5xx"}
    memory = cloud.metric("documents-api", "MemoryUtilization", back=timedelta(minutes=120), stat="Maximum")
    assert memory[0][1] < 60
    assert memory[len(memory) // 2][1] > 68
    assert memory[-1][1] > 96
    ecs = cloud.client("ecs")
    stopped = ecs.list_tasks(cluster="workspace", serviceName="documents-api", desiredStatus="STOPPED")["taskArns"]
    killed = ecs.describe_tasks(cluster="workspace", tasks=stopped)["tasks"]
    assert len(killed) >= 5
    assert {task["containers"][0]["exitCode"] for task in killed} == {137}
    assert {task["containers"][0]["reason"].partition(":")[0] for task in killed} == {"OutOfMemoryError"}
    [service] = ecs.describe_services(cluster="workspace", services=["documents-api"])["services"]
    assert any("is unhealthy in (target-group" in event["message"] for event in service["events"])
    balancing = cloud.client("elbv2")
    [group] = balancing.describe_target_groups(Names=["documents-api"])["TargetGroups"]
    health = balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    [ill] = [each["TargetHealth"] for each in health if each["TargetHealth"]["State"] == "unhealthy"]
    assert ill["Reason"] == "Target.FailedHealthChecks"
    update(cloud, "workspace", "search-api", taskDefinition="search-api:1")
    assert not cloud.state().mended
    update(cloud, "workspace", "documents-api", forceNewDeployment=True)
    assert heals(cloud)
    assert cloud.comes(lambda: good_points(cloud, "documents-api", "MemoryUtilization", "Maximum", 60))


def the_trouble_two_hops_down_began_there_first(cloud: RunningCloud) -> None:
    assert ringing(cloud) >= {"storefront-latency-p95", "storefront-5xx"}

    def onset(of: str, above: float) -> float:
        points = cloud.metric(of, "TargetResponseTime", back=timedelta(minutes=40), stat="Average")
        return next(at for at, value in points if value > above)

    assert onset("inventory-api", 0.2) <= onset("checkout", 0.5) < onset("storefront", 0.4)
    ecs = cloud.client("ecs")
    before, after = (
        ecs.describe_task_definition(taskDefinition=f"inventory-api:{n}")["taskDefinition"]["containerDefinitions"][0]
        for n in (2, 3)
    )
    assert before["image"] == after["image"]
    assert [e["value"] for d in (before, after) for e in d["environment"] if e["name"] == "DB_POOL_SIZE"] == ["40", "4"]
    update(cloud, "grocery", "storefront", taskDefinition="storefront:1")
    update(cloud, "grocery", "inventory-api", forceNewDeployment=True)
    assert not cloud.state().mended
    update(cloud, "grocery", "inventory-api", taskDefinition="inventory-api:2")
    assert heals(cloud)
    assert cloud.comes(lambda: good_points(cloud, "storefront", "TargetResponseTime", "Average", 0.25))


def a_false_alarm_rings_over_a_healthy_service(cloud: RunningCloud) -> None:
    assert ringing(cloud) == {"recommender-cpu-high"}
    assert cloud.state().healthy
    cpu = cloud.metric("recommender", "CPUUtilization", back=timedelta(minutes=15), stat="Average")
    a_day_ago = cloud.metric("recommender", "CPUUtilization", back=timedelta(hours=24, minutes=20), stat="Average")[:15]
    assert cpu[-2][1] == pytest.approx(sum(v for _, v in a_day_ago) / 15, rel=0.12)
    [activity] = cloud.client("application-autoscaling").describe_scaling_activities(ServiceNamespace="ecs")[
        "ScalingActivities"
    ]
    assert activity["ResourceId"] == "service/stream/player-web"
    assert activity["Description"] == "Setting desired count to 6."
    errors = cloud.metric("recommender", "HTTPCode_Target_5XX_Count", back=timedelta(hours=1), stat="Sum")
    assert max(value for _, value in errors) < 60


TALES: dict[Tale, str] = {
    a_bad_deployment_is_mended_by_going_back_and_returns_with_the_revision: "bad-deployment",
    exhausted_connections_come_free_with_a_restart_of_the_client: "connection-exhaustion",
    a_reboot_of_the_database_frees_them_too: "connection-exhaustion",
    a_function_at_its_limit_needs_more_concurrency: "lambda-throttling",
    a_leak_fills_the_memory_kills_tasks_and_goes_with_a_restart: "memory-leak",
    the_trouble_two_hops_down_began_there_first: "downstream-two-hops",
    a_false_alarm_rings_over_a_healthy_service: "false-alarm",
}
"""Each with its scenario."""


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[dict[Tale, "Future[None]"]]:
    """Those that were selected, begun together."""
    building = threading.Semaphore(1)  # the rest of the time they mostly wait

    def live(tale: Tale) -> None:
        with building:
            cloud = RunningCloud(TALES[tale])
        try:
            tale(cloud)
        finally:
            cloud.stop()

    selected = [item for item in request.session.items if isinstance(item, pytest.Function)]
    wanted = {item.callspec.params["tale"] for item in selected if item.path == request.path}
    with ThreadPoolExecutor(len(TALES)) as pool:
        yield {tale: pool.submit(live, tale) for tale in TALES if tale in wanted}


@pytest.mark.parametrize("tale", TALES, ids=lambda tale: tale.__name__)
def test_to_its_end(tale: Tale, told: dict[Tale, "Future[None]"]) -> None:
    told[tale].result()
