"""How callers reach APIs: domains of their own with certificates, and usage plans with their limits."""

import asyncio
from datetime import datetime
from typing import Any, ClassVar

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import names, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300
_MOST_LOOKED_INTO = 30


class ApiDomains(Operation):
    """Domain names of APIs: whether they are ready, which API and stage each path goes to, and how old TLS may be."""

    kind: ClassVar[str] = "aws.apigateway.domains"
    service = "apigatewayv2"
    calls = ("GetDomainNames", "GetApiMappings")
    words = ("api domains", "custom domains of the api", "which api serves the domain", "api base path mappings")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather("apigatewayv2", "GetDomainNames", "Items", _MOST + 1)
        mapped, failures = await for_each(
            [str(each.get("DomainName")) for each in found[:_MOST_LOOKED_INTO]],
            lambda name: place.gather("apigatewayv2", "GetApiMappings", "Items", _MOST, DomainName=name),
        )
        mappings = dict(mapped)
        rows = await asyncio.to_thread(
            lambda: [_domain_row(each, mappings.get(str(each.get("DomainName")))) for each in found[:_MOST]]
        )
        rows.sort(key=lambda row: (warned(row), row.name))
        told = [f"there are more than {_MOST} domains"] if len(found) > _MOST else []
        if len(found) > _MOST_LOOKED_INTO:
            told.append(f"where paths go was read of the first {_MOST_LOOKED_INTO} alone")
        return self.table(
            place,
            rows,
            empty="no API of this region has a domain of its own",
            failures=failures,
            more="; ".join(told),
            console=f"https://{console_host(place.region)}/apigateway/main/publish/domain-names?region={place.region}",
        )


class UsagePlans(Operation):
    """Usage plans of REST APIs: what callers with a key may ask in a second and in all, for which stages."""

    kind: ClassVar[str] = "aws.apigateway.usage_plans"
    service = "apigateway"
    calls = ("GetUsagePlans",)
    words = ("usage plans", "api quotas", "limits of api callers", "why are callers throttled with 429")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather("apigateway", "GetUsagePlans", "items", _MOST + 1, limit=500)
        rows = sorted((_plan_row(each) for each in found[:_MOST]), key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="this region has no usage plan: no caller has a limit of its own",
            more=f"there are more than {_MOST} usage plans" if len(found) > _MOST else "",
            console=f"https://{console_host(place.region)}/apigateway/main/usage-plans?region={place.region}",
        )


def _domain_row(domain: Answer, mappings: list[Answer] | None) -> Row:
    ends: list[Answer] = domain.get("DomainNameConfigurations") or []
    warnings: list[Any] = []
    for each in ends:
        state = str(each.get("DomainNameStatus") or "AVAILABLE")
        if state != "AVAILABLE":
            said = each.get("DomainNameStatusMessage")
            warnings.append(f"it is {state.lower().replace('_', ' ')}" + (f": {said}" if said else ""))
        if each.get("SecurityPolicy") == "TLS_1_0":
            warnings.append("accepts TLS 1.0, which is outdated")
    ruled = "ROUTING_RULE" in str(domain.get("RoutingMode"))  # by rules, which are not read here
    if mappings is not None and not mappings and not ruled:
        warnings.append("nothing is behind it: every path gets 403")
    goes = {
        "/" + str(each.get("ApiMappingKey") or ""): f"{each.get('ApiId')}/{each.get('Stage')}"
        for each in mappings or []
    }
    return Row(
        name=str(domain.get("DomainName", "?")),
        facts={
            "warnings": warnings or None,
            "goes_to": dict(goes) or None,
            "points_to": names(str(each.get("ApiGatewayDomainName")) for each in ends) or None,
            "kind": names(str(each.get("EndpointType", "?")).lower() for each in ends) or None,
            "tls": names(str(each["SecurityPolicy"]) for each in ends if each.get("SecurityPolicy")) or None,
            "client_certificates": bool(domain.get("MutualTlsAuthentication")),
        },
    )


def _plan_row(plan: Answer) -> Row:
    every: Answer = plan.get("throttle") or {}
    quota: Answer = plan.get("quota") or {}
    stages = [f"{each.get('apiId')}/{each.get('stage')}" for each in plan.get("apiStages") or []]
    own = {
        f"{each.get('apiId')}/{each.get('stage')} {method}": f"{limit.get('rateLimit')}/s"
        for each in plan.get("apiStages") or []
        for method, limit in (each.get("throttle") or {}).items()
    }
    warnings: list[Any] = []
    if 0 in (every.get("rateLimit"), every.get("burstLimit"), quota.get("limit")):
        warnings.append("it lets nothing through: a limit is 0")
    if not stages:
        warnings.append("it is for no stage")
    return Row(
        name=str(plan.get("name") or plan.get("id", "?")),
        facts={
            "warnings": warnings or None,
            "requests_per_s": every.get("rateLimit"),
            "burst_requests": every.get("burstLimit"),
            "quota": f"{quota['limit']} a {str(quota.get('period', '?')).lower()}" if quota.get("limit") else None,
            "stages": names(stages) or None,
            "own_limits": dict(list(own.items())[:10]) or None,
        },
    )


OPERATIONS = (ApiDomains, UsagePlans)
