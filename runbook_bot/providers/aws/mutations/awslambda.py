"""Changes of a Lambda function."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.awslambda import read_function, reserved_concurrency
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Place


class PutFunctionConcurrency(AwsMutation):
    """Reserve another number of parallel executions for a Lambda function."""

    operation: ClassVar[str] = "lambda.put_function_concurrency"
    service: ClassVar[str] = "lambda"
    action: ClassVar[str] = "PutFunctionConcurrency"
    any_target: ClassVar[str] = "function:*"

    function: str = Field(min_length=1, description="Function name")
    reserved_concurrent_executions: int = Field(ge=0, le=100_000, description="Parallel executions")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.lambda_function, name=self.function)

    @property
    def request(self) -> dict[str, Any]:
        return {
            "FunctionName": self.function,
            "ReservedConcurrentExecutions": self.reserved_concurrent_executions,
        }

    @property
    def resource_path(self) -> str:
        return f"function:{self.function}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"reserved_concurrency": self.reserved_concurrent_executions}

    async def state(self, place: Place) -> Json:
        return {"reserved_concurrency": await reserved_concurrency(place, self.function)}

    async def plan(self, place: Place, state: Json) -> Plan:
        function = await read_function(place, self.function)
        reserved = state["reserved_concurrency"]
        wanted = self.reserved_concurrent_executions
        back = None
        if isinstance(reserved, int):
            back = PutFunctionConcurrency(function=self.function, reserved_concurrent_executions=reserved)
        was = "nothing" if reserved is None else str(reserved)
        added = wanted - (reserved if isinstance(reserved, int) else 0)
        return Plan(
            title=f"Let {self.function} run {wanted} times at once",
            summary=f"reserved concurrency {was} → {wanted}",
            impact=f"up to {wanted} executions of {self.function} at once instead of {was}; "
            f"the other functions of the account share {added} fewer, and what it calls may get that much more load",
            risk=Risk.medium,
            back=back,
            account=account_of(function.get("FunctionArn")),
        )


class _Configured(AwsMutation):
    """A change of a function's configuration: a new revision of `$LATEST`, for all that is not pinned to a version."""

    service: ClassVar[str] = "lambda"
    action: ClassVar[str] = "UpdateFunctionConfiguration"
    any_target: ClassVar[str] = "function:*"

    function: str = Field(pattern=r"^[A-Za-z0-9_-]{1,140}$", description="Function name")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.lambda_function, name=self.function)

    @property
    def resource_path(self) -> str:
        return f"function:{self.function}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("revision",)

    async def state(self, place: Place) -> Json:
        told = await read_function(place, self.function)
        return {
            "revision": str(told.get("RevisionId", "")),
            "memory_mb": int(told.get("MemorySize") or 0),
            "timeout_s": int(told.get("Timeout") or 0),
            "update": str(told.get("LastUpdateStatus") or ""),
            "account": account_of(told.get("FunctionArn")),
        }

    def _plan(self, state: Json, what: str, unit: str, wanted: int, back: AwsMutation) -> Plan:
        now = state[f"{what}_{unit.lower()}"]
        if now == wanted:
            raise Unfit(f"the {what} of {self.function} is {now} {unit} already")
        if state["update"] == "InProgress":
            raise Unfit(f"an update of {self.function} is under way")
        return Plan(
            title=f"Give {self.function} {wanted} {unit} of {what} instead of {now}",
            summary=f"{what} {now} → {wanted} {unit}",
            impact=f"every execution environment of {self.function} is made anew, so that the next calls start cold; "
            "calls under way end as they began, aliases and versions stay what they are",
            risk=Risk.medium,
            back=back,
            account=str(state["account"]),
        )


class SetMemory(_Configured):
    """Give a Lambda function more or less memory, and with it processor."""

    operation: ClassVar[str] = "lambda.set_memory"

    memory_mb: int = Field(ge=128, le=10_240, description="Megabytes")

    @property
    def request(self) -> dict[str, Any]:
        return {"FunctionName": self.function, "MemorySize": self.memory_mb}

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"memory_mb": self.memory_mb}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("revision",)

    async def plan(self, place: Place, state: Json) -> Plan:
        back = SetMemory(function=self.function, memory_mb=max(128, int(str(state["memory_mb"]))))
        return self._plan(state, "memory", "MB", self.memory_mb, back)


class SetTimeout(_Configured):
    """Let a Lambda function run longer or less long."""

    operation: ClassVar[str] = "lambda.set_timeout"

    timeout_s: int = Field(ge=1, le=900, description="Seconds")

    @property
    def request(self) -> dict[str, Any]:
        return {"FunctionName": self.function, "Timeout": self.timeout_s}

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"timeout_s": self.timeout_s}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("revision",)

    async def plan(self, place: Place, state: Json) -> Plan:
        back = SetTimeout(function=self.function, timeout_s=max(1, int(str(state["timeout_s"]))))
        return self._plan(state, "timeout", "s", self.timeout_s, back)


class PointAlias(AwsMutation):
    """Let an alias of a Lambda function point to another published version, with all its traffic."""

    operation: ClassVar[str] = "lambda.update_alias"
    service: ClassVar[str] = "lambda"
    action: ClassVar[str] = "UpdateAlias"
    any_target: ClassVar[str] = "function:*"
    reads: ClassVar[tuple[str, ...]] = ("lambda:GetAlias",)

    function: str = Field(pattern=r"^[A-Za-z0-9_-]{1,140}$", description="Function name")
    alias: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="Alias")
    version: str = Field(pattern=r"^\d{1,10}$", description="Published version")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.lambda_function, kind="alias", name=f"{self.function}:{self.alias}")

    @property
    def request(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {"AdditionalVersionWeights": {}}
        return {
            "FunctionName": self.function,
            "Name": self.alias,
            "FunctionVersion": self.version,
            "RoutingConfig": wanted,
        }

    @property
    def resource_path(self) -> str:
        return f"function:{self.function}:{self.alias}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"version": self.version, "weights": {}}

    async def state(self, place: Place) -> Json:
        told = await place.call("lambda", "GetAlias", FunctionName=self.function, Name=self.alias)
        weights = (told.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return {
            "version": str(told.get("FunctionVersion", "")),
            "weights": {str(k): float(v) for k, v in weights.items()},
            "account": account_of(told.get("AliasArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        now, weights = str(state["version"]), state["weights"]
        if now == self.version and not weights:
            raise Unfit(f"{self.alias} of {self.function} points to version {now} already")
        versions = await place.gather("lambda", "ListVersionsByFunction", "Versions", 2000, FunctionName=self.function)
        known = {str(each.get("Version")): each for each in versions}
        if self.version not in known:
            raise Unfit(f"{self.function} has no version {self.version}")
        shared = f", and shares of {', '.join(sorted(weights))}" if isinstance(weights, dict) and weights else ""
        back = None if shared else PointAlias(function=self.function, alias=self.alias, version=now)
        return Plan(
            title=f"Point {self.alias} of {self.function} to version {self.version}",
            summary=f"version {now}{shared} → {self.version}",
            impact=f"every new call through {self.alias} runs version {self.version} and starts cold; "
            "calls under way end as they began",
            risk=Risk.high,
            back=back,
            account=str(state["account"]),
        )


class SwitchMapping(AwsMutation):
    """Switch an event source of a Lambda function on or off."""

    operation: ClassVar[str] = "lambda.switch_event_source"
    service: ClassVar[str] = "lambda"
    action: ClassVar[str] = "UpdateEventSourceMapping"
    any_target: ClassVar[str] = "event-source-mapping:*"
    reads: ClassVar[tuple[str, ...]] = ("lambda:GetEventSourceMapping",)

    mapping: str = Field(pattern=r"^[0-9a-f-]{36}$", description="UUID of the mapping")
    enabled: bool = Field(description="Whether the function shall read from it")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.lambda_function, kind="event_source", name=self.mapping)

    @property
    def request(self) -> dict[str, Any]:
        return {"UUID": self.mapping, "Enabled": self.enabled}

    @property
    def resource_path(self) -> str:
        return f"event-source-mapping:{self.mapping}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"enabled": self.enabled}

    async def state(self, place: Place) -> Json:
        told = await place.call("lambda", "GetEventSourceMapping", UUID=self.mapping)
        return {
            "enabled": str(told.get("State", "")) in ("Enabled", "Enabling", "Creating", "Updating"),
            "source": str(told.get("EventSourceArn") or ""),
            "function": str(told.get("FunctionArn") or "").rpartition(":")[2],
            "account": account_of(told.get("FunctionArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["enabled"] is self.enabled:
            raise Unfit(f"{self.mapping} is switched {'on' if self.enabled else 'off'} already")
        source = str(state["source"]).rpartition(":")[2]
        kept = f"{state['function']} does not read from {source} until it is switched on; what arrives waits there"
        again = f"{state['function']} reads from {source} again, beginning with all that has waited"
        return Plan(
            title=f"Switch {source} {'on' if self.enabled else 'off'} for {state['function']}",
            summary="disabled → enabled" if self.enabled else "enabled → disabled",
            impact=again if self.enabled else f"{kept}, for as long as the source keeps it",
            risk=Risk.medium if self.enabled else Risk.high,
            back=SwitchMapping(mapping=self.mapping, enabled=not self.enabled),
            account=str(state["account"]),
        )


MUTATIONS = (PutFunctionConcurrency, SetMemory, SetTimeout, PointAlias, SwitchMapping)
