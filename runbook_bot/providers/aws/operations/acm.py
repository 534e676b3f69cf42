"""What can be asked of Certificate Manager."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import days_until, names
from runbook_bot.providers.aws.place import Answer, Place

_MOST_LISTED = 1000
_MOST_DESCRIBED = 40
_SOON_DAYS = 30
_ALL_KEYS = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
"""ListCertificates tells of RSA keys up to 2048 bits alone unless it is told otherwise."""
_BROKEN = {"EXPIRED", "FAILED", "REVOKED", "VALIDATION_TIMED_OUT"}
_REASONS = {
    "NO_AVAILABLE_CONTACTS": "nobody could be reached to validate the domain by mail",
    "ADDITIONAL_VERIFICATION_REQUIRED": "AWS wants more information about the domain",
    "DOMAIN_NOT_ALLOWED": "the domain is not allowed",
    "INVALID_PUBLIC_DOMAIN": "the domain is no public one",
    "DOMAIN_VALIDATION_DENIED": "the validation of the domain was denied",
    "CAA_ERROR": "a CAA record of the domain forbids Amazon to issue certificates",
    "PCA_LIMIT_EXCEEDED": "the private authority is at its limit",
    "PCA_INVALID_STATE": "the private authority is not active",
    "PCA_ACCESS_DENIED": "the private authority refuses Certificate Manager",
    "PCA_RESOURCE_NOT_FOUND": "the private authority is gone",
    "SLR_NOT_FOUND": "the service-linked role of Certificate Manager is gone",
}


class Certificates(Operation):
    """Certificates by days to expiry, with what uses them, how their renewal stands, and what its validation lacks."""

    kind: ClassVar[str] = "aws.acm.certificates"
    service = "acm"
    calls = ("ListCertificates", "DescribeCertificate")
    words = ("certificates", "expiring certificates", "certificate expiry", "tls certificates", "certificate renewal",
             "when does the certificate expire")  # fmt: skip

    domain: str | None = Field(default=None, description="A domain name, or a part of one; none means all certificates")
    within_days: int | None = Field(
        default=None, ge=0, description="Only those that expire within so many days, or have; none means whenever"
    )

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await place.gather(
            "acm", "ListCertificates", "CertificateSummaryList", _MOST_LISTED + 1, Includes={"keyTypes": _ALL_KEYS}
        )
        chosen = sorted((each for each in listed[:_MOST_LISTED] if self._meant(each, now)), key=_urgency)
        described, failures = await for_each(
            chosen[:_MOST_DESCRIBED], lambda each: read(place, str(each.get("CertificateArn")))
        )
        rows = [certificate_row(certificate, now) for _, certificate in described]
        left = len(chosen) - _MOST_DESCRIBED
        more = f"{left} certificates that expire later are not shown; name a domain" if left > 0 else ""
        if len(listed) > _MOST_LISTED:
            more = f"the account has more than {_MOST_LISTED} certificates, the rest was not read; name a domain"
        return self.table(
            place,
            rows,
            empty="Certificate Manager has no such certificate in this region (CloudFront's are in us-east-1)",
            failures=failures,
            more=more,
            console=_link(place.region, described[0][1] if len(described) == 1 else None),
        )

    def _meant(self, summary: Answer, now: datetime) -> bool:
        named = [str(summary.get("DomainName", "")), *summary.get("SubjectAlternativeNameSummaries", [])]
        if self.domain is not None and not any(_matches(self.domain.casefold(), each.casefold()) for each in named):
            return False
        left = days_until(summary.get("NotAfter"), now)
        return self.within_days is None or left is None or left <= self.within_days


async def read(place: Place, arn: str) -> Answer:
    """The description of a certificate. Raises `CallFailed`."""
    certificate: Answer = (await place.call("acm", "DescribeCertificate", CertificateArn=arn)).get("Certificate") or {}
    return certificate


def certificate_row(certificate: Answer, now: datetime) -> Row:
    """One certificate as people look at it. Needs the answer of DescribeCertificate."""
    renewal: Answer = certificate.get("RenewalSummary") or {}
    used = [resource_of(str(arn)) for arn in certificate.get("InUseBy") or []]
    left = days_until(certificate.get("NotAfter"), now)
    domains = [str(each) for each in certificate.get("SubjectAlternativeNames") or []]
    name = str(certificate.get("DomainName", "?"))
    return Row(
        name=name,
        at=certificate.get("NotAfter"),
        facts={
            "warnings": _warnings(certificate, left, used),
            "days_left": left,
            "status": certificate.get("Status"),
            "failure": _reason(certificate.get("FailureReason")),
            "in_use_by": names(used) if used else "nothing",
            "type": certificate.get("Type"),
            "renewal": renewal.get("RenewalStatus") or _renewing(certificate),
            "renewal_problem": _reason(renewal.get("RenewalStatusReason")),
            "validation": _validation(certificate),
            "other_domains": names(each for each in domains if each != name) or None,
            "key": certificate.get("KeyAlgorithm"),
            "id": str(certificate.get("CertificateArn", "")).rpartition("/")[2],
        },
    )


def _warnings(certificate: Answer, left: int | None, used: Sequence[str]) -> list[Any] | None:
    """What somebody should act on, the worst first."""
    found = []
    if left is not None and left < 0:
        found.append(f"expired {-left} days ago" + (" and is still in use" if used else ""))
    elif left is not None and left <= _SOON_DAYS:
        found.append(f"expires in {left} days")
    imported = certificate.get("Type") == "IMPORTED"
    if imported and left is not None and left <= 2 * _SOON_DAYS:
        found.append("was imported: nothing renews it by itself")
    renewal: Answer = certificate.get("RenewalSummary") or {}
    if renewal.get("RenewalStatus") == "FAILED":
        found.append("its renewal failed")
    if _unvalidated(certificate):
        found.append("a domain is not validated: " + names(_missing_records(certificate)))
    if certificate.get("RenewalEligibility") == "INELIGIBLE" and used and not imported:
        found.append("it cannot be renewed automatically")
    return found or None


def _unvalidated(certificate: Answer) -> list[Answer]:
    """The validations that are open or failed; of the renewal where there is one going on."""
    renewal: Answer = certificate.get("RenewalSummary") or {}
    validations: list[Answer] = renewal.get("DomainValidationOptions") or []
    if not validations or renewal.get("RenewalStatus") == "SUCCESS":
        validations = certificate.get("DomainValidationOptions") or []
    if certificate.get("Status") == "ISSUED" and renewal.get("RenewalStatus") not in ("PENDING_VALIDATION", "FAILED"):
        return []
    return [each for each in validations if each.get("ValidationStatus") in ("PENDING_VALIDATION", "FAILED")]


def _missing_records(certificate: Answer) -> Iterable[str]:
    for each in _unvalidated(certificate):
        record: Answer = each.get("ResourceRecord") or {}
        domain, state = each.get("DomainName", "?"), str(each.get("ValidationStatus", "")).lower().replace("_", " ")
        if record:
            yield f"{domain} ({state}; needs {record.get('Type')} {record.get('Name')} → {record.get('Value')})"
        else:
            yield f"{domain} ({state}, by {str(each.get('ValidationMethod') or 'mail').lower()})"


def _validation(certificate: Answer) -> str | None:
    methods = {str(each.get("ValidationMethod")) for each in certificate.get("DomainValidationOptions") or []}
    return ", ".join(sorted(methods - {"None"})) or None


def _renewing(certificate: Answer) -> str | None:
    if certificate.get("Type") == "IMPORTED":
        return "by hand"
    return {"ELIGIBLE": "automatic", "INELIGIBLE": "not automatic"}.get(str(certificate.get("RenewalEligibility")))


def _reason(code: Any) -> str | None:
    return None if not code else _REASONS.get(str(code), str(code).lower().replace("_", " "))


def _urgency(summary: Answer) -> tuple[bool, bool, float]:
    """What is broken and in use first, then by expiry; what has no date (never issued) after those."""
    until: datetime | None = summary.get("NotAfter")
    used = bool(summary.get("InUse"))
    return (not (used and summary.get("Status") in _BROKEN), until is None, until.timestamp() if until else 0.0)


def _matches(wanted: str, domain: str) -> bool:
    """`shop.example.com` means `*.example.com` too, which covers it."""
    return wanted in domain or (domain.startswith("*.") and wanted.partition(".")[2] == domain[2:])


def resource_of(arn: str) -> str:
    """A user of a certificate in few words, e.g. `loadbalancer/app/front/0123`."""
    parts = arn.split(":", 5)
    return parts[5] if len(parts) == 6 else arn


def _link(region: str, one: Answer | None) -> str:
    page = quote(str(one.get("CertificateArn", "")).rpartition("/")[2], safe="") if one else "list"
    return f"https://{console_host(region)}/acm/home?region={region}#/certificates/{page}"


OPERATIONS = (Certificates,)
