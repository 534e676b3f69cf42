"""What can be asked of CloudFront."""

from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import acm
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import days_until, names, there, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 500
_MOST_INVALIDATIONS = 30
_MOST_LOOKED_INTO = 10
_SOON_DAYS = 30
_CERTIFICATES = "us-east-1"
"""Where CloudFront's certificates are, whatever region is looked in."""
_OLD_TLS = {"SSLv3", "TLSv1", "TLSv1_2016", "TLSv1.1_2016"}
_GEO = {"whitelist": "only", "blacklist": "not"}
_WHICH = "Id, domain name or alternate domain name of the distribution"


class Distributions(Operation):
    """Distributions with their names, origins, whether a change is still being rolled out, and what is unsafe."""

    kind: ClassVar[str] = "aws.cloudfront.distributions"
    service = "cloudfront"
    calls = ("ListDistributions",)
    words = ("distributions", "cloudfront", "cdn", "is the cdn still deploying")
    scope = "account"

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await _distributions(place)
        rows = sorted((_distribution_row(each) for each in found[:_MOST]), key=lambda row: (warned(row), row.name))
        more = f"the account has more than {_MOST} distributions" if len(found) > _MOST else ""
        empty = "the account has no CloudFront distribution"
        return self.table(place, rows, empty=empty, more=more, console=_link(place.region, None))


class Distribution(Operation):
    """One distribution: origins with time-outs, behaviours in their order, error pages and certificate."""

    kind: ClassVar[str] = "aws.cloudfront.distribution"
    service = "cloudfront"
    calls = ("ListDistributions", "acm:DescribeCertificate")
    words = ("cdn origins", "cloudfront origins", "cloudfront error pages", "cache behaviours", "cdn configuration")
    scope = "account"

    distribution: str = Field(description=_WHICH)

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await _named(place, self.distribution)
        failures: list[CallFailed] = []
        rows = [
            _distribution_row(found),
            *[_origin_row(each) for each in _items(found, "Origins")],
            *[_behaviour_row(each) for each in _items(found, "CacheBehaviors")],
            _behaviour_row({"PathPattern": "everything else", **(found.get("DefaultCacheBehavior") or {})}),
            *[_error_row(each) for each in _items(found, "CustomErrorResponses")],
        ]
        arn = str((found.get("ViewerCertificate") or {}).get("ACMCertificateArn") or "")
        if arn:
            none: Answer = {}
            certificate = await there(failures, acm.read(place.at(_CERTIFICATES), arn), none, none)
            rows.append(_certificate_row(certificate, arn, now))
        rows = [rows[0], *sorted(rows[1:], key=warned)]
        console = _link(place.region, str(found.get("Id")))
        return self.table(place, rows, empty="it has no settings", failures=failures, console=console)


class Invalidations(Operation):
    """Recent invalidations of a distribution: when, which paths, and which are still under way."""

    kind: ClassVar[str] = "aws.cloudfront.invalidations"
    service = "cloudfront"
    calls = ("ListDistributions", "ListInvalidations", "GetInvalidation")
    words = ("invalidations", "cache invalidation", "was the cdn cache cleared", "purged paths")
    scope = "account"

    distribution: str = Field(description=_WHICH)

    async def answer(self, place: Place, now: datetime) -> Result:
        id = str((await _named(place, self.distribution)).get("Id"))
        listed = await _nested(
            place, "ListInvalidations", "InvalidationList", _MOST_INVALIDATIONS + 1, DistributionId=id
        )
        listed.sort(key=lambda each: (each.get("Status") == "Completed", -_epoch(each.get("CreateTime"))))
        read, failures = await for_each(
            [str(each["Id"]) for each in listed[:_MOST_LOOKED_INTO]],
            lambda which: place.call("cloudfront", "GetInvalidation", DistributionId=id, Id=which),
        )
        paths = {which: _paths(answer) for which, answer in read}
        rows = [_invalidation_row(each, paths) for each in listed[:_MOST_INVALIDATIONS]]
        more = f"there are older ones than the last {_MOST_INVALIDATIONS}" if len(listed) > _MOST_INVALIDATIONS else ""
        return self.table(
            place,
            rows,
            empty="nothing was invalidated within the time that CloudFront keeps",
            failures=failures,
            more=more,
            console=_link(place.region, id, "/invalidations"),
        )


async def _distributions(place: Place) -> list[Answer]:
    return await _nested(place, "ListDistributions", "DistributionList", _MOST + 1)


async def _nested(place: Place, action: str, key: str, limit: int, **parameters: Any) -> list[Answer]:
    """Items of a list inside the answer. Raises `CallFailed`."""
    found: list[Answer] = []
    async for page in place.pages("cloudfront", action, **parameters):
        found += _items(page, key)
        if len(found) >= limit:
            break
    return found[:limit]


async def _named(place: Place, which: str) -> Answer:
    """The distribution of that id or name; an alternate name may have a `*`. Raises `CallFailed`."""
    wanted = which.casefold().rstrip(".").removeprefix("https://").partition("/")[0]
    for each in await _distributions(place):
        known = [str(each.get("Id")), str(each.get("DomainName")), *map(str, _items(each, "Aliases"))]
        for name in map(str.casefold, known):
            if name == wanted or (name.startswith("*.") and wanted.partition(".")[2] == name[2:]):
                return each
    text = f"no distribution of the account has the id or the name {which}"
    raise CallFailed("missing", text, action="cloudfront:ListDistributions")


def _items(told: Answer, key: str) -> list[Any]:
    """CloudFront's lists are `{Quantity, Items}`, without `Items` where there are none."""
    return list((told.get(key) or {}).get("Items") or [])


def _distribution_row(told: Answer) -> Row:
    aliases = [str(each) for each in _items(told, "Aliases")]
    viewer: Answer = told.get("ViewerCertificate") or {}
    geo: Answer = (told.get("Restrictions") or {}).get("GeoRestriction") or {}
    changed: datetime | None = told.get("LastModifiedTime")
    warnings: list[Any] = []
    if told.get("Status") == "InProgress":
        warnings.append("a change is still being rolled out" + (f", made {iso(changed)}" if changed else ""))
    if told.get("Enabled") is False:
        warnings.append("it is switched off")
    if aliases and viewer.get("MinimumProtocolVersion") in _OLD_TLS:
        warnings.append(f"accepts outdated TLS ({viewer['MinimumProtocolVersion']})")
    if (told.get("DefaultCacheBehavior") or {}).get("ViewerProtocolPolicy") == "allow-all":
        warnings.append("answers without encryption")
    return Row(
        name=aliases[0] if aliases else str(told.get("DomainName", "?")),
        at=changed,
        facts={
            "warnings": warnings or None,
            "id": told.get("Id"),
            "status": told.get("Status"),
            "domain_name": told.get("DomainName"),
            "other_names": names(aliases[1:]) or None,
            "origins": names(each.get("DomainName") for each in _items(told, "Origins")),
            "error_pages": names(each.get("ErrorCode") for each in _items(told, "CustomErrorResponses")) or None,
            "minimum_tls": viewer.get("MinimumProtocolVersion"),
            "firewall": bool(told.get("WebACLId")),
            "countries": f"{_GEO[geo['RestrictionType']]} {names(geo.get('Items') or [])}"
            if geo.get("RestrictionType") in _GEO
            else None,
        },
    )


def _origin_row(origin: Answer) -> Row:
    custom: Answer = origin.get("CustomOriginConfig") or {}
    warnings: list[Any] = []
    if custom.get("OriginProtocolPolicy") == "http-only":
        warnings.append("CloudFront speaks to it without encryption")
    return Row(
        name=f"origin {origin.get('Id', '?')}",
        facts={
            "warnings": warnings or None,
            "host": str(origin.get("DomainName", "")) + str(origin.get("OriginPath") or ""),
            "protocol": custom.get("OriginProtocolPolicy"),
            "read_timeout_s": custom.get("OriginReadTimeout"),
            "keepalive_s": custom.get("OriginKeepaliveTimeout"),
            "connection_attempts": origin.get("ConnectionAttempts"),
            "connection_timeout_s": origin.get("ConnectionTimeout"),
            "access": "origin access control" if origin.get("OriginAccessControlId") else None,
            "headers_added": names(each.get("HeaderName") for each in _items(origin, "CustomHeaders")) or None,
            "shield": (origin.get("OriginShield") or {}).get("OriginShieldRegion"),
        },
    )


def _behaviour_row(told: Answer) -> Row:
    functions = [str(each.get("LambdaFunctionARN")) for each in _items(told, "LambdaFunctionAssociations")]
    functions += [str(each.get("FunctionARN")) for each in _items(told, "FunctionAssociations")]
    return Row(
        name=f"path {told.get('PathPattern', '?')}",
        facts={
            "to_origin": told.get("TargetOriginId"),
            "viewers": told.get("ViewerProtocolPolicy"),
            "methods": names(_items(told, "AllowedMethods")) or None,
            "cache_policy": told.get("CachePolicyId"),
            "default_ttl_s": told.get("DefaultTTL"),
            "functions": names(arn.rpartition(":function")[2].lstrip(":/") for arn in functions) or None,
        },
    )


def _error_row(told: Answer) -> Row:
    page, code = told.get("ResponsePagePath"), told.get("ResponseCode")
    return Row(
        name=f"error {told.get('ErrorCode', '?')}",
        facts={
            "shows": f"{page} as {code}" if page else "the origin's answer",
            "kept_s": told.get("ErrorCachingMinTTL"),
        },
    )


def _certificate_row(certificate: Answer, arn: str, now: datetime) -> Row:
    left = days_until(certificate.get("NotAfter"), now)
    warnings: list[Any] = []
    if left is not None and left <= _SOON_DAYS:
        warnings.append(f"expired {-left} days ago" if left < 0 else f"expires in {left} days")
    return Row(
        name=f"certificate {certificate.get('DomainName') or acm.resource_of(arn)}",
        at=certificate.get("NotAfter"),
        facts={"warnings": warnings or None, "days_left": left, "status": certificate.get("Status")},
    )


def _invalidation_row(told: Answer, paths: dict[str, list[str]]) -> Row:
    known = paths.get(str(told.get("Id")))
    return Row(
        name=str(told.get("Id", "?")),
        at=told.get("CreateTime"),
        facts={"status": told.get("Status"), "paths": names(known) if known else None},
    )


def _paths(answer: Answer) -> list[str]:
    batch: Answer = (answer.get("Invalidation") or {}).get("InvalidationBatch") or {}
    return [str(each).partition("?")[0] for each in _items(batch, "Paths")]


def _epoch(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _link(region: str, id: str | None, part: str = "") -> str:
    page = f"/distributions/{quote(id, safe='')}{part}" if id else "/distributions"
    return f"https://{console_host(region)}/cloudfront/v4/home?region={region}#{page}"


OPERATIONS = (Distributions, Distribution, Invalidations)
