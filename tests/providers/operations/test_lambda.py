"""Lambda, against moto; what it lacks (provisioned concurrency, limits, sick event sources) by the stand-in."""

import json
from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.awslambda import Aliases, Configuration, Functions, VersionDiff, Versions
from runbook_bot.providers.aws.operations.lambda_invoking import AsyncDelivery, Concurrency, EventSources, Invokers
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.operations.estate import anew
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

_ARN = "arn:aws-cn:lambda:cn-north-1:123456789012:function:receipts"


def _published(shop: Shop) -> None:
    """Two versions that differ in memory and variables, and an alias on each."""
    shop.function(MemorySize=256, Environment={"Variables": {"POOL": "20", "API_TOKEN": "t0ps3cret-one"}})
    functions = shop.client("lambda")
    functions.publish_version(FunctionName="receipts")
    functions.update_function_configuration(
        FunctionName="receipts",
        MemorySize=128,
        Environment={"Variables": {"POOL": "5", "API_TOKEN": "t0ps3cret-two"}},
    )
    functions.publish_version(FunctionName="receipts", Description="weniger")
    functions.create_alias(FunctionName="receipts", Name="live", FunctionVersion="1")
    functions.create_alias(
        FunctionName="receipts",
        Name="canary",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )


async def test_functions(shop: Shop, provider: AwsProvider) -> None:
    shop.function("receipts", Timeout=7)
    shop.function("thumbnails")
    result = await provider.ask(Functions())
    assert {row.name for row in result.rows} == {"receipts", "thumbnails"}
    some = await provider.ask(Functions(contains="RECEIPT"))
    assert [(row.name, row.facts["timeout_seconds"]) for row in some.rows] == [("receipts", 7)]
    assert (await provider.ask(Functions(contains="other"))).message == "no Lambda function fits"


async def test_the_configuration_names_variables_and_shows_no_value(shop: Shop, provider: AwsProvider) -> None:
    _published(shop)
    result = await provider.ask(Configuration(name="receipts"))
    (row,) = result.rows
    assert row.facts["variables"] == ["API_TOKEN", "POOL"]
    assert (row.facts["memory_mb"], row.facts["state"], row.facts["role"]) == (128, "Active", "receipts-role")
    assert row.facts["logs_to"] == "/aws/lambda/receipts"
    assert "t0ps3cret" not in str(result)
    first = await provider.ask(Configuration(name="receipts", version="1"))
    assert first.rows[0].facts["memory_mb"] == 256
    assert (await provider.ask(Configuration(name="gone"))).status is Status.no_data


async def test_why_a_function_cannot_run(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's functions are always active."""
    why = "The function's execution role does not have permissions to call CreateNetworkInterface on EC2"
    aws.says(
        "GetFunctionConfiguration",
        {
            "FunctionName": "receipts",
            "State": "Failed",
            "StateReason": why,
            "LastUpdateStatus": "Failed",
            "Layers": [{"Arn": "arn:aws:lambda:us-east-1:1:layer:tracing:7"}],
            "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "Lambda was denied the key"}},
        },
    )
    (row,) = (await provider.ask(Configuration(name="receipts"))).rows
    assert (row.facts["state"], row.facts["state_reason"]) == ("Failed", why)
    assert row.facts["layers"] == ["tracing:7"]
    assert row.facts["variables_error"] == "Lambda was denied the key"


async def test_versions_with_what_each_changed(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    _published(shop)
    result = await provider.ask(Versions(name="receipts"))
    assert [row.name for row in result.rows] == ["version $LATEST", "version 2", "version 1"]
    second, first = result.rows[1].facts, result.rows[2].facts
    assert "memory_size 256 → 128" in str(second["changed"])
    assert (second["aliases"], first["aliases"]) == (["canary 10 %"], ["canary 90 %", "live 100 %"])
    assert "t0ps3cret" not in str(result)
    assert (await provider.ask(Versions(name="gone"))).status is Status.no_data
    aws.refuses("ListAliases", "AccessDeniedException", "no", 403)
    partial = await anew().ask(Versions(name="receipts"))
    assert partial.status is Status.truncated
    assert "lambda:ListAliases" in partial.message


async def test_what_differs_between_versions(shop: Shop, provider: AwsProvider) -> None:
    _published(shop)
    result = await provider.ask(VersionDiff(name="receipts"))
    found = {row.name: (row.facts["before"], row.facts["after"]) for row in result.rows}
    assert found["memory_size"] == ("256", "128")
    assert found["environment.POOL"] == ("20", "5")
    assert found["environment.API_TOKEN"] == ("[redacted]", "[redacted, another value]")
    assert result.rows[0].facts["versions"] == "1 → $LATEST"
    named = await provider.ask(VersionDiff(name="receipts", before="1", after="2"))
    assert {row.name for row in named.rows} == {row.name for row in result.rows}
    same = await provider.ask(VersionDiff(name="receipts", before="2", after="$LATEST"))
    assert (same.status, "do not differ" in same.message) == (Status.no_data, True)
    first = await provider.ask(VersionDiff(name="receipts", after="1"))
    assert "no published version before 1" in first.message


async def test_aliases_with_their_shares(shop: Shop, provider: AwsProvider) -> None:
    _published(shop)
    result = await provider.ask(Aliases(name="receipts"))
    assert [(row.name, row.facts["versions"]) for row in result.rows] == [
        ("canary", ["1: 90 %", "2: 10 %"]),
        ("live", ["1: 100 %"]),
    ]
    shop.function("plain")
    assert (await provider.ask(Aliases(name="plain"))).message == "the function has no alias"


async def test_concurrency_and_its_use(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Moto knows neither the account's limit nor provisioned concurrency."""
    shop.function()
    shop.client("lambda").put_function_concurrency(FunctionName="receipts", ReservedConcurrentExecutions=5)
    dimensions = {"FunctionName": "receipts"}
    shop.points("AWS/Lambda", "ConcurrentExecutions", dimensions, [2, 5, 4])
    shop.points("AWS/Lambda", "Throttles", dimensions, [0, 30, 12])
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 995}
    aws.says("GetAccountSettings", {"AccountLimit": limit})
    failed = {
        "FunctionArn": f"{_ARN}:live",
        "Status": "FAILED",
        "StatusReason": "the alias has no capacity",
        "RequestedProvisionedConcurrentExecutions": 10,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "LastModified": "2026-02-03T10:11:12+0000",
    }
    aws.says("ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": [failed]})
    result = await provider.ask(Concurrency(name="receipts"))
    own, live = result.rows
    assert result.status is Status.ok
    assert (own.facts["reserved"], own.facts["account_limit"], own.facts["account_unreserved"]) == (5, 1000, 995)
    assert (own.facts["peak_concurrency"], own.facts["throttles"]) == (5, 42)
    assert (live.name, live.facts["status"], live.facts["requested"]) == ("provisioned for live", "FAILED", 10)
    aws.refuses("GetAccountSettings", "AccessDeniedException", "no", 403)
    partial = await anew().ask(Concurrency(name="receipts"))
    assert partial.status is Status.truncated
    assert "lambda:GetAccountSettings" in partial.message
    shop.client("lambda").put_function_concurrency(FunctionName="receipts", ReservedConcurrentExecutions=0)
    assert (await anew().ask(Concurrency(name="receipts"))).rows[0].facts["switched_off"] is True


async def test_what_feeds_a_function(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.function()
    queue = shop.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    arn = shop.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["QueueArn"]
    shop.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="receipts", BatchSize=7)
    result = await provider.ask(EventSources(name="receipts"))
    (row,) = result.rows
    assert (row.name, row.facts["kind"], row.facts["batch_size"]) == ("orders", "sqs", 7)
    assert row.facts["function"] == "receipts"
    none = await provider.ask(EventSources(name="other"))
    assert (none.status, "directly" in none.message) == (Status.no_data, True)


async def test_a_source_that_is_halted_or_fails_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's event sources are always well."""
    stream = "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/clicks"
    well = {"EventSourceArn": stream, "FunctionArn": _ARN, "State": "Enabled", "LastProcessingResult": "OK"}
    failing = {
        **well,
        "LastProcessingResult": "PROBLEM: Function call failed",
        "DestinationConfig": {"OnFailure": {"Destination": "arn:aws-cn:sqs:cn-north-1:123456789012:lost"}},
    }
    halted = {**well, "State": "Disabled", "StateTransitionReason": "User action", "FunctionArn": f"{_ARN}:live"}
    aws.tells("lambda", "ListEventSourceMappings", {"EventSourceMappings": [well, failing, halted]})
    result = await provider.ask(EventSources())
    assert [row.facts["last_result"] for row in result.rows] == ["PROBLEM: Function call failed", "OK", "OK"]
    assert result.rows[0].facts["failures_to"] == "arn:aws-cn:sqs:cn-north-1:123456789012:lost"
    assert (result.rows[1].facts["state_reason"], result.rows[1].facts["function"]) == ("User action", "receipts:live")
    assert result.rows[0].name == "stream/clicks"


async def test_where_failed_events_go(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.function()
    shop.points("AWS/Lambda", "AsyncEventsDropped", {"FunctionName": "receipts"}, [0, 4])
    lost = await provider.ask(AsyncDelivery(name="receipts"))
    assert "events that fail for good are lost" in str(lost.rows[0].facts["dead_letters_to"])
    assert lost.rows[0].facts["async_dropped"] == 4
    queue = "arn:aws:sqs:us-east-1:123456789012:lost"
    shop.client("lambda").put_function_event_invoke_config(
        FunctionName="receipts",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    kept = await anew().ask(AsyncDelivery(name="receipts"))
    assert kept.rows[0].facts["dead_letters_to"] == "see the destinations"
    assert (kept.rows[1].facts["retries"], kept.rows[1].facts["failure_to"]) == (1, queue)
    aws.refuses("ListFunctionEventInvokeConfigs", "AccessDeniedException", "no", 403)
    partial = await anew().ask(AsyncDelivery(name="receipts"))
    assert partial.status is Status.truncated
    assert "lambda:ListFunctionEventInvokeConfigs" in partial.message
    assert (await provider.ask(AsyncDelivery(name="gone"))).status is Status.no_data


async def test_who_may_invoke(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.function()
    api = "arn:aws:execute-api:us-east-1:123456789012:abc/*"
    shop.client("lambda").add_permission(
        FunctionName="receipts",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=api,
    )
    (row,) = (await provider.ask(Invokers(name="receipts"))).rows
    assert (row.name, row.facts["only_from"]) == ("apigateway.amazonaws.com", [api])
    everybody = {
        "Statement": [{"Sid": "url", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"}]
    }
    aws.says("GetPolicy", {"Policy": json.dumps(everybody)})
    (told,) = (await anew().ask(Invokers(name="receipts"))).rows
    assert told.facts["anybody"] is True
    aws.says("GetPolicy", {"Policy": "not a policy"})
    assert (await anew().ask(Invokers(name="receipts"))).status is Status.no_data
    aws.refuses("GetPolicy", "ResourceNotFoundException", "The resource you requested does not exist.", 404)
    assert (await anew().ask(Invokers(name="receipts"))).status is Status.no_data


async def test_the_latest_modified_function_first(aws: StandIn, provider: AwsProvider) -> None:
    """Moto stamps all of them with the present."""

    def function(name: str, days: int) -> dict[str, str]:
        return {
            "FunctionName": name,
            "LastModified": (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        }

    aws.says("ListFunctions", {"Functions": [function("old", 400), {"FunctionName": "undated"}, function("new", 1)]})
    result = await provider.ask(Functions())
    assert [row.name for row in result.rows] == ["new", "old", "undated"]
    assert result.rows[0].facts["days_since_modified"] == 1
