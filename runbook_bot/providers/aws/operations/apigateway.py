"""What can be asked of API Gateway, of its REST APIs and of its HTTP and WebSocket APIs alike."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import names, there, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST_APIS = 500
_MOST_LOOKED_INTO = 25
_MOST_PARTS = 600
_ALL_METHODS = "*/*"
_API = "Name or id of the API; none means all of the region"


@dataclass(frozen=True)
class Api:
    """An API of either generation."""

    id: str
    name: str
    rest: bool
    told: Answer

    @property
    def kind(self) -> str:
        return "REST" if self.rest else str(self.told.get("ProtocolType", "HTTP"))

    def field(self, rest: str, other: str) -> Any:
        """What both generations call differently."""
        return self.told.get(rest if self.rest else other)


class Apis(Operation):
    """APIs of API Gateway: kind, endpoint, whether the default address is closed, and what AWS warns of."""

    kind: ClassVar[str] = "aws.apigateway.apis"
    service = "apigateway"
    calls = ("GetRestApis", "apigatewayv2:GetApis")
    words = ("apis", "api gateway", "rest apis", "http apis", "websocket apis")

    async def answer(self, place: Place, now: datetime) -> Result:
        apis, failures, more = await read_apis(place, None)
        rows = [_api_row(each) for each in apis]
        rows.sort(key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="there is no API in this region",
            failures=failures,
            more=more,
            console=api_link(place.region, None),
        )


class Stages(Operation):
    """Stages of APIs with throttling, last deployment, canary, logging and the methods with limits of their own."""

    kind: ClassVar[str] = "aws.apigateway.stages"
    service = "apigateway"
    calls = ("GetRestApis", "GetStages", "apigatewayv2:GetApis", "apigatewayv2:GetStages")
    words = ("api stages", "api throttling", "last deployment of the api", "rate limit of the api", "stage settings")

    api: str | None = Field(default=None, description=_API)

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _of_apis(self, place, self.api, _stages, "the API has no stage: nothing is deployed")


class Integrations(Operation):
    """Routes of APIs with what they call, its time-out, and who may call them; open and slow-to-fail ones first."""

    kind: ClassVar[str] = "aws.apigateway.integrations"
    service = "apigateway"
    calls = (
        "GetRestApis",
        "GetResources",
        "apigatewayv2:GetApis",
        "apigatewayv2:GetRoutes",
        "apigatewayv2:GetIntegrations",
    )
    words = ("api integrations", "api routes", "what does the api call", "integration timeout", "api methods")

    api: str | None = Field(default=None, description=_API)

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _of_apis(self, place, self.api, _integrations, "the API has no route")


class Authorizers(Operation):
    """Authorizers of APIs: who decides about a caller, from what, and for how long the decision is kept."""

    kind: ClassVar[str] = "aws.apigateway.authorizers"
    service = "apigateway"
    calls = ("GetRestApis", "GetAuthorizers", "apigatewayv2:GetApis", "apigatewayv2:GetAuthorizers")
    words = ("api authorizers", "who authorizes api calls", "jwt issuer of the api", "lambda authorizer")

    api: str | None = Field(default=None, description=_API)

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _of_apis(self, place, self.api, _authorizers, "no API has an authorizer: IAM, keys or nobody")


async def _of_apis(
    asked: Operation, place: Place, which: str | None, look: Callable[[Place, Api], Awaitable[list[Row]]], empty: str
) -> Result:
    """The same part of one API or of all, what has warnings first."""
    apis, failures, more = await read_apis(place, which)
    if which is not None and not apis and not failures:
        empty = f"there is no API with the name or id {which} in this region"
    found, unread = await for_each(apis[:_MOST_LOOKED_INTO], lambda api: look(place, api))
    rows = [row for _, part in found for row in part]
    rows.sort(key=warned)
    if len(apis) > _MOST_LOOKED_INTO:
        more = f"{len(apis) - _MOST_LOOKED_INTO} more APIs were not looked into; name one"
    only = apis[0] if len(apis) == 1 else None
    return asked.table(
        place, rows, empty=empty, failures=[*failures, *unread], more=more, console=api_link(place.region, only)
    )


async def read_apis(place: Place, which: str | None) -> tuple[list[Api], list[CallFailed], str]:
    """All of both generations, or those with that name or id; one generation that cannot be read is a gap."""
    failures: list[CallFailed] = []
    none: list[Answer] = []
    rest = await there(
        failures, place.gather("apigateway", "GetRestApis", "items", _MOST_APIS + 1, limit=500), none, none
    )
    other = await there(failures, place.gather("apigatewayv2", "GetApis", "Items", _MOST_APIS + 1), none, none)
    apis = [Api(str(each.get("id")), str(each.get("name", "?")), True, each) for each in rest[:_MOST_APIS]]
    apis += [Api(str(each.get("ApiId")), str(each.get("Name", "?")), False, each) for each in other[:_MOST_APIS]]
    cut = f"there are more than {_MOST_APIS} APIs of a kind" if max(len(rest), len(other)) > _MOST_APIS else ""
    return [each for each in apis if which is None or which in (each.id, each.name)], failures, cut


def _api_row(api: Api) -> Row:
    warnings: list[Any] = [str(each) for each in api.field("warnings", "Warnings") or []]
    if (state := api.told.get("apiStatus")) not in (None, "AVAILABLE"):
        warnings.append(f"it is {str(state).lower()}: {api.told.get('apiStatusMessage', '')}".rstrip(": "))
    types = (api.told.get("endpointConfiguration") or {}).get("types") or []
    closed = api.field("disableExecuteApiEndpoint", "DisableExecuteApiEndpoint")
    return Row(
        name=api.name,
        at=api.field("createdDate", "CreatedDate"),
        facts={
            "warnings": warnings or None,
            "id": api.id,
            "kind": api.kind,
            "endpoint": ", ".join(map(str, types)).lower() if api.rest else api.told.get("ApiEndpoint"),
            "default_address": "closed" if closed else "open",
            "has_resource_policy": bool(api.told.get("policy")) if api.rest else None,
            "origins_allowed": names((api.told.get("CorsConfiguration") or {}).get("AllowOrigins") or []) or None,
        },
    )


async def _stages(place: Place, api: Api) -> list[Row]:
    if api.rest:
        answer = await place.call("apigateway", "GetStages", restApiId=api.id)
        return [_rest_stage(api, each) for each in answer.get("item") or []]
    found = await place.gather("apigatewayv2", "GetStages", "Items", _MOST_PARTS, ApiId=api.id)
    return [_other_stage(api, each) for each in found]


def _rest_stage(api: Api, stage: Answer) -> Row:
    settings: dict[str, Answer] = stage.get("methodSettings") or {}
    every = settings.get(_ALL_METHODS, {})
    canary: Answer = stage.get("canarySettings") or {}
    limits = {_method(key): each for key, each in settings.items() if key != _ALL_METHODS}
    warnings = _stopped({"every method": every, **limits}, "throttlingRateLimit", "throttlingBurstLimit")
    if every.get("dataTraceEnabled"):
        warnings.append("whole requests and answers are logged")
    if stage.get("cacheClusterStatus") not in (None, "AVAILABLE", "NOT_AVAILABLE"):
        warnings.append(f"its cache is {str(stage['cacheClusterStatus']).lower().replace('_', ' ')}")
    return Row(
        name=f"{api.name}/{stage.get('stageName', '?')}",
        at=stage.get("lastUpdatedDate"),
        facts={
            "warnings": warnings or None,
            "deployment": stage.get("deploymentId"),
            **_limits(every, "throttlingRateLimit", "throttlingBurstLimit"),
            "own_limits": _own_limits(limits, "throttlingRateLimit", "throttlingBurstLimit"),
            "canary_percent": canary.get("percentTraffic"),
            "canary_deployment": canary.get("deploymentId"),
            "cache": stage.get("cacheClusterSize") if stage.get("cacheClusterEnabled") else None,
            "logging": every.get("loggingLevel"),
            "access_logs": bool((stage.get("accessLogSettings") or {}).get("destinationArn")),
            "tracing": bool(stage.get("tracingEnabled")),
            "firewall": bool(stage.get("webAclArn")),
            "variables_set": names(stage.get("variables") or {}) or None,
        },
    )


def _other_stage(api: Api, stage: Answer) -> Row:
    every: Answer = stage.get("DefaultRouteSettings") or {}
    routes: dict[str, Answer] = stage.get("RouteSettings") or {}
    warnings = _stopped({"every route": every, **routes}, "ThrottlingRateLimit", "ThrottlingBurstLimit")
    said = stage.get("LastDeploymentStatusMessage")
    if said and "success" not in str(said).lower():
        warnings.insert(0, f"the last deployment: {said}")
    return Row(
        name=f"{api.name}/{stage.get('StageName', '?')}",
        at=stage.get("LastUpdatedDate"),
        facts={
            "warnings": warnings or None,
            "deployment": stage.get("DeploymentId"),
            "deploys_by_itself": stage.get("AutoDeploy"),
            **_limits(every, "ThrottlingRateLimit", "ThrottlingBurstLimit"),
            "own_limits": _own_limits(routes, "ThrottlingRateLimit", "ThrottlingBurstLimit"),
            "logging": every.get("LoggingLevel"),
            "access_logs": bool((stage.get("AccessLogSettings") or {}).get("DestinationArn")),
            "variables_set": names(stage.get("StageVariables") or {}) or None,
        },
    )


def _method(key: str) -> str:
    """`~1orders~1{id}/GET` as `GET /orders/{id}`."""
    path, _, verb = key.rpartition("/")
    return f"{verb} {path.replace('~1', '/')}"


def _limits(told: Answer, rate: str, burst: str) -> dict[str, Any]:
    return {"requests_per_s": told.get(rate), "burst_requests": told.get(burst)}


def _own_limits(parts: Mapping[str, Answer], rate: str, burst: str) -> dict[str, Any] | None:
    told = {key: f"{e.get(rate)}/s, burst {e.get(burst)}" for key, e in parts.items() if e.get(rate) is not None}
    return dict(list(told.items())[:10]) or None


def _stopped(parts: Mapping[str, Answer], rate: str, burst: str) -> list[Any]:
    """A limit of 0 lets nothing through."""
    return [f"{name} is throttled to 0" for name, told in parts.items() if 0 in (told.get(rate), told.get(burst))]


async def _integrations(place: Place, api: Api) -> list[Row]:
    if api.rest:
        resources = await place.gather(
            "apigateway", "GetResources", "items", _MOST_PARTS, restApiId=api.id, embed=["methods"], limit=500
        )
        return [
            _rest_route(api, f"{verb} {each.get('path', '?')}", method)
            for each in resources
            for verb, method in sorted((each.get("resourceMethods") or {}).items())
        ]
    integrations = await place.gather("apigatewayv2", "GetIntegrations", "Items", _MOST_PARTS, ApiId=api.id)
    known = {f"integrations/{each.get('IntegrationId')}": each for each in integrations}
    routes = await place.gather("apigatewayv2", "GetRoutes", "Items", _MOST_PARTS, ApiId=api.id)
    return [_other_route(api, each, known.get(str(each.get("Target")))) for each in routes]


def _rest_route(api: Api, name: str, method: Answer) -> Row:
    told: Answer = method.get("methodIntegration") or {}
    warnings: list[Any] = []
    if not told:
        warnings.append("nothing is behind it")
    authorization = str(method.get("authorizationType", "NONE"))
    if authorization == "NONE" and not method.get("apiKeyRequired") and not name.startswith("OPTIONS "):
        private = "PRIVATE" in ((api.told.get("endpointConfiguration") or {}).get("types") or [])
        limited = private or bool(api.told.get("policy"))
        warnings.append("anybody may call it" + (" whom the API's resource policy lets in" if limited else ""))
    return Row(
        name=f"{api.name}: {name}",
        facts={
            "warnings": warnings or None,
            "calls": _target(str(told.get("uri") or ""), str(told.get("type") or "nothing")),
            "verb": told.get("httpMethod"),
            "timeout_ms": told.get("timeoutInMillis"),
            "link": told.get("connectionId"),
            "authorization": authorization.lower() + (", key" if method.get("apiKeyRequired") else ""),
            "sets": names(told.get("requestParameters") or {}) or None,
        },
    )


def _other_route(api: Api, route: Answer, told: Answer | None) -> Row:
    authorization = str(route.get("AuthorizationType", "NONE"))
    warnings: list[Any] = []
    if told is None:
        warnings.append("its integration is gone" if route.get("Target") else "nothing is behind it")
    if authorization == "NONE" and _decides(api, str(route.get("RouteKey"))):
        warnings.append("anybody may call it")
    told = told or {}
    kind = str(told.get("IntegrationSubtype") or told.get("IntegrationType") or "nothing")
    return Row(
        name=f"{api.name}: {route.get('RouteKey', '?')}",
        facts={
            "warnings": warnings or None,
            "calls": _target(str(told.get("IntegrationUri") or ""), kind),
            "verb": told.get("IntegrationMethod"),
            "timeout_ms": told.get("TimeoutInMillis"),
            "link": told.get("ConnectionId"),
            "authorization": authorization.lower() + (", key" if route.get("ApiKeyRequired") else ""),
            "sets": names(told.get("RequestParameters") or {}) or None,
        },
    )


def _decides(api: Api, route: str) -> bool:
    """Whether the route is where callers are let in: of a WebSocket API that is `$connect` alone."""
    return route == "$connect" if api.kind == "WEBSOCKET" else not route.startswith("OPTIONS ")


def _target(uri: str, kind: str) -> str:
    """Where an integration goes: the function, the host and path, or only its kind; no parameters, no passwords."""
    if ":lambda:path/" in uri or ":lambda:" in uri:
        arn = uri.partition("/functions/")[2].removesuffix("/invocations") or uri
        return "function " + arn.partition(":function:")[2]
    if uri.startswith("arn:"):
        return uri
    if "://" in uri:
        parts = urlsplit(uri)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return uri or kind


async def _authorizers(place: Place, api: Api) -> list[Row]:
    if api.rest:
        found = await place.gather("apigateway", "GetAuthorizers", "items", _MOST_PARTS, restApiId=api.id)
        return [_rest_authorizer(api, each) for each in found]
    found = await place.gather("apigatewayv2", "GetAuthorizers", "Items", _MOST_PARTS, ApiId=api.id)
    return [_other_authorizer(api, each) for each in found]


def _rest_authorizer(api: Api, told: Answer) -> Row:
    return Row(
        name=f"{api.name}: {told.get('name', '?')}",
        facts={
            "kind": told.get("type"),
            "asks": _target(str(told.get("authorizerUri") or ""), "") or names(_pools(told.get("providerARNs") or [])),
            "looks_at": told.get("identitySource"),
            "kept_s": told.get("authorizerResultTtlInSeconds"),
        },
    )


def _other_authorizer(api: Api, told: Answer) -> Row:
    jwt: Answer = told.get("JwtConfiguration") or {}
    return Row(
        name=f"{api.name}: {told.get('Name', '?')}",
        facts={
            "kind": told.get("AuthorizerType"),
            "asks": jwt.get("Issuer") or _target(str(told.get("AuthorizerUri") or ""), ""),
            "audience": names(jwt.get("Audience") or []) or None,
            "looks_at": names(told.get("IdentitySource") or []) or None,
            "kept_s": told.get("AuthorizerResultTtlInSeconds"),
        },
    )


def _pools(arns: Iterable[Any]) -> list[str]:
    return ["user pool " + str(arn).rpartition("/")[2] for arn in arns]


def api_link(region: str, only: Api | None) -> str:
    page = f"https://{console_host(region)}/apigateway/main"
    return f"{page}/apis?region={region}" + (f"&api={quote(only.id, safe='')}" if only else "")


OPERATIONS = (Apis, Stages, Integrations, Authorizers)
