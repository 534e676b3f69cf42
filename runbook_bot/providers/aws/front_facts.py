"""The current state of what stands in front: load balancers with their certificates, APIs, Amplify apps."""

import asyncio
from typing import Any

from pydantic import JsonValue

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Fact
from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.elb import balancer_facts
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.resource_facts import Facts
from runbook_bot.providers.aws.timeline.certificates import certificates_of

_MOST_APIS = 500
_MOST_STAGES = 10
_EVERY_METHOD = "*/*"


async def front_facts(place: Place, resource: Resource) -> Facts:
    """A load balancer, and until when its certificates are valid. Raises `CallFailed`, as all of these do."""
    own, certificates = await asyncio.gather(balancer_facts(place, resource.name), _certificates(place, resource.name))
    if isinstance(certificates, CallFailed):
        return own, [certificates]
    ends: list[JsonValue] = [
        f"{each.get('DomainName')}: {each['NotAfter']:%Y-%m-%d}" for each in certificates if each.get("NotAfter")
    ]
    ill: list[JsonValue] = [
        f"{e.get('DomainName')}: {e.get('Status')}" for e in certificates if e.get("Status") not in ("ISSUED", None)
    ]
    return [
        *own,
        Fact(name="certificates_end", value=ends or None),
        Fact(name="certificates_ill", value=ill or None),
    ], []


async def _certificates(place: Place, name: str) -> list[Answer] | CallFailed:
    try:
        return await certificates_of(place, name)
    except CallFailed as failure:
        return failure


async def api_facts(place: Place, resource: Resource) -> Facts:
    """A REST API by its name: its stages, what was deployed to them when, and how far they let requests through."""
    listed = await place.gather("apigateway", "GetRestApis", "items", _MOST_APIS)
    api: Answer | None = next((each for each in listed if each.get("name") == resource.name), None)
    if api is None:
        raise CallFailed("missing", f"there is no REST API named {resource.name}", action="apigateway:GET")
    facts = [
        Fact(name="id", value=api.get("id")),
        Fact(name="endpoint_types", value=(api.get("endpointConfiguration") or {}).get("types")),
        Fact(name="created_at", value=_moment(api.get("createdDate"))),
    ]
    try:
        stages = (await place.call("apigateway", "GetStages", restApiId=api.get("id"))).get("item") or []
    except CallFailed as failure:
        return facts, [failure]
    dated = sorted((each for each in stages if each.get("lastUpdatedDate")), key=lambda each: each["lastUpdatedDate"])
    newest: Answer = dated[-1] if dated else {}
    limits = (newest.get("methodSettings") or {}).get(_EVERY_METHOD) or {}
    return [
        *facts,
        Fact(name="stages", value=[_stage(each) for each in stages[:_MOST_STAGES]]),
        Fact(name="last_updated", value=_moment(newest.get("lastUpdatedDate"))),
        Fact(name="rate_limit", value=limits.get("throttlingRateLimit"), unit="requests/s"),
        Fact(name="burst_limit", value=limits.get("throttlingBurstLimit"), unit="requests"),
    ], []


def _stage(told: Answer) -> str:
    canary = (told.get("canarySettings") or {}).get("percentTraffic")
    share = f", {canary:g} % to deployment {told['canarySettings'].get('deploymentId')}" if canary else ""
    cache = ", cached" if told.get("cacheClusterEnabled") else ""
    return f"{told.get('stageName')}: deployment {told.get('deploymentId')}{share}{cache}"


async def app_facts(place: Place, resource: Resource) -> Facts:
    """An Amplify app by its id."""
    app: Answer = (await place.call("amplify", "GetApp", appId=resource.name)).get("app") or {}
    branch = app.get("productionBranch") or {}
    return [
        Fact(name="display_name", value=app.get("name")),
        Fact(name="platform", value=app.get("platform")),
        Fact(name="domain", value=app.get("defaultDomain")),
        Fact(name="production_branch", value=branch.get("branchName")),
        Fact(name="production_status", value=branch.get("status")),
        Fact(name="last_deployment_at", value=_moment(branch.get("lastDeployTime"))),
        Fact(name="updated_at", value=_moment(app.get("updateTime"))),
    ], []


def _moment(at: Any) -> str | None:
    return iso(at) if at is not None else None
