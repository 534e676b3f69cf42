"""A change that is made to something shared is found for the resource that stands on it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.shop import CHECKOUT, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import Answer, StandIn
from tests.providers.timeline.trail import event, tell

AT = NOW - timedelta(minutes=12)
DATABASE = (
    "<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>"
    "<DBInstanceIdentifier>orders-db</DBInstanceIdentifier><Engine>postgres</Engine>"
    "<Endpoint><Address>orders-db.abc.us-east-1.rds.amazonaws.com</Address></Endpoint>"
    "<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-db</VpcSecurityGroupId>"
    "</VpcSecurityGroupMembership></VpcSecurityGroups><DBParameterGroups><DBParameterGroup>"
    "<DBParameterGroupName>orders-pg15</DBParameterGroupName></DBParameterGroup></DBParameterGroups>"
    "<DBSubnetGroup><DBSubnetGroupName>data</DBSubnetGroupName><Subnets><Subnet>"
    "<SubnetIdentifier>subnet-1</SubnetIdentifier></Subnet></Subnets></DBSubnetGroup>"
    "</DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"
)


@pytest.fixture
def database(aws: StandIn) -> StandIn:
    aws.breaks("DescribeDBInstances", 200, DATABASE)
    aws.breaks("DescribeEvents", 200, "<DescribeEventsResponse><DescribeEventsResult/></DescribeEventsResponse>")
    return aws


async def only(provider: AwsProvider, window: TimeWindow, *resources: Resource) -> Change:
    result = await provider.ask(ListChanges(resources=resources, window=window))
    assert result.status is Status.ok, result.message
    (change,) = result.changes
    return change


async def test_a_rule_taken_from_the_security_group_of_a_database(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    permission = {
        "ipProtocol": "tcp",
        "fromPort": 5432,
        "toPort": 5432,
        "groups": {"items": [{"groupId": "sg-app"}]},
        "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]},
    }
    request = {"groupId": "sg-db", "ipPermissions": {"items": [permission]}}
    tell(database, event("RevokeSecurityGroupIngress", "ec2", AT, request))
    change = await only(provider, window, ORDERS_DB)
    assert (change.kind, change.through, change.actor) == (
        "network",
        "security group sg-db",
        "rosa (via SSO role Admin)",
    )
    assert change.before == {"ingress": "tcp 5432 from 10.0.0.0/16, tcp 5432 from sg-app"}
    assert change.summary == (
        "RevokeSecurityGroupIngress on security group sg-db, used by orders-db: "
        "removed ingress tcp 5432 from 10.0.0.0/16, tcp 5432 from sg-app"
    )


async def test_a_rule_of_another_group_that_only_names_ours_is_not_about_us(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    request = {
        "groupId": "sg-other",
        "ipPermissions": {"items": [{"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-db"}]}}]},
    }
    tell(database, event("AuthorizeSecurityGroupIngress", "ec2", AT, request))
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    assert result.status is Status.no_data


async def test_another_database_made_in_the_same_group_is_not_about_us(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    request = {
        "dBInstanceIdentifier": "other-db",
        "vpcSecurityGroupIds": ["sg-db"],
        "dBParameterGroupName": "orders-pg15",
    }
    tell(database, event("CreateDBInstance", "rds", AT, request))
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    assert result.status is Status.no_data


async def test_parameters_of_its_group_with_what_they_were_before(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    def request(value: str) -> dict[str, Any]:
        parameter = {"parameterName": "max_connections", "parameterValue": value, "applyMethod": "immediate"}
        return {"dBParameterGroupName": "orders-pg15", "parameters": [parameter]}

    now = event("ModifyDBParameterGroup", "rds", AT, request("50"))
    earlier = event("ModifyDBParameterGroup", "rds", AT - timedelta(days=30), request("400"), id="old")

    def look_up(body: str) -> Answer:
        by_name = json.loads(body)["LookupAttributes"][0]["AttributeKey"] == "ResourceName"
        return Answer(200, json.dumps({"Events": [earlier] if by_name else [now]}).encode())

    database.answers["LookupEvents"] = look_up
    change = await only(provider, window, ORDERS_DB)
    assert change.kind == "configuration"
    assert (change.before, change.after) == ({"max_connections": "400"}, {"max_connections": "50"})
    assert change.summary.endswith("parameter group orders-pg15, used by orders-db: max_connections 400 → 50")


async def test_a_route_of_its_subnet_by_the_table_that_rules_there(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto has no such table; the answer is in the shape of EC2's."""
    table = (
        "<DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId><associationSet><item>"
        "<subnetId>subnet-1</subnetId></item></associationSet></item></routeTableSet></DescribeRouteTablesResponse>"
    )
    database.breaks("DescribeRouteTables", 200, table)
    request = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}
    tell(database, event("DeleteRoute", "ec2", AT, request))
    change = await only(provider, window, ORDERS_DB)
    assert (change.through, change.before) == ("route table rtb-1", {"route": "0.0.0.0/0"})


async def test_a_record_that_points_elsewhere(database: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    def batch(action: str, host: str) -> dict[str, Any]:
        record = {"name": "db.shop.internal.", "type": "CNAME", "tTL": 60, "resourceRecords": [{"value": host}]}
        return {"action": action, "resourceRecordSet": record}

    changes = [batch("DELETE", "orders-db.abc.us-east-1.rds.amazonaws.com"), batch("CREATE", "old-db.example.org")]
    request = {"hostedZoneId": "Z1", "changeBatch": {"changes": changes}}
    tell(database, event("ChangeResourceRecordSets", "route53", AT, request))
    change = await only(provider, window, ORDERS_DB)
    assert change.through == "record db.shop.internal CNAME"
    assert change.summary.endswith(
        "db.shop.internal CNAME orders-db.abc.us-east-1.rds.amazonaws.com ttl 60 → old-db.example.org ttl 60"
    )


def running(aws: StandIn, shop: Shop, **container: Any) -> None:
    """A service whose revision has what is told."""
    ecs = shop.client("ecs")
    ecs.register_task_definition(
        family="checkout-api",
        taskRoleArn="arn:aws:iam::123456789012:role/checkout-task",
        containerDefinitions=[{"name": "app", "image": "shop/checkout:1", "memory": 128, **container}],
    )
    told = {
        "serviceName": "checkout-api",
        "status": "ACTIVE",
        "taskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api:1",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-app"]}},
    }
    aws.says("DescribeServices", {"services": [told], "failures": []})


async def test_the_policy_of_its_role_with_what_it_allowed_before(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    running(aws, shop)

    def request(*actions: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:dynamodb:us-east-1:1:table/carts"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return {"roleName": "checkout-task", "policyName": "app", "policyDocument": document}

    now = event("PutRolePolicy", "iam", AT, request("dynamodb:GetItem"), id="new")
    earlier = event("PutRolePolicy", "iam", AT - timedelta(days=3), request("dynamodb:GetItem", "dynamodb:PutItem"))

    def look_up(body: str) -> Answer:
        by_name = json.loads(body)["LookupAttributes"][0]["AttributeKey"] == "ResourceName"
        return Answer(200, json.dumps({"Events": [now, earlier] if by_name else [now]}).encode())

    aws.answers["LookupEvents"] = look_up
    change = await only(provider, window, CHECKOUT)
    assert (change.kind, change.through) == ("access", "role checkout-task")
    assert change.before == {"policy app": "allow dynamodb:GetItem, dynamodb:PutItem on table/carts"}
    assert change.after == {"policy app": "allow dynamodb:GetItem on table/carts"}


async def test_a_managed_policy_by_the_role_that_has_it(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    running(aws, shop)
    iam = shop.client("iam")
    iam.create_role(RoleName="checkout-task", AssumeRolePolicyDocument="{}")
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    )
    arn = iam.create_policy(PolicyName="storage", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="checkout-task", PolicyArn=arn)
    request = {"policyArn": arn, "policyDocument": document, "setAsDefault": True}
    tell(aws, event("CreatePolicyVersion", "iam", AT, request))
    change = await only(provider, window, CHECKOUT)
    assert change.through == "policy storage of role checkout-task"
    assert change.after["policy storage"] == "deny s3:* on *"


async def test_the_global_services_of_another_region_are_asked_where_they_are_kept(aws: StandIn, shop: Shop) -> None:
    running(aws, shop)
    request = {"roleName": "checkout-task", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    detached = event("DetachRolePolicy", "iam", AT, request)

    def look_up(body: str) -> Answer:
        mine = "iam.amazonaws.com" in body
        return Answer(200, json.dumps({"Events": [detached] if mine else []}).encode())

    aws.answers["LookupEvents"] = look_up
    shop.client("ecs")
    elsewhere = AwsProvider(AwsSettings(regions=("eu-west-1",)), FixedClock())
    definition = {"family": "checkout-api", "revision": 1, "taskRoleArn": "arn:aws:iam::1:role/checkout-task"}
    aws.says("DescribeTaskDefinition", {"taskDefinition": definition})
    frame = TimeWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=1))
    change = await only(elsewhere, frame, CHECKOUT)
    assert change.before == {"policy": "ReadOnlyAccess"}
    assert change.summary.endswith("role checkout-task, used by checkout-api: removed policy ReadOnlyAccess")


async def test_a_parameter_and_a_secret_of_its_configuration_without_their_values(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.client("ssm").put_parameter(Name="/prod/pool-größe", Value="only-we-know", Type="String")
    secret = shop.client("secretsmanager").create_secret(Name="prod/db", SecretString="only-we-know")["ARN"]
    running(aws, shop, secrets=[{"name": "POOL", "valueFrom": "/prod/pool-größe"}, {"name": "DB", "valueFrom": secret}])
    tell(aws)
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    told = {change.through: (change.kind, change.after) for change in result.changes}
    assert told == {
        "parameter /prod/pool-größe": ("configuration", {"version": "1"}),
        "secret prod/db": ("access", {}),
    }
    assert "only-we-know" not in result.model_dump_json()


async def test_a_parameter_in_whose_path_its_name_stands(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    running(aws, shop)
    request = {"name": "/prod/checkout-api/pool-size", "value": "only-we-know", "overwrite": True}
    tell(aws, event("PutParameter", "ssm", AT, request, responseElements={"version": 8}))
    change = await only(provider, window, CHECKOUT)
    assert change.through == "parameter /prod/checkout-api/pool-size (by its name)"
    assert (change.before, change.after) == ({"version": "7"}, {"version": "8"})


async def test_a_change_of_two_resources_is_told_once_of_the_one_it_was_made_to(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    queue = Resource(type=ResourceType.sqs_queue, name="orders")
    request = {"functionName": "receipts", "batchSize": 1}
    answer = {
        "functionArn": "arn:aws:lambda:us-east-1:1:function:receipts",
        "eventSourceArn": "arn:aws:sqs:us-east-1:1:orders",
    }
    tell(aws, event("UpdateEventSourceMapping20150331", "lambda", AT, request, responseElements=answer))
    change = await only(provider, window, RECEIPTS, queue)
    assert change.resource == RECEIPTS
    assert change.after == {"batch_size": "1"}
    change = await only(AwsProvider(AwsSettings(), FixedClock()), window, queue)
    assert change.resource == queue


async def test_a_group_that_two_stand_on_is_one_change_that_touches_both(
    database: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    running(database, shop)
    aws = database.answers["DescribeDBInstances"]
    database.answers["DescribeDBInstances"] = lambda body: _in_group(aws(body))
    request = {"groupId": "sg-app", "securityGroupRuleIds": ["sgr-1"]}
    tell(database, event("RevokeSecurityGroupEgress", "ec2", AT, request))
    change = await only(provider, window, CHECKOUT, ORDERS_DB)
    assert (change.resource, change.also) == (CHECKOUT, (ORDERS_DB,))
    assert change.touches({ORDERS_DB.key})
    assert change.before == {"egress": "sgr-1"}


def _in_group(told: Answer | None) -> Answer:
    assert told is not None
    return Answer(told.status, told.body.replace(b"sg-db", b"sg-app"), told.content_type)


async def test_without_cloudtrail_the_parameter_group_tells_of_itself(
    database: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto has no events of parameter groups; the answer is in the shape of RDS's."""
    database.refuses("LookupEvents", "AccessDeniedException", "no")
    message = "Updated parameter max_connections to 50 with apply method immediate"
    said = f"<Message>{message}</Message><Date>{AT.isoformat()}</Date>"
    said = f"<Event><SourceIdentifier>orders-pg15</SourceIdentifier>{said}</Event>"
    inner = f"<DescribeEventsResult><Events>{said}</Events></DescribeEventsResult>"
    told = f"<DescribeEventsResponse>{inner}</DescribeEventsResponse>".encode()
    nothing = b"<DescribeEventsResponse><DescribeEventsResult/></DescribeEventsResponse>"
    database.answers["DescribeEvents"] = lambda body: Answer(
        200, told if "db-parameter-group" in body else nothing, "text/xml"
    )
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    assert [(c.through, c.summary) for c in result.changes] == [
        ("parameter group orders-pg15", f"parameter group orders-pg15: {message}")
    ]
