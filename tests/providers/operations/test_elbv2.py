"""Load balancers: what they listen on, where they send, and why a target gets nothing."""

from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.elb_rules import actions_in_words, conditions_in_words
from runbook_bot.providers.aws.operations.elbv2 import Listeners, LoadBalancers, Rules, TargetGroups, TargetHealth
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

_FRONT = "arn:aws-cn:elasticloadbalancing:cn-north-1:1:loadbalancer/app/front/50dc"
_GROUP = "arn:aws-cn:elasticloadbalancing:cn-north-1:1:targetgroup/{}/73e2"
_CERTIFICATE = "arn:aws-cn:acm:cn-north-1:1:certificate/12345678-1234-1234-1234-123456789012"


def _front(aws: StandIn, **more: Any) -> None:
    balancer = {"LoadBalancerArn": _FRONT, "LoadBalancerName": "front", "Scheme": "internet-facing", **more}
    aws.tells("elbv2", "DescribeLoadBalancers", {"LoadBalancers": [balancer]})


def _target(id: str, state: str, reason: str = "", said: str = "") -> dict[str, Any]:
    health = {"State": state} | ({"Reason": reason} if reason else {}) | ({"Description": said} if said else {})
    return {"Target": {"Id": id, "Port": 8080, "AvailabilityZone": "us-east-1a"}, "TargetHealth": health}


async def test_load_balancers_and_where_their_logs_go(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    shop.balanced()
    elb = shop.client("elbv2")
    arn = elb.describe_load_balancers(Names=["front"])["LoadBalancers"][0]["LoadBalancerArn"]
    timeout = {"Key": "idle_timeout.timeout_seconds", "Value": "60"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[timeout])
    result = await provider.ask(LoadBalancers())
    assert result.status is Status.ok
    row = result.rows[0]
    assert (row.name, row.facts["state"], row.facts["type"]) == ("front", "active", "application")
    assert row.facts["access_logs"] == "off"
    assert row.facts["idle_timeout_s"] == 60
    assert result.console is not None


async def test_one_that_is_not_active_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's are always active."""
    states = {"good": "active", "bad": "active_impaired"}
    balancers = [
        {"LoadBalancerArn": f"arn:{name}", "LoadBalancerName": name, "State": {"Code": code, "Reason": "no capacity"}}
        for name, code in states.items()
    ]
    aws.tells("elbv2", "DescribeLoadBalancers", {"LoadBalancers": balancers})
    aws.refuses_xml("DescribeLoadBalancerAttributes", "AccessDenied", "no")
    result = await provider.ask(LoadBalancers())
    assert [row.name for row in result.rows] == ["bad", "good"]
    assert result.status is Status.truncated
    assert "elasticloadbalancing:DescribeLoadBalancerAttributes" in result.message
    assert "access_logs" not in result.rows[0].facts


async def test_without_any_load_balancer_there_is_no_data(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    assert (await provider.ask(LoadBalancers())).status is Status.no_data
    assert (await provider.ask(TargetGroups())).status is Status.no_data
    gone = await provider.ask(Rules(load_balancer="weg/ünïcode"))
    assert (gone.status, bool(gone.message)) == (Status.no_data, True)


async def test_a_listener_warns_of_its_certificate_and_of_outdated_tls(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's certificates do not expire."""
    _front(aws)
    action = {"Type": "forward", "TargetGroupArn": _GROUP.format("web")}
    https = {"ListenerArn": "arn:https", "Port": 443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-2016-08"}
    https |= {"Certificates": [{"CertificateArn": _CERTIFICATE}], "DefaultActions": [action]}
    plain = {"ListenerArn": "arn:http", "Port": 80, "Protocol": "HTTP", "DefaultActions": [action]}
    aws.tells("elbv2", "DescribeListeners", {"Listeners": [plain, https]})
    policy = {"Name": "ELBSecurityPolicy-2016-08", "SslProtocols": ["TLSv1", "TLSv1.1", "TLSv1.2"]}
    aws.tells("elbv2", "DescribeSSLPolicies", {"SslPolicies": [policy]})
    listed = [{"CertificateArn": _CERTIFICATE, "IsDefault": True}]
    aws.tells("elbv2", "DescribeListenerCertificates", {"Certificates": listed})
    certificate = {"DomainName": "shop.example.com", "NotAfter": NOW + timedelta(days=3, hours=2)}
    aws.tells("acm", "DescribeCertificate", {"Certificate": certificate})
    result = await provider.ask(Listeners(load_balancer="front"))
    assert [row.name for row in result.rows] == ["HTTPS:443", "HTTP:80"]
    https_row, http_row = result.rows
    assert https_row.facts["warnings"] == [
        "the certificate for shop.example.com expires in 3 days",
        "accepts TLSv1 and TLSv1.1, which are outdated",
    ]
    assert https_row.facts["certificate_days_left"] == 3
    assert http_row.facts["warnings"] == ["open to the internet without encryption, and redirects nobody to HTTPS"]
    assert http_row.facts["default"] == "to web"


async def test_a_certificate_that_may_not_be_read_is_named_by_its_id(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model, the denial in the form of the JSON protocol."""
    _front(aws)
    listener = {"ListenerArn": "arn:https", "Port": 443, "Protocol": "TLS", "Certificates": [
        {"CertificateArn": _CERTIFICATE}]}  # fmt: skip
    aws.tells("elbv2", "DescribeListeners", {"Listeners": [listener]})
    aws.tells("elbv2", "DescribeListenerCertificates", {"Certificates": [{"CertificateArn": _CERTIFICATE}]})
    aws.refuses("DescribeCertificate", "AccessDeniedException", "no")
    result = await provider.ask(Listeners(load_balancer="front"))
    assert (result.status, "acm:DescribeCertificate" in result.message) == (Status.truncated, True)
    assert str(result.rows[0].facts["certificate"]).startswith("certificate/1234")


async def test_rules_in_words_and_a_split_whose_heavier_half_is_sick(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model: moto's targets are all healthy."""
    _front(aws)
    aws.tells("elbv2", "DescribeListeners", {"Listeners": [{"ListenerArn": "a", "Port": 443, "Protocol": "HTTPS"}]})
    split = {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [
                {"TargetGroupArn": _GROUP.format("green"), "Weight": 3},
                {"TargetGroupArn": _GROUP.format("blue"), "Weight": 1},
            ]
        },
    }
    rules = [
        {"Priority": "1", "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/hi"]}}],
         "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]},
        {"Priority": "default", "IsDefault": True, "Actions": [split]},
    ]  # fmt: skip
    aws.tells("elbv2", "DescribeRules", {"Rules": rules})
    aws.tells("elbv2", "DescribeTargetHealth", {"TargetHealthDescriptions": [_target("i-1", "unhealthy")]})
    result = await provider.ask(Rules(load_balancer="front", port=443))
    first, second = result.rows
    assert first.name == "HTTPS:443 rule default"
    assert first.facts["warnings"] == ["green has no healthy target", "blue has no healthy target"]
    assert (first.facts["when"], first.facts["then"]) == ("everything else", "75 % to green, 25 % to blue")
    assert (second.facts["when"], second.facts["then"]) == ("path /hi", "answers 200 itself")
    assert (await provider.ask(Rules(load_balancer="front", port=8443))).status is Status.no_data


async def test_target_health_says_why_in_words(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The group in moto, its sick targets in the shape of the service model."""
    shop.balanced("checkout-api")
    told = "Health checks failed with these codes: [503]"
    targets = [_target("10.0.0.9", "healthy"), _target("10.0.0.1", "unhealthy", "Target.ResponseCodeMismatch", told)]
    targets.append(_target("10.0.0.2", "draining", "Target.DeregistrationInProgress"))
    aws.tells("elbv2", "DescribeTargetHealth", {"TargetHealthDescriptions": targets})
    result = await provider.ask(TargetHealth(target_group="checkout-api"))
    assert [row.name for row in result.rows] == ["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.9:8080"]
    assert result.rows[0].facts["reason"] == f"the health check got another status code than it wants ({told})"
    assert "finishes its open requests" in str(result.rows[1].facts["reason"])
    groups = await provider.ask(TargetGroups(load_balancer="front"))
    facts = groups.rows[0].facts
    assert (facts["healthy"], facts["not_healthy"]) == (1, 2)
    assert str(facts["health_check"]).startswith("HTTP GET /, every ")
    assert len(list(facts["reasons"])) == 2  # type: ignore[arg-type]  # a list of texts


async def test_a_group_in_which_nothing_is_registered(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    shop.balanced("checkout-api")
    result = await provider.ask(TargetHealth(target_group="checkout-api"))
    assert (result.status, "503" in result.message) == (Status.no_data, True)
    groups = await provider.ask(TargetGroups())
    assert groups.rows[0].facts["warnings"] == ["nothing is registered"]


async def test_a_denied_target_group_is_a_gap(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The denial in the form of the query protocol."""
    shop.balanced()
    aws.refuses_xml("DescribeTargetHealth", "AccessDenied", "no")
    result = await provider.ask(TargetGroups())
    assert result.status is Status.denied
    assert "elasticloadbalancing:DescribeTargetHealth" in result.message


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}},
         "redirects (301) to https://#{host}:443/#{path}"),
        ({"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "https://id", "ClientSecret": "x"}},
         "signs in at https://id"),
        ({"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": _GROUP.format("a"), "Weight": 0}, {"TargetGroupArn": _GROUP.format("b"), "Weight": 0}]}},
         "nowhere: every weight is 0 (a, b)"),
        ({"Type": "forward", "TargetGroupArn": _GROUP.format("ünï")}, "to ünï"),
    ],
)  # fmt: skip
def test_an_action_in_words(action: dict[str, Any], words: str) -> None:
    assert actions_in_words([action]) == words


def test_the_value_of_a_header_is_nobody_s_business() -> None:
    secret = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin-Verify", "Values": ["hunter2"]}}
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "sig", "Value": "hunter3"}]}}
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com", "b.example.com"]}}
    assert (
        conditions_in_words([secret, query, host])
        == "header X-Origin-Verify has a value and parameter sig and host a.example.com or b.example.com"
    )
