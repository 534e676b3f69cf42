"""API Gateway: APIs of both generations, their stages, what they call, and who may call them."""

from typing import Any

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.apigateway import Apis, Authorizers, Integrations, Stages
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


def _rest_api(shop: Shop, name: str = "shop") -> str:
    """A REST API with one method that calls a function, deployed to a stage."""
    client = shop.client("apigateway")
    id: str = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=id)["items"][0]["id"]
    orders = client.create_resource(restApiId=id, parentId=root, pathPart="orders")["id"]
    client.put_method(restApiId=id, resourceId=orders, httpMethod="POST", authorizationType="NONE")
    client.put_integration(
        restApiId=id, resourceId=orders, httpMethod="POST", type="AWS_PROXY", integrationHttpMethod="POST",
        uri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        "arn:aws:lambda:us-east-1:123456789012:function:orders:live/invocations",
    )  # fmt: skip
    client.create_deployment(restApiId=id, stageName="prod")
    return id


def _http_api(shop: Shop, uri: str = "https://u:hunter2@orders.internal/v1?key=hunter2") -> str:
    client = shop.client("apigatewayv2")
    id: str = client.create_api(Name="front/ünï", ProtocolType="HTTP")["ApiId"]
    integration = client.create_integration(
        ApiId=id, IntegrationType="HTTP_PROXY", IntegrationUri=uri, IntegrationMethod="GET", TimeoutInMillis=5000,
        RequestParameters={"overwrite:header.x-shared": "hunter2"},
    )["IntegrationId"]  # fmt: skip
    client.create_route(ApiId=id, RouteKey="GET /orders", Target=f"integrations/{integration}")
    client.create_stage(ApiId=id, StageName="$default", AutoDeploy=True, StageVariables={"PIN": "hunter2"})
    return id


def _row(result: Result, name: str) -> Any:
    return next(row.facts for row in result.rows if row.name == name)


async def test_apis_of_both_generations_and_what_they_call(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    _rest_api(shop)
    _http_api(shop)
    apis = await provider.ask(Apis())
    assert [(row.name, row.facts["kind"]) for row in apis.rows] == [("front/ünï", "HTTP"), ("shop", "REST")]
    routes = await provider.ask(Integrations())
    assert routes.status is Status.ok
    post = _row(routes, "shop: POST /orders")
    assert post["calls"] == "function orders:live"
    assert post["warnings"] == ["anybody may call it"]
    get = _row(routes, "front/ünï: GET /orders")
    assert (get["calls"], get["timeout_ms"]) == ("https://orders.internal/v1", 5000)
    assert get["sets"] == "overwrite:header.x-shared"
    stages = await provider.ask(Stages(api="front/ünï"))
    assert [row.name for row in stages.rows] == ["front/ünï/$default"]
    assert stages.rows[0].facts["variables_set"] == "PIN"
    assert "hunter2" not in routes.model_dump_json() + stages.model_dump_json() + apis.model_dump_json()


async def test_a_stage_that_lets_nothing_through_or_did_not_deploy_comes_first(
    aws: StandIn, provider: AwsProvider
) -> None:
    """Answers in the shape of the service model."""
    aws.tells("apigateway", "GetRestApis", {"items": []})
    aws.tells("apigatewayv2", "GetApis", {"Items": [{"ApiId": "a1", "Name": "front", "ProtocolType": "HTTP"}]})
    good = {"StageName": "prod", "LastUpdatedDate": NOW, "LastDeploymentStatusMessage": "Successfully deployed x"}
    bad = {
        "StageName": "test",
        "LastDeploymentStatusMessage": "Deployment attempt failed: unable to deploy",
        "DefaultRouteSettings": {"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 50},
        "RouteSettings": {"GET /x": {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}},
    }
    aws.tells("apigatewayv2", "GetStages", {"Items": [good, bad]})
    result = await provider.ask(Stages(api="a1"))
    assert [row.name for row in result.rows] == ["front/test", "front/prod"]
    assert result.rows[0].facts["warnings"] == [
        "the last deployment: Deployment attempt failed: unable to deploy",
        "GET /x is throttled to 0",
    ]
    assert (result.rows[0].facts["requests_per_s"], result.rows[0].facts["burst_requests"]) == (100.0, 50)
    assert result.rows[1].at == NOW


async def test_the_limits_of_a_rest_stage_by_method(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The API in moto, its stage in the shape of the service model."""
    _rest_api(shop)
    stage = {
        "stageName": "prod",
        "deploymentId": "d1",
        "methodSettings": {
            "*/*": {"throttlingRateLimit": 1000.0, "throttlingBurstLimit": 500, "loggingLevel": "ERROR"},
            "~1orders~1{id}/GET": {"throttlingRateLimit": 5.0, "throttlingBurstLimit": 2},
        },
        "canarySettings": {"percentTraffic": 10.0, "deploymentId": "d2"},
    }
    aws.tells("apigateway", "GetStages", {"item": [stage]})
    facts = (await provider.ask(Stages(api="shop"))).rows[0].facts
    assert (facts["requests_per_s"], facts["burst_requests"], facts["canary_percent"]) == (1000.0, 500, 10.0)
    assert facts["own_limits"] == {"GET /orders/{id}": "5.0/s, burst 2"}


async def test_authorizers_of_both_generations(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The REST one in moto; moto has no authorizers of HTTP APIs: in the shape of the service model."""
    id = _rest_api(shop)
    shop.client("apigateway").create_authorizer(
        restApiId=id, name="people", type="COGNITO_USER_POOLS", identitySource="method.request.header.Authorization",
        providerARNs=["arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_abc"],
    )  # fmt: skip
    _http_api(shop)
    jwt: dict[str, Any] = {
        "AuthorizerId": "x",
        "Name": "jwt",
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Auth"],
    }
    jwt["JwtConfiguration"] = {"Issuer": "https://id.example.com", "Audience": ["shop"]}
    rest = {"items": shop.client("apigateway").get_authorizers(restApiId=id)["items"]}
    both = {
        "/v2/": rendered("apigatewayv2", "GetAuthorizers", {"Items": [jwt]})[0],
        "/res": rendered("apigateway", "GetAuthorizers", rest)[0],
    }
    aws.answers["GetAuthorizers"] = lambda path: Answer(200, both[path[:4]])
    result = await provider.ask(Authorizers())
    assert _row(result, "shop: people")["asks"] == "user pool us-east-1_abc"
    assert _row(result, "front/ünï: jwt")["asks"] == "https://id.example.com"


async def test_one_that_is_not_there(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    none = await provider.ask(Stages(api="weg/ünï"))
    assert (none.status, "weg/ünï" in none.message) == (Status.no_data, True)


async def test_one_generation_denied_and_an_api_that_is_deleted_meanwhile(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    """Against moto; the denial in the form of the JSON protocol."""
    _rest_api(shop)
    aws.refuses("GetApis", "AccessDeniedException", "no", 403)
    result = await provider.ask(Apis())
    assert (result.status, len(result.rows)) == (Status.truncated, 1)
    assert "apigateway:GET" in result.message
    aws.refuses("GetResources", "NotFoundException", "Invalid API identifier specified", 404)
    gone = await provider.ask(Integrations(api="shop"))
    assert gone.rows == ()
