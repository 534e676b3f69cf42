"""What can be asked of ElastiCache's parameters."""

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.engine_defaults import engine_defaults
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.elasticache import caches_link, nodes
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_PARAMETERS = 1000
_MOST_GROUPS = 12
_Read = tuple[list[Answer], dict[str, str], list[CallFailed]]


class Parameters(Operation):
    """Parameters of a cache that somebody set to something else than the engine's default; waiting ones first."""

    kind: ClassVar[str] = "aws.elasticache.parameters"
    service = "elasticache"
    calls = (
        "DescribeCacheClusters",
        "DescribeReplicationGroups",
        "DescribeCacheParameters",
        "DescribeCacheParameterGroups",
        "DescribeEngineDefaultParameters",
    )
    words = ("cache parameters", "redis configuration", "maxmemory-policy", "cache parameter group")

    name: str = Field(description="Id of a cache cluster or replication group")

    async def answer(self, place: Place, now: datetime) -> Result:
        states: dict[str, str] = {}
        for each in await nodes(place, self.name):
            group = each.get("CacheParameterGroup") or {}
            state = "pending-reboot" if group.get("CacheNodeIdsToReboot") else str(group.get("ParameterApplyStatus"))
            name = str(group.get("CacheParameterGroupName", ""))
            states[name] = state if states.get(name) != "pending-reboot" else "pending-reboot"
        own = [group for group in states if group and not group.startswith("default.")]
        read, failures = await for_each(own[:_MOST_GROUPS], lambda group: _differences(place, group))
        rows: list[Row] = []
        for group, (parameters, defaults, unread) in read:
            failures = [*failures, *unread]
            rows += [_parameter(each, group, states[group], defaults) for each in parameters]
        rows.sort(key=lambda row: (not row.facts["waits_for_reboot"], row.name))
        empty = f"every parameter of {', '.join(states) or self.name} has its default"
        left = len(own) - _MOST_GROUPS
        more = f"{left} parameter groups were not read; name a cluster" if left > 0 else ""
        return self.table(place, rows, empty=empty, failures=failures, more=more, console=caches_link(place))


async def _differences(place: Place, group: str) -> _Read:
    found = await place.gather(
        "elasticache",
        "DescribeCacheParameters",
        "Parameters",
        _MOST_PARAMETERS,
        CacheParameterGroupName=group,
        Source="user",
    )
    own = [each for each in found if each.get("Source", "user") == "user" and each.get("ParameterValue") is not None]
    if not own:
        return [], {}, []
    try:
        answer = await place.call("elasticache", "DescribeCacheParameterGroups", CacheParameterGroupName=group)
        listed = answer.get("CacheParameterGroups") or [{}]
        family = str(listed[0].get("CacheParameterGroupFamily", ""))
        defaults = await engine_defaults(
            place, "elasticache", "DescribeEngineDefaultParameters", CacheParameterGroupFamily=family
        )
    except CallFailed as failure:
        return own, {}, [failure]
    return [e for e in own if str(e["ParameterValue"]) != defaults.get(str(e.get("ParameterName")))], defaults, []


def _parameter(told: Answer, group: str, state: str, defaults: dict[str, str]) -> Row:
    name = str(told.get("ParameterName", "?"))
    return Row(
        name=name,
        facts={
            "value": str(told["ParameterValue"]),
            "default": defaults.get(name) or None,
            "waits_for_reboot": state == "pending-reboot" and told.get("ChangeType") == "requires-reboot",
            "group": group,
            "group_state": state,
        },
    )


OPERATIONS = (Parameters,)
