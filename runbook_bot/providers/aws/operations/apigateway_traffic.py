"""How much APIs were asked, how much of it failed, and how long answers took, for APIs of either generation."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, share
from runbook_bot.providers.aws.operations.apigateway import Api, api_link, read_apis
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.operations.telling import warned
from runbook_bot.providers.aws.place import Place

_API = "AWS/ApiGateway"
_MOST_MEASURED = 200
_MANY_PERCENT = 5.0
_TIMES = (
    Gauge("latency_ms", _API, "Latency", "Average", "mean"),
    Gauge("latency_peak_ms", _API, "Latency", "Maximum", "peak"),
    Gauge("integration_latency_ms", _API, "IntegrationLatency", "Average", "mean"),
)
_GAUGES = {
    "REST": (
        Gauge("requests", _API, "Count", "Sum", "total", sparse=True),
        Gauge("client_errors", _API, "4XXError", "Sum", "total", sparse=True),
        Gauge("server_errors", _API, "5XXError", "Sum", "total", sparse=True),
        *_TIMES,
    ),
    "HTTP": (
        Gauge("requests", _API, "Count", "Sum", "total", sparse=True),
        Gauge("client_errors", _API, "4xx", "Sum", "total", sparse=True),
        Gauge("server_errors", _API, "5xx", "Sum", "total", sparse=True),
        *_TIMES,
    ),
    "WEBSOCKET": (
        Gauge("connections", _API, "ConnectCount", "Sum", "total", sparse=True),
        Gauge("requests", _API, "MessageCount", "Sum", "total", sparse=True),
        Gauge("client_errors", _API, "ClientError", "Sum", "total", sparse=True),
        Gauge("server_errors", _API, "ExecutionError", "Sum", "total", sparse=True),
        Gauge("integration_errors", _API, "IntegrationError", "Sum", "total", sparse=True),
        Gauge("integration_latency_ms", _API, "IntegrationLatency", "Average", "mean"),
    ),
}
"""By kind of API, as its metrics are called; from the guides, "metrics and dimensions" of REST, HTTP and WebSocket."""


class Traffic(Operation):
    """Requests of APIs, how many failed and whose fault that was, and how long answers took; the failing ones first."""

    kind: ClassVar[str] = "aws.apigateway.traffic"
    service = "apigateway"
    calls = ("GetRestApis", "GetStages", "apigatewayv2:GetApis", "apigatewayv2:GetStages", *MEASURING)
    words = ("api traffic", "api errors", "api latency", "http api metrics", "5xx of the api", "which api fails")

    api: str | None = Field(default=None, description="Name or id of the API, for its stages; none means all APIs")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        apis, failures, more = await read_apis(place, self.api)
        parts = Parts()
        subjects = [(each, "") for each in apis[:_MOST_MEASURED]]
        if self.api is not None:
            staged = await parts.each(apis, lambda each: _stages(place, each))
            subjects += [(api, stage) for api, stages in staged for stage in stages]
        asked = [
            Asked(_name(*each), _dimensions(*each), _GAUGES.get(each[0].kind, _GAUGES["HTTP"])) for each in subjects
        ]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_row(api, stage, levels[_name(api, stage)]) for api, stage in subjects]
        rows.sort(key=lambda row: (warned(row), -_n(row, "server_errors"), -_n(row, "requests"), row.name))
        if len(apis) > _MOST_MEASURED:
            more = f"{len(apis) - _MOST_MEASURED} more APIs were not measured; name one"
        return self.table(
            place,
            rows,
            empty=f"there is no API with the name or id {self.api}" if self.api else "there is no API in this region",
            failures=[*failures, *parts.failures, *unread],
            more=more,
            console=api_link(place.region, apis[0] if len(apis) == 1 else None),
        )


async def _stages(place: Place, api: Api) -> list[str]:
    if api.rest:
        answer = await place.call("apigateway", "GetStages", restApiId=api.id)
        return [str(each["stageName"]) for each in answer.get("item") or [] if each.get("stageName")]
    found = await place.gather("apigatewayv2", "GetStages", "Items", _MOST_MEASURED, ApiId=api.id)
    return [str(each["StageName"]) for each in found if each.get("StageName")]


def _dimensions(api: Api, stage: str) -> dict[str, str]:
    """REST APIs are measured under their name, the others under their id."""
    return ({"ApiName": api.name} if api.rest else {"ApiId": api.id}) | ({"Stage": stage} if stage else {})


def _name(api: Api, stage: str) -> str:
    return f"{api.name} ({api.id})" + (f"/{stage}" if stage else "")


def _row(api: Api, stage: str, levels: Levels) -> Row:
    warnings: list[Any] = []
    for fact, word in (("server_errors", "fail"), ("client_errors", "are refused")):
        percent = share(levels.get(fact), levels.get("requests"))
        if percent is not None and percent >= _MANY_PERCENT:
            warnings.append(f"{percent:g} % of the requests {word}")
    facts: dict[str, Any] = {"warnings": warnings or None, "kind": api.kind, "stage": stage or None, **levels}
    return Row(name=_name(api, stage), facts=facts)


def _n(row: Row, fact: str) -> float:
    value = row.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0


OPERATIONS = (Traffic,)
