"""Certificates: which run out, what uses them, and why one is not renewed."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.acm import Certificates
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn

_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/"
_BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188"


def _certificate(name: str, days: int | None, **more: Any) -> dict[str, Any]:
    dated = {} if days is None else {"NotAfter": NOW + timedelta(days=days, hours=1)}
    return {"CertificateArn": _ARN + name, "DomainName": f"{name}.example.com", "Status": "ISSUED", **dated, **more}


def _known(aws: StandIn, *certificates: dict[str, Any]) -> None:
    """Certificates in the shape of the service model: moto's neither expire nor fail."""
    summary = ("CertificateArn", "DomainName", "Status", "NotAfter")
    listed = [{k: c[k] for k in summary if k in c} | {"InUse": bool(c.get("InUseBy"))} for c in certificates]
    aws.tells("acm", "ListCertificates", {"CertificateSummaryList": listed})

    def describe(body: str) -> Answer:
        for each in certificates:
            if str(each["CertificateArn"]) in body:
                return Answer(200, rendered("acm", "DescribeCertificate", {"Certificate": each})[0])
        return Answer(400, b'{"__type": "ResourceNotFoundException", "message": "gone"}')

    aws.answers["DescribeCertificate"] = describe


async def test_the_one_that_has_run_out_and_is_in_use_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    _known(
        aws,
        _certificate("far", 300),
        _certificate("soon", 12, Type="IMPORTED"),
        _certificate("unused", -40, Status="EXPIRED"),
        _certificate("dead", -2, Status="EXPIRED", InUseBy=[_BALANCER]),
    )
    result = await provider.ask(Certificates())
    assert result.status is Status.ok
    assert [row.name.partition(".")[0] for row in result.rows] == ["dead", "unused", "soon", "far"]
    dead, _, soon, far = result.rows
    assert dead.facts["warnings"] == ["expired 2 days ago and is still in use"]
    assert dead.facts["in_use_by"] == "loadbalancer/app/front/50dc6c495c0c9188"
    assert soon.facts["warnings"] == ["expires in 12 days", "was imported: nothing renews it by itself"]
    assert (far.facts["days_left"], "warnings" in far.facts) == (300, False)


async def test_a_renewal_that_waits_for_a_record_names_it(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    record = {"Name": "_a.pay.example.com.", "Type": "CNAME", "Value": "_b.acm-validations.aws."}
    option = {"DomainName": "pay.example.com", "ValidationStatus": "PENDING_VALIDATION", "ValidationMethod": "DNS"}
    renewal = {
        "RenewalStatus": "PENDING_VALIDATION",
        "RenewalStatusReason": "CAA_ERROR",
        "UpdatedAt": NOW,
        "DomainValidationOptions": [{**option, "ResourceRecord": record}],
    }
    _known(aws, _certificate("pay", 20, RenewalSummary=renewal, RenewalEligibility="ELIGIBLE"))
    row = (await provider.ask(Certificates())).rows[0]
    assert row.facts["renewal"] == "PENDING_VALIDATION"
    assert row.facts["renewal_problem"] == "a CAA record of the domain forbids Amazon to issue certificates"
    assert "needs CNAME _a.pay.example.com. → _b.acm-validations.aws." in str(row.facts["warnings"])


async def test_keys_of_every_kind_are_asked_for(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """AWS leaves elliptic curves out unless it is asked for them. Against moto."""
    shop.client("acm").request_certificate(DomainName="*.example.com", ValidationMethod="DNS")
    result = await provider.ask(Certificates(domain="shop.example.com"))
    assert [row.name for row in result.rows] == ["*.example.com"]
    assert "EC_prime256v1" in aws.asked("ListCertificates")[0].body


async def test_none_is_knowledge_and_a_denied_part_is_named(aws: StandIn, provider: AwsProvider) -> None:
    """The denial in the form of the JSON protocol; the rest in the shape of the service model."""
    empty = await provider.ask(Certificates(domain="nirgends"))
    assert (empty.status, "us-east-1" in empty.message) == (Status.no_data, True)
    provider.forget()
    _known(aws, _certificate("far", 300))
    aws.refuses("DescribeCertificate", "AccessDeniedException", "no")
    denied = await provider.ask(Certificates())
    assert denied.status is Status.denied
    assert "acm:DescribeCertificate" in denied.message


async def test_one_that_is_deleted_meanwhile_is_skipped(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    _known(aws, _certificate("far", 300), _certificate("near", 100))
    kept = aws.answers["DescribeCertificate"]
    aws.answers["DescribeCertificate"] = lambda body: kept(body.replace("near", "gone"))
    result = await provider.ask(Certificates(within_days=400))
    assert (result.status, [row.name for row in result.rows]) == (Status.ok, ["far.example.com"])


async def test_only_those_within_so_many_days(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    _known(aws, _certificate("far", 300), _certificate("near", 9))
    result = await provider.ask(Certificates(within_days=30))
    assert [row.name for row in result.rows] == ["near.example.com"]
