"""Load balancers and target groups: how CloudWatch names them, and who is healthy behind them."""

from typing import Any

from runbook_bot.domain.observation import Fact
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place

Dimensions = dict[str, str]
_REMEMBERED_SECONDS = 120.0
_IN_ONE_CALL = 20


def balancer_dimension(arn: str) -> str:
    """`app/name/0123…` of a load balancer's ARN: the value CloudWatch uses."""
    return arn.rpartition(":loadbalancer/")[2]


def group_dimension(arn: str) -> str:
    """`targetgroup/name/0123…` of a target group's ARN."""
    return "targetgroup/" + arn.rpartition(":targetgroup/")[2]


def name_in(dimension: str) -> str:
    """The name within `app/name/0123…` or `targetgroup/name/0123…`."""
    parts = dimension.split("/")
    return parts[1] if len(parts) >= 2 else dimension


async def target_group(place: Place, name: str) -> Answer:
    """The description of a target group. Raises `CallFailed`."""

    async def look() -> Answer:
        answer = await place.named("elbv2", "DescribeTargetGroups", "Names", name, _IN_ONE_CALL)
        named = [each for each in answer.get("TargetGroups") or [] if each.get("TargetGroupName") == name]
        return _first(named, "target group", name)

    return await place.recall(("target group", name), _REMEMBERED_SECONDS, look)


async def load_balancer(place: Place, name: str) -> Answer:
    """The description of a load balancer. Raises `CallFailed`."""

    async def look() -> Answer:
        answer = await place.named("elbv2", "DescribeLoadBalancers", "Names", name, _IN_ONE_CALL)
        named = [each for each in answer.get("LoadBalancers") or [] if each.get("LoadBalancerName") == name]
        return _first(named, "load balancer", name)

    return await place.recall(("load balancer", name), _REMEMBERED_SECONDS, look)


async def group_dimensions(place: Place, name: str) -> list[Dimensions]:
    """One set for each load balancer in front of the target group. Raises `CallFailed`."""
    group = await target_group(place, name)
    dimension = group_dimension(str(group.get("TargetGroupArn", "")))
    balancers = [balancer_dimension(arn) for arn in group.get("LoadBalancerArns") or []]
    if not balancers:
        return [{"TargetGroup": dimension}]
    return [{"TargetGroup": dimension, "LoadBalancer": each} for each in balancers]


async def balancer_dimensions(place: Place, name: str) -> list[Dimensions]:
    balancer = await load_balancer(place, name)
    return [{"LoadBalancer": balancer_dimension(str(balancer.get("LoadBalancerArn", "")))}]


async def group_facts(place: Place, name: str) -> list[Fact]:
    """Healthy and unhealthy targets, and why the unhealthy ones are. Raises `CallFailed`."""
    group = await target_group(place, name)
    answer = await place.call("elbv2", "DescribeTargetHealth", TargetGroupArn=group.get("TargetGroupArn"))
    targets: list[Any] = answer.get("TargetHealthDescriptions") or []
    states = [each.get("TargetHealth") or {} for each in targets]
    unhealthy = [each for each in states if each.get("State") == "unhealthy"]
    reasons: dict[str, int] = {}
    for each in states:
        if each.get("State") != "healthy":
            reason = " ".join(part for part in (each.get("Reason"), each.get("Description")) if part)
            text = reason or str(each.get("State"))
            reasons[text] = reasons.get(text, 0) + 1
    return [
        Fact(name="healthy_hosts", value=sum(each.get("State") == "healthy" for each in states), unit="targets"),
        Fact(name="unhealthy_hosts", value=len(unhealthy), unit="targets"),
        Fact(name="registered_hosts", value=len(states), unit="targets"),
        Fact(name="unhealthy_reasons", value=[f"{count} × {text}" for text, count in reasons.items()]),
        Fact(name="health_check_path", value=group.get("HealthCheckPath")),
        Fact(name="health_check_timeout", value=group.get("HealthCheckTimeoutSeconds"), unit="s"),
        Fact(name="port", value=group.get("Port")),
    ]


async def balancer_facts(place: Place, name: str) -> list[Fact]:
    balancer = await load_balancer(place, name)
    state = balancer.get("State") or {}
    return [
        Fact(name="state", value=state.get("Code")),
        Fact(name="state_reason", value=state.get("Reason")),
        Fact(name="scheme", value=balancer.get("Scheme")),
        Fact(name="kind", value=balancer.get("Type")),
        Fact(name="zones", value=[zone.get("ZoneName") for zone in balancer.get("AvailabilityZones") or []]),
        Fact(name="security_groups", value=list(balancer.get("SecurityGroups") or [])),
    ]


def _first(items: Any, kind: str, name: str) -> Answer:
    if not items:
        raise CallFailed("missing", f"there is no {kind} named {name}", action="elasticloadbalancing:Describe")
    first: Answer = items[0]
    return first
