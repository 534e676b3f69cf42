"""Discovers Lambda functions: what feeds them, what their environment points to, and where their failures go."""

import asyncio
from collections.abc import Awaitable, Sequence

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import log_group
from runbook_bot.providers.aws.discovered import Found, Lead, handles_of, labels, service_name
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer

MOST_FUNCTIONS = 3000
MOST_MAPPINGS = 3000
MOST_DESTINATIONS = 100
"""Functions whose destinations are asked for: a call each, of which Lambda takes few a second."""


async def functions(look: Looking) -> list[Found]:
    """Every Lambda function. Raises `CallFailed` where they cannot be listed."""
    listed, mappings = await asyncio.gather(
        look.listed("lambda", "ListFunctions", "Functions", MOST_FUNCTIONS, page=50),
        look.part("event sources", _mappings(look), []),
    )
    sources: dict[str, list[Answer]] = {}
    for each in mappings:
        sources.setdefault(_bare(str(each.get("FunctionArn", ""))), []).append(each)
    if len(listed) > MOST_DESTINATIONS:
        look.unseen.append(f"destinations: only those of {MOST_DESTINATIONS} of {len(listed):,} functions were read")
    asked = [_destinations(look, str(each.get("FunctionName", ""))) for each in listed[:MOST_DESTINATIONS]]
    sent, refused = await _all(asked)
    if refused:
        look.note("destinations of functions", refused[0])
    return [
        _function(look, each, sources.get(str(each.get("FunctionArn", "")), ()), sent.get(index, ()))
        for index, each in enumerate(listed)
    ]


async def _mappings(look: Looking) -> list[Answer]:
    return await look.listed("lambda", "ListEventSourceMappings", "EventSourceMappings", MOST_MAPPINGS, page=100)


async def _all(asked: Sequence[Awaitable[list[Lead]]]) -> tuple[dict[int, list[Lead]], list[CallFailed]]:
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused: list[CallFailed] = []
    found: dict[int, list[Lead]] = {}
    for index, answer in enumerate(answers):
        if isinstance(answer, CallFailed):
            if answer.kind != "missing":
                refused.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[index] = answer
    return found, refused


async def _destinations(look: Looking, name: str) -> list[Lead]:
    told = await look.listed(
        "lambda", "ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", 20, FunctionName=name
    )
    return [lead for each in told for lead in _sent(each.get("DestinationConfig") or {})]


def _sent(config: Answer) -> list[Lead]:
    ways = {"OnSuccess": "destination", "OnFailure": "failure destination"}
    return [
        Lead(str(config[way]["Destination"]), words)
        for way, words in ways.items()
        if (config.get(way) or {}).get("Destination")
    ]


def _function(look: Looking, told: Answer, sources: Sequence[Answer], destinations: Sequence[Lead]) -> Found:
    name, arn = str(told.get("FunctionName", "")), str(told.get("FunctionArn", ""))
    tags = look.tagged(arn)
    leads = [
        Lead(str(each.get("EventSourceArn", "")), "event source") for each in sources if each.get("EventSourceArn")
    ]
    leads += [lead for each in sources for lead in _sent(each.get("DestinationConfig") or {})]
    dead = (told.get("DeadLetterConfig") or {}).get("TargetArn")
    leads += [Lead(str(dead), "dead-letter queue")] if dead else []
    return Found(
        name=service_name(tags, name),
        resources=(
            Resource(type=R.lambda_function, name=name),
            Resource(type=R.log_group, name=log_group(told, name)),
        ),
        handles=handles_of([arn]),
        leads=(*leads, *destinations),
        environment={str(k): str(v) for k, v in ((told.get("Environment") or {}).get("Variables") or {}).items()},
        firewall=frozenset((told.get("VpcConfig") or {}).get("SecurityGroupIds") or ()),
        role=str(told.get("Role") or ""),
        labels=labels(tags),
    )


def _bare(arn: str) -> str:
    """Without the version or alias at its end."""
    return ":".join(arn.split(":")[:7])
