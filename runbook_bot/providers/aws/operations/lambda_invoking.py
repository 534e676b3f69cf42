"""What can be asked of Lambda about calls: concurrency and its limits, event sources, retries, who may invoke."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.awslambda import account_limits, modified_at, read_function, reserved_concurrency
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels
from runbook_bot.providers.aws.operations.awslambda import function_page
from runbook_bot.providers.aws.operations.listing import cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 200
_HOURS = 3.0
_METRICS = "AWS/Lambda"
_CALLS = (
    Gauge("peak_concurrency", _METRICS, "ConcurrentExecutions", "Maximum", "peak"),
    Gauge("invocations", _METRICS, "Invocations", "Sum", "total", sparse=True),
    Gauge("throttles", _METRICS, "Throttles", "Sum", "total", sparse=True),
    Gauge("errors", _METRICS, "Errors", "Sum", "total", sparse=True),
)
_UNDELIVERED = (
    Gauge("async_dropped", _METRICS, "AsyncEventsDropped", "Sum", "total", sparse=True),
    Gauge("dead_letter_errors", _METRICS, "DeadLetterErrors", "Sum", "total", sparse=True),
    Gauge("destination_failures", _METRICS, "DestinationDeliveryFailures", "Sum", "total", sparse=True),
    Gauge("oldest_event_age_milliseconds", _METRICS, "AsyncEventAge", "Maximum", "peak"),
)
_SOURCES = {"aws:sourcearn", "aws:sourceaccount", "aws:principalorgid", "lambda:functionurlauthtype"}
"""Conditions that say where calls come from, or how; in lower case."""
_NAME = Field(description="Name of the function")


class Concurrency(Operation):
    """A Lambda function's reserved and provisioned concurrency, the account's limit, and their use in three hours."""

    kind: ClassVar[str] = "aws.lambda.concurrency"
    service = "lambda"
    calls = ("GetFunctionConcurrency", "ListProvisionedConcurrencyConfigs", "GetAccountSettings", *MEASURING)
    words = ("lambda concurrency", "reserved concurrency", "provisioned concurrency", "concurrent executions",
             "throttled functions", "account concurrency limit")  # fmt: skip

    name: str = _NAME

    async def answer(self, place: Place, now: datetime) -> Result:
        reserved = await reserved_concurrency(place, self.name)
        parts = Parts()
        limits, provisioned, levels = await asyncio.gather(
            parts.get(account_limits(place), (None, None)),
            _settings(place, parts, "ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs", self.name),
            _measured(place, parts, self.name, _CALLS, now),
        )
        own: Answer = {
            "reserved": "none" if reserved is None else reserved,
            "switched_off": True if reserved == 0 else None,
            "account_limit": limits[0],
            "account_unreserved": limits[1],
            **levels,
        }
        rows = [Row(name=self.name, facts=own), *(_provision(each) for each in provisioned)]
        return self.table(place, rows, empty="", failures=parts.failures, console=function_page(place, self.name))


async def _settings(place: Place, parts: Parts, action: str, key: str, function: str) -> list[Answer]:
    """What is set up for a function's versions and aliases."""
    return await parts.get(place.gather("lambda", action, key, _MOST, FunctionName=function), [])


async def _measured(place: Place, parts: Parts, function: str, gauges: Sequence[Gauge], now: datetime) -> Levels:
    """What the last three hours came to."""
    subject = Asked(function, {"FunctionName": function}, gauges)
    levels, failures = await read_levels(place, [subject], last(_HOURS, now), now)
    parts.failures = [*parts.failures, *failures]
    return levels.get(function, {})


def _provision(told: Answer) -> Row:
    facts: Answer = {
        "status": told.get("Status"),
        "reason": told.get("StatusReason"),
        "requested": told.get("RequestedProvisionedConcurrentExecutions"),
        "allocated": told.get("AllocatedProvisionedConcurrentExecutions"),
        "available": told.get("AvailableProvisionedConcurrentExecutions"),
    }
    qualifier = str(told.get("FunctionArn", "?")).rpartition(":")[2]
    return Row(name=f"provisioned for {qualifier}", at=modified_at(told), facts=facts)


class EventSources(Operation):
    """What feeds Lambda functions from queues and streams: state, last result, batches, retries; the troubled first."""

    kind: ClassVar[str] = "aws.lambda.event_sources"
    service = "lambda"
    calls = ("ListEventSourceMappings",)
    words = ("event source mappings", "event sources", "what triggers the function", "disabled trigger",
             "consumer state", "last processing result")  # fmt: skip

    name: str | None = Field(default=None, description="Name of the function; none means all functions")
    source_arn: str | None = Field(default=None, description="ARN of the queue, stream or table that is read from")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"FunctionName": self.name, "EventSourceArn": self.source_arn}
        given = {name: value for name, value in which.items() if value}
        found = await place.gather("lambda", "ListEventSourceMappings", "EventSourceMappings", _MOST, **given)
        found.sort(
            key=lambda each: (not _troubled(each), str(each.get("FunctionArn")), str(each.get("EventSourceArn")))
        )
        return self.table(
            place,
            [_mapping(each) for each in found],
            empty="nothing feeds it by an event source mapping; S3, SNS, EventBridge and HTTP call it directly",
            more=cut_short(found, _MOST, "name a function"),
            console=function_page(place, self.name) if self.name else None,
        )


def _troubled(told: Answer) -> bool:
    result = str(told.get("LastProcessingResult") or "OK")
    return told.get("State") != "Enabled" or result not in ("OK", "No records processed")


def _mapping(told: Answer) -> Row:
    source = str(told.get("EventSourceArn") or "")
    reports = told.get("FunctionResponseTypes") or []
    facts: Answer = {
        "state": told.get("State"),
        "state_reason": told.get("StateTransitionReason"),
        "last_result": told.get("LastProcessingResult"),
        "function": _function_of(str(told.get("FunctionArn") or "")),
        "kind": source.split(":")[2] if source.count(":") >= 5 else None,
        "batch_size": told.get("BatchSize"),
        "batch_window_seconds": told.get("MaximumBatchingWindowInSeconds"),
        "parallel_per_shard": told.get("ParallelizationFactor"),
        "most_concurrent": (told.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        "retries": told.get("MaximumRetryAttempts"),
        "most_record_age_seconds": told.get("MaximumRecordAgeInSeconds"),
        "splits_failed_batches": told.get("BisectBatchOnFunctionError"),
        "reports_single_failures": "ReportBatchItemFailures" in reports,
        "failures_to": _failures_to(told),
        "starts_at": told.get("StartingPosition"),
        "filtered": bool((told.get("FilterCriteria") or {}).get("Filters")),
        "id": told.get("UUID"),
    }
    name = source.rpartition(":")[2] or ", ".join(str(each) for each in told.get("Topics") or []) or "self-managed"
    return Row(name=name, at=told.get("LastModified"), facts=facts)


def _function_of(arn: str) -> str | None:
    """Name, with the version or the alias where one is meant."""
    return arn.partition(":function:")[2] or arn or None


def _failures_to(told: Answer) -> str | None:
    destination = ((told.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    return None if destination is None else str(destination)


class AsyncDelivery(Operation):
    """What becomes of a Lambda function's asynchronous events: retries, dead letters, destinations, losses."""

    kind: ClassVar[str] = "aws.lambda.async_delivery"
    service = "lambda"
    calls = ("GetFunctionConfiguration", "ListFunctionEventInvokeConfigs", *MEASURING)
    words = ("dead letter queue of a function", "lambda dlq", "lambda destinations", "asynchronous invocations",
             "lost events of a function", "retries of a function")  # fmt: skip

    name: str = _NAME

    async def answer(self, place: Place, now: datetime) -> Result:
        function = await read_function(place, self.name)
        parts = Parts()
        found, levels = await asyncio.gather(
            _settings(place, parts, "ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", self.name),
            _measured(place, parts, self.name, _UNDELIVERED, now),
        )
        target = (function.get("DeadLetterConfig") or {}).get("TargetArn")
        if not target:
            caught = any(_failures_to(each) for each in found)
            target = "see the destinations" if caught else "nowhere: events that fail for good are lost"
        own: Answer = {"dead_letters_to": target, **levels}
        rows = [Row(name=self.name, facts=own), *(_invoke_config(each) for each in found)]
        return self.table(place, rows, empty="", failures=parts.failures, console=function_page(place, self.name))


def _invoke_config(told: Answer) -> Row:
    facts: Answer = {
        "retries": told.get("MaximumRetryAttempts"),
        "most_event_age_seconds": told.get("MaximumEventAgeInSeconds"),
        "success_to": ((told.get("DestinationConfig") or {}).get("OnSuccess") or {}).get("Destination"),
        "failure_to": _failures_to(told),
    }
    qualifier = str(told.get("FunctionArn", "?")).rpartition(":")[2]
    return Row(name=f"asynchronous calls of {qualifier}", at=told.get("LastModified"), facts=facts)


class Invokers(Operation):
    """Who may invoke a Lambda function by its own policy: services and accounts, with the source each is bound to."""

    kind: ClassVar[str] = "aws.lambda.invokers"
    service = "lambda"
    calls = ("GetPolicy",)
    words = ("who may invoke the function", "lambda permissions", "resource policy of a function", "function policy")

    name: str = _NAME
    alias: str | None = Field(default=None, description="A version or an alias, whose policy is its own")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"Qualifier": self.alias} if self.alias else {}
        answer = await place.call("lambda", "GetPolicy", FunctionName=self.name, **which)
        statements = _statements(str(answer.get("Policy") or ""))
        rows = sorted(
            (_statement(each) for each in statements), key=lambda row: (not row.facts.get("anybody"), row.name)
        )
        return self.table(
            place,
            rows,
            empty="its policy lets nobody in; roles of its own account may still invoke it",
            console=function_page(place, self.name),
        )


def _statements(policy: str) -> list[Mapping[str, Any]]:
    """Text that is no policy has no statement."""
    try:
        parsed = json.loads(policy)
    except ValueError:
        return []
    told = parsed.get("Statement") if isinstance(parsed, dict) else None
    listed = told if isinstance(told, list) else [told]
    return [each for each in listed if isinstance(each, dict)]


def _statement(told: Mapping[str, Any]) -> Row:
    principal = told.get("Principal")
    who = principal if isinstance(principal, str) else ", ".join(_flat(principal))
    conditions = told.get("Condition") if isinstance(told.get("Condition"), dict) else {}
    bound = [
        text if str(key).casefold() in _SOURCES else f"whoever fits {key}"  # other values may well be secrets
        for tested in (conditions or {}).values()
        if isinstance(tested, dict)
        for key, value in tested.items()
        for text in _flat(value)
    ]
    facts: Answer = {
        "may": told.get("Effect"),
        "actions": _flat(told.get("Action")),
        "only_from": bound or None,
        "anybody": True if who == "*" and not bound else None,
        "statement": told.get("Sid"),
    }
    return Row(name=who or "?", facts=facts)


def _flat(value: Any) -> list[str]:
    """A text, a list of texts, or a mapping to either, as a list of texts."""
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _flat(each)]
    if isinstance(value, list):
        return [text for each in value for text in _flat(each)]
    return [] if value is None else [str(value)]


OPERATIONS = (Concurrency, EventSources, AsyncDelivery, Invokers)
