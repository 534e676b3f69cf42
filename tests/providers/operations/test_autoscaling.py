"""Auto Scaling, against moto; activities and refreshes, which it has none of, are told by the stand-in."""

from datetime import timedelta

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.autoscaling import (
    Activities,
    GroupInstances,
    Groups,
    InstanceRefreshes,
    Policies,
    ScheduledActions,
)
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.estate import Estate, anew
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


@pytest.fixture
def estate(shop: Shop) -> Estate:
    return Estate(shop)


async def test_a_group_at_its_limit_or_suspended_comes_before_one_that_is_well(
    estate: Estate, provider: AwsProvider
) -> None:
    estate.scaling_group("a-well")
    estate.scaling_group("full/größe", most=2)
    estate.scaling_group("halted")
    scaling = estate.client("autoscaling")
    scaling.suspend_processes(AutoScalingGroupName="halted", ScalingProcesses=["Launch"])
    result = await provider.ask(Groups())
    assert [row.name for row in result.rows] == ["full/größe", "halted", "a-well"]
    assert result.rows[0].facts["trouble"] == ["at its maximum, cannot grow"]
    suspended = result.rows[1].facts["suspended"]
    assert isinstance(suspended, dict)
    assert list(suspended) == ["Launch"]
    well = result.rows[2].facts
    assert (well["minimum"], well["desired"], well["maximum"], well["in_service"]) == (1, 2, 4, 2)
    assert well["template"] == "a-well-template:1"
    assert "trouble" not in well


async def test_an_unhealthy_instance_is_named(estate: Estate, provider: AwsProvider) -> None:
    estate.scaling_group()
    scaling = estate.client("autoscaling")
    ill = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"][1]["InstanceId"]
    scaling.set_instance_health(InstanceId=ill, HealthStatus="Unhealthy")
    group = (await provider.ask(Groups(names=("web",)))).rows[0]
    assert group.facts["unhealthy"] == [ill]
    assert group.facts["trouble"] == ["1 of 2 in service", "1 unhealthy"]
    members = await provider.ask(GroupInstances(names=("web",)))
    assert (members.rows[0].name, members.rows[0].facts["health"]) == (ill, "Unhealthy")
    assert len(members.rows) == 2


async def test_no_such_group(aws: StandIn, provider: AwsProvider) -> None:
    result = await provider.ask(Groups(names=("gone",)))
    assert (result.status, result.message) == (Status.no_data, "there is no such Auto Scaling group")
    assert (await provider.ask(GroupInstances(names=("gone",)))).status is Status.no_data
    assert (await provider.ask(Activities(name="gone"))).status is Status.no_data


async def test_what_failed_comes_first_with_how_often(aws: StandIn, provider: AwsProvider) -> None:
    """Moto knows of no activity."""
    capacity = "We currently do not have sufficient t3.micro capacity in the Availability Zone you requested."

    def activity(minutes: int, status: str, message: str | None = None) -> dict[str, object]:
        return {
            "ActivityId": f"a{minutes}",
            "AutoScalingGroupName": "web",
            "Description": "Launching a new EC2 instance",
            "Cause": "an alarm wanted more",
            "StartTime": NOW - timedelta(minutes=minutes),
            "EndTime": NOW - timedelta(minutes=minutes, seconds=-30),
            "StatusCode": status,
            **({"StatusMessage": message} if message else {}),
        }

    told = [activity(1, "Successful"), activity(5, "Failed", capacity), activity(8, "Failed", capacity)]
    aws.tells("autoscaling", "DescribeScalingActivities", {"Activities": [*told, activity(90, "Failed", "old")]})
    window = TimeWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=1))
    result = await provider.ask(Activities(name="web", window=window))
    assert [row.facts["status"] for row in result.rows] == ["Failed", "Failed", "Successful"]
    assert result.rows[0].at == NOW - timedelta(minutes=5)
    assert (result.rows[0].facts["message"], result.rows[0].facts["same_message"]) == (capacity, 2)
    assert result.rows[0].facts["seconds"] == 30
    assert "web" in result.where
    everything = await provider.ask(Activities())
    assert len(everything.rows) == 4


async def test_activities_may_be_denied(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses_xml("DescribeScalingActivities", "AccessDenied", "no", 403)
    result = await provider.ask(Activities(name="web"))
    assert result.status is Status.denied
    assert "autoscaling:DescribeScalingActivities" in result.message


async def test_what_makes_a_group_move(estate: Estate, provider: AwsProvider) -> None:
    estate.scaling_group()
    scaling = estate.client("autoscaling")
    scaling.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 55.0,
        },
    )
    scaling.put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledActionName="nacht", Recurrence="0 22 * * *", DesiredCapacity=1
    )
    policies = await provider.ask(Policies(name="web"))
    (policy,) = policies.rows
    assert (policy.facts["metric"], policy.facts["target"]) == ("ASGAverageCPUUtilization", 55)
    actions = await provider.ask(ScheduledActions(name="web"))
    (action,) = actions.rows
    assert (action.name, action.facts["recurrence"], action.facts["desired"]) == ("nacht", "0 22 * * *", 1)
    assert (await provider.ask(ScheduledActions(name="other"))).message == "no size is changed by the clock"
    assert (await provider.ask(Policies(name="other"))).status is Status.no_data


async def test_a_refresh_that_was_rolled_back(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not have instance refreshes."""
    rolled = {
        "InstanceRefreshId": "r-1",
        "Status": "RollbackSuccessful",
        "StatusReason": "an alarm fired",
        "PercentageComplete": 40,
        "StartTime": NOW - timedelta(hours=2),
        "RollbackDetails": {"RollbackReason": "alarm checkout-5xx"},
    }
    under_way = {"InstanceRefreshId": "r-2", "Status": "InProgress", "StartTime": NOW - timedelta(minutes=2)}
    aws.tells("autoscaling", "DescribeInstanceRefreshes", {"InstanceRefreshes": [under_way, rolled]})
    result = await provider.ask(InstanceRefreshes(name="web"))
    assert [row.name for row in result.rows] == ["r-1", "r-2"]
    assert result.rows[0].facts["rolled_back_for"] == "alarm checkout-5xx"
    aws.tells("autoscaling", "DescribeInstanceRefreshes", {"InstanceRefreshes": []})
    assert (await anew().ask(InstanceRefreshes(name="web"))).status is Status.no_data
