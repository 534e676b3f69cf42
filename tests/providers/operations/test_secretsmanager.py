"""Secrets: which are overdue, stuck or unused, and who may read them; never what they are."""

import json
from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.secretsmanager import Secret, Secrets
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

_FUNCTION = "arn:aws:lambda:us-east-1:1:function:rotate/ünï"
_ARN = "arn:aws:secretsmanager:us-east-1:1:secret:prod/db-AbCdEf"


def _ago(**more: float) -> Any:
    return NOW - timedelta(**more)


async def test_what_is_overdue_dying_or_unused_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's secrets were made just now."""
    listed = [
        {"Name": "prod/fine", "LastAccessedDate": _ago(days=1), "LastChangedDate": _ago(days=3)},
        {"Name": "prod/late", "RotationEnabled": True, "RotationLambdaARN": _FUNCTION, "LastAccessedDate": _ago(days=1),
         "LastRotatedDate": _ago(days=50), "NextRotationDate": _ago(days=5),
         "RotationRules": {"AutomaticallyAfterDays": 30}},
        {"Name": "prod/dying", "DeletedDate": _ago(days=2, hours=1)},
        {"Name": "prod/forgotten", "LastAccessedDate": _ago(days=200)},
    ]  # fmt: skip
    aws.tells("secretsmanager", "ListSecrets", {"SecretList": listed})
    result = await provider.ask(Secrets())
    rows = {row.name: row.facts for row in result.rows}
    assert result.rows[-1].name == "prod/fine"
    assert rows["prod/late"]["warnings"] == ["its rotation is 5 days overdue"]
    assert rows["prod/late"]["rotation"] == "by the function rotate/ünï"
    assert (rows["prod/late"]["rotated_days_ago"], rows["prod/late"]["rotates_every"]) == (50, "30 days")
    assert rows["prod/dying"]["warnings"] == [
        f"it is marked for deletion ({_ago(days=2, hours=1):%Y-%m-%d}), and can still be restored"
    ]
    assert rows["prod/forgotten"]["warnings"] == ["nobody has read it for 200 days"]


async def test_a_rotation_that_got_stuck(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    secret = {"ARN": _ARN, "Name": "prod/db", "RotationEnabled": True, "LastRotatedDate": _ago(days=9),
              "ReplicationStatus": [{"Region": "eu-west-1", "Status": "Failed", "StatusMessage": "no key"}],
              "VersionIdsToStages": {"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"]}}  # fmt: skip
    aws.tells("secretsmanager", "DescribeSecret", secret)
    versions = [
        {"VersionId": "v1", "VersionStages": ["AWSCURRENT"], "CreatedDate": _ago(days=9)},
        {"VersionId": "v2", "VersionStages": ["AWSPENDING"], "CreatedDate": _ago(hours=5)},
    ]
    aws.tells("secretsmanager", "ListSecretVersionIds", {"Versions": versions})
    aws.tells("secretsmanager", "GetResourcePolicy", {"Name": "prod/db"})
    failed = {"EventName": "RotationFailed", "EventId": "e1", "EventTime": _ago(hours=4)}
    aws.tells("cloudtrail", "LookupEvents", {"Events": [failed, {"EventName": "GetSecretValue", "EventTime": NOW}]})
    result = await provider.ask(Secret(name="prod/db"))
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == [
        "prod/db", "copy in eu-west-1", "rotation failed", "version v2", "version v1"]  # fmt: skip
    told = str(result.rows[0].facts["warnings"])
    assert "a rotation did not come to its end" in told
    assert "a copy of it in another region failed" in told
    assert result.rows[1].facts["warnings"] == ["failed: no key"]


async def test_one_secret_whose_value_stays_where_it_is(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    client = shop.client("secretsmanager")
    client.create_secret(Name="prod/ünï", SecretString="hunter2", Description="pin hunter2", Tags=[
        {"Key": "team", "Value": "hunter2"}])  # fmt: skip
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"}]}
    client.put_resource_policy(SecretId="prod/ünï", ResourcePolicy=json.dumps(policy))
    result = await provider.ask(Secret(name="prod/ünï"))
    rows = {row.name: row.facts for row in result.rows}
    assert "anybody may use it, without a condition" in str(rows["policy, statement 1"]["warnings"])
    assert rows["prod/ünï"]["versions"] == 1
    assert rows["prod/ünï"]["tags_set"] == "team"
    assert "hunter2" not in result.model_dump_json()
    assert {call.operation for call in aws.calls} <= {"DescribeSecret", "ListSecretVersionIds", "GetResourcePolicy"}
    listed = await provider.ask(Secrets(prefix="prod/"))
    assert [row.name for row in listed.rows] == ["prod/ünï"]


async def test_nothing_there_and_parts_denied(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto; the denial in the form of the JSON protocol."""
    assert (await provider.ask(Secrets())).status is Status.no_data
    assert (await provider.ask(Secret(name="weg/ünï"))).status is Status.no_data
    shop.client("secretsmanager").create_secret(Name="a", SecretString="hunter2")
    aws.refuses("GetResourcePolicy", "AccessDeniedException", "no")
    result = await provider.ask(Secret(name="a"))
    assert (result.status, "secretsmanager:GetResourcePolicy" in result.message) == (Status.truncated, True)
