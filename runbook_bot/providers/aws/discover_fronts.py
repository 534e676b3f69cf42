"""Discovers what stands before services: load balancers with their rules and targets, and API gateways."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, Lead, found, tags_of
from runbook_bot.providers.aws.elb import balancer_dimension, group_dimension, name_in
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer

MOST_BALANCERS = 1000
MOST_GROUPS = 3000
MOST_RULES = 500
MOST_TARGETS = 200
MOST_APIS = 300
_FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")


@dataclass(frozen=True)
class Fronts:
    """Load balancers and target groups, as AWS told them, and which hosts lead to which target group."""

    balancers: Sequence[Answer] = ()
    groups: Sequence[Answer] = ()
    hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """ARNs of target groups by host, from the listeners' rules."""

    def hosts_of(self, group: str) -> list[str]:
        """The hosts that lead to this target group and no other."""
        return [host for host, groups in self.hosts.items() if groups == {group}]


async def fronts(look: Looking) -> Fronts:
    """Raises `CallFailed` where load balancers or target groups cannot be listed."""
    groups, balancers = await asyncio.gather(
        look.listed("elbv2", "DescribeTargetGroups", "TargetGroups", MOST_GROUPS),
        look.listed("elbv2", "DescribeLoadBalancers", "LoadBalancers", MOST_BALANCERS),
    )
    many: dict[str, int] = {}
    for group in groups:
        for arn in group.get("LoadBalancerArns") or []:
            many[arn] = many.get(arn, 0) + 1
    shared = [arn for arn, count in many.items() if count > 1][:MOST_RULES]
    hosts: dict[str, set[str]] = {}
    for part in await asyncio.gather(*(look.part("listener rules", _hosts(look, arn), {}) for arn in shared)):
        for host, arns in part.items():
            hosts.setdefault(host, set()).update(arns)
    return Fronts(balancers, groups, {host: frozenset(arns) for host, arns in hosts.items()})


async def _hosts(look: Looking, balancer: str) -> dict[str, set[str]]:
    """Target groups by the host that a rule of a shared load balancer asks for."""
    listeners = await look.listed("elbv2", "DescribeListeners", "Listeners", 50, LoadBalancerArn=balancer)
    rules = await asyncio.gather(
        *(
            look.listed("elbv2", "DescribeRules", "Rules", 200, ListenerArn=each.get("ListenerArn"))
            for each in listeners
        )
    )
    found: dict[str, set[str]] = {}
    for rule in (rule for part in rules for rule in part):
        for host in (h for condition in rule.get("Conditions") or [] for h in _asked_for(condition)):
            found.setdefault(host, set()).update(_forwarded(rule))
    return found


def _asked_for(condition: Answer) -> list[str]:
    if condition.get("Field") != "host-header":
        return []
    listed = (condition.get("HostHeaderConfig") or {}).get("Values") or condition.get("Values") or []
    return [str(host).lower() for host in listed if "*" not in str(host) and "?" not in str(host)]


def _forwarded(rule: Answer) -> set[str]:
    found: set[str] = set()
    for action in rule.get("Actions") or []:
        several = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
        found |= {
            str(each) for each in (action.get("TargetGroupArn"), *(g.get("TargetGroupArn") for g in several)) if each
        }
    return found


async def targets(look: Looking, fronts: Fronts, known: frozenset[str]) -> dict[str, list[str]]:
    """Ids and ARNs of what is behind the target groups that nothing found so far is known to be behind."""
    groups = [str(each.get("TargetGroupArn", "")) for each in fronts.groups if each.get("TargetType") != "ip"]
    unknown = [arn for arn in groups if arn.lower() not in known]
    if len(unknown) > MOST_TARGETS:
        look.unseen.append(f"targets: only those of {MOST_TARGETS} of {len(unknown)} target groups were read")
    asked = unknown[:MOST_TARGETS]
    told = await asyncio.gather(*(look.part("targets", _targets(look, arn), []) for arn in asked))
    return dict(zip(asked, told, strict=True))


async def _targets(look: Looking, group: str) -> list[str]:
    try:
        answer = await look.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group)
    except CallFailed as failure:
        if failure.kind == "missing":
            return []
        raise
    ids = [str((each.get("Target") or {}).get("Id", "")) for each in answer.get("TargetHealthDescriptions") or []]
    return [each for each in dict.fromkeys(ids) if each]


def balancers(look: Looking, fronts: Fronts, behind: Mapping[str, Sequence[str]]) -> list[Found]:
    """Every load balancer, leading to its target groups and to what is in them."""
    groups: dict[str, list[str]] = {}
    for group in fronts.groups:
        for arn in group.get("LoadBalancerArns") or []:
            groups.setdefault(arn, []).append(str(group.get("TargetGroupArn", "")))
    listed = []
    for each in fronts.balancers:
        arn = str(each.get("LoadBalancerArn", ""))
        own = groups.get(arn, [])
        mixed = [host for host, arns in fronts.hosts.items() if len(arns) > 1 and arns <= set(own)]
        leads = [Lead(group, "listener rule") for group in own]
        leads += [
            Lead(target, f"target group {name_in(group_dimension(group))}")
            for group in own
            for target in behind.get(group, ())
        ]
        listed.append(
            found(
                R.load_balancer,
                str(each.get("LoadBalancerName") or name_in(balancer_dimension(arn))),
                look.tagged(arn),
                arn,
                each.get("DNSName"),
                *mixed,
                leads=tuple(leads),
                firewall=frozenset(each.get("SecurityGroups") or ()),
                only_called=not own,
            )
        )
    return listed


async def rest_apis(look: Looking) -> list[Found]:
    """API Gateway, REST. Raises `CallFailed` where the APIs cannot be listed."""
    apis = await look.listed("apigateway", "GetRestApis", "items", MOST_APIS, page=500)
    leads = await asyncio.gather(*(look.part("API integrations", _rest_leads(look, each), []) for each in apis))
    return [_api(look, each, "id", "name", own) for each, own in zip(apis, leads, strict=True)]


async def _rest_leads(look: Looking, api: Answer) -> list[Lead]:
    told = await look.listed(
        "apigateway", "GetResources", "items", 1000, page=500, restApiId=api.get("id"), embed=["methods"]
    )
    methods = [method for each in told for method in (each.get("resourceMethods") or {}).values()]
    uris = [str((method.get("methodIntegration") or {}).get("uri") or "") for method in methods]
    return [_integration(uri) for uri in dict.fromkeys(uris) if uri]


async def http_apis(look: Looking) -> list[Found]:
    """API Gateway, HTTP and WebSocket. Raises `CallFailed` where the APIs cannot be listed."""
    apis = await look.listed("apigatewayv2", "GetApis", "Items", MOST_APIS)
    leads = await asyncio.gather(*(look.part("API integrations", _http_leads(look, each), []) for each in apis))
    return [_api(look, each, "ApiId", "Name", own) for each, own in zip(apis, leads, strict=True)]


async def _http_leads(look: Looking, api: Answer) -> list[Lead]:
    told = await look.listed("apigatewayv2", "GetIntegrations", "Items", 500, ApiId=api.get("ApiId"))
    uris = [str(each.get("IntegrationUri") or "") for each in told]
    return [_integration(uri) for uri in dict.fromkeys(uris) if uri]


def _integration(uri: str) -> Lead:
    """Of a function, its ARN; of a listener, its load balancer's; else the address as it stands."""
    function = _FUNCTION.search(uri)
    if function:
        return Lead(function[1], "integration")
    if ":listener/" in uri:
        return Lead(uri.replace(":listener/", ":loadbalancer/").rpartition("/")[0], "integration")
    return Lead(uri, "integration")


def _api(look: Looking, told: Answer, id: str, name: str, leads: Sequence[Lead]) -> Found:
    own = str(told.get(id, ""))
    endpoint = str(told.get("ApiEndpoint") or "").partition("://")[2]
    suffix = "amazonaws.com.cn" if look.identity.partition == "aws-cn" else "amazonaws.com"
    tags = tags_of([{"Key": k, "Value": v} for k, v in (told.get("tags") or told.get("Tags") or {}).items()])
    host = endpoint or f"{own}.execute-api.{look.place.region}.{suffix}"
    # CloudWatch counts a REST API under its name and an HTTP API under its id; people know both by the name.
    return found(R.api_gateway, str(told.get(name) or own), tags, host, leads=tuple(leads))
