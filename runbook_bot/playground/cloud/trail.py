"""CloudTrail: who changed what and when, recorded as the calls pass, and looked up again."""

import json
import uuid
from datetime import UTC, datetime

from runbook_bot.playground.cloud.identities import Identities
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_READS = ("Describe", "List", "Get", "Lookup", "Filter", "Simulate", "Search", "BatchGet", "Test", "Query", "Scan")
_NO_TRAIL = frozenset(
    [
        "PutMetricData",
        "PutLogEvents",
        "StartQuery",
        "StopQuery",
        "AssumeRole",
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "Invoke",
        "Publish",
    ]
)
_SOURCE = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing"}
_DATED_NAMES = {
    "PutFunctionConcurrency": "PutFunctionConcurrency20171031",
    "DeleteFunctionConcurrency": "DeleteFunctionConcurrency20171031",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "CreateFunction": "CreateFunction20150331",
}
"""Lambda's calls stand in CloudTrail under names with the version of its API."""
_NAMED_BY = {
    "service": "AWS::ECS::Service",
    "serviceName": "AWS::ECS::Service",
    "cluster": "AWS::ECS::Cluster",
    "taskDefinition": "AWS::ECS::TaskDefinition",
    "FunctionName": "AWS::Lambda::Function",
    "DBInstanceIdentifier": "AWS::RDS::DBInstance",
    "AlarmName": "AWS::CloudWatch::Alarm",
    "logGroupName": "AWS::Logs::LogGroup",
    "TableName": "AWS::DynamoDB::Table",
    "QueueName": "AWS::SQS::Queue",
    "QueueUrl": "AWS::SQS::Queue",
    "GroupId": "AWS::EC2::SecurityGroup",
    "RoleName": "AWS::IAM::Role",
}
_KEPT_DAYS = 90
_ANSWER_LIMIT = 20_000


def changes(call: Call) -> bool:
    """Whether a call is one that CloudTrail lists as a management event that changes something."""
    return bool(call.operation) and not call.operation.startswith(_READS) and call.operation not in _NO_TRAIL


class Trail:
    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._events: list[tuple[float, Parameters]] = []

    def handlers(self) -> Handlers:
        return {"cloudtrail:LookupEvents": self._lookup}

    def record(self, call: Call, answer: Parameters, error: str | None = None) -> None:
        who = self._identities.of(call.access_key)
        name = _DATED_NAMES.get(call.operation, call.operation)
        source = f"{_SOURCE.get(call.service, call.service)}.amazonaws.com"
        resources = [{"ResourceType": kind, "ResourceName": each} for kind, each in _resources(call, answer)]
        detail = {
            "eventVersion": "1.11",
            "userIdentity": who.identity(call.access_key, call.at),
            "eventTime": f"{_moment(call.at):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": source,
            "eventName": name,
            "awsRegion": call.region,
            "sourceIPAddress": who.address,
            "userAgent": call.request.headers.get("user-agent", ""),
            "requestParameters": {_lower(k): v for k, v in call.parameters.items()},
            "responseElements": answer if len(json.dumps(answer, default=str)) < _ANSWER_LIMIT else None,
            "requestID": call.id,
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management",
        }
        if error:
            detail |= {"errorCode": error, "responseElements": None}
        event: Parameters = {
            "EventId": detail["eventID"],
            "EventName": name,
            "ReadOnly": "false",
            "AccessKeyId": call.access_key,
            "EventTime": _moment(call.at),
            "EventSource": source,
            "Username": who.name,
            "Resources": resources,
            "CloudTrailEvent": json.dumps(detail, default=str),
        }
        self._events.append((call.at, event))
        self._events.sort(key=lambda pair: pair[0])

    async def _lookup(self, call: Call) -> Parameters:
        asked = call.parameters
        attributes = asked.get("LookupAttributes") or []
        if len(attributes) > 1:
            raise AwsError("InvalidLookupAttributesException", "You can only specify one lookup attribute.")
        end = float(asked.get("EndTime") or call.at)
        start = float(asked.get("StartTime") or call.at - _KEPT_DAYS * 86400)
        if end < start:
            raise AwsError("InvalidTimeRangeException", "StartTime must be before EndTime.")
        start = max(start, call.at - _KEPT_DAYS * 86400)
        found = [
            event
            for at, event in reversed(self._events)
            if start <= at <= end and all(_matches(event, each) for each in attributes)
        ]
        first, size = int(asked.get("NextToken") or 0), min(int(asked.get("MaxResults") or 50), 50)
        answer: Parameters = {"Events": found[first : first + size]}
        if first + size < len(found):
            answer["NextToken"] = str(first + size)
        return answer


def _matches(event: Parameters, attribute: dict[str, str]) -> bool:
    key, value = attribute.get("AttributeKey"), attribute.get("AttributeValue")
    match key:
        case "ResourceName" | "ResourceType":
            return any(resource[key] == value for resource in event["Resources"])
        case "EventId" | "EventName" | "ReadOnly" | "Username" | "EventSource" | "AccessKeyId":
            return bool(event[key] == value)
    raise AwsError("InvalidLookupAttributesException", f"{key} is not a lookup attribute.")


def _resources(call: Call, answer: Parameters) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for parameter, kind in _NAMED_BY.items():
        value = call.parameters.get(parameter)
        if (isinstance(value, str) and kind.split("::")[1].lower() in (call.service, "logs", "sqs", "ec2", "iam")) or (
            isinstance(value, str) and parameter == "AlarmName"
        ):
            found[kind, value.rpartition("/")[2] if parameter == "QueueUrl" else value] = None
    if service := answer.get("service"):
        found["AWS::ECS::Service", service["serviceName"]] = None
        found["AWS::ECS::Service", service["serviceArn"]] = None
    if definition := answer.get("taskDefinition"):
        found["AWS::ECS::TaskDefinition", definition["taskDefinitionArn"]] = None
    if arn := answer.get("FunctionArn"):
        found["AWS::Lambda::Function", arn] = None
    return list(found)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
