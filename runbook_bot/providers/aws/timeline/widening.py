"""What a resource stands on at one remove, looked up only where CloudTrail tells of a change to such a thing."""

from collections.abc import Sequence

from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.cloudtrail import Trail
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.related import Footing
from runbook_bot.providers.aws.timeline.arn_names import names_in, tail
from runbook_bot.providers.aws.timeline.documents import pick

_MOST_ROLES = 6
_MOST_RULES = 6
_POLICY_EVENTS = ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy")
_RULE_EVENTS = ("PutRule", "EnableRule", "DisableRule")
_NETWORKS = (
    ("rtb-", "DescribeRouteTables", "route-table-id", "RouteTables", "RouteTableId", "route table"),
    ("acl-", "DescribeNetworkAcls", "network-acl-id", "NetworkAcls", "NetworkAclId", "network ACL"),
)
"""Prefix of the id, the call, its filter (it minds no id that is gone), its list, the id in it, what people call it."""


async def widened(
    place: Place, resources: Sequence[Resource], footings: Sequence[Footing], trail: Trail
) -> list[Footing]:
    found = await _with_policies(place, list(footings), trail)
    found = await _with_networks(place, found, trail)
    return await _with_rules(place, resources, found, trail)


async def _with_policies(place: Place, footings: list[Footing], trail: Trail) -> list[Footing]:
    """The managed policies of the roles, where one was changed."""
    if not any(event.name in _POLICY_EVENTS for event in trail.events):
        return footings
    policies: dict[str, dict[str, str]] = {}
    for role in list(dict.fromkeys(role for each in footings for role in each.roles))[:_MOST_ROLES]:
        try:
            told = await place.gather("iam", "ListAttachedRolePolicies", "AttachedPolicies", 50, RoleName=role)
        except CallFailed:
            continue  # which policies it has stays unknown; the role's own changes are seen all the same
        policies[role] = {str(p.get("PolicyName")): f"policy {p.get('PolicyName')} of role {role}" for p in told}
    return [
        each.with_things({name: what for role in each.roles for name, what in policies.get(role, {}).items()})
        for each in footings
    ]


async def _with_networks(place: Place, footings: list[Footing], trail: Trail) -> list[Footing]:
    """The route tables and network ACLs that were changed, for those in whose subnets they rule."""
    names = {name for event in trail.events if event.source == "ec2.amazonaws.com" for name in event.names}
    for prefix, action, filtered, listed, identifier, what in _NETWORKS:
        ids = sorted(name for name in names if name.startswith(prefix))[:20]
        if not ids or not any(each.subnets for each in footings):
            continue
        try:
            told = (await place.call("ec2", action, Filters=[{"Name": filtered, "Values": ids}])).get(listed) or []
        except CallFailed:
            continue  # whose these are stays unknown
        for each in told:
            footings = [
                f.with_things({str(each.get(identifier)): f"{what} {each.get(identifier)}"}) if _rules(each, f) else f
                for f in footings
            ]
    return footings


def _rules(table: Answer, footing: Footing) -> bool:
    """Whether it holds for one of the subnets; the main one of a network, for what has none of its own, is not told."""
    return any(each.get("SubnetId") in footing.subnets for each in table.get("Associations") or [])


async def _with_rules(
    place: Place, resources: Sequence[Resource], footings: list[Footing], trail: Trail
) -> list[Footing]:
    """The rules of EventBridge that were changed, for their targets."""
    changed = [
        str(pick(event.parameters, "name") or "")
        for event in trail.events
        if event.source == "events.amazonaws.com" and event.name in _RULE_EVENTS
    ]
    for rule in [each for each in dict.fromkeys(changed) if each][:_MOST_RULES]:
        try:
            targets = await place.gather("events", "ListTargetsByRule", "Targets", 100, Rule=tail(rule) or rule)
        except CallFailed:
            continue
        names = set(names_in(targets))
        footings = [
            f.with_things({rule: f"rule {rule}"}) if resource.name in names else f
            for resource, f in zip(resources, footings, strict=True)
        ]
    return footings
