"""Changes prepared from moto's world, made once, seen in it, and taken back."""

from typing import Any

import pytest
from pydantic import ValidationError

from runbook_bot.domain.approval import Call, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair, ResourceType
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.actuator import AwsActuator
from runbook_bot.providers.aws.mutations.mutation import Unfit
from runbook_bot.providers.aws.mutations.register import mutation_of, mutations
from tests.providers.mutations.steps import Made, group, machine, made, undone
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn
from tests.providers.test_actuator import approved, proposal


async def test_a_machine_is_stopped_started_and_rebooted(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    id = machine(shop)
    found = await drafted("ec2.stop_instance", instance=id)
    assert found.risk is Risk.critical
    assert found.shown == f"aws ec2 stop-instances --instance-ids {id} --region us-east-1"
    assert (await made(actuator, found))["state"] in ("stopping", "stopped")
    with pytest.raises(Unfit, match="only a running instance"):
        await drafted("ec2.reboot_instance", instance=id)
    assert (await undone(actuator, found))["state"] in ("pending", "running")
    reboot = await drafted("ec2.reboot_instance", instance=id)
    wanted = proposal(reboot, "P-3")
    assert (await actuator.run(wanted, approved(wanted))).took_effect
    assert await actuator.took_effect(wanted) is None, "a reboot leaves no trace in what is read"


async def test_a_dry_run_that_fails_changes_nothing(
    shop: Shop, aws: StandIn, drafted: Made, actuator: AwsActuator
) -> None:
    id = machine(shop)
    wanted = proposal(await drafted("ec2.stop_instance", instance=id))
    aws.refuses_xml("StopInstances", "UnauthorizedOperation", "You are not authorized", 403)
    done = await actuator.run(wanted, approved(wanted))
    assert done.took_effect is False
    assert "the dry run failed" in done.message
    assert sum(call.operation == "StopInstances" for call in aws.calls) == 1, "and the change itself was not sent"


async def test_a_group_runs_more_machines_and_fewer_again(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    group(shop)
    found = await drafted("autoscaling.set_desired_capacity", group="workers", desired=3)
    assert "bounds 1 to 4" in found.summary
    assert (await made(actuator, found))["desired"] == 3
    assert (await undone(actuator, found))["desired"] == 2
    with pytest.raises(Unfit, match="outside of that"):
        await drafted("autoscaling.set_desired_capacity", group="workers", desired=9)


async def test_a_group_stops_doing_something_by_itself(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    group(shop)
    found = await drafted("autoscaling.suspend_process", group="workers", process="ReplaceUnhealthy")
    assert (await made(actuator, found))["suspended"] == ["ReplaceUnhealthy"]
    assert (await undone(actuator, found))["suspended"] == []


async def test_one_machine_of_a_group_is_replaced(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    first, second = group(shop)
    found = await drafted("autoscaling.terminate_instance", group="workers", instance=first)
    assert "1 of 2 machines go on" in found.impact
    assert first not in str((await made(actuator, found))["instances"])
    assert found.rollback is None
    with pytest.raises(Unfit, match="is not in workers"):
        await drafted("autoscaling.terminate_instance", group="workers", instance=first)
    assert second


async def test_a_table_gets_more_capacity(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    shop.client("dynamodb").create_table(
        TableName="carts", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )  # fmt: skip
    table = Resource(type=ResourceType.dynamodb_table, name="carts")
    found = await actuator.prepare(Repair.raise_capacity, table)
    assert found is not None
    assert found.call.parameters == {"table": "carts", "read_units": 10, "write_units": 10}
    assert (await made(actuator, found))["read_units"] == 10
    assert (await undone(actuator, found))["write_units"] == 5
    lower = await drafted("dynamodb.update_capacity", table="carts", read_units=1, write_units=5)
    assert lower.risk is Risk.high
    shop.client("dynamodb").update_table(TableName="carts", BillingMode="PAY_PER_REQUEST")
    assert await actuator.prepare(Repair.raise_capacity, table) is None


def function(shop: Shop) -> str:
    role = shop.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    shop.client("lambda").create_function(
        FunctionName="receipts", Runtime="python3.12", Role=role, Handler="a.b", Publish=True, MemorySize=256,
        Timeout=10, Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    )  # fmt: skip
    return "receipts"


@pytest.mark.parametrize(
    ("operation", "field", "wanted", "before"),
    [("lambda.set_memory", "memory_mb", 512, 256), ("lambda.set_timeout", "timeout_s", 30, 10)],
)
async def test_a_function_gets_more(
    shop: Shop, drafted: Made, actuator: AwsActuator, operation: str, field: str, wanted: int, before: int
) -> None:
    name = function(shop)
    found = await drafted(operation, function=name, **{field: wanted})
    assert (await made(actuator, found))[field] == wanted
    assert (await undone(actuator, found))[field] == before
    with pytest.raises(Unfit, match="already"):
        await drafted(operation, function=name, **{field: before})


async def test_an_alias_points_to_an_earlier_version(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    name = function(shop)
    client = shop.client("lambda")
    client.update_function_configuration(FunctionName=name, Timeout=11)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="2")
    found = await drafted("lambda.update_alias", function=name, alias="live", version="1")
    assert (await made(actuator, found))["version"] == "1"
    assert (await undone(actuator, found))["version"] == "2"
    with pytest.raises(Unfit, match="no version 9"):
        await drafted("lambda.update_alias", function=name, alias="live", version="9")


async def test_an_event_source_is_switched_off_and_on(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    name = function(shop)
    url = shop.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    arn = shop.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    id = shop.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)["UUID"]
    found = await drafted("lambda.switch_event_source", mapping=id, enabled=False)
    assert "jobs" in found.title
    assert (await made(actuator, found))["enabled"] is False
    assert (await undone(actuator, found))["enabled"] is True


async def test_a_rule_is_switched_off_and_on(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    shop.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    found = await drafted("events.disable_rule", rule="nightly")
    assert "rate(1 day)" in found.impact
    assert (await made(actuator, found))["state"] == "DISABLED"
    assert (await undone(actuator, found))["state"] == "ENABLED"


async def test_a_rule_of_a_security_group_is_undone(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    client = shop.client("ec2")
    id = client.create_security_group(GroupName="db", Description="db")["GroupId"]
    rule = {"group": id, "protocol": "tcp", "from_port": 5432, "to_port": 5432, "cidr": "10.0.0.0/16"}
    allow = await drafted("ec2.authorize_ingress", **rule)
    assert (await made(actuator, allow))["there"] is True
    assert (await undone(actuator, allow))["there"] is False
    with pytest.raises(Unfit, match="whole internet"):
        await drafted("ec2.authorize_ingress", **{**rule, "cidr": "0.0.0.0/0"})
    with pytest.raises(Unfit, match="has no rule"):
        await drafted("ec2.revoke_ingress", **rule)
    outward = await drafted("ec2.authorize_egress", **rule)
    assert (await made(actuator, outward))["there"] is True
    assert (await undone(actuator, outward))["there"] is False


async def test_a_bigger_database_and_more_storage(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    shop.client("rds").create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.medium", Engine="postgres", AllocatedStorage=100,
        MasterUsername="a", MasterUserPassword="not-a-secret",
    )  # fmt: skip
    bigger = await drafted("rds.modify_db_instance", instance="orders", instance_class="db.m6g.large")
    assert "there is no standby" in bigger.impact
    assert (await made(actuator, bigger))["class"] == "db.m6g.large"
    assert (await undone(actuator, bigger))["class"] == "db.t3.medium"
    more = await drafted("rds.modify_db_instance", instance="orders", storage_gib=200)
    assert more.rollback is None
    assert (await made(actuator, more))["storage_gib"] == 200
    with pytest.raises(Unfit, match="storage only grows"):
        await drafted("rds.modify_db_instance", instance="orders", storage_gib=210)


async def test_a_target_leaves_its_group_and_comes_back(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    vpc = shop.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    id = machine(shop)
    client = shop.client("elbv2")
    arn = client.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    client.register_targets(TargetGroupArn=arn, Targets=[{"Id": id, "Port": 80}])
    found = await drafted("elbv2.deregister_target", target_group=arn, target_id=id, port=80)
    assert found.risk is Risk.critical, "no healthy one is left"
    assert (await made(actuator, found))["registered"] is False
    assert (await undone(actuator, found))["registered"] is True


async def test_the_traffic_of_a_rule_is_shared_differently(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    vpc = shop.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [each["SubnetId"] for each in shop.client("ec2").describe_subnets()["Subnets"][:2]]
    client = shop.client("elbv2")
    balancer = client.create_load_balancer(Name="front", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    blue, green = (
        client.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
        for name in ("blue", "green")
    )
    listener = client.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": blue}]
    )["Listeners"][0]["ListenerArn"]
    groups = [{"TargetGroupArn": blue, "Weight": 100}, {"TargetGroupArn": green, "Weight": 0}]
    rule = client.create_rule(
        ListenerArn=listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/pay"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )["Rules"][0]["RuleArn"]  # fmt: skip
    found = await drafted("elbv2.set_weights", rule=rule, weights={blue: 50, green: 50})
    assert found.summary == "blue 100 % → 50 %, green 0 % → 50 %"
    assert (await made(actuator, found))["weights"] == {blue: 50, green: 50}
    assert (await undone(actuator, found))["weights"] == {blue: 100, green: 0}
    with pytest.raises(Unfit, match="not of exactly the target groups"):
        await drafted("elbv2.set_weights", rule=rule, weights={blue: 1, blue.replace("blue", "red"): 1})


async def test_a_weighted_record_gets_another_weight(shop: Shop, drafted: Made, actuator: AwsActuator) -> None:
    client = shop.client("route53")
    zone = client.create_hosted_zone(Name="shop.example.", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
    for name, weight in (("blue", 100), ("green", 0)):
        record = {"Name": "www.shop.example.", "Type": "A", "SetIdentifier": name, "Weight": weight, "TTL": 60,
                  "ResourceRecords": [{"Value": "192.0.2.1"}]}  # fmt: skip
        client.change_resource_record_sets(
            HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        )
    held = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    asked = {"zone": zone, "name": "www.shop.example.", "type": "A", "identifier": "green", "weight": 100}
    found = await drafted("route53.set_weight", **asked, record=held)
    assert found.summary == "0 % → 50 % of the answers"
    assert (await made(actuator, found))["weight"] == 100
    assert (await undone(actuator, found))["weight"] == 0
    with pytest.raises(Unfit, match="holds something else"):
        await drafted("route53.set_weight", **asked, record={"TTL": 5})


@pytest.mark.parametrize("kind", mutations().values(), ids=lambda kind: kind.operation)
def test_every_change_says_what_it_is_and_what_it_is_limited_to(kind: Any) -> None:
    assert kind.__doc__
    assert kind.operation.partition(".")[0]
    assert kind.any_target
    for name, field in kind.model_fields.items():
        assert field.is_required() or field.description or name in ("direction", "from_port", "to_port"), name


@pytest.mark.parametrize(
    ("operation", "parameters", "told"),
    [
        ("ec2.terminate_instances", {}, "is not a change that Runbook can make in AWS; these are: autoscaling."),
        ("ec2.stop_instance", {"instance": "i-1; rm -rf /"}, "are wrong: instance"),
        ("sqs.purge_queue", {"queue": "jobs", "url": "u", "more": 1}, "more"),
        ("ec2.authorize_ingress", {"group": "sg-12345678", "protocol": "tcp"}, "either cidr or peer"),
    ],
)
def test_anything_else_is_refused_naming_the_list(operation: str, parameters: Json, told: str) -> None:
    with pytest.raises(ProviderError, match=told.replace("(", r"\(")):
        mutation_of(Call(operation=operation, parameters=parameters))


def test_parameters_are_frozen() -> None:
    found = mutation_of(Call(operation="events.disable_rule", parameters={"rule": "nightly"}))
    with pytest.raises(ValidationError, match="frozen"):
        found.rule = "other"  # type: ignore[attr-defined]  # it is what the test tries
