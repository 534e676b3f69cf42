"""What can be asked of AWS Config."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.differences import compared
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.listing import cut_short, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_DAYS = 30
_MOST_ITEMS = 100
_MOST_RULES = 200
_EXPLAINED = 20
_NAMED = 25
_DEPTH = 8
_MOST_FIELDS = 20
_ALWAYS_NEW = ("configurationItemMD5Hash", "lastUpdated", "version", "etag", "eTag", "lastModified")
_SHORT = {
    "security_group": "AWS::EC2::SecurityGroup", "ec2_instance": "AWS::EC2::Instance", "subnet": "AWS::EC2::Subnet",
    "rds_instance": "AWS::RDS::DBInstance", "rds_cluster": "AWS::RDS::DBCluster", "s3_bucket": "AWS::S3::Bucket",
    "lambda_function": "AWS::Lambda::Function", "dynamodb_table": "AWS::DynamoDB::Table",
    "iam_role": "AWS::IAM::Role", "load_balancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "autoscaling_group": "AWS::AutoScaling::AutoScalingGroup", "ecs_service": "AWS::ECS::Service",
    "sqs_queue": "AWS::SQS::Queue", "kinesis_stream": "AWS::Kinesis::Stream", "eks_cluster": "AWS::EKS::Cluster",
}  # fmt: skip


_PREFIXES = {
    "sg": "AWS::EC2::SecurityGroup", "i": "AWS::EC2::Instance", "subnet": "AWS::EC2::Subnet", "vpc": "AWS::EC2::VPC",
    "vol": "AWS::EC2::Volume", "eni": "AWS::EC2::NetworkInterface", "rtb": "AWS::EC2::RouteTable",
    "acl": "AWS::EC2::NetworkAcl", "igw": "AWS::EC2::InternetGateway", "nat": "AWS::EC2::NatGateway",
    "vpce": "AWS::EC2::VPCEndpoint", "db": "AWS::RDS::DBInstance",
}  # fmt: skip
_ID = re.compile(r"([a-z]+)-(?:[0-9a-f]{4,17}|[A-Z0-9]{20,})$")


def _told_by(id: str) -> str:
    """The type of a resource with that id; empty where the id does not tell."""
    found = _ID.match(id)
    return _PREFIXES.get(found[1], "") if found else ""


def _link(place: Place, page: str) -> str:
    return f"https://{console_host(place.region)}/config/home?region={place.region}#/{page}"


class ResourceHistory(Operation):
    """How one resource's configuration was over time, newest first, with what differs from one record to the next."""

    kind: ClassVar[str] = "aws.config.history"
    service = "config"
    calls = ("GetResourceConfigHistory", "ListDiscoveredResources", "DescribeConfigurationRecorderStatus")
    words = ("config history", "configuration history", "what was the configuration", "aws config")

    name: str = Field(description="Id of the resource as AWS Config has it, e.g. sg-0abc, or its name")
    type: str | None = Field(
        default=None,
        description="AWS::EC2::SecurityGroup, or security_group, rds_instance …; none where the id tells it",
    )
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last thirty days")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24 * _DAYS, now, self.window)
        type = _SHORT.get(self.type.lower(), self.type) if self.type else _told_by(self.name)
        if not type:
            return self._untold(place)
        items = await self._items(place, type, self.name, window)
        if not items:
            id = await self._id(place, type)
            items = await self._items(place, type, id, window) if id and id != self.name else []
        items.sort(key=lambda each: newest_first(each.get("configurationItemCaptureTime")))
        rows = await asyncio.to_thread(
            lambda: [_recorded(item, before) for item, before in zip(items, [*items[1:], None], strict=False)]
        )
        empty = "" if rows else await _why_nothing(place)
        more = cut_short(items, _MOST_ITEMS, "name a shorter window")
        page = f"resources/timeline?resourceId={quote(self.name, safe='')}&resourceType={quote(type, safe='')}"
        return self.table(place, rows, empty=empty, more=more, console=_link(place, page))

    def _untold(self, place: Place) -> Result:
        """Nothing can be looked up by a name alone: AWS Config keeps resources by their type."""
        text = f"AWS Config needs the type of {self.name} too: {', '.join(_SHORT)}, or AWS::Service::Type"
        return Result(
            status=Status.error, source=self.source, asked=self.request(), where=self.where(place), message=text
        )

    async def _items(self, place: Place, type: str, id: str, window: TimeWindow) -> list[Answer]:
        try:
            return await place.gather(
                "config", "GetResourceConfigHistory", "configurationItems", _MOST_ITEMS,
                resourceType=type, resourceId=id, earlierTime=window.start, laterTime=window.end,
            )  # fmt: skip
        except CallFailed as failure:
            if failure.kind != "missing" and "ResourceNotDiscovered" not in str(failure):
                raise
            return []

    async def _id(self, place: Place, type: str) -> str:
        """The id behind a name; empty where there is none."""
        found = await place.gather(
            "config", "ListDiscoveredResources", "resourceIdentifiers", 1,
            resourceType=type, resourceName=self.name, includeDeletedResources=True,
        )  # fmt: skip
        return str(found[0].get("resourceId", "")) if found else ""


async def _why_nothing(place: Place) -> str:
    try:
        told = await place.call("config", "DescribeConfigurationRecorderStatus")
    except CallFailed:
        return "AWS Config has no record of it in this window"
    recorders = told.get("ConfigurationRecordersStatus") or []
    if not any(each.get("recording") for each in recorders):
        return "AWS Config records nothing in this region: its recorder is off or was never set up"
    return "AWS Config records here, but has nothing of this resource in this window"


def _recorded(item: Answer, before: Answer | None) -> Row:
    old, new = compared(_flat(before), _flat(item)) if before is not None else ({}, {})
    changes: dict[str, JsonValue] = {
        name: f"{old.get(name, '(unset)')} → {new.get(name, '(unset)')}" for name in [*dict.fromkeys((*old, *new))]
    }
    related: list[JsonValue] = [*(item.get("relatedEvents") or [])][:5]
    return Row(
        name=str(item.get("resourceName") or item.get("resourceId") or "?"),
        at=item.get("configurationItemCaptureTime"),
        facts={
            "status": item.get("configurationItemStatus"),
            "changes": dict(list(changes.items())[:_MOST_FIELDS]) or None,
            "changes_left_out": len(changes) - _MOST_FIELDS if len(changes) > _MOST_FIELDS else None,
            "first_record_shown": True if before is None else None,
            "id": item.get("resourceId"),
            "cloudtrail_events": related or None,
            "relations": len(item.get("relationships") or []) or None,
        },
    )


def _flat(item: Answer) -> dict[str, str]:
    """The configuration, tags and relations as flat fields."""
    try:
        configuration = json.loads(item.get("configuration") or "{}")
    except ValueError:
        configuration = {"configuration": item.get("configuration")}
    found = dict(_leaves("", configuration))
    for name, value in (item.get("supplementaryConfiguration") or {}).items():
        try:
            found |= dict(_leaves(name, json.loads(value)))
        except (ValueError, TypeError):
            found[name] = str(value)
    found |= {f"tags.{name}": str(value) for name, value in (item.get("tags") or {}).items()}
    for each in item.get("relationships") or []:
        key = f"related.{each.get('resourceType')}.{each.get('resourceId') or each.get('resourceName')}"
        found[key] = str(each.get("relationshipName", "")).strip()
    return found


def _leaves(path: str, value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth < _DEPTH:
        for name, each in value.items():
            if name not in _ALWAYS_NEW:
                yield from _leaves(f"{path}.{name}" if path else str(name), each, depth + 1)
    elif isinstance(value, list) and depth < _DEPTH:
        for each in value:  # by content, not by position: a rule that was added must not move all others
            text = json.dumps(each, sort_keys=True, ensure_ascii=False) if isinstance(each, dict | list) else str(each)
            yield f"{path}[{text[:200]}]", "present"
    elif value is not None:
        yield path, str(value)


class NonCompliant(Operation):
    """Rules of AWS Config that are not met, those with the most resources first, and which resources break them."""

    kind: ClassVar[str] = "aws.config.non_compliant"
    service = "config"
    calls = ("DescribeComplianceByConfigRule", "GetComplianceDetailsByConfigRule")
    words = ("non-compliant", "compliance", "config rules", "broken rules")

    rule: str | None = Field(default=None, description="Name of one rule; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        which: Answer = {"ComplianceTypes": ["NON_COMPLIANT"]} | ({"ConfigRuleNames": [self.rule]} if self.rule else {})
        rules = await place.gather(
            "config", "DescribeComplianceByConfigRule", "ComplianceByConfigRules", _MOST_RULES, **which
        )
        rules.sort(key=lambda each: -_breaking(each))

        async def details(rule: Answer) -> list[Answer]:
            return await place.gather(
                "config", "GetComplianceDetailsByConfigRule", "EvaluationResults", _NAMED,
                ConfigRuleName=rule.get("ConfigRuleName"), ComplianceTypes=["NON_COMPLIANT"],
            )  # fmt: skip

        explained, failures = await for_each(rules[:_EXPLAINED], details)
        why = {str(rule.get("ConfigRuleName")): found for rule, found in explained}
        rows = [_rule(each, why.get(str(each.get("ConfigRuleName")), [])) for each in rules]
        empty = "no rule is broken" if self.rule is None else "the rule is met, or has not been evaluated"
        more = cut_short(rules, _MOST_RULES, "name a rule")
        return self.table(place, rows, empty=empty, failures=failures, more=more, console=_link(place, "rules"))


def _breaking(rule: Answer) -> int:
    return int(((rule.get("Compliance") or {}).get("ComplianceContributorCount") or {}).get("CappedCount") or 0)


def _rule(rule: Answer, found: list[Answer]) -> Row:
    capped = ((rule.get("Compliance") or {}).get("ComplianceContributorCount") or {}).get("CapExceeded")
    resources: list[JsonValue] = []
    for each in found:
        which: Answer = (each.get("EvaluationResultIdentifier") or {}).get("EvaluationResultQualifier") or {}
        note = f": {each['Annotation']}" if each.get("Annotation") else ""
        resources.append(f"{which.get('ResourceType')} {which.get('ResourceId')}{note}")
    return Row(
        name=str(rule.get("ConfigRuleName", "?")),
        at=max((each["ResultRecordedTime"] for each in found if each.get("ResultRecordedTime")), default=None),
        facts={
            "resources_breaking_it": f"more than {_breaking(rule)}" if capped else _breaking(rule),
            "resources": resources or None,
        },
    )


OPERATIONS = (ResourceHistory, NonCompliant)
