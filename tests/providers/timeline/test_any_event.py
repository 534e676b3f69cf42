"""Whatever stands in an event of CloudTrail, it is told or left out, never fatal, and its secrets stay in it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.cloudtrail import parse
from runbook_bot.providers.aws.related import footing
from runbook_bot.providers.aws.timeline.claims import trail_claim
from runbook_bot.providers.aws.timeline.matching import through
from runbook_bot.providers.aws.timeline.requests import changed
from runbook_bot.providers.aws.trail_names import KINDS
from tests.providers.conftest import NOW

KEYS = st.sampled_from((
    "groupId", "ipPermissions", "items", "groups", "ipRanges", "cidrIp", "roleName", "policyDocument", "policyArn",
    "changeBatch", "changes", "resourceRecordSet", "resourceRecords", "aliasTarget", "actions", "forwardConfig",
    "targetGroups", "attributes", "parameters", "parameterName", "parameterValue", "environment", "routingConfig",
    "additionalVersionWeights", "provisionedThroughput", "taskDefinition", "desiredCount", "cluster", "service",
    "ModifySecurityGroupRulesRequest", "SecurityGroupRule", "securityGroupRuleSet", "version", "bucketPolicy", "name",
    "Statement", "Action", "Effect", "conditions", "values", "certificates", "targets", "arn", "invokedBy", "type",
))  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20),
    st.sampled_from(("sg-1", "app", "arn:aws:iam::1:role/x", '{"Statement": {"Action": 3}}', "arn:", "a/b:c", "[]")),
)  # fmt: skip
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
FOOTING = footing(groups=["sg-1"], roles=["x"], subnets=["subnet-1"], hosts=["db.example.org"])
SERVICE = Resource(type=ResourceType.ecs_service, cluster="prod", name="app")


def told(name: str, detail: Any) -> dict[str, Any]:
    return {"EventId": "e", "EventName": name, "EventTime": NOW, "CloudTrailEvent": json.dumps(detail)}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(("ec2", "iam", "route53", "ecs", "lambda", "rds", "ssm", "elasticloadbalancing", "sqs", "?")),
    st.dictionaries(KEYS, ANYTHING, max_size=5),
    ANYTHING,
    ANYTHING,
)
def test_it_is_told_or_left_out(name: str, source: str, request: Any, answer: Any, who: Any) -> None:
    detail = {"requestParameters": request, "responseElements": answer, "userIdentity": who}
    event = parse({**told(name, detail), "EventSource": f"{source}.amazonaws.com"})
    assert event is not None
    place = through(event, SERVICE, FOOTING)
    change = trail_claim(event, SERVICE, place or "").change
    assert len(change.summary) <= 400
    assert all(isinstance(value, str) for value in (*change.before.values(), *change.after.values()))


@settings(max_examples=50, deadline=None)
@given(ANYTHING)
def test_a_record_that_is_none_leaves_who_and_what_open(detail: Any) -> None:
    event = parse({**told("UpdateService", detail), "Username": "ada"})
    assert event is None or event.name == "UpdateService"


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("PutParameter", {"name": "/a", "value": "correct-horse", "type": "String"}),
        ("ModifyDBInstance", {"dBInstanceIdentifier": "db", "masterUserPassword": "correct-horse"}),
        ("CreateSecret", {"name": "a", "secretString": "correct-horse"}),
        ("UpdateSecret", {"secretId": "a", "secretString": "correct-horse", "clientRequestToken": "correct-horse"}),
        ("UpdateFunctionConfiguration", {"environment": {"variables": {"DB_PASSWORD": "correct-horse"}}}),
        ("RunInstances", {"userData": "correct-horse", "instanceType": "t3.micro"}),
        ("PutRule", {"name": "r", "apiToken": "correct-horse"}),
        ("UpdateApp", {"appId": "d1", "environmentVariables": {"STRIPE": "correct-horse"}}),
        ("UpdateConnection", {"authParameters": {"apiKeyValue": "correct-horse"}}),
    ],
)
def test_a_secret_in_a_request_is_not_shown(name: str, request_: dict[str, Any]) -> None:
    assert "correct-horse" not in str(changed(name, request_, {}))
