"""Questions about the account itself: what a principal may do, and what scaled by itself."""

from fnmatch import fnmatchcase

from runbook_bot.playground.cloud.wire import Call, Handlers, Parameters


class AccountApi:
    """`denied` is the cloud's own set of refused actions, looked at afresh for each answer."""

    def __init__(self, denied: set[str]) -> None:
        self._denied = denied

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
        return {"ScalingActivities": []}
