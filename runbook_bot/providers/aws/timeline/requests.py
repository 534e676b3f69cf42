"""What a request in CloudTrail changed: the fields after it, those before it where they can be told, and a phrase."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runbook_bot.providers.aws.differences import Fields
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.secrecy import shown
from runbook_bot.providers.aws.task_definitions import short_name
from runbook_bot.providers.aws.timeline.arn_names import tail
from runbook_bot.providers.aws.timeline.documents import (
    brief,
    firewall_rules,
    forwards,
    items,
    mapping,
    pairs,
    pick,
    policy,
    records,
)
from runbook_bot.providers.aws.trail_names import IDENTITY, SHOWN

_LONGEST = 300
_MOST_FIELDS = 12
_HIDDEN = re.compile(r"HIDDEN_DUE_TO_SECURITY_REASONS|^\*+$")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Changed:
    """Fields before and after; `additive` where things were put or taken away rather than set to another value."""

    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    additive: bool = False


def changed(name: str, request: Answer, answer: Answer) -> Changed:
    """What the call of that name changed, as it may be shown."""
    reader = _READERS.get(name)
    found = reader(request, answer) if reader is not None else Changed(after=settings(request))
    return Changed(_fit(found.before), _fit(found.after), found.additive)


def _fit(fields: Fields) -> Fields:
    return {name: shown(name, value)[:_LONGEST] for name, value in list(fields.items())[:_MOST_FIELDS] if value}


def settings(request: Answer) -> Fields:
    """The plain values of a request, one level deep, without those that only say what is meant."""
    found: Fields = {}
    for key, value in request.items():
        if isinstance(value, dict) and IDENTITY.search(key) and key not in SHOWN:
            continue
        if isinstance(value, dict):
            inner = pick(value, "value") if set(value) <= {"value", "Value"} else None
            if inner is not None:
                found |= _setting(key, inner)
            else:
                found |= {n: v for k, each in value.items() for n, v in _setting(k, each).items()}
        else:
            found |= _setting(key, value)
    return found


def _setting(key: str, value: Any) -> Fields:
    ours = SHOWN.get(key) or SHOWN.get(key[:1].lower() + key[1:])
    if ours is None and IDENTITY.search(key):
        return {}
    name = ours or _WORD.sub("_", key).lower()
    if isinstance(value, bool):
        return {name: str(value).lower()}
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return {name: brief(value)}
    if not isinstance(value, str | int | float) or _HIDDEN.search(str(value)):
        return {}
    text = str(value)
    if text.startswith("arn:"):
        text = short_name(text) if ":task-definition/" in text else tail(text) or text
    return {name: one_line(text, _LONGEST)}


def _rules(direction: str, toward: str, *, add: bool) -> Callable[[Answer, Answer], Changed]:
    def read(request: Answer, answer: Answer) -> Changed:
        texts = firewall_rules(request, answer, toward)
        fields = {direction: brief(texts)} if texts else {}
        return Changed(after=fields, additive=True) if add else Changed(before=fields, additive=True)

    return read


def _modified_rules(request: Answer, answer: Answer) -> Changed:
    texts = firewall_rules(request, answer, "for")
    return Changed(after={"rule": brief(texts)} if texts else {})


def _policy_of(*document: str, label: str = "policy", add: bool = True) -> Callable[[Answer, Answer], Changed]:
    """A document that is put, or one that is taken away by its name."""

    def read(request: Answer, answer: Answer) -> Changed:
        name = str(pick(request, "policyName") or "") or tail(pick(request, "policyArn"))
        key = f"{label} {name}".strip()
        text = policy(pick(request, *document)) if document else ""
        if add and not document:
            return Changed(after={label: name}, additive=True)
        if add:
            return Changed(after={key: text})
        return Changed(before={label: name}, additive=True)

    return read


def _records(request: Answer, answer: Answer) -> Changed:
    before: Fields = {}
    after: Fields = {}
    for action, record, target in records(request):
        (before if action == "DELETE" else after)[record] = target
    return Changed(before, after, additive=bool(before) and not after)


def _routes(request: Answer, answer: Answer) -> Changed:
    where = pick(request, "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId") or "?"
    via = pick(request, "natGatewayId", "gatewayId", "transitGatewayId", "vpcPeeringConnectionId", "networkInterfaceId",
               "instanceId", "egressOnlyInternetGatewayId", "localGatewayId")  # fmt: skip
    return Changed(after={f"route {where}": str(via or "?")})


def _route_gone(request: Answer, answer: Answer) -> Changed:
    where = pick(request, "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId") or "?"
    return Changed(before={"route": str(where)}, additive=True)


def _network_entry(request: Answer, answer: Answer) -> Changed:
    way = "egress" if str(pick(request, "egress")).lower() == "true" else "ingress"
    number, verdict = pick(request, "ruleNumber"), pick(request, "ruleAction") or ""
    cidr = pick(request, "cidrBlock", "ipv6CidrBlock") or ""
    return Changed(after={f"{way} entry {number}": f"{verdict} {cidr}".strip()})


def _listener(request: Answer, answer: Answer) -> Changed:
    after = forwards(pick(request, "actions", "defaultActions"))
    conditions = [brief(str(v) for v in items(pick(each, "values"))) for each in items(pick(request, "conditions"))]
    if any(conditions):
        after["condition"] = "; ".join(each for each in conditions if each)
    certificates = [tail(pick(each, "certificateArn")) for each in items(pick(request, "certificates"))]
    if certificates:
        after["certificate"] = brief(certificates)
    return Changed(after=after or settings(request))


def _targets(*, add: bool) -> Callable[[Answer, Answer], Changed]:
    def read(request: Answer, answer: Answer) -> Changed:
        fields = {"targets": brief(str(pick(each, "id")) for each in items(pick(request, "targets")))}
        return Changed(after=fields, additive=True) if add else Changed(before=fields, additive=True)

    return read


def _listed(key: str, name: str, value: str) -> Callable[[Answer, Answer], Changed]:
    return lambda request, answer: Changed(after=pairs(pick(request, key), name, value))


def _attributes(request: Answer, answer: Answer) -> Changed:
    told = mapping(pick(request, "attributes"))
    return Changed(after={_WORD.sub("_", str(k)).lower(): one_line(str(v), 200) for k, v in told.items()})


def _parameter(request: Answer, answer: Answer) -> Changed:
    """Never the value: the version only."""
    version = pick(answer, "version")
    if not isinstance(version, int):
        return Changed(after={"version": "a new one"})
    return Changed({"version": str(version - 1)} if version > 1 else {}, {"version": str(version)})


def _environment(request: Answer, answer: Answer) -> Changed:
    after = settings({k: v for k, v in request.items() if k not in ("environment", "Environment")})
    if pick(request, "environment") is not None:
        after["environment"] = "set (CloudTrail does not show its values)"
    return Changed(after=after)


def _alias(request: Answer, answer: Answer) -> Changed:
    name = f"alias {pick(request, 'name') or ''}".strip()
    version = pick(request, "functionVersion")
    after = {name: str(version)} if version is not None else {}
    weights = mapping(pick(pick(request, "routingConfig"), "additionalVersionWeights"))
    return Changed(after=after | {f"{name} weight of {each}": str(weight) for each, weight in weights.items()})


def _concurrency_gone(request: Answer, answer: Answer) -> Changed:
    return Changed(after={"reserved_concurrency": "none"})


_READERS: dict[str, Callable[[Answer, Answer], Changed]] = {
    "AuthorizeSecurityGroupIngress": _rules("ingress", "from", add=True),
    "AuthorizeSecurityGroupEgress": _rules("egress", "to", add=True),
    "RevokeSecurityGroupIngress": _rules("ingress", "from", add=False),
    "RevokeSecurityGroupEgress": _rules("egress", "to", add=False),
    "ModifySecurityGroupRules": _modified_rules,
    "PutRolePolicy": _policy_of("policyDocument"),
    "DeleteRolePolicy": _policy_of(add=False),
    "AttachRolePolicy": _policy_of(),
    "DetachRolePolicy": _policy_of(add=False),
    "PutUserPolicy": _policy_of("policyDocument"),
    "PutRolePermissionsBoundary": _policy_of(label="permissions boundary"),
    "UpdateAssumeRolePolicy": _policy_of("policyDocument", label="trust"),
    "CreatePolicyVersion": _policy_of("policyDocument"),
    "PutBucketPolicy": _policy_of("bucketPolicy", label="bucket policy"),
    "DeleteBucketPolicy": lambda request, answer: Changed(before={"policy": "the bucket's"}, additive=True),
    "PutKeyPolicy": _policy_of("policy", label="key policy"),
    "PutResourcePolicy": _policy_of("resourcePolicy", "policy", label="resource policy"),
    "ChangeResourceRecordSets": _records,
    "CreateRoute": _routes,
    "ReplaceRoute": _routes,
    "DeleteRoute": _route_gone,
    "CreateNetworkAclEntry": _network_entry,
    "ReplaceNetworkAclEntry": _network_entry,
    "CreateRule": _listener,
    "ModifyRule": _listener,
    "ModifyListener": _listener,
    "CreateListener": _listener,
    "RegisterTargets": _targets(add=True),
    "DeregisterTargets": _targets(add=False),
    "ModifyTargetGroupAttributes": _listed("attributes", "key", "value"),
    "ModifyLoadBalancerAttributes": _listed("attributes", "key", "value"),
    "ModifyDBParameterGroup": _listed("parameters", "parameterName", "parameterValue"),
    "ModifyDBClusterParameterGroup": _listed("parameters", "parameterName", "parameterValue"),
    "ModifyCacheParameterGroup": _listed("parameterNameValues", "parameterName", "parameterValue"),
    "SetQueueAttributes": _attributes,
    "PutParameter": _parameter,
    "UpdateFunctionConfiguration": _environment,
    "DeleteFunctionConcurrency": _concurrency_gone,
    "UpdateAlias": _alias,
    "CreateAlias": _alias,
}


def phrase(found: Changed, told: Callable[[Fields, Fields], str]) -> str:
    """The change in words: `removed ingress tcp 5432 from 10.0.0.0/16`, `memory_size 512 → 128`, `timeout 3`."""
    if found.additive:
        gone = [f"removed {name} {value}" for name, value in found.before.items()]
        new = [f"added {name} {value}" for name, value in found.after.items()]
        return "; ".join([*gone, *new])
    if found.before:
        return told(found.before, found.after)
    shown_fields = [f"{name} {value}" for name, value in list(found.after.items())[:4]]
    more = f" and {len(found.after) - 4} more" if len(found.after) > 4 else ""
    return ", ".join(shown_fields) + more
