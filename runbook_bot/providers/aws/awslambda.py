"""Lambda functions: configuration, concurrency, and what their published versions differ in."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from runbook_bot.domain.noun import iso, utc
from runbook_bot.domain.observation import Change, Fact
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.differences import Fields, compared, kind_of, told
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place

_MOST_VERSIONS = 2000
"""Lambda lists the oldest first, so all have to be read to know the newest."""
_FIELDS = {
    "CodeSha256": "code_sha256",
    "MemorySize": "memory_size",
    "Timeout": "timeout",
    "Handler": "handler",
    "Runtime": "runtime",
    "Role": "role",
}


async def read_function(place: Place, name: str) -> Answer:
    """The configuration of a function. Raises `CallFailed`."""
    return await place.call("lambda", "GetFunctionConfiguration", FunctionName=name)


async def reserved_concurrency(place: Place, name: str) -> int | None:
    """None where nothing is reserved. Raises `CallFailed`."""
    answer = await place.call("lambda", "GetFunctionConcurrency", FunctionName=name)
    value = answer.get("ReservedConcurrentExecutions")
    return None if value is None else int(value)


async def account_limits(place: Place) -> tuple[int | None, int | None]:
    """The account's limit of parallel executions and how much of it is reserved by nobody. Raises `CallFailed`."""
    limits = (await place.call("lambda", "GetAccountSettings")).get("AccountLimit") or {}
    total, free = limits.get("ConcurrentExecutions"), limits.get("UnreservedConcurrentExecutions")
    return None if total is None else int(total), None if free is None else int(free)


async def function_facts(place: Place, resource: Resource) -> tuple[list[Fact], list[CallFailed]]:
    """Raises `CallFailed` where the function cannot be read; other parts that fail are named beside the facts."""
    function = await read_function(place, resource.name)
    modified = modified_at(function)
    facts = [
        Fact(name="state", value=function.get("State")),
        Fact(name="state_reason", value=function.get("StateReason")),
        Fact(name="memory_size", value=function.get("MemorySize"), unit="MB"),
        Fact(name="timeout", value=function.get("Timeout"), unit="s"),
        Fact(name="version", value=function.get("Version")),
        Fact(name="runtime", value=function.get("Runtime")),
        Fact(name="last_modified", value=iso(modified) if modified else None),
        Fact(name="last_update_status", value=function.get("LastUpdateStatus")),
        Fact(name="code_sha256", value=function.get("CodeSha256")),
        Fact(name="log_groups", value=[log_group(function, resource.name)]),
        Fact(name="last_update_reason", value=function.get("LastUpdateStatusReason")),
        Fact(name="package", value=function.get("PackageType")),
        Fact(name="role", value=str(function.get("Role") or "").rpartition("/")[2] or None),
        Fact(name="dead_letter_target", value=(function.get("DeadLetterConfig") or {}).get("TargetArn")),
        Fact(name="security_groups", value=(function.get("VpcConfig") or {}).get("SecurityGroupIds") or None),
        Fact(name="subnets", value=(function.get("VpcConfig") or {}).get("SubnetIds") or None),
        Fact(name="temporary_storage", value=(function.get("EphemeralStorage") or {}).get("Size"), unit="MB"),
        Fact(name="tracing", value=(function.get("TracingConfig") or {}).get("Mode")),
    ]
    reserved, limits = await asyncio.gather(
        _or_failure(reserved_concurrency(place, resource.name)), _or_failure(account_limits(place))
    )
    failures = [part for part in (reserved, limits) if isinstance(part, CallFailed)]
    if not isinstance(reserved, CallFailed):
        facts.append(Fact(name="reserved_concurrency", value=reserved, unit="executions"))
    if not isinstance(limits, CallFailed):
        facts.append(Fact(name="account_concurrency_limit", value=limits[0], unit="executions"))
        facts.append(Fact(name="unreserved_concurrency", value=limits[1], unit="executions"))
    return facts, failures


async def _or_failure(work: Any) -> Any:
    try:
        return await work
    except CallFailed as failure:
        return failure


def modified_at(function: Answer) -> datetime | None:
    """In UTC. Lambda writes `2026-02-03T10:11:12.000+0000`."""
    text = str(function.get("LastModified") or "")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    except ValueError:
        pass
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def log_group(function: Answer, name: str) -> str:
    """Where the function logs to."""
    configured = (function.get("LoggingConfig") or {}).get("LogGroup")
    return str(configured) if configured else f"/aws/lambda/{name}"


def fields_of(function: Answer) -> Fields:
    found = {ours: str(function[theirs]) for theirs, ours in _FIELDS.items() if function.get(theirs) is not None}
    image = function.get("ImageUri") or (function.get("Code") or {}).get("ImageUri")
    if image:
        found["image"] = str(image)
    variables = (function.get("Environment") or {}).get("Variables") or {}
    return found | {f"environment.{name}": str(value) for name, value in variables.items()}


async def function_changes(
    place: Place, resource: Resource, window: TimeWindow
) -> tuple[list[Change], list[CallFailed]]:
    """Published versions compared with the one before; the present code where it was modified in the window."""
    try:
        versions = await place.gather(
            "lambda", "ListVersionsByFunction", "Versions", _MOST_VERSIONS, FunctionName=resource.name
        )
    except CallFailed as failure:
        try:
            versions, failures = [{**await read_function(place, resource.name), "Version": "$LATEST"}], [failure]
        except CallFailed as second:
            return [], [failure, second]
    else:
        failures = []
    published = sorted((v for v in versions if str(v.get("Version", "")).isdecimal()), key=lambda v: int(v["Version"]))
    latest = next((v for v in versions if v.get("Version") == "$LATEST"), None)
    changes: list[Change] = []
    before: Answer | None = None
    for version in [*published, *([latest] if latest else [])]:
        at = modified_at(version)
        if at is not None and window.holds(at):
            change = _change(resource, before, version, at)
            changes += [change] if change else []
        before = version
    return changes, failures


def _change(resource: Resource, before: Answer | None, after: Answer, at: datetime) -> Change | None:
    """None where a version only freezes what was there already."""
    version = str(after.get("Version"))
    if before is None:
        summary = f"{resource.name} was modified; there is no published version to compare it with"
        return Change(at=at, kind="other", summary=summary, resource=resource, reference=version)
    old, new = compared(fields_of(before), fields_of(after))
    if not old and not new:
        return None
    summary = f"{resource.name} version {before.get('Version')} → {version}: {told(old, new)}"
    kind = kind_of({**old, **new})
    return Change(at=at, kind=kind, summary=summary, resource=resource, before=old, after=new, reference=version)
