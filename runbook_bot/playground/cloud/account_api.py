"""Questions about the account itself: what a principal may do, and what scaled by itself."""

import hashlib
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from runbook_bot.playground.cloud import past
from runbook_bot.playground.cloud.ecs_api import EcsApi, Scaling
from runbook_bot.playground.cloud.wire import Call, Handlers, Parameters


class AccountApi:
    """`denied` is the cloud's own set of refused actions, looked at afresh for each answer."""

    def __init__(self, denied: set[str], ecs: EcsApi) -> None:
        self._denied = denied
        self._ecs = ecs

    def handlers(self) -> Handlers:
        return {
            "iam:SimulatePrincipalPolicy": self._simulate,
            "application-autoscaling:DescribeScalingActivities": self._activities,
        }

    async def _simulate(self, call: Call) -> Parameters:
        resources = call.parameters.get("ResourceArns") or ["*"]
        results = []
        for action in call.parameters.get("ActionNames") or ():
            refused = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self._denied)
            decision = "implicitDeny" if refused else "allowed"
            results += [
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision,
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                }
                for resource in resources
            ]
        return {"EvaluationResults": results, "IsTruncated": False}

    async def _activities(self, call: Call) -> Parameters:
        asked = call.parameters
        shown = [_activity(each) for each in reversed(self._ecs.scalings) if each.call.request.headers.get(past.NOTE)]
        wanted = asked.get("ResourceId")
        found = [
            each
            for each in shown
            if each["ServiceNamespace"] == asked.get("ServiceNamespace") and wanted in (None, each["ResourceId"])
        ]
        return {"ScalingActivities": found[: int(asked.get("MaxResults") or 50)]}


def _activity(scaling: Scaling) -> Parameters:
    resource = f"service/{scaling.fleet.cluster}/{scaling.fleet.name}"
    id = hashlib.sha256(f"{resource}{scaling.at}".encode()).hexdigest()
    return {
        "ActivityId": f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:32]}",
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
        "Description": f"Setting desired count to {scaling.after}.",
        "Cause": scaling.call.request.headers[past.NOTE],
        "StartTime": datetime.fromtimestamp(scaling.at, UTC),
        "EndTime": datetime.fromtimestamp(scaling.at + 40, UTC),
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired count to {scaling.after}. Change successfully fulfilled by ecs.",
    }
