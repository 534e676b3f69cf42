"""What CloudTrail's requests say of rules, policies, records and targets: as short texts, added or removed."""

import json
from collections.abc import Iterable
from typing import Any

from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.timeline.arn_names import arn_names, tail

_MOST = 6
_LONGEST = 300


def pick(told: Any, *names: str) -> Any:
    """The first of these keys that is there, however its letters are cased; None where none is."""
    if not isinstance(told, dict):
        return None
    lowered = {str(key).lower(): value for key, value in told.items()}
    return next((lowered[name.lower()] for name in names if lowered.get(name.lower()) is not None), None)


def items(value: Any) -> list[Any]:
    """A list, whether CloudTrail wraps it in `items` or not."""
    found = pick(value, "items", "member") if isinstance(value, dict) else value
    return found if isinstance(found, list) else []


def mapping(value: Any) -> Answer:
    """A mapping, or an empty one where something else stands in its place."""
    return value if isinstance(value, dict) else {}


def brief(texts: Iterable[str]) -> str:
    found = list(texts)
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return one_line(", ".join(found[:_MOST]) + more, _LONGEST)


def firewall_rules(request: Answer, answer: Answer, toward: str) -> list[str]:
    """`tcp 5432 from 10.0.0.0/16` (`toward`: from, to), of a request that alters the rules of a security group."""
    told = items(pick(answer, "securityGroupRuleSet", "revokedSecurityGroupRuleSet"))
    if told:
        return [_rule(each, toward) for each in told if isinstance(each, dict)]
    found = [text for each in items(pick(request, "ipPermissions")) for text in _permission(each, toward)]
    altered = pick(request, "ModifySecurityGroupRulesRequest") or request
    listed = pick(altered, "SecurityGroupRule", "securityGroupRules")
    for each in items(listed) or ([listed] if isinstance(listed, dict) else []):
        found.append(
            _rule({**(pick(each, "SecurityGroupRule") or {}), "id": pick(each, "SecurityGroupRuleId")}, toward)
        )
    if not found and pick(request, "cidrIp", "ipProtocol"):
        found = [_rule(request, toward)]
    if not found:
        found = [str(each) for each in items(pick(request, "securityGroupRuleIds")) if isinstance(each, str)]
    return found


def _rule(told: Answer, toward: str) -> str:
    peer = pick(told, "cidrIpv4", "cidrIpv6", "cidrIp", "prefixListId")
    group = pick(told, "referencedGroupInfo") or {}
    peer = peer or pick(group, "groupId") or pick(told, "referencedGroupId", "sourceSecurityGroupName") or ""
    ports = _ports(told)
    return f"{ports} {toward} {peer}" if peer else ports or str(pick(told, "id") or "a rule")


def _ports(told: Answer) -> str:
    protocol = str(pick(told, "ipProtocol") or "")
    first, last = pick(told, "fromPort"), pick(told, "toPort")
    name = "all traffic" if protocol in ("-1", "all") else protocol
    if first is None or protocol == "-1" or (first, last) == (-1, -1):
        return name
    return f"{name} {first}" if first == last or last is None else f"{name} {first}-{last}"


def _permission(told: Any, toward: str) -> list[str]:
    ports = _ports(told)
    peers = [pick(each, "cidrIp", "CidrIp") for each in items(pick(told, "ipRanges"))]
    peers += [pick(each, "cidrIpv6") for each in items(pick(told, "ipv6Ranges"))]
    peers += [pick(each, "groupId", "groupName") for each in items(pick(told, "groups", "userIdGroupPairs"))]
    peers += [pick(each, "prefixListId") for each in items(pick(told, "prefixListIds"))]
    return [f"{ports} {toward} {peer}" for peer in peers if peer] or [ports]


def policy(document: Any) -> str:
    """`allow dynamodb:GetItem, dynamodb:Query on table/orders; deny s3:* on *`."""
    told = document
    if isinstance(document, str):
        try:
            told = json.loads(document)
        except ValueError:
            return ""
    statements = pick(told, "Statement")
    if isinstance(statements, dict):
        statements = [statements]
    found = [_statement(each) for each in statements or [] if isinstance(each, dict)]
    return one_line("; ".join(found), _LONGEST)


def _statement(told: Answer) -> str:
    effect = str(pick(told, "Effect") or "").lower()
    actions = _texts(pick(told, "Action")) or [f"not {each}" for each in _texts(pick(told, "NotAction"))]
    places = [_place(each) for each in _texts(pick(told, "Resource"))]
    who = pick(told, "Principal")
    principals = [tail(each) or each for each in (_texts(who) or [t for v in _values(who) for t in _texts(v)])]
    on = f" on {brief(places)}" if places else ""
    to = f" to {brief(principals)}" if principals else ""
    return f"{effect} {brief(actions)}{on}{to}" + (" under a condition" if pick(told, "Condition") else "")


def _place(arn: str) -> str:
    return arn.split(":", 5)[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def records(request: Answer) -> list[tuple[str, str, str]]:
    """Action, record (`api.example.org CNAME`) and what it points to, of ChangeResourceRecordSets."""
    found = []
    for each in items(pick(pick(request, "changeBatch"), "changes")):
        record = pick(each, "resourceRecordSet") or {}
        alias = pick(pick(record, "aliasTarget"), "dNSName")
        values = [str(pick(value, "value")) for value in items(pick(record, "resourceRecords"))]
        name = str(pick(record, "name") or "").rstrip(".").replace("\\052", "*")
        labels = [name, str(pick(record, "type") or "")]
        if (which := pick(record, "setIdentifier")) is not None:
            labels.append(f"({which})")
        target = brief([str(alias).rstrip(".")] if alias else [value.rstrip(".") for value in values])
        if (weight := pick(record, "weight")) is not None:
            target = f"{target} weight {weight}"
        if (seconds := pick(record, "tTL")) is not None:
            target = f"{target} ttl {seconds}"
        found.append((str(pick(each, "action") or "").upper(), " ".join(labels), target))
    return found


def forwards(actions: Any) -> dict[str, str]:
    """Where a listener or a rule sends its requests: `{"forward": "blue"}`, `{"weight.blue": "90", …}`."""
    found: dict[str, str] = {}
    for each in items(actions):
        groups = items(pick(pick(each, "forwardConfig"), "targetGroups"))
        if len(groups) > 1:
            found |= {f"weight.{_name(pick(g, 'targetGroupArn'))}": str(pick(g, "weight") or 0) for g in groups}
            continue
        arn = pick(each, "targetGroupArn") or (pick(groups[0], "targetGroupArn") if groups else None)
        if arn:
            found["forward"] = _name(arn)
        else:
            found["action"] = str(pick(each, "type") or "")
    return found


def _name(arn: Any) -> str:
    return next(iter(arn_names(str(arn or ""))), str(arn or ""))


def pairs(listed: Any, name: str, value: str) -> dict[str, str]:
    """A list of named values as a mapping: parameters, attributes."""
    return {
        str(pick(each, name)): one_line(str(pick(each, value)), 120)
        for each in items(listed)
        if pick(each, name) is not None and pick(each, value) is not None
    }
