"""Discovers what passes messages on: queues, and topics as other doors to those who have subscribed to them."""

from urllib.parse import urlsplit

from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, found
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


async def doors(look: Looking) -> dict[str, frozenset[str]]:
    """By the lower-case ARN of a subscriber, the topics through which it is reached: SNS keeps nothing itself.

    Raises `CallFailed` where subscriptions cannot be listed.
    """
    found: dict[str, set[str]] = {}
    for each in await look.listed("sns", "ListSubscriptions", "Subscriptions", MOST):
        endpoint = str(each.get("Endpoint") or "").lower()
        if endpoint.startswith("arn:"):
            found.setdefault(endpoint, set()).add(str(each.get("TopicArn", "")).lower())
    return {endpoint: frozenset(topics) for endpoint, topics in found.items()}
