"""Discovers what passes messages on: queues, and topics with who has subscribed to them."""

from urllib.parse import urlsplit

from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, Lead, found, handles_of, labels, service_name
from runbook_bot.providers.aws.looking import Looking

MOST = 3000


async def queues(look: Looking) -> list[Found]:
    """Raises `CallFailed` where they cannot be listed."""
    listed = []
    for url in await look.listed("sqs", "ListQueues", "QueueUrls", MOST, page=1000):
        name = str(url).rpartition("/")[2]
        arn = look.arn("sqs", name)
        listed.append(
            found(R.sqs_queue, name, look.tagged(arn), url, urlsplit(str(url))._replace(scheme="").geturl(), arn)
        )
    return listed


async def topics(look: Looking) -> list[Found]:
    """SNS: services without a resource of their own. Raises `CallFailed` where they cannot be listed."""
    arns = [
        str(each.get("TopicArn", ""))
        for each in await look.listed("sns", "ListTopics", "Topics", MOST)
        if each.get("TopicArn")
    ]
    named = [(arn, arn.rpartition(":")[2]) for arn in arns]
    return [
        Found(
            name=service_name(look.tagged(arn), name),
            resources=(),
            handles=handles_of([arn]),
            only_called=True,
            labels=labels(look.tagged(arn)),
        )
        for arn, name in named
    ]


async def subscribed(look: Looking) -> dict[str, list[Lead]]:
    """What each subscriber, by lower-case ARN or address, is fed by."""
    fed: dict[str, list[Lead]] = {}
    for each in await look.listed("sns", "ListSubscriptions", "Subscriptions", MOST):
        endpoint = str(each.get("Endpoint") or "").lower()
        if endpoint.startswith("arn:"):
            fed.setdefault(endpoint, []).append(Lead(str(each.get("TopicArn", "")), "subscription"))
    return fed
