"""CloudFront: what is still being rolled out, where it fetches from, and what was invalidated."""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.cloudfront import Distribution, Distributions, Invalidations
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

_CERTIFICATE = "arn:aws:acm:us-east-1:1:certificate/12345678-1234-1234-1234-123456789012"


def _items(*items: Any) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)} if items else {"Quantity": 0}


def _distribution(id: str, alias: str, **more: Any) -> dict[str, Any]:
    header = {"HeaderName": "X-Origin-Verify", "HeaderValue": "hunter2"}
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only", "OriginReadTimeout": 30}
    origin = {"Id": "web", "DomainName": "web.example.com", "CustomHeaders": _items(header)}
    return {
        "Id": id,
        "Status": "Deployed",
        "Enabled": True,
        "DomainName": f"{id.lower()}.cloudfront.net",
        "Aliases": _items(alias),
        "LastModifiedTime": NOW,
        "Origins": _items({**origin, "CustomOriginConfig": custom, "ConnectionAttempts": 3, "ConnectionTimeout": 10}),
        "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "redirect-to-https"},
        "CustomErrorResponses": _items(
            {"ErrorCode": 503, "ResponsePagePath": "/sorry.html", "ResponseCode": "200", "ErrorCachingMinTTL": 300}
        ),
        "ViewerCertificate": {"ACMCertificateArn": _CERTIFICATE, "MinimumProtocolVersion": "TLSv1.2_2021"},
        "WebACLId": "",
        **more,
    }


def _known(aws: StandIn, *distributions: dict[str, Any]) -> None:
    """In the shape of the service model: moto's are always deployed."""
    aws.tells("cloudfront", "ListDistributions", {"DistributionList": _items(*distributions)})


async def test_what_is_being_rolled_out_or_unsafe_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    _known(
        aws,
        _distribution("EGOOD", "a.example.com"),
        _distribution("EBUSY", "b.example.com", Status="InProgress", Enabled=False),
    )
    result = await provider.ask(Distributions())
    assert [row.name for row in result.rows] == ["b.example.com", "a.example.com"]
    facts = result.rows[0].facts
    assert "a change is still being rolled out" in str(facts["warnings"])
    assert "it is switched off" in str(facts["warnings"])
    assert (facts["origins"], facts["error_pages"], facts["firewall"]) == ("web.example.com", "503", False)


@pytest.mark.parametrize("which", ["EGOOD", "egood.cloudfront.net", "https://shop.example.com/x", "SHOP.example.com."])
async def test_one_distribution_in_parts(aws: StandIn, provider: AwsProvider, which: str) -> None:
    """Answers in the shape of the service model."""
    _known(aws, _distribution("EOTHER", "other.example.org"), _distribution("EGOOD", "*.example.com"))
    certificate = {"DomainName": "*.example.com", "NotAfter": NOW + timedelta(days=5, hours=1), "Status": "ISSUED"}
    aws.tells("acm", "DescribeCertificate", {"Certificate": certificate})
    result = await provider.ask(Distribution(distribution=which))
    assert result.status is Status.ok
    rows = {row.name: row.facts for row in result.rows}
    assert rows["origin web"]["read_timeout_s"] == 30
    assert rows["origin web"]["headers_added"] == "X-Origin-Verify"
    assert rows["origin web"]["warnings"] == ["CloudFront speaks to it without encryption"]
    assert rows["error 503"] == {"shows": "/sorry.html as 200", "kept_s": 300}
    assert rows["certificate *.example.com"]["warnings"] == ["expires in 5 days"]
    assert rows["path everything else"]["to_origin"] == "web"
    assert "hunter2" not in result.model_dump_json()


async def test_a_certificate_that_may_not_be_read_is_a_gap(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model, the denial in the form of the JSON protocol."""
    _known(aws, _distribution("EGOOD", "a.example.com"))
    aws.refuses("DescribeCertificate", "AccessDeniedException", "no")
    result = await provider.ask(Distribution(distribution="EGOOD"))
    assert (result.status, "acm:DescribeCertificate" in result.message) == (Status.truncated, True)


async def test_invalidations_those_under_way_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's are done at once."""
    _known(aws, _distribution("EGOOD", "a.example.com"))
    done = {"Id": "I1", "CreateTime": NOW, "Status": "Completed"}
    open_ = {"Id": "I2", "CreateTime": NOW - timedelta(minutes=5), "Status": "InProgress"}
    aws.tells("cloudfront", "ListInvalidations", {"InvalidationList": _items(done, open_)})
    batch = {"Paths": _items("/*", "/straße?sig=hunter2"), "CallerReference": "x"}
    aws.tells("cloudfront", "GetInvalidation", {"Invalidation": {**open_, "InvalidationBatch": batch}})
    result = await provider.ask(Invalidations(distribution="a.example.com"))
    assert [(row.name, row.facts["status"]) for row in result.rows] == [("I2", "InProgress"), ("I1", "Completed")]
    assert result.rows[0].facts["paths"] == "/*, /straße"


async def test_what_is_not_there(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    assert (await provider.ask(Distributions())).status is Status.no_data
    gone = await provider.ask(Invalidations(distribution="weg/ünï"))
    assert (gone.status, "weg/ünï" in gone.message) == (Status.no_data, True)


async def test_a_distribution_that_moto_made(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    client = shop.client("cloudfront")
    origin = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "MinTTL": 1}
    behaviour["ForwardedValues"] = {"QueryString": False, "Cookies": {"Forward": "none"}}
    config = {"CallerReference": "r", "Comment": "c", "Enabled": True, "Origins": _items(origin)}
    made = client.create_distribution(DistributionConfig={**config, "DefaultCacheBehavior": behaviour})["Distribution"]
    paths = {"Paths": _items("/index.html"), "CallerReference": "x"}
    client.create_invalidation(DistributionId=made["Id"], InvalidationBatch=paths)
    rows = (await provider.ask(Distributions())).rows
    assert rows[0].facts["id"] == made["Id"]
    assert "answers without encryption" in str(rows[0].facts["warnings"])
    found = await provider.ask(Invalidations(distribution=made["Id"]))
    assert found.rows[0].facts["paths"] == "/index.html"


async def test_denied_is_denied(aws: StandIn, provider: AwsProvider) -> None:
    """The denial in the form of the XML protocol."""
    aws.refuses_xml("ListDistributions", "AccessDenied", "no", 403)
    result = await provider.ask(Distributions())
    assert (result.status, "cloudfront:ListDistributions" in result.message) == (Status.denied, True)
