"""Route 53: where a name points, how one of several is chosen, and which health check fails."""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.record_names import dns_name, spoken, value
from runbook_bot.providers.aws.operations.route53 import HealthChecks, Records, Zones
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def _zone(shop: Shop, name: str = "example.com", private: bool = False) -> str:
    network: dict[str, Any] = {}
    if private:
        shop.network()
        network = {"VPC": {"VPCRegion": "us-east-1", "VPCId": shop.vpc}}
    made = shop.client("route53").create_hosted_zone(
        Name=name, CallerReference=f"{name}{private}{len(shop.client('route53').list_hosted_zones()['HostedZones'])}",
        HostedZoneConfig={"PrivateZone": private, "Comment": ""}, **network,
    )  # fmt: skip
    return str(made["HostedZone"]["Id"])


def _record(shop: Shop, zone: str, name: str, kind: str = "A", values: tuple[str, ...] = (), **more: Any) -> None:
    told = {"Name": name, "Type": kind, **more}
    if values:
        told |= {"TTL": more.get("TTL", 60), "ResourceRecords": [{"Value": each} for each in values]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": told}]
    shop.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def _check(shop: Shop, host: str = "shop.example.com") -> str:
    made = shop.client("route53").create_health_check(
        CallerReference=host,
        HealthCheckConfig={"Type": "HTTPS", "FullyQualifiedDomainName": host, "Port": 443, "ResourcePath": "/up?k=s"},
    )
    return str(made["HealthCheck"]["Id"])


def _row(result: Result, name: str) -> Any:
    return next(row.facts for row in result.rows if row.name == name)


async def test_a_name_that_is_weighted_with_one_weight_of_zero(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    zone = _zone(shop)
    _record(shop, zone, "shop.example.com", values=("192.0.2.1",), SetIdentifier="blue", Weight=30)
    _record(shop, zone, "shop.example.com", values=("192.0.2.2",), SetIdentifier="green", Weight=90)
    _record(shop, zone, "shop.example.com", values=("192.0.2.3",), SetIdentifier="red", Weight=0)
    _record(shop, zone, "other.example.com", values=("192.0.2.9",), TTL=172800)
    result = await provider.ask(Records(name="https://Shop.Example.com/x"))
    assert result.status is Status.ok
    assert len(result.rows) == 3
    assert result.rows[0].name == "A shop.example.com (red)"
    assert "weight is 0" in str(result.rows[0].facts["warnings"])
    assert _row(result, "A shop.example.com (green)")["routing"] == "weight 90 of 120 (75 %)"
    everything = await provider.ask(Records(name="example.com", all_below=True))
    assert _row(everything, "A other.example.com")["warnings"] == ["a change takes up to 48 hours to be seen"]


async def test_what_is_below_a_name_in_a_zone_of_many(shop: Shop, provider: AwsProvider) -> None:
    """Against moto, more records than are read."""
    zone = _zone(shop)
    changes = [
        {"Action": "CREATE", "ResourceRecordSet": {"Name": f"a{n:04}.example.com", "Type": "A", "TTL": 60,
         "ResourceRecords": [{"Value": "192.0.2.1"}]}} for n in range(350)
    ]  # fmt: skip
    shop.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    _record(shop, zone, "x.shop.example.com", values=("192.0.2.9",))
    _record(shop, zone, "shop.example.com", values=("192.0.2.8",))
    below = await provider.ask(Records(name="shop.example.com", all_below=True))
    assert sorted(row.name for row in below.rows) == ["A shop.example.com", "A x.shop.example.com"]
    assert below.status is Status.ok
    everything = await provider.ask(Records(name="example.com", all_below=True))
    assert "only the first 300 records were read" in everything.message


async def test_a_wildcard_answers_for_a_name_that_has_no_record(shop: Shop, provider: AwsProvider) -> None:
    """Against moto; the name is an international one."""
    zone = _zone(shop, "xn--bcher-kva.example")
    _record(shop, zone, "*.xn--bcher-kva.example", "CNAME", ("www.example.com",))
    result = await provider.ask(Records(name="regal.bücher.example"))
    assert [row.name for row in result.rows] == ["CNAME *.bücher.example"]
    assert result.rows[0].facts["points_to"] == "www.example.com"


async def test_both_sides_of_a_split_horizon(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    public, private = _zone(shop), _zone(shop, private=True)
    _record(shop, public, "db.example.com", values=("203.0.113.1",))
    _record(shop, private, "db.example.com", values=("10.0.0.1",))
    result = await provider.ask(Records(name="db.example.com"))
    zones = {str(row.facts["zone"]): row.facts["points_to"] for row in result.rows}
    assert zones == {"example.com (public)": "203.0.113.1", "example.com (private)": "10.0.0.1"}


async def test_an_alias_and_a_primary_that_never_fails_over(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    zone = _zone(shop)
    alias = {"HostedZoneId": "Z2", "DNSName": "front-1.us-east-1.elb.amazonaws.com.", "EvaluateTargetHealth": False}
    _record(shop, zone, "api.example.com", AliasTarget=alias, Failover="PRIMARY", SetIdentifier="p")
    row = (await provider.ask(Records(name="api.example.com"))).rows[0]
    assert row.facts["warnings"] == ["it never fails over: it has no health check"]
    assert row.facts["points_to"] == "front-1.us-east-1.elb.amazonaws.com"
    assert row.facts["routing"] == "failover, primary"


async def test_text_records_tell_no_tokens(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    zone = _zone(shop)
    _record(shop, zone, "example.com", "TXT", ('"v=spf1 -all"', '"site-verification=hunter2hunter2"', '"hunter2"'))
    result = await provider.ask(Records(name="example.com"))
    told = str(_row(result, "TXT example.com")["points_to"])
    assert told == '"v=spf1 -all", site-verification=… (14 characters), 7 characters'


async def test_zones_that_hide_each_other(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    _zone(shop), _zone(shop), _zone(shop, "bücher.example".encode("idna").decode())
    result = await provider.ask(Zones())
    assert "2 public zones have this name" in str(result.rows[0].facts["warnings"])
    assert result.rows[-1].name == "bücher.example"
    assert result.rows[0].facts["name_servers"]


async def test_a_failing_check_comes_first_with_its_reason(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Checks and metrics in moto, the reason in the shape of the service model."""
    good, bad = _check(shop, "good.example.com"), _check(shop, "bad.example.com")
    shop.client("route53").change_tags_for_resource(
        ResourceType="healthcheck", ResourceId=bad, AddTags=[{"Key": "Name", "Value": "front/ünï"}]
    )
    for id, healthy in ((good, 1.0), (bad, 0.0)):
        for metric, level in (("HealthCheckStatus", healthy), ("HealthCheckPercentageHealthy", 100 * healthy)):
            shop.points("AWS/Route53", metric, {"HealthCheckId": id}, [level] * 10)
    told = {"Status": "Failure: HTTP Status Code 503, Service Unavailable.", "CheckedTime": NOW - timedelta(minutes=1)}
    observations = [{"Region": "eu-west-1", "StatusReport": told}]
    aws.tells("route53", "GetHealthCheckLastFailureReason", {"HealthCheckObservations": observations})
    result = await provider.ask(HealthChecks())
    assert [row.name for row in result.rows] == ["front/ünï", good]
    first = result.rows[0].facts
    assert first["warnings"] == ["it fails: Failure: HTTP Status Code 503, Service Unavailable."]
    assert (first["healthy"], first["checkers_healthy_percent"]) == (False, 0)
    assert first["looks_at"] == "HTTPS bad.example.com:443/up"
    assert result.rows[1].facts["healthy"] is True


async def test_a_check_without_a_metric_is_asked_for_itself(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The check in moto, what its checkers saw in the shape of the service model."""
    check, zone = _check(shop), _zone(shop)
    _record(shop, zone, "api.example.com", values=("192.0.2.1",), HealthCheckId=check, Failover="PRIMARY",
            SetIdentifier="p")  # fmt: skip
    reports = [{"StatusReport": {"Status": "Failure: connection timed out.", "CheckedTime": NOW}} for _ in range(6)]
    reports.append({"StatusReport": {"Status": "Success: HTTP Status Code 200, OK", "CheckedTime": NOW}})
    aws.tells("route53", "GetHealthCheckStatus", {"HealthCheckObservations": reports})
    row = (await provider.ask(Records(name="api.example.com"))).rows[0]
    assert row.facts["warnings"] == ["its health check fails: Failure: connection timed out."]
    assert row.facts["healthy"] is False


async def test_what_is_not_there(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    none = await provider.ask(Records(name="weg.ünï.example"))
    assert (none.status, "answers for weg.ünï.example" in none.message) == (Status.no_data, True)
    assert (await provider.ask(HealthChecks())).status is Status.no_data
    assert (await provider.ask(Zones())).status is Status.no_data


async def test_denied_records_name_the_permission(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The denial in the form of the XML protocol."""
    _zone(shop)
    aws.refuses_xml("ListResourceRecordSets", "AccessDenied", "no", 403)
    result = await provider.ask(Records(name="x.example.com"))
    assert (result.status, "route53:ListResourceRecordSets" in result.message) == (Status.denied, True)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Shop.Example.com", "shop.example.com."), ("bücher.example.", "xn--bcher-kva.example."), ("a..b", "a..b.")],
)
def test_a_name_as_route_53_keeps_it(name: str, kept: str) -> None:
    assert dns_name(name) == kept


def test_a_name_as_people_write_it() -> None:
    assert spoken("\\052.xn--bcher-kva.example.") == "*.bücher.example"
    assert value("A", "192.0.2.1") == "192.0.2.1"
