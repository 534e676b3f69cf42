"""SQS: what waits and for how long, what was given up, and who may use a queue."""

import json

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.sqs import DeadLetters, QueuePolicy, Queues
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def queue(shop: Shop, name: str, messages: int = 0, dead: str = "", **attributes: str) -> str:
    """Returns its ARN."""
    sqs = shop.client("sqs")
    if dead:
        attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    for number in range(messages):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


async def test_dead_letters_first_then_the_oldest(shop: Shop, provider: AwsProvider) -> None:
    dead = queue(shop, "orders-dead", 2)
    queue(shop, "orders", 5, dead, MessageRetentionPeriod="3600")
    queue(shop, "mails", 7)
    queue(shop, "old", MessageRetentionPeriod="7200")
    shop.points("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "old"}, [60.0, 6840.0, 3600.0])
    result = await provider.ask(Queues())
    assert result.status is Status.ok, result.message
    assert [row.name for row in result.rows] == ["orders", "orders-dead", "old", "mails"]
    orders, letters, old, _ = (row.facts for row in result.rows)
    assert (orders["messages"], orders["dead_letters"], orders["after_receives"]) == (5, 2, 3)
    assert orders["dead_letters_to"] == dead
    assert letters["is_dead_letter_queue"] is True
    assert (old["oldest_message_age_s"], old["oldest_message_age_peak_s"]) == (3600, 6840)
    assert old["age_percent_of_retention"] == 50


async def test_one_queue_none_and_one_that_is_gone(shop: Shop, provider: AwsProvider) -> None:
    empty = await provider.ask(Queues())
    assert (empty.status, empty.message) == (Status.no_data, "SQS has no queue here")
    gone = await provider.ask(Queues(name="gone"))
    assert gone.status is Status.no_data


async def test_a_dead_letter_queue_that_does_not_exist_is_told(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    dead = queue(shop, "orders-dead")
    queue(shop, "orders", 0, dead)
    shop.client("sqs").delete_queue(QueueUrl=shop.client("sqs").get_queue_url(QueueName="orders-dead")["QueueUrl"])
    (row,) = (await provider.ask(Queues())).rows
    assert row.facts["dead_letter_queue_is_gone"] is True


async def test_depth_without_metrics(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    queue(shop, "orders", 5)
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(Queues(name="orders"))
    assert result.status is Status.truncated
    assert result.rows[0].facts["messages"] == 5
    assert "cloudwatch:GetMetricData" in result.message


async def test_where_dead_letters_came_from(shop: Shop, provider: AwsProvider) -> None:
    dead = queue(shop, "dead", 3)
    queue(shop, "orders", 0, dead)
    queue(shop, "mails", 0, dead)
    queue(shop, "plain")
    shop.points("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "dead"}, [1.0, 3.0])
    (row,) = (await provider.ask(DeadLetters())).rows
    assert (row.name, row.facts["messages"], row.facts["grew_by"]) == ("dead", 3, 2)
    assert row.facts["from"] == "2 queues: mails, orders"
    assert len((await provider.ask(DeadLetters(name="orders"))).rows) == 1
    none = await provider.ask(DeadLetters(name="plain"))
    assert none.status is Status.no_data
    assert "as far as plain goes" in none.message


async def test_what_a_policy_allows_anyone_comes_first(shop: Shop, provider: AwsProvider) -> None:
    arn = queue(shop, "orders")
    topic = {"ArnEquals": {"aws:SourceArn": "arn:aws-us-gov:sns:us-gov-west-1:1:placed"}}
    policy = {
        "Statement": [
            {"Sid": "Topic", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
             "Action": "sqs:SendMessage", "Resource": arn, "Condition": topic},
            {"Effect": "Allow", "Principal": "*", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": arn},
            {"Sid": "Plain", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn},
        ]
    }  # fmt: skip
    sqs = shop.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    result = await provider.ask(QueuePolicy(name="orders"))
    assert [(row.name, row.facts["anyone"]) for row in result.rows] == [
        ("statement 2", True), ("Topic", False), ("Plain", False),
    ]  # fmt: skip
    assert result.rows[1].facts["if"] == {"ArnEquals aws:SourceArn": ["arn:aws-us-gov:sns:us-gov-west-1:1:placed"]}


async def test_no_policy_and_one_that_is_none(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    queue(shop, "orders")
    none = await provider.ask(QueuePolicy(name="orders"))
    assert none.status is Status.no_data
    assert "no policy of its own" in none.message
    queue(shop, "mails")
    aws.says("GetQueueAttributes", {"Attributes": {"Policy": "<html>"}})
    odd = await provider.ask(QueuePolicy(name="mails"))
    assert odd.rows[0].facts == {"unreadable": "its text is no JSON policy"}
