"""Room in ECS, against moto; machines without an agent, full subnets and failed updates by the stand-in."""

import json
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.ecs_capacity import CapacityProviders, Clusters, ContainerInstances
from runbook_bot.providers.aws.operations.ecs_placement import Needs, Placement, needs_of
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.operations.estate import Estate, anew
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

_ARN = "arn:aws:ecs:us-east-1:123456789012"


@pytest.fixture
def estate(shop: Shop) -> Estate:
    return Estate(shop)


def _machine(name: str, memory: int, **more: Any) -> dict[str, Any]:
    """A machine of 2 vCPU and 4 GiB with so much memory left."""
    return {
        "containerInstanceArn": f"{_ARN}:container-instance/prod/{name}",
        "ec2InstanceId": f"i-{name}",
        "status": "ACTIVE",
        "agentConnected": True,
        "remainingResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": 512},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22", "80"]},
        ],
        "registeredResources": [{"name": "MEMORY", "type": "INTEGER", "integerValue": 4096}],
        **more,
    }


async def test_clusters_with_waiting_tasks_first(shop: Shop, aws: StandIn, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    shop.client("ecs").create_cluster(clusterName="größe")
    result = await provider.ask(Clusters())
    assert {row.name: row.facts["status"] for row in result.rows} == {"prod": "ACTIVE", "größe": "ACTIVE"}
    busy = {"clusterName": "busy", "status": "ACTIVE", "pendingTasksCount": 9}
    aws.says("DescribeClusters", {"clusters": [{"clusterName": "idle", "status": "ACTIVE"}, busy]})
    told = await anew().ask(Clusters())
    assert [row.name for row in told.rows] == ["busy", "idle"]
    aws.says("DescribeClusters", {"clusters": [], "failures": [{"arn": "x", "reason": "MISSING"}]})
    gone = await provider.ask(Clusters(names=("gone",)))
    assert (gone.status, gone.message) == (Status.no_data, "there is no such ECS cluster")


async def test_machines_without_an_agent_or_room_come_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's agents are always connected."""
    listed = [f"{_ARN}:container-instance/prod/{name}" for name in ("roomy", "full", "lost", "leaving")]
    aws.says("ListContainerInstances", {"containerInstanceArns": listed})
    lost = _machine("lost", 4000, agentConnected=False)
    leaving = _machine("leaving", 3000, status="DRAINING")
    aws.says(
        "DescribeContainerInstances",
        {"containerInstances": [_machine("roomy", 3500), _machine("full", 12), lost, leaving]},
    )
    result = await provider.ask(ContainerInstances(cluster="prod"))
    assert [row.name for row in result.rows] == ["leaving", "lost", "full", "roomy"]
    full = result.rows[2].facts
    assert (full["memory_free_mib"], full["memory_mib"], full["cpu_free_units"]) == (12, 4096, 512)


async def test_container_instances_of_moto(estate: Estate, provider: AwsProvider) -> None:
    (machine,) = estate.machines(1)
    ecs = estate.client("ecs")
    ecs.create_cluster(clusterName="prod")
    document = json.dumps({"instanceId": machine, "region": "us-east-1", "accountId": "123456789012"})
    ecs.register_container_instance(cluster="prod", instanceIdentityDocument=document)
    result = await provider.ask(ContainerInstances(cluster="prod"))
    assert [row.facts["instance"] for row in result.rows] == [machine]
    assert result.rows[0].facts["agent_connected"] is True
    ecs.create_cluster(clusterName="fargate")
    none = await provider.ask(ContainerInstances(cluster="fargate"))
    assert (none.status, "Fargate" in none.message) == (Status.no_data, True)


async def test_a_provider_whose_group_cannot_grow(aws: StandIn, estate: Estate, provider: AwsProvider) -> None:
    estate.scaling_group("machines", most=2)
    groups = estate.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    ecs = estate.client("ecs")
    ecs.create_capacity_provider(
        name="ours",
        autoScalingGroupProvider={
            "autoScalingGroupArn": groups[0]["AutoScalingGroupARN"],
            "managedScaling": {"status": "ENABLED", "targetCapacity": 90},
        },
    )
    ecs.create_cluster(clusterName="prod", capacityProviders=["ours"])
    result = await provider.ask(CapacityProviders(cluster="prod"))
    (ours,) = result.rows
    assert ours.facts["trouble"] == ["its group is at its maximum, cannot grow"]
    assert (ours.facts["group"], ours.facts["target_percent"]) == ("machines", 90)
    aws.refuses_xml("DescribeAutoScalingGroups", "AccessDenied", "no", 403)
    partial = await anew().ask(CapacityProviders(cluster="prod"))
    assert partial.status is Status.truncated
    assert "autoscaling:DescribeAutoScalingGroups" in partial.message
    assert (await provider.ask(CapacityProviders(cluster="gone"))).status is Status.no_data


async def test_why_tasks_are_not_placed(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Moto places every task."""
    shop.service(shop.revision(memory="2048"))
    told = shop.client("ecs").describe_services(cluster="prod", services=["checkout-api"])["services"][0]
    unable = "(service checkout-api) was unable to place a task because no container instance met all requirements."
    aws.says(
        "DescribeServices",
        {
            "services": [
                {
                    "serviceName": "checkout-api",
                    "status": "ACTIVE",
                    "taskDefinition": told["taskDefinition"],
                    "desiredCount": 4,
                    "runningCount": 1,
                    "networkConfiguration": told["networkConfiguration"],
                    "events": [{"id": "1", "createdAt": 1.0, "message": unable}],
                }
            ]
        },
    )
    aws.says("ListContainerInstances", {"containerInstanceArns": [f"{_ARN}:container-instance/prod/a"]})
    aws.says("DescribeContainerInstances", {"containerInstances": [_machine("roomy", 3000), _machine("full", 1024)]})
    aws.says("ListTasks", {"taskArns": [f"{_ARN}:task/prod/1"]})
    never = {"stopCode": "TaskFailedToStart", "stoppedReason": "Capacity is unavailable at this time."}
    aws.says("DescribeTasks", {"tasks": [never, never]})
    full = {"SubnetId": "subnet-1", "AvailableIpAddressCount": 0, "AvailabilityZone": "us-east-1a"}
    aws.tells("ec2", "DescribeSubnets", {"Subnets": [full, {"SubnetId": "subnet-2", "AvailableIpAddressCount": 200}]})
    result = await provider.ask(Placement(cluster="prod", name="checkout-api"))
    assert result.status is Status.ok
    rows = {row.name: row.facts for row in result.rows}
    assert rows["service checkout-api"]["missing_tasks"] == 3
    assert rows["service checkout-api"]["task_needs_memory_mib"] == 2048
    assert rows["ECS says"]["message"] == unable
    assert rows["never started"] == {"reason": "Capacity is unavailable at this time.", "tasks": 2}
    assert rows["subnet subnet-1"]["free_addresses"] == 0
    assert "subnet subnet-2" not in rows
    assert rows["machine full"]["why_not"] == ["1024 MiB too few"]
    aws.refuses("ListContainerInstances", "AccessDeniedException", "no")
    partial = await anew().ask(Placement(cluster="prod", name="checkout-api"))
    assert partial.status is Status.truncated
    assert "ecs:ListContainerInstances" in partial.message
    assert (await anew().ask(Placement(cluster="prod", name="checkout-api"))).rows


async def test_placement_of_a_service_that_is_not_there(shop: Shop, provider: AwsProvider) -> None:
    shop.client("ecs").create_cluster(clusterName="prod")
    assert (await provider.ask(Placement(cluster="prod", name="gone"))).status is Status.no_data


@pytest.mark.parametrize(
    ("definition", "needs"),
    [
        ({"cpu": "256", "memory": "512", "networkMode": "awsvpc"}, Needs(256, 512)),
        (
            {
                "networkMode": "bridge",
                "containerDefinitions": [
                    {"cpu": 100, "memory": 300, "memoryReservation": 200, "portMappings": [{"hostPort": 80}]},
                    {"cpu": 28, "memory": 64, "portMappings": [{"hostPort": 0}]},
                ],
            },
            Needs(128, 264, ("80",)),
        ),
        ({}, Needs(0, 0)),
    ],
)
def test_what_a_task_needs(definition: dict[str, Any], needs: Needs) -> None:
    assert needs_of(definition) == needs


def test_what_a_machine_lacks() -> None:
    assert Needs(256, 512).lacking(_machine("a", 600)) == []
    assert Needs(1024, 512, ("80",)).lacking(_machine("a", 600, agentConnected=False, status="DRAINING")) == [
        "agent not connected",
        "is DRAINING",
        "512 CPU units too few",
        "port 80 is taken",
    ]
