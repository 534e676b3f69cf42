"""What can be asked of Route 53."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.operations.health_checks import Health, read_health
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.record_names import dns_name, spoken, value, within
from runbook_bot.providers.aws.operations.telling import names, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST_ZONES = 500
_MOST_LOOKED_INTO = 20
_MOST_RECORDS = 300
_MOST_ASKED_FOR = 100
_MOST_CHECKS = 200
_LONG_TTL = 86_400
_ZONES = "v2/hostedzones"


class Zones(Operation):
    """Hosted zones, public and private, with their name servers or networks, and zones that hide each other."""

    kind: ClassVar[str] = "aws.route53.zones"
    service = "route53"
    calls = ("ListHostedZones", "GetHostedZone")
    words = ("hosted zones", "dns zones", "domains", "name servers")
    scope = "account"

    async def answer(self, place: Place, now: datetime) -> Result:
        zones = await place.gather("route53", "ListHostedZones", "HostedZones", _MOST_ZONES + 1)
        known = zones[:_MOST_ZONES]
        times = Counter(str(each.get("Name")) for each in known if not _private(each))
        details, failures = await for_each(
            [str(each.get("Id")) for each in known[:_MOST_LOOKED_INTO]],
            lambda id: place.call("route53", "GetHostedZone", Id=id.rpartition("/")[2]),
        )
        read = dict(details)
        rows = [_zone_row(each, times[str(each.get("Name"))], read.get(str(each.get("Id")), {})) for each in known]
        rows.sort(key=lambda row: (warned(row), row.name))
        told = [f"the account has more than {_MOST_ZONES} zones"] if len(zones) > _MOST_ZONES else []
        if len(known) > _MOST_LOOKED_INTO:
            told.append(f"name servers were read of the first {_MOST_LOOKED_INTO} alone")
        return self.table(
            place,
            rows,
            empty="the account has no hosted zone",
            failures=failures,
            more="; ".join(told),
            console=_link(place.region, _ZONES),
        )


class Records(Operation):
    """Records of a name in every zone that answers for it: values, alias, weights, failover and health, in words."""

    kind: ClassVar[str] = "aws.route53.records"
    service = "route53"
    calls = (
        "ListHostedZones",
        "ListResourceRecordSets",
        "GetHealthCheckStatus",
        "GetHealthCheckLastFailureReason",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
    )
    words = ("dns records", "dns record", "where does the name point", "dns weights", "dns failover")
    scope = "account"

    name: str = Field(description="The name, e.g. shop.example.com; the name of a zone shows what is at its top")
    all_below: bool = Field(default=False, description="Whether names below it are meant too")

    async def answer(self, place: Place, now: datetime) -> Result:
        wanted = dns_name(self.name)
        zones = await place.gather("route53", "ListHostedZones", "HostedZones", _MOST_ZONES)
        responsible = _responsible(zones, wanted)
        if not responsible:
            return self.table(place, [], empty=f"no zone of the account answers for {spoken(wanted)}")
        found, failures = await for_each(responsible, lambda zone: self._records(place, zone, wanted))
        records = [(zone, each) for zone, part in found for each in part]
        ids = list(dict.fromkeys(str(e["HealthCheckId"]) for _, e in records if e.get("HealthCheckId")))
        health, unread = await read_health(place, ids[:_MOST_LOOKED_INTO], now)
        rows = [_record_row(zone, each, [e for _, e in records], health) for zone, each in records]
        rows.sort(key=warned)
        full = any(len(part) >= _MOST_RECORDS for _, part in found)
        only = quote(_id(responsible[0]), safe="") if len(responsible) == 1 else ""
        return self.table(
            place,
            rows,
            empty=f"{names(spoken(str(e.get('Name'))) for e in responsible)} has no record of that name: it is unknown",
            failures=[*failures, *unread],
            more=f"only the first {_MOST_RECORDS} records were read; ask for a name further down" if full else "",
            console=_link(place.region, f"{_ZONES}#ListRecordSets/{only}" if only else _ZONES),
        )

    async def _records(self, place: Place, zone: Answer, wanted: str) -> list[Answer]:
        """Those of the name; where it has none those of the wildcard that answers for it."""
        if self.all_below:
            every = await place.gather(  # they are in the order of their labels from the right: those below follow it
                "route53", "ListResourceRecordSets", "ResourceRecordSets", _MOST_RECORDS,
                HostedZoneId=_id(zone), StartRecordName=wanted,
            )  # fmt: skip
            return [each for each in every if within(_plain(each), wanted)]
        found = await _of_name(place, zone, wanted)
        if found or wanted == _plain(zone):
            return found
        return await _of_name(place, zone, "*." + wanted.partition(".")[2])


class HealthChecks(Operation):
    """Health checks with what they look at, whether it is healthy now, and the reason of those that are not."""

    kind: ClassVar[str] = "aws.route53.health_checks"
    service = "route53"
    calls = (
        "ListHealthChecks",
        "ListTagsForResources",
        "GetHealthCheckStatus",
        "GetHealthCheckLastFailureReason",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
    )
    words = ("health checks", "dns health checks", "failing health checks", "route 53 health")
    scope = "account"

    async def answer(self, place: Place, now: datetime) -> Result:
        checks = await place.gather("route53", "ListHealthChecks", "HealthChecks", _MOST_CHECKS + 1)
        known = checks[:_MOST_CHECKS]
        ids = [str(each.get("Id")) for each in known]
        health, failures = await read_health(place, ids, now)
        called = await _tagged_names(place, ids, failures)
        rows = [_check_row(each, health.get(str(each.get("Id"))), called) for each in known]
        rows.sort(key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="the account has no health check",
            failures=failures,
            more=f"the account has more than {_MOST_CHECKS} of them" if len(checks) > _MOST_CHECKS else "",
            console=_link(place.region, "healthchecks/home#/"),
        )


async def _of_name(place: Place, zone: Answer, name: str) -> list[Answer]:
    answer = await place.call(
        "route53",
        "ListResourceRecordSets",
        HostedZoneId=_id(zone),
        StartRecordName=name,
        MaxItems=str(_MOST_ASKED_FOR),
    )
    return [each for each in answer.get("ResourceRecordSets") or [] if _plain(each) == name]


async def _tagged_names(place: Place, ids: Sequence[str], failures: list[CallFailed]) -> dict[str, str]:
    """What people call their checks: the tag `Name`; ten at a time."""
    groups = [list(ids[start : start + 10]) for start in range(0, len(ids), 10)]
    told, unread = await for_each(
        groups,
        lambda group: place.call(
            "route53", "ListTagsForResources", ResourceType="healthcheck", ResourceIds=group
        ),
    )  # fmt: skip
    failures += unread
    sets = [each for _, answer in told for each in answer.get("ResourceTagSets") or []]
    return {
        str(each.get("ResourceId")): str(tag.get("Value"))
        for each in sets
        for tag in each.get("Tags") or []
        if tag.get("Key") == "Name"
    }


def _responsible(zones: Sequence[Answer], name: str) -> list[Answer]:
    """The zones nearest to the name: of the public ones, and of the private ones; split horizons have both."""
    found: list[Answer] = []
    for private in (False, True):
        fitting = [each for each in zones if _private(each) is private and within(name, _plain(each))]
        longest = max((len(_plain(each)) for each in fitting), default=0)
        found += [each for each in fitting if len(_plain(each)) == longest]
    return found


def _zone_row(zone: Answer, times: int, details: Answer) -> Row:
    warnings: list[Any] = []
    if not _private(zone) and times > 1:
        warnings.append(f"{times} public zones have this name: only the one that the registrar points to answers")
    if zone.get("ResourceRecordSetCount") == 2:  # NS and SOA, which every zone has
        warnings.append("it has no record of its own")
    networks = [f"{each.get('VPCId')} ({each.get('VPCRegion')})" for each in details.get("VPCs") or []]
    return Row(
        name=spoken(str(zone.get("Name", "?"))),
        facts={
            "warnings": warnings or None,
            "id": _id(zone),
            "visible": "in its networks" if _private(zone) else "to everybody",
            "records": zone.get("ResourceRecordSetCount"),
            "name_servers": names((details.get("DelegationSet") or {}).get("NameServers") or []) or None,
            "networks": names(networks) or None,
            "comment": (zone.get("Config") or {}).get("Comment") or None,
            "made_by": (zone.get("LinkedService") or {}).get("ServicePrincipal"),
        },
    )


def _record_row(zone: Answer, record: Answer, all_of_it: Sequence[Answer], health: Mapping[str, Health]) -> Row:
    kind, ttl = str(record.get("Type", "?")), record.get("TTL")
    alias: Answer = record.get("AliasTarget") or {}
    checked = health.get(str(record.get("HealthCheckId")))
    warnings: list[Any] = []
    if checked is not None and checked.healthy is False:
        warnings.append(f"its health check fails: {checked.reason}" if checked.reason else "its health check fails")
    if record.get("Weight") == 0:
        warnings.append("its weight is 0: it gets nothing while another one has more")
    if record.get("Failover") == "PRIMARY" and not record.get("HealthCheckId") and not _evaluated(alias):
        warnings.append("it never fails over: it has no health check")
    if ttl is not None and int(ttl) >= _LONG_TTL and kind not in ("NS", "SOA"):
        warnings.append(f"a change takes up to {int(ttl) // 3600} hours to be seen")
    label = f" ({record['SetIdentifier']})" if record.get("SetIdentifier") else ""
    values = [value(kind, str(each.get("Value", ""))) for each in record.get("ResourceRecords") or []]
    return Row(
        name=f"{kind} {spoken(str(record.get('Name', '?')))}{label}",
        facts={
            "warnings": warnings or None,
            "points_to": spoken(str(alias["DNSName"])) if alias else names(values),
            "alias": True if alias else None,
            "checks_target": _evaluated(alias) if alias else None,
            "ttl_s": ttl,
            "routing": _routing(record, all_of_it),
            "health_check": record.get("HealthCheckId"),
            "healthy": None if checked is None else checked.healthy,
            "zone": f"{spoken(str(zone.get('Name')))} ({'private' if _private(zone) else 'public'})",
        },
    )


def _routing(record: Answer, all_of_it: Sequence[Answer]) -> str | None:
    """How it is chosen among the records of the same name and type."""
    if (weight := record.get("Weight")) is not None:
        same = ("Name", "Type")
        total = sum(int(e.get("Weight") or 0) for e in all_of_it if all(e.get(k) == record.get(k) for k in same))
        return f"weight {weight} of {total}" + (f" ({100.0 * weight / total:.3g} %)" if total else "")
    if record.get("Failover"):
        return f"failover, {str(record['Failover']).lower()}"
    if record.get("Region"):
        return f"lowest latency, for {record['Region']}"
    if record.get("GeoLocation"):
        return "visitors from " + " ".join(str(each) for each in record["GeoLocation"].values() if each)
    if record.get("MultiValueAnswer"):
        return "up to eight healthy ones at a time"
    if record.get("CidrRoutingConfig"):
        return f"visitors of the network {record['CidrRoutingConfig'].get('LocationName')}"
    return "nearest place" if record.get("GeoProximityLocation") else None


def _check_row(check: Answer, health: Health | None, called: Mapping[str, str]) -> Row:
    told: Answer = check.get("HealthCheckConfig") or {}
    id = str(check.get("Id", "?"))
    warnings: list[Any] = []
    if health is not None and health.healthy is False:
        warnings.append("it fails" + (f": {one_line(health.reason)}" if health.reason else ""))
    if told.get("Disabled"):
        warnings.append(f"it is switched off and counts as {'unhealthy' if told.get('Inverted') else 'healthy'}")
    elif told.get("Inverted"):
        warnings.append("it is inverted: what fails counts as healthy")
    return Row(
        name=called.get(id, id),
        at=health.since if health is not None else None,
        facts={
            "warnings": warnings or None,
            "healthy": None if health is None else health.healthy,
            "checkers_healthy_percent": None if health is None else health.percent,
            "id": id,
            "looks_at": _looks_at(told),
            "every_s": told.get("RequestInterval"),
            "failures_to_be_unhealthy": told.get("FailureThreshold"),
            "belongs_to": (check.get("LinkedService") or {}).get("ServicePrincipal"),
        },
    )


def _looks_at(told: Answer) -> str:
    kind = str(told.get("Type", "?"))
    if kind == "CALCULATED":
        return f"{told.get('HealthThreshold')} of {len(told.get('ChildHealthChecks') or [])} other checks"
    if kind == "CLOUDWATCH_METRIC":
        alarm: Answer = told.get("AlarmIdentifier") or {}
        return f"alarm {alarm.get('Name')} in {alarm.get('Region')}"
    host = told.get("FullyQualifiedDomainName") or told.get("IPAddress") or "?"
    path = str(told.get("ResourcePath") or "").partition("?")[0]
    wants = ", wants a text in the answer" if told.get("SearchString") else ""
    return f"{kind.removesuffix('_STR_MATCH')} {host}:{told.get('Port', '?')}{path}{wants}"


def _evaluated(alias: Answer) -> bool:
    return bool(alias.get("EvaluateTargetHealth"))


def _private(zone: Answer) -> bool:
    return bool((zone.get("Config") or {}).get("PrivateZone"))


def _id(zone: Answer) -> str:
    return str(zone.get("Id", "")).rpartition("/")[2]


def _plain(told: Answer) -> str:
    """The name of a zone or record, with its escapes resolved."""
    return dns_name(str(told.get("Name", "")).replace("\\052", "*"))


def _link(region: str, page: str) -> str:
    start, _, rest = page.partition("#")
    return f"https://{console_host(region)}/route53/{start}?region={region}#{rest}"


OPERATIONS = (Zones, Records, HealthChecks)
