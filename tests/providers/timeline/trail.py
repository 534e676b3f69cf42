"""CloudTrail, which moto lacks: events in the shape of AWS's own, told by the stand-in."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.providers.stand_in import StandIn

ROSA = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/rosa",
}


def event(
    name: str, source: str, at: datetime, parameters: Mapping[str, Any], *, who: Mapping[str, Any] = ROSA, **more: Any
) -> dict[str, Any]:
    """One event; `more` goes into its record, e.g. `responseElements`."""
    id = more.pop("id", f"{name}-{at:%H%M%S}")
    record = {"eventName": name, "userIdentity": who, "requestParameters": parameters, **more}
    return {
        "EventId": id,
        "EventName": name,
        "EventSource": f"{source}.amazonaws.com",
        "EventTime": at.timestamp(),
        "ReadOnly": "false",
        "CloudTrailEvent": json.dumps(record),
    }


def tell(aws: StandIn, *events: dict[str, Any]) -> None:
    aws.says("LookupEvents", {"Events": list(events)})
