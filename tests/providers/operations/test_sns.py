"""SNS: topics, where they deliver to, and what they could not deliver."""

import json

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.sns import Deliveries, Subscriptions, TopicPolicy, Topics, endpoint
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def topic(shop: Shop, name: str = "placed") -> str:
    return str(shop.client("sns").create_topic(Name=name)["TopicArn"])


async def test_topics_that_nobody_confirmed_first(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The attributes are canned: moto counts no subscriptions."""
    for name in ("placed", "shipped"):
        topic(shop, name)
    aws.tells("sns", "GetTopicAttributes", {"Attributes": {"SubscriptionsConfirmed": "3", "KmsMasterKeyId": "k"}})
    usual = aws.answers["GetTopicAttributes"]
    aws.tells("sns", "GetTopicAttributes", {"Attributes": {"SubscriptionsPending": "1"}})
    pending = aws.answers["GetTopicAttributes"]
    aws.answers["GetTopicAttributes"] = lambda body: pending(body) if "shipped" in body else usual(body)
    first, second = (await provider.ask(Topics())).rows
    assert (first.name, first.facts["pending"], first.facts["confirmed"]) == ("shipped", 1, 0)
    assert (second.name, second.facts["confirmed"], second.facts["encrypted"]) == ("placed", 3, True)
    gone = await provider.ask(Topics(name="gone"))
    assert (gone.status, gone.message) == (Status.no_data, "there is no topic gone")


async def test_no_topic(shop: Shop, provider: AwsProvider) -> None:
    result = await provider.ask(Topics())
    assert (result.status, result.message) == (Status.no_data, "SNS has no topic here")


async def test_pending_subscriptions_first_and_nobody_s_address(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto confirms at once."""
    arn = "arn:aws-cn:sns:cn-north-1:1:placed"
    listed = [
        {"SubscriptionArn": f"{arn}:1", "Protocol": "sqs", "Endpoint": "arn:aws-cn:sqs:cn-north-1:1:orders"},
        {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "bob@example.org"},
    ]
    aws.tells("sns", "ListSubscriptionsByTopic", {"Subscriptions": listed})
    redrive = json.dumps({"deadLetterTargetArn": "arn:aws-cn:sqs:cn-north-1:1:dead"})
    aws.tells("sns", "GetSubscriptionAttributes", {"Attributes": {"RedrivePolicy": redrive, "FilterPolicy": "{}"}})
    result = await provider.ask(Subscriptions(name=arn))
    assert [(row.name, row.facts["state"]) for row in result.rows] == [
        ("b…@example.org", "pending confirmation"),
        ("arn:aws-cn:sqs:cn-north-1:1:orders", "confirmed"),
    ]
    assert result.rows[1].facts["dead_letters_to"] == "arn:aws-cn:sqs:cn-north-1:1:dead"
    assert "bob" not in str(result.model_dump())


async def test_a_topic_nobody_listens_to_and_details_that_are_denied(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    topic(shop, "deaf")
    deaf = await provider.ask(Subscriptions(name="deaf"))
    assert deaf.status is Status.no_data
    assert "goes nowhere" in deaf.message
    arn = topic(shop, "other")
    shop.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:orders")
    aws.refuses_xml("GetSubscriptionAttributes", "AuthorizationError", "no", 403)
    result = await provider.ask(Subscriptions(name=arn))
    assert result.status is Status.truncated
    assert "sns:GetSubscriptionAttributes" in result.message
    assert result.rows[0].facts["state"] == "confirmed"


@pytest.mark.parametrize(
    ("protocol", "address", "shown"),
    [
        ("email-json", "bob@example.org", "b…@example.org"),
        ("sms", "+15550101234", "…34"),
        ("https", "https://u:p@hooks.example.org/services/T0/B0/secret?x=1", "https://hooks.example.org/services/…"),
        ("https", "https://[broken", "https://?"),
        ("lambda", "arn:aws:lambda:us-east-1:1:function:f", "arn:aws:lambda:us-east-1:1:function:f"),
    ],
)
def test_an_endpoint_as_it_may_be_shown(protocol: str, address: str, shown: str) -> None:
    assert endpoint(protocol, address) == shown


async def test_what_was_lost_first(shop: Shop, provider: AwsProvider) -> None:
    for name in ("calm", "failing", "losing", "silent"):
        topic(shop, name)
    for name, metric, values in (
        ("calm", "NumberOfNotificationsDelivered", [5.0]),
        ("failing", "NumberOfNotificationsDelivered", [1.0]),
        ("failing", "NumberOfNotificationsFailed", [2.0, 1.0]),
        ("losing", "NumberOfNotificationsFailedToRedriveToDlq", [1.0]),
    ):
        shop.points("AWS/SNS", metric, {"TopicName": name}, values)
    result = await provider.ask(Deliveries())
    assert [row.name for row in result.rows] == ["losing", "failing", "calm"]
    assert result.rows[1].facts["failed_percent"] == 75
    one = await provider.ask(Deliveries(name="silent"))
    assert one.rows[0].facts["failed"] == 0


async def test_nothing_published_and_nothing_seen(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    topic(shop)
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    denied = await provider.ask(Deliveries())
    assert denied.status is Status.denied
    assert "failed" not in str(denied.rows)


async def test_a_topic_s_policy(shop: Shop, provider: AwsProvider) -> None:
    topic(shop)
    (row,) = (await provider.ask(TopicPolicy(name="placed"))).rows
    assert row.facts["effect"] == "Allow"
    assert row.facts["anyone"] is False, "the default policy has a condition on the owner"
