"""Who it was: people by their names, pipelines by role and session, AWS's services by what they are called."""

from typing import Any

import pytest

from runbook_bot.providers.aws.timeline.actors import actor, by_itself
from runbook_bot.providers.aws.timeline.arn_names import arn_names


def role(name: str, partition: str = "aws", **more: str) -> dict[str, Any]:
    return {"type": "AssumedRole", "arn": f"arn:{partition}:sts::1:assumed-role/{name}", **more}


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (role("AWSReservedSSO_Admin_0123456789abcdef/rosa@example.org"), "rosa@example.org (via SSO role Admin)"),
        (
            role("AWSReservedSSO_Power-User_0123456789abcdef/ros\u00e1", "aws-us-gov"),
            "ros\u00e1 (via SSO role Power-User)",
        ),
        (role("deployer/gitlab-runner"), "deployer/gitlab-runner"),
        (role("deployer/ada", "aws-cn"), "deployer/ada"),
        (role("deployer/ada", invokedBy="cloudformation.amazonaws.com"), "deployer/ada, by CloudFormation"),
        ({"type": "IAMUser", "userName": "ada", "arn": "arn:aws:iam::1:user/ada"}, "ada"),
        ({"type": "Root", "accountId": "123456789012"}, "root of account 123456789012"),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, "Auto Scaling"),
        ({"type": "AWSService", "invokedBy": "events.amazonaws.com.cn"}, "EventBridge"),
        (role("AWSServiceRoleForApplicationAutoScaling_ECSService/x"), "Application Auto Scaling"),
        (role("AWSServiceRoleForECS/ecs", invokedBy="ecs.amazonaws.com"), "ECS"),
        (role("AWSServiceRoleForSomethingNew/x"), "Something New"),
        ({"type": "AWSAccount", "accountId": "210987654321"}, "account 210987654321"),
    ],
)
def test_who(identity: dict[str, Any], name: str) -> None:
    assert actor({}, {"userIdentity": identity}) == name


def test_without_an_identity_the_look_up_s_own_name_counts() -> None:
    assert actor({"Username": "ada"}, {}) == "ada"
    assert actor({}, {"userIdentity": "nonsense", "eventSource": "secretsmanager.amazonaws.com"}) == "Secrets Manager"
    assert actor({}, {}) == ""


def test_a_service_is_told_from_a_person() -> None:
    assert by_itself("Auto Scaling")
    assert by_itself("")
    assert not by_itself("deployer/ada")


@pytest.mark.parametrize(
    ("arn", "names"),
    [
        ("arn:aws:ecs:us-east-1:1:service/prod/checkout-api", ["checkout-api"]),
        ("arn:aws:ecs:us-east-1:1:task-definition/checkout-api:7", ["checkout-api:7"]),
        ("arn:aws-cn:elasticloadbalancing:cn-north-1:1:loadbalancer/app/front/50dc6c495c0c9188", ["front"]),
        ("arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/app/front/1/2/3", ["front"]),
        ("arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:1:targetgroup/blue/73e2d6bc24d8a067", ["blue"]),
        ("arn:aws:lambda:us-east-1:1:function:receipts:live", ["receipts"]),
        ("arn:aws:rds:us-east-1:1:db:orders-db", ["orders-db"]),
        ("arn:aws:dynamodb:us-east-1:1:table/carts/index/by-day", ["carts"]),
        ("arn:aws:secretsmanager:us-east-1:1:secret:prod/db-a1B2c3", ["prod/db", "prod/db-a1B2c3"]),
        ("arn:aws:ssm:us-east-1:1:parameter/prod/größe", ["/prod/größe", "prod/größe"]),
        ("arn:aws:logs:us-east-1:1:log-group:/ecs/checkout-api:*", ["/ecs/checkout-api"]),
        ("arn:aws:eks:us-east-1:1:nodegroup/prod/blue/6ec0", ["prod", "blue"]),
        ("arn:aws:s3:::uploads/2026/x.jpg", ["uploads"]),
        ("https://sqs.us-east-1.amazonaws.com/1/orders", ["orders"]),
        ("plain", []),
    ],
)
def test_the_name_inside_an_arn(arn: str, names: list[str]) -> None:
    assert arn_names(arn) == names
