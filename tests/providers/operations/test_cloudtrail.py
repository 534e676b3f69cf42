"""CloudTrail, in the form of the service model: moto has no LookupEvents."""

import json
from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.cloudtrail import DeniedCalls, Events, EventsOfResource, SignIns
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.stand_in import Answer, StandIn

ADA = {"type": "IAMUser", "userName": "ada", "arn": "arn:aws-cn:iam::1:user/ada"}
CI = {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/ci/deploy-7"}


def event(id: str, name: str, minutes: float, who: dict[str, str] = ADA, **detail: Any) -> dict[str, Any]:
    source = detail.pop("source", "ecs.amazonaws.com")
    inner = {"userIdentity": who, "eventSource": source, "eventName": name, "sourceIPAddress": "10.0.0.9", **detail}
    return {
        "EventId": id,
        "EventName": name,
        "ReadOnly": str(detail.get("readOnly", False)).lower(),
        "EventTime": (NOW - timedelta(minutes=minutes)).timestamp(),
        "EventSource": source,
        "Username": who.get("userName", "deploy-7"),
        "Resources": [{"ResourceType": "AWS::ECS::Service", "ResourceName": "checkout/ápi"}],
        "CloudTrailEvent": json.dumps(inner),
    }


SCALED = event("1", "UpdateService", 5, requestParameters={"service": "checkout/ápi", "desiredCount": 1})
DELETED = event("2", "DeleteService", 9, CI)
REFUSED = event("3", "UpdateService", 7, CI, errorCode="AccessDenied", errorMessage="ci may not ecs:UpdateService")
READ = event("4", "DescribeServices", 4, readOnly=True)


async def test_writes_come_newest_first_with_who_and_what(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("LookupEvents", {"Events": [DELETED, SCALED, REFUSED, READ, SCALED]})
    result = await provider.ask(Events())
    assert [row.name for row in result.rows] == ["UpdateService", "UpdateService", "DeleteService"]
    newest = result.rows[0]
    assert newest.facts["who"] == "ada"
    assert "1" in str(newest.facts["change"])
    assert newest.facts["resources"] == ["checkout/ápi"]
    assert result.rows[1].facts["error"] == "AccessDenied"
    assert '"ReadOnly"' in aws.asked("LookupEvents")[0].body


async def test_the_most_telling_attribute_is_looked_up_and_the_others_picked_here(
    aws: StandIn, provider: AwsProvider
) -> None:
    aws.says("LookupEvents", {"Events": [DELETED, SCALED]})
    result = await provider.ask(Events(resource="checkout/ápi", user="ci/deploy-7"))
    assert [row.name for row in result.rows] == ["DeleteService"]
    asked = json.loads(aws.asked("LookupEvents")[0].body)["LookupAttributes"]
    assert asked == [{"AttributeKey": "ResourceName", "AttributeValue": "checkout/ápi"}]


async def test_reads_are_shown_when_they_are_asked_for(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("LookupEvents", {"Events": [READ]})
    assert (await provider.ask(Events(of_service="ecs"))).status is Status.no_data
    shown = await provider.ask(Events(of_service="ecs", reads=True, user="ada"))
    assert shown.rows[0].facts["read"] is True


async def test_a_trail_without_end_is_cut_and_says_how_far_it_was_read(aws: StandIn, provider: AwsProvider) -> None:
    def page(body: str) -> Answer:
        number = int(json.loads(body).get("NextToken") or 0)
        events = [event(f"{number}-{i}", "PutItem", number * 3 + i / 20) for i in range(50)]
        return Answer(200, json.dumps({"Events": events, "NextToken": str(number + 1)}).encode())

    aws.answers["LookupEvents"] = page
    result = await provider.ask(Events())
    assert result.status is Status.truncated
    assert len(result.rows) == 50
    assert "CloudTrail was read back to" in result.message
    assert len(aws.asked("LookupEvents")) <= 12


async def test_a_detail_that_cannot_be_read_is_still_an_event(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("LookupEvents", {"Events": [{**SCALED, "CloudTrailEvent": "{"}, {**SCALED, "EventTime": None}]})
    result = await provider.ask(Events())
    assert [row.facts["who"] for row in result.rows] == ["ada"]


async def test_one_resource_over_days(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("LookupEvents", {"Events": [SCALED, READ]})
    result = await provider.ask(EventsOfResource(name="checkout/ápi"))
    assert [row.name for row in result.rows] == ["UpdateService"]
    assert result.console is not None
    assert "checkout%2F%C3%A1pi" in result.console
    aws.says("LookupEvents", {"Events": []})
    assert (await provider.ask(EventsOfResource(name="x"))).status is Status.no_data


async def test_denied_calls_are_counted_by_principal_and_action(aws: StandIn, provider: AwsProvider) -> None:
    more = event("5", "GetObject", 1, ADA, source="s3.amazonaws.com", errorCode="AccessDenied", readOnly=True)
    aws.says("LookupEvents", {"Events": [REFUSED, {**REFUSED, "EventId": "6"}, more, SCALED]})
    result = await provider.ask(DeniedCalls())
    assert [(row.name, row.facts["action"], row.facts["times"]) for row in result.rows] == [
        ("ci/deploy-7", "ecs:UpdateService", 2),
        ("ada", "s3:GetObject", 1),
    ]
    assert result.rows[0].facts["message"] == "ci may not ecs:UpdateService"
    only = await provider.ask(DeniedCalls(of_service="s3"))
    assert [row.name for row in only.rows] == ["ada"]


async def test_failed_sign_ins_come_first_then_root(aws: StandIn) -> None:
    def login(id: str, who: dict[str, str], outcome: str, second: str, minutes: float) -> dict[str, Any]:
        return event(
            id, "ConsoleLogin", minutes, who, source="signin.amazonaws.com",
            responseElements={"ConsoleLogin": outcome}, additionalEventData={"MFAUsed": second},
        )  # fmt: skip

    root = {"type": "Root", "accountId": "1", "arn": "arn:aws:iam::1:root"}
    events = [
        login("a", ADA, "Success", "Yes", 1),
        login("b", ADA, "Success", "No", 2),
        login("c", root, "Success", "Yes", 3),
        login("d", ADA, "Failure", "No", 4),
    ]
    aws.says("LookupEvents", {"Events": events})
    europe = AwsProvider(AwsSettings(regions=("eu-west-1",)), FixedClock())
    result = await europe.ask(SignIns())
    assert [row.facts["outcome"] for row in result.rows] == ["Failure", "Success", "Success", "Success"]
    assert result.rows[1].name == "root of account 1"
    assert result.rows[2].facts["second_factor"] == "No"
    assert len(aws.asked("LookupEvents")) == 2  # its own region, and the one most sign-ins are recorded in


async def test_denied_names_the_permission(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("LookupEvents", "AccessDeniedException")
    result = await provider.ask(Events())
    assert result.status is Status.denied
    assert "cloudtrail:LookupEvents" in result.message
    assert (await provider.ask(SignIns())).status is Status.denied
