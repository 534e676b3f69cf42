"""Access logs: packed files in S3 become counts of statuses, paths, targets and clients."""

import gzip
from datetime import datetime, timedelta

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations import elb_access_logs
from runbook_bot.providers.aws.operations.elb_access_logs import AccessLogs
from runbook_bot.providers.aws.operations.elb_log_lines import Tally, path_kind
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def _line(
    at: datetime, url: str = "/orders/17", status: str = "200", target: str = "200", took: str = "0.010",
    client: str = "203.0.113.7", reason: str = "-",
) -> str:  # fmt: skip
    return (
        f"https {at:%Y-%m-%dT%H:%M:%S.%fZ} app/front/50dc {client}:2817 "
        f"{'-' if target == '-' else '10.0.0.1:80'} 0.000 {took} 0.000 {status} {target} 34 366 "
        f'"GET https://shop.example.com:443{url} HTTP/2.0" "curl/7.46.0" ECDHE TLSv1.2 '
        f'arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/73e2 "Root=1-58337262-36d228ad" '
        f'"shop.example.com" "-" 0 {at:%Y-%m-%dT%H:%M:%S.%fZ} "forward" "-" "{reason}" "10.0.0.1:80" "{target}" "-" "-"'
    )


def _logged(shop: Shop, files: dict[datetime, list[str]], prefix: str = "web/ünï") -> None:
    """A load balancer whose logs are in a bucket, as AWS would put them there."""
    shop.balanced()
    elb, s3 = shop.client("elbv2"), shop.client("s3")
    arn = elb.describe_load_balancers(Names=["front"])["LoadBalancers"][0]["LoadBalancerArn"]
    s3.create_bucket(Bucket="logs-of-front")
    attributes = {"enabled": "true", "bucket": "logs-of-front", "prefix": prefix}
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn,
        Attributes=[{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in attributes.items()],
    )
    _, _, _, region, account, rest = arn.split(":", 5)
    id = rest.removeprefix("loadbalancer/").replace("/", ".")
    for at, lines in files.items():
        folder = (f"{prefix}/" if prefix else "") + f"AWSLogs/{account}/elasticloadbalancing/{region}/{at:%Y/%m/%d}"
        name = f"{account}_elasticloadbalancing_{region}_{id}_{at:%Y%m%dT%H%MZ}_172.160.1.9_20sg8hgm.log.gz"
        s3.put_object(Bucket="logs-of-front", Key=f"{folder}/{name}", Body=gzip.compress("\n".join(lines).encode()))


_AT = NOW - timedelta(minutes=20)


async def test_a_window_of_logs_is_summed_up(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    lines = [_line(_AT, f"/orders/{n}") for n in range(50)]
    lines += [_line(_AT, "/pay?card=4111", "504", "-", "-1", reason="TargetTimeout") for _ in range(7)]
    lines += [_line(_AT, "/slow/1", took="9.5"), _line(_AT, "/gone", "404", "404", client="198.51.100.1")]
    old = [_line(NOW - timedelta(hours=5), "/old", "500", "500")]
    _logged(shop, {NOW - timedelta(minutes=15): [*lines, "garbage"], NOW - timedelta(hours=5): old})
    result = await provider.ask(AccessLogs(load_balancer="front"))
    assert (result.status, result.message) == (Status.truncated, "1 lines could not be read")
    rows = {row.name: row.facts for row in result.rows}
    assert result.rows[0].name == "all requests"
    assert result.rows[0].facts["requests"] == 59
    assert result.rows[0].facts["server_errors_without_target"] == 7
    assert rows["status 504, without any target's answer"]["requests"] == 7
    assert rows["TargetTimeout (504)"]["requests"] == 7
    assert rows["GET /orders/<number>"]["requests"] == 50
    assert rows["GET /slow/<number>"]["slowest_s"] == 9.5
    assert rows["GET /pay"]["server_errors"] == 7
    assert rows["client 203.0.113.7"] == {"errors": 7, "statuses": {"504": 7}}
    assert "no target was chosen" in rows
    assert "4111" not in result.model_dump_json()


async def test_logs_that_are_off_or_empty_say_so(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    shop.balanced()
    off = await provider.ask(AccessLogs(load_balancer="front"))
    assert (off.status, "access_logs.s3.enabled" in off.message) == (Status.no_data, True)


async def test_a_window_without_files_says_where_it_looked(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    _logged(shop, {NOW: [_line(_AT)]})
    early = TimeWindow(start=NOW - timedelta(days=9), end=NOW - timedelta(days=8))
    result = await provider.ask(AccessLogs(load_balancer="front", window=early))
    assert result.status is Status.no_data
    assert "s3://logs-of-front/web/ünï/AWSLogs/" in result.message


async def test_of_many_files_some_are_read_and_the_rest_is_counted(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    every = elb_access_logs._MOST_OBJECTS + 30
    times = [NOW - timedelta(minutes=110 - index) for index in range(every)]
    _logged(shop, {at: [_line(at - timedelta(seconds=1))] for at in times}, prefix="")
    window = TimeWindow(start=NOW - timedelta(hours=2), end=NOW)
    result = await provider.ask(AccessLogs(load_balancer="front", window=window))
    assert result.status is Status.truncated
    assert f"of {every} log files were read" in result.message
    assert 0 < int(str(result.rows[0].facts["requests"])) <= elb_access_logs._MOST_OBJECTS


async def test_of_a_long_window_the_last_days_are_read(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    _logged(shop, {NOW - timedelta(minutes=15): [_line(_AT)]})
    window = TimeWindow(start=NOW - timedelta(days=30), end=NOW)
    result = await provider.ask(AccessLogs(load_balancer="front", window=window))
    assert result.rows[0].facts["requests"] == 1
    assert "only the last 3 days of the window were looked at" in result.message


async def test_denied_objects_are_named(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The denial in the form of S3."""
    _logged(shop, {NOW - timedelta(minutes=15): [_line(_AT)]})
    aws.refuses_xml("GetObject", "AccessDenied", "Access Denied", 403)
    result = await provider.ask(AccessLogs(load_balancer="front"))
    assert (result.status, "s3:GetObject" in result.message) == (Status.denied, True)


def test_a_torn_file_is_read_as_far_as_it_goes() -> None:
    packed = gzip.compress("\n".join(_line(_AT, f"/a/{n}") for n in range(2000)).encode())
    tally = Tally(NOW - timedelta(hours=1), NOW)
    elb_access_logs._count(tally, packed[: len(packed) // 2])
    assert tally.unread == 0
    assert 0 < tally.lines < 2000


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a:443/", "/"),
        ("https://a:443/orders/17/items/9f1c2b3a4d5e6f70?x=1", "/orders/<number>/items/<hex>"),
        ("https://a:443/reset/eyJhbGciOiJIUzI1NiJ9abcdef12345", "/reset/<long>"),
        ("https://a:443/u/ada%40example.com", "/u/<long>"),
        ("https://a:443/%C3%BCber/stra%C3%9Fe", "/über/straße"),
        ("https://[bad/x", "…"),
    ],
)
def test_a_path_without_what_varies(url: str, kind: str) -> None:
    assert path_kind(url) == kind


def _tls(
    at: datetime, handshake: str = "12", alert: str = "-", client: str = "203.0.113.7", version: str = "tlsv13"
) -> str:
    done = handshake != "-"
    return (
        f"tls 2.0 {at:%Y-%m-%dT%H:%M:%S} net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd {client}:51341 "
        f"{'10.0.0.1:443' if done else '-'} 50 {handshake} 98 246 {alert} "
        f"arn:aws:acm:us-east-1:1:certificate/2a10 - {'ECDHE' if done else '-'} {version if done else '-'} - "
        f"{'shop.example.com' if done else '-'} - - - {at:%Y-%m-%dT%H:%M:%S}"
    )


async def test_handshakes_of_a_network_load_balancer(shop: Shop, provider: AwsProvider) -> None:
    """Against moto; lines as the guide of network load balancers describes them."""
    subnets, _ = shop.network()
    elb, s3 = shop.client("elbv2"), shop.client("s3")
    made = elb.create_load_balancer(Name="edge", Type="network", Subnets=subnets)["LoadBalancers"][0]
    s3.create_bucket(Bucket="logs-of-edge")
    arn = made["LoadBalancerArn"]
    attributes = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs-of-edge"}
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()]
    )
    nothing = await provider.ask(AccessLogs(load_balancer="edge"))
    assert (nothing.status, "TLS listeners alone" in nothing.message) == (Status.no_data, True)

    at, account = NOW - timedelta(minutes=15), arn.split(":")[4]
    lines = [_tls(_AT), _tls(_AT, "400"), _tls(_AT, version="tlsv12")]
    lines += [_tls(_AT, "-", "48", "198.51.100.9") for _ in range(3)]
    lines += [_tls(NOW - timedelta(hours=5)), "garbage"]
    id = arn.partition("loadbalancer/")[2].replace("/", ".")
    folder = f"AWSLogs/{account}/elasticloadbalancing/us-east-1/{at:%Y/%m/%d}"
    key = f"{folder}/{account}_elasticloadbalancing_us-east-1_{id}_{at:%Y%m%dT%H%MZ}_20sg8hgm.log.gz"
    s3.put_object(Bucket="logs-of-edge", Key=key, Body=gzip.compress("\n".join(lines).encode()))
    result = await AwsProvider(AwsSettings(), FixedClock()).ask(AccessLogs(load_balancer="edge"))
    assert (result.status, result.message) == (Status.truncated, "1 lines could not be read")
    rows = {row.name: row.facts for row in result.rows}
    whole = rows["all connections"]
    assert (whole["connections"], whole["failed_handshakes"], whole["alerts_of_clients"]) == (6, 3, 3)
    assert (whole["lasted_median_ms"], whole["handshake_p95_ms"]) == (50, 400)
    assert rows["alert 48, unknown authority"]["connections"] == 3
    assert rows["client 198.51.100.9"]["failed_handshakes"] == 3
    assert (rows["version tlsv13"]["connections"], rows["version tlsv12"]["connections"]) == (2, 1)
    assert rows["asked for shop.example.com"]["connections"] == 3
    assert rows["no target was reached"]["connections"] == 3


async def test_a_gateway_load_balancer_writes_none(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: what it is decides."""
    told = {"LoadBalancerName": "wall", "LoadBalancerArn": "arn:aws:x:y:1:loadbalancer/gwy/wall/1", "Type": "gateway"}
    aws.tells("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [told]})
    result = await provider.ask(AccessLogs(load_balancer="wall"))
    assert (result.status, result.message) == (Status.no_data, "a gateway load balancer writes no access logs")
