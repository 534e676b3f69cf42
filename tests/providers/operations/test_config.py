"""AWS Config, in the form of the service model: moto records one kind of resource only and evaluates no rule."""

import json
from datetime import datetime, timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.config import NonCompliant, ResourceHistory
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.stand_in import Answer, StandIn


def item(at: datetime, configuration: Any, **more: Any) -> dict[str, Any]:
    return {
        "configurationItemCaptureTime": at.timestamp(),
        "configurationItemStatus": "OK",
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-1",
        "resourceName": "Straße/db",
        "configuration": configuration if isinstance(configuration, str) else json.dumps(configuration),
        **more,
    }


async def test_each_record_shows_what_differs_from_the_one_before(aws: StandIn, provider: AwsProvider) -> None:
    old = item(NOW - timedelta(days=2), {"ipPermissions": [{"fromPort": 5432}], "env": {"dbPassword": "alpha"}})
    new = item(
        NOW - timedelta(hours=1), {"ipPermissions": [], "env": {"dbPassword": "bravo"}}, tags={"owner": "payments"}
    )
    aws.says("GetResourceConfigHistory", {"configurationItems": [old, new]})
    result = await provider.ask(ResourceHistory(type="security_group", name="sg-1"))
    latest, first = result.rows
    changes = latest.facts["changes"]
    assert isinstance(changes, dict)
    assert changes['ipPermissions[{"fromPort": 5432}]'] == "present → (unset)"
    assert changes["tags.owner"] == "(unset) → payments"
    assert "alpha" not in str(changes)
    assert "bravo" not in str(changes)
    assert "env.dbPassword" in changes
    assert first.facts["first_record_shown"] is True
    assert "AWS::EC2::SecurityGroup" in aws.asked("GetResourceConfigHistory")[0].body


async def test_a_name_is_resolved_to_its_id(aws: StandIn, provider: AwsProvider) -> None:
    def history(body: str) -> Answer:
        known = json.loads(body)["resourceId"] == "sg-1"
        return Answer(200, json.dumps({"configurationItems": [item(NOW, "{")] if known else []}).encode())

    aws.answers["GetResourceConfigHistory"] = history
    aws.says("ListDiscoveredResources", {"resourceIdentifiers": [{"resourceId": "sg-1"}]})
    result = await provider.ask(ResourceHistory(type="AWS::EC2::SecurityGroup", name="Straße/db"))
    assert result.rows[0].facts["id"] == "sg-1"


async def test_nothing_recorded_says_whether_anything_is(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("GetResourceConfigHistory", "ResourceNotDiscoveredException", "not discovered")
    aws.says("ListDiscoveredResources", {"resourceIdentifiers": []})
    aws.says("DescribeConfigurationRecorderStatus", {"ConfigurationRecordersStatus": []})
    result = await provider.ask(ResourceHistory(type="security_group", name="sg-9"))
    assert result.status is Status.no_data
    assert "records nothing in this region" in result.message


async def test_broken_rules_name_the_resources_that_break_them(aws: StandIn, provider: AwsProvider) -> None:
    def rule(name: str, count: int) -> dict[str, Any]:
        contributors = {"CappedCount": count, "CapExceeded": count == 25}
        compliance = {"ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": contributors}
        return {"ConfigRuleName": name, "Compliance": compliance}

    def details(body: str) -> Answer:
        if "public" in body:
            return Answer(400, json.dumps({"__type": "AccessDeniedException", "message": ""}).encode())
        which = {"EvaluationResultQualifier": {"ResourceType": "AWS::S3::Bucket", "ResourceId": "logs"}}
        told = {"EvaluationResultIdentifier": which, "Annotation": "not encrypted", "ResultRecordedTime": 0}
        return Answer(200, json.dumps({"EvaluationResults": [told]}).encode())

    aws.says("DescribeComplianceByConfigRule", {"ComplianceByConfigRules": [rule("encrypted", 2), rule("public", 25)]})
    aws.answers["GetComplianceDetailsByConfigRule"] = details
    result = await provider.ask(NonCompliant())
    assert [row.name for row in result.rows] == ["public", "encrypted"]
    assert result.rows[0].facts["resources_breaking_it"] == "more than 25"
    assert result.rows[1].facts["resources"] == ["AWS::S3::Bucket logs: not encrypted"]
    assert result.status is Status.truncated
    assert "config:GetComplianceDetailsByConfigRule" in result.message


async def test_no_broken_rule(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("DescribeComplianceByConfigRule", {"ComplianceByConfigRules": []})
    assert (await provider.ask(NonCompliant())).message == "no rule is broken"


async def test_an_id_tells_its_type_and_a_name_does_not(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("GetResourceConfigHistory", {"configurationItems": [item(NOW, {})]})
    assert (await provider.ask(ResourceHistory(name="sg-0abc123"))).rows
    assert "AWS::EC2::SecurityGroup" in aws.asked("GetResourceConfigHistory")[0].body
    untold = await provider.ask(ResourceHistory(name="checkout-api"))
    assert untold.status is Status.error
    assert "needs the type of checkout-api" in untold.message
