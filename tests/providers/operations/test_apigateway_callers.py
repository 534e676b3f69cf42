"""Domains of APIs and where their paths go; usage plans and what they let through."""

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.apigateway_callers import ApiDomains, UsagePlans
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


async def test_where_the_paths_of_a_domain_go(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model."""
    end = {"EndpointType": "REGIONAL", "ApiGatewayDomainName": "d-1.execute-api.us-east-1.amazonaws.com"}
    failed = {"DomainNameStatus": "PENDING_CERTIFICATE_REIMPORT", "DomainNameStatusMessage": "no certificate"}
    domains = [
        {"DomainName": "api.example.com", "DomainNameConfigurations": [{**end, "SecurityPolicy": "TLS_1_2"}]},
        {"DomainName": "old.example.com", "DomainNameConfigurations": [{**end, **failed, "SecurityPolicy": "TLS_1_0"}]},
    ]
    aws.tells("apigatewayv2", "GetDomainNames", {"Items": domains})
    mapping = {"ApiId": "a1", "ApiMappingKey": "straße/v1", "Stage": "prod"}

    def mappings(path: str) -> Answer:
        items = [mapping] if "api.example.com" in path else []
        return Answer(200, rendered("apigatewayv2", "GetApiMappings", {"Items": items})[0])

    aws.answers["GetApiMappings"] = mappings
    result = await provider.ask(ApiDomains())
    assert [row.name for row in result.rows] == ["old.example.com", "api.example.com"]
    assert result.rows[0].facts["warnings"] == [
        "it is pending certificate reimport: no certificate",
        "accepts TLS 1.0, which is outdated",
        "nothing is behind it: every path gets 403",
    ]
    assert result.rows[1].facts["goes_to"] == {"/straße/v1": "a1/prod"}


async def test_a_usage_plan_and_its_limits(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    client = shop.client("apigateway")
    for name, rate in (("partners/ünï", 10.0), ("closed", 0.0)):
        client.create_usage_plan(
            name=name, throttle={"rateLimit": rate, "burstLimit": 5}, quota={"limit": 1000, "period": "DAY"}
        )
    result = await provider.ask(UsagePlans())
    assert [row.name for row in result.rows] == ["closed", "partners/ünï"]
    assert "it lets nothing through: a limit is 0" in str(result.rows[0].facts["warnings"])
    facts = result.rows[1].facts
    assert (facts["requests_per_s"], facts["burst_requests"], facts["quota"]) == (10.0, 5, "1000 a day")


async def test_an_account_without_any(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    assert (await provider.ask(UsagePlans())).status is Status.no_data
    assert (await provider.ask(ApiDomains())).status is Status.no_data


async def test_domains_whose_mappings_are_denied(aws: StandIn, provider: AwsProvider) -> None:
    """Answers in the shape of the service model, the denial in the form of the JSON protocol."""
    aws.tells("apigatewayv2", "GetDomainNames", {"Items": [{"DomainName": "api.example.com"}]})
    aws.refuses("GetApiMappings", "AccessDeniedException", "no", 403)
    result = await provider.ask(ApiDomains())
    assert (result.status, "apigateway:GET" in result.message) == (Status.truncated, True)
    assert "warnings" not in result.rows[0].facts
