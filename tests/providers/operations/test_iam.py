"""IAM: who may do what, what allows too much, what is still used, and how people sign in."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.iam import AccessKeys, LastUsed, Rights, WhoMay, WithoutSecondFactor
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.hasty import hasty
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn

_TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                         "Action": "sts:AssumeRole"}]}  # fmt: skip


def _policy(action: Any, resource: Any = "*") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource}]})  # fmt: skip


def _role(shop: Shop, name: str = "checkout", path: str = "/", trust: Any = None, **inline: str) -> str:
    iam = shop.client("iam")
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust or _TRUST))
    for policy, document in inline.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)
    return str(made["Role"]["Arn"])


def _decides(aws: StandIn, allowed: str) -> None:
    """Moto does not simulate: in the shape of the service model; only ARNs that hold `allowed` may."""

    def simulate(body: str) -> Answer:
        asked = parse_qs(body)
        may = allowed in asked["PolicySourceArn"][0]
        told = {
            "EvalActionName": asked["ActionNames.member.1"][0],
            "EvalResourceName": asked["ResourceArns.member.1"][0],
            "EvalDecision": "allowed" if may else "implicitDeny",
            "MatchedStatements": [{"SourcePolicyId": "role_checkout_reads"}] if may else [],
            "MissingContextValues": [] if may else ["aws:SourceIp"],
            "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": may},
        }
        return Answer(200, rendered("iam", "SimulatePrincipalPolicy", {"EvaluationResults": [told]})[0], "text/xml")

    aws.answers["SimulatePrincipalPolicy"] = simulate


def _facts(result: Result, name: str) -> Any:
    return next(row.facts for row in result.rows if row.name == name)


async def test_whether_a_role_may(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The role in moto, the decision in the shape of the service model."""
    arn = _role(shop, path="/dienste/shop/")
    _decides(aws, "role/")
    bucket = "arn:aws:s3:::bücher/straße/*"
    for which in ("checkout", "dienste/shop/checkout", arn, "arn:aws:sts::123456789012:assumed-role/checkout/i-1"):
        result = await provider.ask(WhoMay(action="s3:GetObject", resource=bucket, principal=which))
        assert result.status is Status.ok, which
        facts = _facts(result, "role checkout: s3:GetObject")
        assert (facts["decision"], facts["by"], facts["on"]) == ("allowed", "role_checkout_reads", bucket)


async def test_why_a_role_may_not(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The role in moto, the decision in the shape of the service model."""
    _role(shop)
    _decides(aws, "nobody")
    facts = (await provider.ask(WhoMay(action="s3:GetObject", principal="checkout"))).rows[0].facts
    assert facts["decision"] == "not allowed by any policy"
    assert (facts["why_not"], facts["depends_on"]) == ("its permissions boundary does not allow it", "aws:SourceIp")


async def test_who_of_all_may(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Roles and users in moto, the decisions in the shape of the service model."""
    iam = shop.client("iam")
    _role(shop, "reader", reads=_policy("s3:Get*"))
    _role(shop, "stranger", reads=_policy("sqs:*"))
    iam.create_user(UserName="ada")
    iam.create_group(GroupName="ops")
    iam.put_group_policy(GroupName="ops", PolicyName="all", PolicyDocument=_policy("*"))
    iam.add_user_to_group(GroupName="ops", UserName="ada")
    _decides(aws, "/")
    result = await provider.ask(WhoMay(action="s3:GetObject"))
    assert sorted(row.name for row in result.rows) == ["role reader: s3:GetObject", "user ada: s3:GetObject"]
    assert len(aws.asked("SimulatePrincipalPolicy")) == 2
    nobody = await provider.ask(WhoMay(action="kms:Decrypt", resource="arn:aws:kms:us-east-1:1:key/1"))
    assert [row.name for row in nobody.rows] == ["user ada: kms:Decrypt"]


async def test_a_role_that_may_too_much(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"sts:ExternalId": "hunter2"}}}]}  # fmt: skip
    _role(shop, trust=trust, reads=_policy("s3:GetObject", "arn:aws:s3:::orders/*"), admin=_policy("*"))
    made = shop.client("iam").create_policy(PolicyName="passing", PolicyDocument=_policy(["iam:PassRole"]))
    shop.client("iam").attach_role_policy(RoleName="checkout", PolicyArn=made["Policy"]["Arn"])
    result = await provider.ask(Rights(principal="checkout"))
    assert result.status is Status.ok
    assert result.rows[0].name == "role checkout"
    assert _facts(result, "inline policy admin, statement One")["warnings"] == ["may do everything"]
    assert "can give itself more rights" in str(_facts(result, "policy passing, statement One")["warnings"])
    reads = _facts(result, "inline policy reads, statement One")
    assert reads == {"says": "allows s3:GetObject on arn:aws:s3:::orders/*"}
    assert _facts(result, "may be assumed, statement 1")["says"] == (
        "allows anybody sts:AssumeRole (if sts:ExternalId fits)")  # fmt: skip
    assert "hunter2" not in result.model_dump_json()
    assert [bool(row.facts.get("warnings")) for row in result.rows] == [True, True, True, False, False]


async def test_rights_of_a_user_come_through_groups_too(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    iam = shop.client("iam")
    iam.create_user(UserName="ada")
    iam.put_user_policy(UserName="ada", PolicyName="own", PolicyDocument=_policy("sqs:*", "arn:aws:sqs:::x"))
    iam.create_group(GroupName="ops")
    iam.put_group_policy(GroupName="ops", PolicyName="all", PolicyDocument=_policy("s3:*"))
    iam.add_user_to_group(GroupName="ops", UserName="ada")
    result = await provider.ask(Rights(principal="ada"))
    assert [row.name for row in result.rows] == [
        "user ada", "inline policy all of group ops, statement One", "inline policy own, statement One"]  # fmt: skip


async def test_a_policy_that_may_not_be_read_is_a_gap(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The denial in the form of the query protocol."""
    _role(shop, admin=_policy("*"))
    aws.refuses_xml("GetRolePolicy", "AccessDenied", "no", 403)
    result = await provider.ask(Rights(principal="checkout"))
    assert (result.status, "iam:GetRolePolicy" in result.message) == (Status.truncated, True)


@pytest.mark.parametrize("name", ["gone", "weg/ünï", "arn:aws-cn:iam::1:user/gone", "ünï"])
async def test_who_is_not_there(aws: StandIn, provider: AwsProvider, name: str) -> None:
    """Against moto."""
    for question in (Rights(principal=name), LastUsed(principal=name), WhoMay(action="s3:GetObject", principal=name)):
        result = await provider.ask(question)
        assert (result.status, bool(result.message)) == (Status.no_data, True), result.message


def _collected(aws: StandIn, *states: str, services: list[dict[str, Any]] | None = None) -> None:
    """Moto collects nothing: in the shape of the service model; one state after another, the last for good."""
    left = list(states)

    def details(_: str) -> Answer:
        state = left.pop(0) if len(left) > 1 else left[0]
        told = {"JobStatus": state, "JobCreationDate": NOW, "JobCompletionDate": NOW, "IsTruncated": False,
                "ServicesLastAccessed": services or [], "Error": {"Message": "no", "Code": "x"}}  # fmt: skip
        return Answer(200, rendered("iam", "GetServiceLastAccessedDetails", told)[0], "text/xml")

    aws.tells("iam", "GenerateServiceLastAccessedDetails", {"JobId": "00000000-0000-0000-0000-000000000001"})
    aws.answers["GetServiceLastAccessedDetails"] = details


async def test_what_a_role_uses_is_waited_for(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The role in moto, what it used in the shape of the service model."""
    _role(shop)
    services: list[dict[str, Any]] = [
        {"ServiceName": "Amazon SQS", "ServiceNamespace": "sqs", "LastAuthenticated": NOW - timedelta(days=40),
         "LastAuthenticatedRegion": "eu-west-1"},
        {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": NOW - timedelta(days=1)},
        {"ServiceName": "AWS KMS", "ServiceNamespace": "kms"},
    ]  # fmt: skip
    _collected(aws, "IN_PROGRESS", "IN_PROGRESS", "COMPLETED", services=services)
    result = await provider.ask(LastUsed(principal="checkout"))
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["role checkout", "Amazon S3", "Amazon SQS"]
    assert (result.rows[0].facts["services_used"], result.rows[0].facts["services_never_used"]) == (2, "kms")
    assert (result.rows[2].facts["used_days_ago"], result.rows[2].facts["in"]) == (40, "eu-west-1")
    assert len(aws.asked("GetServiceLastAccessedDetails")) == 3


@pytest.mark.parametrize(("state", "told"), [("IN_PROGRESS", "ask again in a moment"), ("FAILED", "could not collect")])
async def test_a_collection_that_takes_long_or_fails(
    aws: StandIn, shop: Shop, provider: AwsProvider, state: str, told: str
) -> None:
    """The role in moto, the job in the shape of the service model."""
    _role(shop)
    _collected(aws, state)
    result = await provider.ask(hasty(LastUsed).model_validate({"principal": "checkout"}))
    assert (result.status, told in result.message) == (Status.truncated, True)
    assert [row.name for row in result.rows] == ["role checkout"]
    assert "services_used" not in result.rows[0].facts


def _reported(aws: StandIn, *lines: str) -> None:
    """Moto's users were made just now: a report as IAM writes it."""
    head = ("user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
            "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
            "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
            "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date")  # fmt: skip
    content = "\n".join((head, *lines)).encode()
    aws.tells("iam", "GenerateCredentialReport", {"State": "COMPLETE"})
    report = {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": NOW - timedelta(hours=2)}
    aws.tells("iam", "GetCredentialReport", report)


async def test_a_report_that_takes_long(aws: StandIn, provider: AwsProvider) -> None:
    """In the shape of the service model: moto's is there at once."""
    aws.tells("iam", "GenerateCredentialReport", {"State": "INPROGRESS"})
    result = await provider.ask(hasty(AccessKeys)())
    assert result.status is Status.error
    assert "ask again in a minute" in result.message


def _line(user: str, password: str, mfa: str, key: str = "false", made: int = 0, used: int | None = None) -> str:
    def at(days: int) -> str:
        return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%S+00:00}"

    where = f"{at(used)},eu-west-1,s3" if used is not None else "N/A,N/A,N/A"
    return (f"{user},arn:aws:iam::1:user/{user},{at(900)},{password},no_information,N/A,N/A,{mfa},{key},"
            f"{at(made) if key == 'true' else 'N/A'},{where},false,N/A,N/A")  # fmt: skip


async def test_keys_the_root_account_s_and_old_ones_first(aws: StandIn, provider: AwsProvider) -> None:
    """The report in the shape of the service model."""
    _reported(
        aws,
        _line("fresh", "false", "false", "true", 3, 1),
        _line("old", "false", "false", "true", 400, 200),
        _line("<root_account>", "not_supported", "true", "true", 30),
        _line("none", "true", "true"),
    )
    result = await provider.ask(AccessKeys())
    assert [row.name for row in result.rows] == ["root account, key 1", "old, key 1", "fresh, key 1"]
    assert "the root account has an access key" in str(result.rows[0].facts["warnings"])
    assert result.rows[1].facts["warnings"] == ["it is 400 days old", "it was not used for 200 days"]
    assert (result.rows[2].facts["age_days"], result.rows[2].facts["used_for"]) == (3, "s3 in eu-west-1")
    assert f"{datetime.strftime(NOW - timedelta(hours=2), '%Y-%m-%dT%H')}" in result.message


async def test_who_signs_in_without_a_second_factor(aws: StandIn, provider: AwsProvider) -> None:
    """The report in the shape of the service model."""
    _reported(
        aws,
        _line("robot", "false", "false", "true", 3, 1),
        _line("ada", "true", "false"),
        _line("safe", "true", "true"),
        _line("idle", "false", "false"),
        _line("<root_account>", "not_supported", "false"),
    )
    result = await provider.ask(WithoutSecondFactor())
    assert [row.name for row in result.rows] == ["root account", "ada", "robot"]
    assert "warnings" not in result.rows[2].facts
    assert result.rows[1].facts["console"] is True


async def test_keys_of_one_user_without_their_ids(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    iam = shop.client("iam")
    iam.create_user(UserName="ada")
    made = iam.create_access_key(UserName="ada")["AccessKey"]
    result = await provider.ask(AccessKeys(user="ada"))
    assert [row.name for row in result.rows] == [f"ada, key …{made['AccessKeyId'][-4:]}"]
    assert made["AccessKeyId"] not in result.model_dump_json()
    assert (await provider.ask(AccessKeys(user="weg"))).status is Status.no_data


async def test_a_report_from_moto_and_one_that_is_denied(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto; the denial in the form of the query protocol."""
    shop.client("iam").create_user(UserName="ada")
    shop.client("iam").create_access_key(UserName="ada")
    assert [row.name for row in (await provider.ask(AccessKeys())).rows] == ["ada, key 1"]
    aws.refuses_xml("GenerateCredentialReport", "AccessDenied", "no", 403)
    denied = await provider.ask(WithoutSecondFactor())
    assert (denied.status, "iam:GenerateCredentialReport" in denied.message) == (Status.denied, True)
