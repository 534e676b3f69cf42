"""Lambda: account limits, which moto lacks, and when a function was really changed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_ACCOUNT_LIMIT = 1000
_KEPT_FREE = 100


class FunctionApi:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._changed: dict[str, float] = {}
        self._reserved: dict[str, int] = {}

    def handlers(self) -> Handlers:
        dated = {
            f"lambda:{operation}": self._dated
            for operation in ("GetFunction", "GetFunctionConfiguration", "ListFunctions", "ListVersionsByFunction")
        }
        changing = {
            f"lambda:{operation}": self._change
            for operation in ("CreateFunction", "UpdateFunctionConfiguration", "UpdateFunctionCode")
        }
        return {
            **dated,
            **changing,
            "lambda:PutFunctionConcurrency": self._reserve,
            "lambda:DeleteFunctionConcurrency": self._release,
            "lambda:GetAccountSettings": self._settings,
        }

    async def _change(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        self._changed[answer["FunctionName"]] = call.at
        return self._with_dates(answer)

    async def _dated(self, call: Call) -> Parameters:
        return self._with_dates(await self._upstream.ask(call))

    async def _reserve(self, call: Call) -> Parameters:
        wanted = int(call.parameters.get("ReservedConcurrentExecutions") or 0)
        name = _name(call)
        others = sum(number for each, number in self._reserved.items() if each != name)
        if others + wanted > _ACCOUNT_LIMIT - _KEPT_FREE:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{_KEPT_FREE}].",
            )
        answer = await self._upstream.ask(call)
        self._reserved[name] = wanted
        return answer

    async def _release(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        self._reserved.pop(_name(call), None)
        return answer

    async def _settings(self, call: Call) -> Parameters:
        return {
            "AccountLimit": {
                "TotalCodeSize": 80530636800,
                "CodeSizeUnzipped": 262144000,
                "CodeSizeZipped": 52428800,
                "ConcurrentExecutions": _ACCOUNT_LIMIT,
                "UnreservedConcurrentExecutions": _ACCOUNT_LIMIT - sum(self._reserved.values()),
            },
            "AccountUsage": {"TotalCodeSize": 4194304, "FunctionCount": len(self._changed)},
        }

    def _with_dates(self, answer: Parameters) -> Parameters:
        for function in _configurations(answer):
            if (at := self._changed.get(function["FunctionName"])) is not None:
                function["LastModified"] = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"
        return answer


def _configurations(answer: Parameters) -> Iterator[Parameters]:
    if "FunctionName" in answer:
        yield answer
    if "Configuration" in answer:
        yield answer["Configuration"]
    yield from answer.get("Functions") or ()
    yield from answer.get("Versions") or ()


def _name(call: Call) -> str:
    return str(call.parameters.get("FunctionName", "")).rpartition(":")[2]
