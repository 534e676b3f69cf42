"""What can be asked of Lambda about functions: which there are, their configuration, what their versions differ in."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.awslambda import fields_of, log_group, modified_at
from runbook_bot.providers.aws.console import console_link, console_page
from runbook_bot.providers.aws.differences import compared, told
from runbook_bot.providers.aws.operations.listing import cut_short, days_since, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place

_MOST_FUNCTIONS = 1000
_MOST_VERSIONS = 1000
_MOST_ALIASES = 100
_HASH = 12
_NAME = Field(description="Name of the function")


def function_page(place: Place, name: str) -> str | None:
    return console_link(Resource(type=ResourceType.lambda_function, name=name), place.region)


class Functions(Operation):
    """Lambda functions with runtime, size, time-out and when they were last modified; the latest modified first."""

    kind: ClassVar[str] = "aws.lambda.functions"
    service = "lambda"
    calls = ("ListFunctions",)
    words = (
        "lambda functions",
        "functions",
        "lambdas",
        "which functions run",
        "recently modified functions",
        "runtimes",
    )

    contains: str | None = Field(default=None, description="Only those whose name contains this; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather("lambda", "ListFunctions", "Functions", _MOST_FUNCTIONS)
        part = (self.contains or "").casefold()
        meant = [each for each in found if part in str(each.get("FunctionName", "")).casefold()]
        meant.sort(key=lambda each: newest_first(modified_at(each)))
        return self.table(
            place,
            [_brief(each, now) for each in meant],
            empty="no Lambda function fits" if self.contains else "there is no Lambda function",
            more=cut_short(found, _MOST_FUNCTIONS, "the region has more functions"),
            console=console_page(place.region, "lambda/home#/functions"),
        )


def _brief(function: Answer, now: datetime) -> Row:
    modified = modified_at(function)
    facts: Answer = {
        "runtime": function.get("Runtime") or function.get("PackageType"),
        "memory_mb": function.get("MemorySize"),
        "timeout_seconds": function.get("Timeout"),
        "days_since_modified": days_since(modified, now),
        "in_vpc": bool((function.get("VpcConfig") or {}).get("VpcId")),
        "description": function.get("Description") or None,
    }
    return Row(name=str(function.get("FunctionName", "?")), at=modified, facts=facts)


class Configuration(Operation):
    """A Lambda function's configuration: state and why, limits, role, network, layers, names of its variables."""

    kind: ClassVar[str] = "aws.lambda.configuration"
    service = "lambda"
    calls = ("GetFunctionConfiguration",)
    words = ("lambda configuration", "function configuration", "function state", "function time-out", "function memory",
             "variables of a function")  # fmt: skip

    name: str = _NAME
    version: str | None = Field(default=None, description="A version or an alias; none means the unpublished latest")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"Qualifier": self.version} if self.version else {}
        function = await place.call("lambda", "GetFunctionConfiguration", FunctionName=self.name, **which)
        row = Row(name=self.name, at=modified_at(function), facts=_configured(function, self.name))
        return self.table(place, [row], empty="", console=function_page(place, self.name))


def _configured(function: Answer, name: str) -> Answer:
    environment, network = function.get("Environment") or {}, function.get("VpcConfig") or {}
    return {
        "state": function.get("State"),
        "state_reason": function.get("StateReason"),
        "last_update": function.get("LastUpdateStatus"),
        "last_update_reason": function.get("LastUpdateStatusReason"),
        "version": function.get("Version"),
        "runtime": function.get("Runtime") or function.get("PackageType"),
        "handler": function.get("Handler"),
        "architectures": [str(each) for each in function.get("Architectures") or []],
        "memory_mb": function.get("MemorySize"),
        "timeout_seconds": function.get("Timeout"),
        "temporary_disk_mb": (function.get("EphemeralStorage") or {}).get("Size"),
        "code_bytes": function.get("CodeSize"),
        "code": _short_hash(function),
        "role": str(function.get("Role") or "").rpartition("/")[2] or None,
        "variables": sorted(str(each) for each in environment.get("Variables") or {}),
        "variables_error": (environment.get("Error") or {}).get("Message"),
        "subnets": [str(each) for each in network.get("SubnetIds") or []] or None,
        "security_groups": [str(each) for each in network.get("SecurityGroupIds") or []] or None,
        "layers": [_layer(each) for each in function.get("Layers") or []] or None,
        "dead_letters_to": (function.get("DeadLetterConfig") or {}).get("TargetArn"),
        "tracing": (function.get("TracingConfig") or {}).get("Mode"),
        "logs_to": log_group(function, name),
        "snap_start": (function.get("SnapStart") or {}).get("OptimizationStatus"),
    }


def _layer(told: Answer) -> str:
    """Name and version of a layer."""
    return ":".join(str(told.get("Arn", "?")).split(":")[-2:])


def _short_hash(function: Answer) -> str | None:
    """Enough to see that two are not the same."""
    return str(function.get("CodeSha256") or "")[:_HASH] or None


async def read_versions(place: Place, name: str) -> list[Answer]:
    """Published versions, oldest first as Lambda lists them, and after them what is not. Raises `CallFailed`."""
    found = await place.gather("lambda", "ListVersionsByFunction", "Versions", _MOST_VERSIONS, FunctionName=name)
    return sorted(found, key=_number)


def _number(version: Answer) -> float:
    text = str(version.get("Version", ""))
    return int(text) if text.isdecimal() else float("inf")


class Versions(Operation):
    """Versions of a Lambda function, newest first, with what each changed and which aliases point to it."""

    kind: ClassVar[str] = "aws.lambda.versions"
    service = "lambda"
    calls = ("ListVersionsByFunction", "ListAliases")
    words = ("lambda versions", "function versions", "published versions", "what did each version change")

    name: str = _NAME

    async def answer(self, place: Place, now: datetime) -> Result:
        parts = Parts()
        versions, aliases = await asyncio.gather(
            read_versions(place, self.name), parts.get(read_aliases(place, self.name), [])
        )
        pointing: dict[str, list[str]] = {}
        for alias in aliases:
            for version, weight in shares(alias).items():
                pointing.setdefault(version, []).append(f"{alias.get('Name')} {weight:g} %")
        rows = await asyncio.to_thread(
            lambda: [
                _version(before, each, pointing.get(str(each.get("Version")), []), now)
                for before, each in zip([None, *versions], versions, strict=False)
            ]
        )
        return self.table(
            place,
            rows[::-1],
            empty="Lambda tells of no version",
            failures=parts.failures,
            more=cut_short(versions, _MOST_VERSIONS, "the newest are not among them"),
            console=function_page(place, self.name),
        )


def _version(before: Answer | None, after: Answer, aliases: list[str], now: datetime) -> Row:
    modified = modified_at(after)
    old, new = compared(fields_of(before), fields_of(after)) if before is not None else ({}, {})
    facts: Answer = {
        "aliases": aliases or None,
        "changed": None if before is None else told(old, new) or "nothing",
        "days_since_modified": days_since(modified, now),
        "code": _short_hash(after),
        "description": after.get("Description") or None,
    }
    return Row(name=f"version {after.get('Version', '?')}", at=modified, facts=facts)


class VersionDiff(Operation):
    """What differs between two versions of a Lambda function: code, limits, variables; secrets stay hidden."""

    kind: ClassVar[str] = "aws.lambda.version_diff"
    service = "lambda"
    calls = ("GetFunctionConfiguration", "ListVersionsByFunction")
    words = ("diff of function versions", "compare function versions", "difference between versions of a function",
             "what changed in the function")  # fmt: skip

    name: str = _NAME
    after: str = Field(default="$LATEST", description="A version or an alias; $LATEST is what is not published")
    before: str | None = Field(default=None, description="A version or an alias; none means the published one before")

    async def answer(self, place: Place, now: datetime) -> Result:
        after = await self._read(place, self.after)
        before = await (self._read(place, self.before) if self.before else self._published_before(place, after))
        if before is None:
            text = f"there is no published version before {after.get('Version')} to compare it with"
            return self.table(place, [], empty=text, console=function_page(place, self.name))
        old, new = compared(fields_of(before), fields_of(after))
        pair = f"{before.get('Version')} → {after.get('Version')}"
        rows = [
            Row(
                name=field,
                at=modified_at(after),
                facts={"before": old.get(field, "(unset)"), "after": new.get(field, "(unset)"), "versions": pair},
            )
            for field in dict.fromkeys((*old, *new))
        ]
        same = f"versions {pair.replace(' → ', ' and ')} do not differ in code, limits or variables"
        return self.table(place, rows, empty=same, console=function_page(place, self.name))

    async def _read(self, place: Place, version: str) -> Answer:
        return await place.call("lambda", "GetFunctionConfiguration", FunctionName=self.name, Qualifier=version)

    async def _published_before(self, place: Place, after: Answer) -> Answer | None:
        """A published version that is no more than a copy of the unpublished code is passed over."""
        lower = [each for each in await read_versions(place, self.name) if _number(each) < _number(after)]
        differing = [each for each in lower if fields_of(each) != fields_of(after)]
        return next(iter(reversed(differing or lower)), None)


async def read_aliases(place: Place, name: str) -> list[Answer]:
    """Raises `CallFailed`."""
    return await place.gather("lambda", "ListAliases", "Aliases", _MOST_ALIASES, FunctionName=name)


def shares(alias: Answer) -> Mapping[str, float]:
    """Percent of the calls that each version gets through the alias."""
    others = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    given = {str(version): 100.0 * float(weight) for version, weight in others.items() if weight is not None}
    main = str(alias.get("FunctionVersion", "?"))
    return {main: 100.0 - sum(given.values()), **given}


class Aliases(Operation):
    """Aliases of a Lambda function with the versions behind them and their shares; those being shifted first."""

    kind: ClassVar[str] = "aws.lambda.aliases"
    service = "lambda"
    calls = ("ListAliases",)
    words = ("lambda aliases", "function aliases", "alias weights", "canary of a function", "traffic shifting")

    name: str = _NAME

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await read_aliases(place, self.name)
        found.sort(key=lambda each: (-len(shares(each)), str(each.get("Name"))))
        return self.table(
            place,
            [_alias(each) for each in found],
            empty="the function has no alias",
            more=cut_short(found, _MOST_ALIASES, "there are more aliases"),
            console=function_page(place, self.name),
        )


def _alias(alias: Answer) -> Row:
    facts: Answer = {
        "versions": [f"{version}: {share:g} %" for version, share in shares(alias).items()],
        "description": alias.get("Description") or None,
    }
    return Row(name=str(alias.get("Name", "?")), facts=facts)


OPERATIONS = (Functions, Configuration, Versions, VersionDiff, Aliases)
