"""What AWS has to allow: no more than is called, no less, valid, and compared with what the credentials have."""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from runbook_bot.providers.aws.calls import NEUTRAL
from runbook_bot.providers.aws.config import AwsAccount, AwsSettings
from runbook_bot.providers.aws.doctor import AccessReport
from runbook_bot.providers.aws.failure import iam_action
from runbook_bot.providers.aws.mutations.register import mutations
from runbook_bot.providers.aws.policy import LARGEST, Bounds, Policy, assuming, changing, length, reading, reads
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.allowed import ROOM, declared, written
from tests.providers.conftest import FixedClock
from tests.providers.protocols import rendered
from tests.providers.stand_in import Answer, StandIn

HERE = Bounds("aws", "eu-west-1", "123456789012")
PUT_TOGETHER = {
    ("ec2", "DescribeRouteTables"), ("ec2", "DescribeNetworkAcls"), ("pi", "GetResourceMetrics"),
    ("sts", "GetCallerIdentity"),
}  # fmt: skip
"""Called by a name that stands in a table, or in a variable."""


def every(policies: list[Policy]) -> list[dict[str, Any]]:
    return [statement for policy in policies for statement in policy["Statement"]]


# --- no more than is called, and no less ----------------------------------------------------------------------------


def test_every_call_that_is_written_is_declared() -> None:
    modules = [path for path in ROOM.rglob("*.py") if path.name != "standing.py"]
    missing = {(path.name, call) for path in modules for call in written(path)} - {
        (path.name, call) for path in modules for call in declared()
    }
    assert missing == set(), "add it to calls.py, or to the `calls` of its operation"


def test_nothing_is_declared_that_nobody_calls() -> None:
    neutral = {(service, action) for service, actions in NEUTRAL.items() for action in actions}
    called = {call for path in ROOM.rglob("*.py") if "operations" not in path.parts for call in written(path)}
    assert neutral - called - PUT_TOGETHER == set()


def test_every_declared_call_exists_and_reads() -> None:
    session = botocore.session.get_session()
    for service, action in declared():
        assert action in session.get_service_model(service).operation_names, f"{service}:{action}"
    for call in ("GetSecretValue", "BatchGetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath",
                 "GetParameterHistory", "GetSessionToken", "GetFederationToken", "GetAuthorizationToken",
                 "GetPasswordData"):  # fmt: skip
        assert call not in {action for _, action in declared()}, "it brings secrets, and does not exist here"


def test_aws_s_own_policy_for_reading_allows_all_of_it() -> None:
    """Which shows that the names are IAM's, and that none of it changes anything."""
    allowed = [
        each.lower()
        for name in ("ReadOnlyAccess", "SecurityAudit")
        for statement in json.loads(aws_managed_policies_data)[name]["Document"]["Statement"]
        for each in statement.get("Action", [])
    ]
    outside = [each for each in reads() if not any(fnmatchcase(each.lower(), pattern) for pattern in allowed)]
    assert set(outside) <= STARTING, outside


STARTING = {
    "logs:StartQuery", "logs:StopQuery",  # a query of Logs Insights, which costs what it scans
    "iam:GenerateServiceLastAccessedDetails", "cloudformation:DetectStackDrift",  # reports that are made on demand
}  # fmt: skip


@pytest.mark.parametrize(
    ("service", "action", "permission"),
    [
        ("elbv2", "DescribeRules", "elasticloadbalancing:DescribeRules"),
        ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData"),
        ("stepfunctions", "DescribeExecution", "states:DescribeExecution"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("service-quotas", "ListServiceQuotas", "servicequotas:ListServiceQuotas"),
        ("application-signals", "ListServices", "application-signals:ListServices"),
        ("apigateway", "GetRestApis", "apigateway:GET"),
        ("apigatewayv2", "GetApis", "apigateway:GET"),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3", "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus"),
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("lambda", "GetFunctionConfiguration", "lambda:GetFunctionConfiguration"),
        ("ce", "GetCostAndUsage", "ce:GetCostAndUsage"),
        ("config", "GetResourceConfigHistory", "config:GetResourceConfigHistory"),
        ("pi", "GetResourceMetrics", "pi:GetResourceMetrics"),
    ],
)
def test_a_call_has_iam_s_own_name(service: str, action: str, permission: str) -> None:
    assert iam_action(service, action) == permission


# --- valid ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [HERE, Bounds(), Bounds("aws-cn", "cn-north-1", "123456789012")])
def test_the_policies_are_valid_sorted_and_no_longer_than_iam_takes(bounds: Bounds) -> None:
    policies = [*reading(bounds), changing(bounds)]
    for policy in policies:
        assert policy["Version"] == "2012-10-17"
        assert length(policy) <= LARGEST
        IAMPolicyDocumentValidator(json.dumps(policy)).validate()
        sids = [statement["Sid"] for statement in policy["Statement"]]
        assert len(set(sids)) == len(sids)
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    for statement in every(policies):
        assert statement["Action"] == sorted(set(statement["Action"]))
        assert statement["Resource"] == "*" or statement["Resource"].startswith(f"arn:{bounds.partition}:")
        assert not any("*" in action for action in statement["Action"])
    told = [action for statement in every(reading(bounds)) for action in statement["Action"]]
    assert sorted(told) == reads()


def test_what_iam_can_limit_is_limited() -> None:
    on = {action: each["Resource"] for each in every(reading(HERE)) for action in each["Action"]}
    assert on["ecs:DescribeServices"] == "arn:aws:ecs:eu-west-1:123456789012:*"
    assert on["logs:FilterLogEvents"] == "arn:aws:logs:eu-west-1:123456789012:*"
    assert on["s3:GetBucketVersioning"] == "arn:aws:s3:::*"
    assert on["s3:GetObject"] == "arn:aws:s3:::*/AWSLogs/*/elasticloadbalancing/*", "nobody else's data"
    assert on["apigateway:GET"] == "arn:aws:apigateway:eu-west-1::/*"
    assert on["cloudwatch:DescribeAlarms"] == "*", "narrower, it does not tell composite alarms"
    assert on["ec2:DescribeInstances"] == "*"


def test_the_policy_for_changes_is_the_allow_list() -> None:
    given = {(action, s["Resource"]) for s in changing(HERE)["Statement"] for action in s["Action"]}
    assert given >= {
        ("ecs:UpdateService", "arn:aws:ecs:eu-west-1:123456789012:service/*"),
        ("lambda:PutFunctionConcurrency", "arn:aws:lambda:eu-west-1:123456789012:function:*"),
        ("rds:RebootDBInstance", "arn:aws:rds:eu-west-1:123456789012:db:*"),
        ("elasticloadbalancing:ModifyRule", "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/*"),
        ("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/*"),
    }
    assert {action for action, _ in given} == {iam_action(m.service, m.action) for m in mutations().values()}
    assert not {a for s in every(reading(HERE)) for a in s["Action"]} & {
        a for s in every([changing(HERE)]) for a in s["Action"]
    }


def test_the_roles_that_are_assumed() -> None:
    assert assuming(AwsSettings()) is None
    role, changes = "arn:aws:iam::1:role/reader", "arn:aws:iam::1:role/changes"
    settings = AwsSettings(accounts=(AwsAccount(name="a", role_arn=role),), mutation_role_arn=changes)
    policy = assuming(settings)
    assert policy is not None
    assert policy["Statement"][0]["Resource"] == [changes, role]


# --- compared with what the credentials have ------------------------------------------------------------------------


def simulates(aws: StandIn, decide: Callable[[str, str], dict[str, Any]]) -> None:
    """IAM's simulator, which says for each action and resource what `decide` says."""

    def answer(body: str) -> Answer:
        told = parse_qs(body)
        actions = [value[0] for name, value in told.items() if name.startswith("ActionNames")]
        on = told.get("ResourceArns.member.1", ["*"])[0]
        results = [
            {"EvalActionName": each, "EvalResourceName": on, "EvalDecision": "allowed"} | decide(each, on)
            for each in actions
        ]
        return Answer(*_as_answer({"EvaluationResults": results, "IsTruncated": False}))

    aws.answers["SimulatePrincipalPolicy"] = answer


def _as_answer(told: dict[str, Any]) -> tuple[int, bytes, str]:
    body, kind = rendered("iam", "SimulatePrincipalPolicy", told)
    return 200, body, kind


def principals(aws: StandIn) -> set[str]:
    return {parse_qs(call.body)["PolicySourceArn"][0] for call in aws.asked("SimulatePrincipalPolicy")}


def is_a_session_of(aws: StandIn, role: str) -> None:
    identity = {"UserId": "AROA:s", "Account": "123456789012"}
    aws.tells("sts", "GetCallerIdentity", {**identity, "Arn": f"arn:aws:sts::123456789012:assumed-role/{role}/s"})


async def report(settings: AwsSettings | None = None) -> AccessReport:
    return await AwsProvider(settings or AwsSettings(), FixedClock()).access_report()


async def test_iam_simulates_the_role_of_the_session_with_its_path(aws: StandIn) -> None:
    def decide(action: str, on: str) -> dict[str, Any]:
        if action == "ecs:DescribeServices":
            return {"EvalDecision": "implicitDeny"}
        if action == "logs:FilterLogEvents":
            no = {"AllowedByOrganizations": False}
            return {"EvalDecision": "implicitDeny", "OrganizationsDecisionDetail": no}
        return {"EvalDecision": "explicitDeny"} if action == "iam:GetAccountAuthorizationDetails" else {}

    simulates(aws, decide)
    is_a_session_of(aws, "AWSReservedSSO_Reader_1")
    path = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Reader_1"
    role = {"Path": "/", "RoleName": "r", "RoleId": "AROA", "Arn": path, "CreateDate": 0}
    aws.tells("iam", "GetRole", {"Role": role})
    (found,) = (await report()).standings
    assert found.how == "simulated"
    assert principals(aws) == {path}
    assert [(each.action, each.resource, each.why) for each in found.lacks] == [
        ("ecs:DescribeServices", "arn:aws:ecs:us-east-1:123456789012:*", "no policy allows it"),
        ("iam:GetAccountAuthorizationDetails", "*", "a policy denies it"),
        (
            "logs:FilterLogEvents", "arn:aws:logs:us-east-1:123456789012:*",
            "a service control policy of the organization denies it",
        ),
    ]  # fmt: skip
    simulated = {v[0] for c in aws.asked("SimulatePrincipalPolicy") for n, v in parse_qs(c.body).items()
                 if n.startswith("ActionNames")}  # fmt: skip
    assert simulated == set(reads())


async def test_a_role_whose_path_cannot_be_read(aws: StandIn) -> None:
    simulates(aws, lambda *_: {})
    is_a_session_of(aws, "reader")
    aws.refuses_xml("GetRole", "AccessDenied", "no", 403)
    (found,) = (await report()).standings
    assert principals(aws) == {"arn:aws:iam::123456789012:role/reader"}
    assert (found.how, found.lacks) == ("simulated", [])


async def test_each_account_s_role_is_simulated_itself(aws: StandIn) -> None:
    simulates(aws, lambda *_: {})
    accounts = tuple(AwsAccount(name=n, role_arn=f"arn:aws:iam::123456789012:role/{n}") for n in ("shop", "bank"))
    told = await report(AwsSettings(accounts=accounts))
    assert [each.place for each in told.standings] == ["shop/us-east-1", "bank/us-east-1"]
    assert principals(aws) == {each.role_arn for each in accounts}
    assert told.assuming is not None


async def test_where_it_may_not_be_simulated_the_cheap_reads_are_tried(aws: StandIn) -> None:
    aws.refuses_xml("SimulatePrincipalPolicy", "AccessDenied", "no", 403)
    denial = "User: u is not authorized to perform: ecs:ListClusters on resource: * because no policy allows it"
    aws.refuses("ListClusters", "AccessDeniedException", denial)
    (found,) = (await report()).standings
    assert found.how == "tried"
    assert "iam:SimulatePrincipalPolicy is not allowed" in found.told
    assert [(each.action, each.resource) for each in found.lacks] == [("ecs:ListClusters", "*")]
    assert "ecs:DescribeServices" in found.unknown, "it needs a cluster and a service"
    assert "cloudwatch:DescribeAlarms" not in found.unknown
    assert not aws.asked("GetCostAndUsage"), "that would cost money"


async def test_without_credentials_the_policies_are_told_all_the_same(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    told = await report()
    assert told.standings[0].how == "not asked"
    assert "no AWS credentials were found" in told.standings[0].told
    assert every(told.reading)[0]["Sid"] == "ReadAnything"
