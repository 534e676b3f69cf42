"""Changes whose traces moto does not leave: what AWS answers is in the shape of its service model."""

import json

import pytest

from runbook_bot.domain.approval import Risk
from runbook_bot.providers.aws.actuator import AwsActuator
from runbook_bot.providers.aws.mutations.mutation import Unfit
from tests.providers.mutations.steps import Made, group, made
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn
from tests.providers.test_actuator import approved, proposal


async def test_all_machines_of_a_group_are_replaced(
    shop: Shop, aws: StandIn, drafted: Made, actuator: AwsActuator
) -> None:
    """Moto has no instance refresh: answers in the API's own shape."""
    group(shop)
    empty = (
        "<DescribeInstanceRefreshesResponse><DescribeInstanceRefreshesResult><InstanceRefreshes/>"
        "</DescribeInstanceRefreshesResult></DescribeInstanceRefreshesResponse>"
    )
    aws.says_xml("DescribeInstanceRefreshes", empty)
    aws.says_xml(
        "StartInstanceRefresh",
        "<StartInstanceRefreshResponse><StartInstanceRefreshResult>"
        "<InstanceRefreshId>r-1</InstanceRefreshId></StartInstanceRefreshResult></StartInstanceRefreshResponse>",
    )
    found = await drafted("autoscaling.start_instance_refresh", group="workers")
    assert "at least 2 stay in service" in found.impact
    wanted = proposal(found)
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    assert await actuator.took_effect(wanted) is False


async def test_dead_letters_go_back_and_a_queue_is_emptied(
    shop: Shop, aws: StandIn, drafted: Made, actuator: AwsActuator
) -> None:
    """Moto has no message move tasks: those two answers are in the API's own shape."""
    client = shop.client("sqs")
    dead = client.create_queue(QueueName="jobs-dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(Unfit, match="no queue's dead-letter queue"):
        await drafted("sqs.redrive", queue="jobs-dead", arn=arn)
    client.create_queue(
        QueueName="jobs",
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})},
    )
    with pytest.raises(Unfit, match="is empty"):
        await drafted("sqs.redrive", queue="jobs-dead", arn=arn)
    client.send_message(QueueUrl=dead, MessageBody="x")
    back = await drafted("sqs.redrive", queue="jobs-dead", arn=arn)
    assert "1 messages → jobs" in back.summary
    aws.says("StartMessageMoveTask", {"TaskHandle": "t"})
    aws.says("ListMessageMoveTasks", {"Results": [{"Status": "COMPLETED", "StartedTimestamp": 4102444800000}]})
    await made(actuator, back)
    purge = await drafted("sqs.purge_queue", queue="jobs-dead", url=dead)
    assert purge.risk is Risk.critical
    wanted = proposal(purge, "P-2")
    assert (await actuator.run(wanted, approved(wanted))).post_state["messages"] == 0


async def test_one_task_is_stopped(shop: Shop, drafted: Made, aws: StandIn, actuator: AwsActuator) -> None:
    """Tasks in the shape of the service model: moto starts none for a service."""
    shop.service(shop.revision())
    id = "0123456789abcdef0123456789abcdef"
    task = {
        "taskArn": f"arn:aws:ecs:us-east-1:123456789012:task/prod/{id}",
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api:1",
        "group": "service:checkout-api", "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
    }  # fmt: skip
    aws.says("DescribeTasks", {"tasks": [task]})
    found = await drafted("ecs.stop_task", cluster="prod", task=id)
    assert found.title == "Stop one task of checkout-api"
    aws.says("StopTask", {"task": task})
    wanted = proposal(found)
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    assert await actuator.took_effect(wanted) is False, "the world does not show it yet"
    aws.says("DescribeTasks", {"tasks": [task | {"desiredStatus": "STOPPED"}]})
    assert await actuator.took_effect(wanted) is True
    with pytest.raises(Unfit, match="stopped already"):
        await drafted("ecs.stop_task", cluster="prod", task=id)
    aws.says("DescribeTasks", {"tasks": [task | {"group": "family:batch"}]})
    with pytest.raises(Unfit, match="belongs to no service"):
        await drafted("ecs.stop_task", cluster="prod", task=id)


async def test_a_cluster_gets_another_writer(aws: StandIn, drafted: Made, actuator: AwsActuator) -> None:
    """In the shape of the service model: moto fails over nothing."""

    def cluster(writer: str) -> str:
        members = "".join(
            f"<DBClusterMember><DBInstanceIdentifier>{name}</DBInstanceIdentifier>"
            f"<IsClusterWriter>{str(name == writer).lower()}</IsClusterWriter></DBClusterMember>"
            for name in ("a", "b")
        )
        return (
            "<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>"
            "<DBClusterIdentifier>orders</DBClusterIdentifier><Status>available</Status>"
            "<DBClusterArn>arn:aws:rds:us-east-1:123456789012:cluster:orders</DBClusterArn>"
            f"<DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>"
            "</DescribeDBClustersResult></DescribeDBClustersResponse>"
        )

    aws.says_xml("DescribeDBClusters", cluster("a"))
    found = await drafted("rds.failover_db_cluster", cluster="orders")
    assert found.risk is Risk.critical
    assert found.summary == "writer a → one of b"
    aws.says_xml(
        "FailoverDBCluster", "<FailoverDBClusterResponse><FailoverDBClusterResult/></FailoverDBClusterResponse>"
    )
    wanted = proposal(found)
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    assert await actuator.took_effect(wanted) is None, "it may be under way"
    aws.says_xml("DescribeDBClusters", cluster("b"))
    assert await actuator.took_effect(wanted) is True


async def test_a_replica_of_a_cache_takes_over(aws: StandIn, drafted: Made, actuator: AwsActuator) -> None:
    """In the shape of the service model: moto fails over nothing."""

    def group(primary: str, automatic: str = "enabled") -> str:
        members = "".join(
            f"<NodeGroupMember><CacheClusterId>{name}</CacheClusterId>"
            f"<CurrentRole>{'primary' if name == primary else 'replica'}</CurrentRole></NodeGroupMember>"
            for name in ("c-001", "c-002")
        )
        return (
            "<DescribeReplicationGroupsResponse><DescribeReplicationGroupsResult><ReplicationGroups><ReplicationGroup>"
            f"<ReplicationGroupId>c</ReplicationGroupId><Status>available</Status>"
            f"<AutomaticFailover>{automatic}</AutomaticFailover>"
            "<ARN>arn:aws:elasticache:us-east-1:123456789012:replicationgroup:c</ARN><NodeGroups><NodeGroup>"
            f"<NodeGroupId>0001</NodeGroupId><NodeGroupMembers>{members}</NodeGroupMembers></NodeGroup></NodeGroups>"
            "</ReplicationGroup></ReplicationGroups></DescribeReplicationGroupsResult></DescribeReplicationGroupsResponse>"
        )

    aws.says_xml("DescribeReplicationGroups", group("c-001"))
    found = await drafted("elasticache.failover", group="c")
    assert found.summary == "primary c-001 → one of c-002"
    aws.says_xml("TestFailover", "<TestFailoverResponse><TestFailoverResult/></TestFailoverResponse>")
    wanted = proposal(found)
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    aws.says_xml("DescribeReplicationGroups", group("c-002"))
    assert await actuator.took_effect(wanted) is True
    aws.says_xml("DescribeReplicationGroups", group("c-001", "disabled"))
    with pytest.raises(Unfit, match="automatic failover"):
        await drafted("elasticache.failover", group="c")
