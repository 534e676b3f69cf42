"""What can be asked of application and network load balancers."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.elb import load_balancer, target_group
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import acm
from runbook_bot.providers.aws.operations.elb_health import (
    HEALTHY,
    check_in_words,
    counts,
    rank,
    reason_of,
    reasons,
    state_of,
)
from runbook_bot.providers.aws.operations.elb_rules import (
    actions_in_words,
    answers_errors,
    conditions_in_words,
    group_name,
    to_https,
    weights,
)
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import days_until, names, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST_LISTED = 200
_MOST_LOOKED_INTO = 40
_MOST_RULES = 400
_MOST_RULED = 50
_SOON_DAYS = 30
_OLD_TLS = {"SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"}


class LoadBalancers(Operation):
    """Application and network load balancers with state, addresses, zones, time-outs and where their logs go."""

    kind: ClassVar[str] = "aws.elbv2.load_balancers"
    service = "elbv2"
    calls = ("DescribeLoadBalancers", "DescribeLoadBalancerAttributes")
    words = ("load balancers", "alb", "nlb", "load balancer state", "are access logs on")

    name: str | None = Field(default=None, description="Name of the load balancer; none means all of the region")

    async def answer(self, place: Place, now: datetime) -> Result:
        if self.name is not None:
            found = [await load_balancer(place, self.name)]
        else:
            found = await place.gather("elbv2", "DescribeLoadBalancers", "LoadBalancers", _MOST_LISTED + 1)
        ordered = sorted(found[:_MOST_LISTED], key=lambda each: (_code(each) == "active", str(each.get("DNSName"))))
        attributes, failures = await for_each(
            [str(each.get("LoadBalancerArn")) for each in ordered[:_MOST_LOOKED_INTO]],
            lambda arn: place.call("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn),
        )
        told = {arn: _by_key(answer.get("Attributes") or []) for arn, answer in attributes}
        rows = [_balancer_row(each, told.get(str(each.get("LoadBalancerArn")), {})) for each in ordered]
        more = f"the region has more than {_MOST_LISTED} load balancers; name one" if len(found) > _MOST_LISTED else ""
        if not more and len(ordered) > _MOST_LOOKED_INTO:
            more = f"settings were read of the first {_MOST_LOOKED_INTO} load balancers alone; name one"
        return self.table(
            place,
            rows,
            empty="this region has no application or network load balancer",
            failures=failures,
            more=more,
            console=_link(place.region, "LoadBalancers", self.name),
        )


class Listeners(Operation):
    """Listeners of a load balancer with TLS policy, certificate and its days to expiry, and what they do by default."""

    kind: ClassVar[str] = "aws.elbv2.listeners"
    service = "elbv2"
    calls = (
        "DescribeLoadBalancers",
        "DescribeListeners",
        "DescribeListenerCertificates",
        "DescribeSSLPolicies",
        "acm:DescribeCertificate",
    )
    words = ("listeners", "tls policy", "listener certificate", "which ports does the load balancer listen on")

    load_balancer: str = Field(description="Name of the load balancer")

    async def answer(self, place: Place, now: datetime) -> Result:
        balancer = await load_balancer(place, self.load_balancer)
        listeners = await _listeners(place, balancer)
        encrypted = [each for each in listeners if each.get("Certificates")]
        policies = sorted({str(each["SslPolicy"]) for each in encrypted if each.get("SslPolicy")})
        failures: list[CallFailed] = []
        versions = await _tls_versions(place, policies, failures)
        served, unlisted = await for_each(
            [str(each["ListenerArn"]) for each in encrypted],
            lambda arn: place.gather(
                "elbv2", "DescribeListenerCertificates", "Certificates", _MOST_LISTED, ListenerArn=arn
            ),
        )
        arns = {str(c.get("CertificateArn")): None for e in encrypted for c in e["Certificates"]}
        arns |= {str(c.get("CertificateArn")): None for _, found in served for c in found}
        read, unread = await for_each(
            [arn for arn in arns if ":acm:" in arn][:_MOST_LOOKED_INTO], lambda arn: acm.read(place, arn)
        )
        certificates, extra = dict(read), dict(served)
        left = sum(1 for arn in arns if ":acm:" in arn) - _MOST_LOOKED_INTO
        rows = [
            _listener_row(each, balancer, versions, certificates, extra.get(str(each.get("ListenerArn")), []), now)
            for each in listeners
        ]
        rows.sort(key=warned)
        return self.table(
            place,
            rows,
            empty="the load balancer has no listener: it accepts nothing",
            failures=[*failures, *unlisted, *unread],
            more=f"when they expire was not read of {left} more certificates" if left > 0 else "",
            console=_link(place.region, "LoadBalancers", self.load_balancer),
        )


class Rules(Operation):
    """Rules of a load balancer: which request goes where, with weights, and whether anybody is healthy there."""

    kind: ClassVar[str] = "aws.elbv2.rules"
    service = "elbv2"
    calls = ("DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetHealth")
    words = ("listener rules", "routing rules", "where does the path go", "target group weights", "traffic split")

    load_balancer: str = Field(description="Name of the load balancer")
    port: int | None = Field(default=None, description="Only the listener on this port; none means all listeners")

    async def answer(self, place: Place, now: datetime) -> Result:
        balancer = await load_balancer(place, self.load_balancer)
        listeners = [e for e in await _listeners(place, balancer) if self.port in (None, e.get("Port"))]
        ruled, failures = await for_each(
            listeners[:_MOST_RULED],
            lambda each: place.gather(
                "elbv2", "DescribeRules", "Rules", _MOST_RULES, ListenerArn=str(each["ListenerArn"])
            ),
        )
        arns = dict.fromkeys(arn for _, rules in ruled for rule in rules for arn in weights(rule.get("Actions") or []))
        health, unread = await for_each(list(arns)[:_MOST_LOOKED_INTO], lambda arn: _targets(place, arn))
        known = dict(health)
        rows = await asyncio.to_thread(
            lambda: [_rule_row(listener, rule, known) for listener, rules in ruled for rule in rules]
        )
        rows.sort(key=warned)  # in the order in which they are tried, but for what is wrong
        left = len(arns) - _MOST_LOOKED_INTO
        return self.table(
            place,
            rows,
            empty="it has no listener" + ("" if self.port is None else f" on port {self.port}"),
            failures=[*failures, *unread],
            more="; ".join(
                [f"{len(listeners) - _MOST_RULED} more listeners were not read; name a port"]
                * (len(listeners) > _MOST_RULED)
                + [f"the targets of {left} more target groups were not looked at"] * (left > 0)
            ),
            console=_link(place.region, "LoadBalancers", self.load_balancer),
        )


class TargetGroups(Operation):
    """Target groups with how many targets are healthy, why the others are not, and how the health check goes."""

    kind: ClassVar[str] = "aws.elbv2.target_groups"
    service = "elbv2"
    calls = ("DescribeTargetGroups", "DescribeLoadBalancers", "DescribeTargetHealth")
    words = ("target groups", "unhealthy targets", "healthy hosts", "health check settings")

    load_balancer: str | None = Field(default=None, description="Only those behind this load balancer; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        which: dict[str, Any] = {}
        if self.load_balancer is not None:
            which = {"LoadBalancerArn": (await load_balancer(place, self.load_balancer)).get("LoadBalancerArn")}
        groups = await place.gather("elbv2", "DescribeTargetGroups", "TargetGroups", _MOST_LISTED + 1, **which)
        looked, failures = await for_each(
            groups[:_MOST_LISTED], lambda each: _targets(place, str(each.get("TargetGroupArn")))
        )
        rows = await asyncio.to_thread(lambda: [_group_row(group, targets) for group, targets in looked])
        rows.sort(key=lambda row: (warned(row), -int(str(row.facts.get("not_healthy", 0))), row.name))
        more = f"there are more than {_MOST_LISTED} target groups; name a load balancer"
        return self.table(
            place,
            rows,
            empty="there is no target group" + (" behind it" if self.load_balancer else " in this region"),
            failures=failures,
            more=more if len(groups) > _MOST_LISTED else "",
            console=_link(place.region, "TargetGroups", None),
        )


class TargetHealth(Operation):
    """Every target of one target group with its state and the reason in words, the sickest first."""

    kind: ClassVar[str] = "aws.elbv2.target_health"
    service = "elbv2"
    calls = ("DescribeTargetGroups", "DescribeTargetHealth")
    words = ("target health", "why are targets unhealthy", "which targets are unhealthy", "draining targets")

    target_group: str = Field(description="Name of the target group")

    async def answer(self, place: Place, now: datetime) -> Result:
        group = await target_group(place, self.target_group)
        targets = sorted(await _targets(place, str(group["TargetGroupArn"])), key=rank)
        return self.table(
            place,
            [_target_row(each, group) for each in targets],
            empty="nothing is registered with the target group: requests to it get 503",
            console=_link(place.region, "TargetGroups", self.target_group),
        )


async def _listeners(place: Place, balancer: Answer) -> list[Answer]:
    arn = str(balancer.get("LoadBalancerArn"))
    listeners = await place.gather("elbv2", "DescribeListeners", "Listeners", _MOST_LISTED, LoadBalancerArn=arn)
    return sorted(listeners, key=lambda each: each.get("Port") or 0)


async def _targets(place: Place, arn: str) -> list[Answer]:
    answer = await place.call("elbv2", "DescribeTargetHealth", TargetGroupArn=arn)
    return list(answer.get("TargetHealthDescriptions") or [])


async def _tls_versions(place: Place, policies: Sequence[str], failures: list[CallFailed]) -> dict[str, list[str]]:
    """Protocol versions by the name of the policy."""
    if not policies:
        return {}
    try:
        found = await place.gather("elbv2", "DescribeSSLPolicies", "SslPolicies", _MOST_LISTED, Names=list(policies))
    except CallFailed as failure:
        failures.append(failure)
        return {}
    return {str(each.get("Name")): [str(v) for v in each.get("SslProtocols") or []] for each in found}


def _balancer_row(balancer: Answer, attributes: dict[str, str]) -> Row:
    logs = attributes.get("access_logs.s3.enabled")
    bucket, prefix = attributes.get("access_logs.s3.bucket", ""), attributes.get("access_logs.s3.prefix", "")
    timeout = attributes.get("idle_timeout.timeout_seconds")
    return Row(
        name=str(balancer.get("LoadBalancerName", "?")),
        at=balancer.get("CreatedTime"),
        facts={
            "state": _code(balancer),
            "state_reason": (balancer.get("State") or {}).get("Reason"),
            "type": balancer.get("Type"),
            "scheme": balancer.get("Scheme"),
            "dns_name": balancer.get("DNSName"),
            "zones": names(zone.get("ZoneName") for zone in balancer.get("AvailabilityZones") or []),
            "security_groups": list(balancer.get("SecurityGroups") or []),
            "idle_timeout_s": int(timeout) if timeout and timeout.isdecimal() else None,
            "cross_zone": attributes.get("load_balancing.cross_zone.enabled"),
            "deletion_protection": attributes.get("deletion_protection.enabled"),
            "access_logs": f"s3://{bucket}/{prefix}".rstrip("/") if logs == "true" else "off" if attributes else None,
        },
    )


def _listener_row(
    listener: Answer,
    balancer: Answer,
    versions: dict[str, list[str]],
    certificates: dict[str, Answer],
    served: Sequence[Answer],
    now: datetime,
) -> Row:
    default = str(((listener.get("Certificates") or [{}])[0]).get("CertificateArn", ""))
    others = [str(each.get("CertificateArn")) for each in served if str(each.get("CertificateArn")) != default]
    left = {arn: days_until(certificates.get(arn, {}).get("NotAfter"), now) for arn in (default, *others) if arn}
    policy, actions = listener.get("SslPolicy"), listener.get("DefaultActions") or []
    spoken = versions.get(str(policy), [])
    protocol = str(listener.get("Protocol", "?"))
    warnings: list[Any] = [
        f"the certificate for {_domain(certificates, arn)} " + (f"expired {-days} days ago" if days < 0 else
         f"expires in {days} days") for arn, days in left.items() if days is not None and days <= _SOON_DAYS
    ]  # fmt: skip
    if old := sorted(_OLD_TLS & set(spoken)):
        warnings.append(f"accepts {' and '.join(old)}, which are outdated")
    if protocol == "HTTP" and balancer.get("Scheme") == "internet-facing" and not to_https(actions):
        warnings.append("open to the internet without encryption, and redirects nobody to HTTPS")
    return Row(
        name=f"{protocol}:{listener.get('Port', '?')}",
        facts={
            "warnings": warnings or None,
            "default": actions_in_words(actions),
            "tls_policy": policy,
            "tls_versions": ", ".join(spoken) or None,
            "certificate": _domain(certificates, default) if default else None,
            "certificate_days_left": left.get(default),
            "other_certificates": names(_domain(certificates, arn) for arn in others) or None,
            "client_certificates": (listener.get("MutualAuthentication") or {}).get("Mode"),
        },
    )


def _domain(certificates: dict[str, Answer], arn: str) -> str:
    """The certificate's domain; its id where it could not be read, as with those that IAM keeps."""
    return str(certificates.get(arn, {}).get("DomainName") or acm.resource_of(arn))


def _rule_row(listener: Answer, rule: Answer, health: dict[str, list[Answer]]) -> Row:
    actions: list[Answer] = rule.get("Actions") or []
    warnings: list[Any] = []
    behind: dict[str, Any] = {}
    for arn, weight in weights(actions).items():
        targets = health.get(arn)
        if targets is None:
            continue
        well = counts(targets).get(HEALTHY, 0)
        behind[group_name(arn)] = f"{well} of {len(targets)} healthy"
        if well == 0 and weight != 0:
            warnings.append(f"{group_name(arn)} has no healthy target" if targets else f"{group_name(arn)} is empty")
    if answers_errors(actions):
        warnings.append("answers with a server error by itself")
    if (said := actions_in_words(actions)).startswith("nowhere"):
        warnings.append("every weight is 0")
    return Row(
        name=f"{listener.get('Protocol')}:{listener.get('Port')} rule {rule.get('Priority', '?')}",
        facts={
            "warnings": warnings or None,
            "when": conditions_in_words(rule.get("Conditions") or []),
            "then": said,
            "targets": behind or None,
        },
    )


def _group_row(group: Answer, targets: Sequence[Answer]) -> Row:
    states = counts(targets)
    well = states.get(HEALTHY, 0)
    warnings: list[Any] = []
    if not targets:
        warnings.append("nothing is registered")
    elif well == 0:
        warnings.append("no target is healthy")
    if not group.get("LoadBalancerArns"):
        warnings.append("no load balancer uses it")
    return Row(
        name=str(group.get("TargetGroupName", "?")),
        facts={
            "warnings": warnings or None,
            "healthy": well,
            "not_healthy": len(targets) - well,
            "states": dict(states),
            "reasons": list(reasons(targets)) or None,
            "takes": f"{group.get('Protocol', group.get('TargetType', '?'))}:{group.get('Port', '?')}",
            "target_type": group.get("TargetType"),
            "health_check": check_in_words(group),
        },
    )


def _target_row(told: Answer, group: Answer) -> Row:
    target: Answer = told.get("Target") or {}
    where = f":{target['Port']}" if target.get("Port") else ""
    shift: Answer = told.get("AdministrativeOverride") or {}
    return Row(
        name=f"{target.get('Id', '?')}{where}",
        facts={
            "state": state_of(told),
            "reason": reason_of(told),
            "zone": target.get("AvailabilityZone"),
            "anomaly": (told.get("AnomalyDetection") or {}).get("Result"),
            "zonal_shift": shift.get("Description") if shift.get("State") not in (None, "no_override") else None,
            "health_check": check_in_words(group),
        },
    )


def _code(balancer: Answer) -> str:
    return str((balancer.get("State") or {}).get("Code", "?"))


def _by_key(attributes: Sequence[Answer]) -> dict[str, str]:
    return {str(each.get("Key")): str(each.get("Value", "")) for each in attributes}


def _link(region: str, what: str, name: str | None) -> str:
    search = f":search={quote(name, safe='')}" if name else ":"
    return f"https://{console_host(region)}/ec2/home?region={region}#{what}{search}"


OPERATIONS = (LoadBalancers, Listeners, Rules, TargetGroups, TargetHealth)
