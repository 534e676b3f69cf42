"""DynamoDB: when the capacity or the billing of a table was last set."""

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place


async def table_changes(place: Place, resource: Resource, window: TimeWindow) -> tuple[list[Change], list[CallFailed]]:
    """Of the table and its indexes; DynamoDB keeps the last time only."""
    try:
        table = (await place.call("dynamodb", "DescribeTable", TableName=resource.name)).get("Table") or {}
    except CallFailed as failure:
        return [], [failure]
    found = _capacity(resource, "", table.get("ProvisionedThroughput") or {}, window)
    for index in table.get("GlobalSecondaryIndexes") or []:
        found += _capacity(resource, str(index.get("IndexName")), index.get("ProvisionedThroughput") or {}, window)
    on_demand = (table.get("BillingModeSummary") or {}).get("LastUpdateToPayPerRequestDateTime")
    if (
        on_demand is not None
        and window.holds(utc(on_demand))
        and utc(on_demand) != utc(table.get("CreationDateTime") or on_demand)
    ):
        after = {"billing_mode": "PAY_PER_REQUEST"}
        summary = f"{resource.name} was switched to on-demand capacity"
        found.append(Change(at=utc(on_demand), kind="scaling", summary=summary, resource=resource, after=after))
    return found, []


def _capacity(resource: Resource, index: str, told: Answer, window: TimeWindow) -> list[Change]:
    times = {"raised": told.get("LastIncreaseDateTime"), "lowered": told.get("LastDecreaseDateTime")}
    after = {"read_capacity": str(told.get("ReadCapacityUnits")), "write_capacity": str(told.get("WriteCapacityUnits"))}
    name = f"index {index} of {resource.name}" if index else resource.name
    now = f"; now {after['read_capacity']} read and {after['write_capacity']} write units"
    return [
        Change(
            at=utc(at), kind="scaling", summary=f"the capacity of {name} was {way}{now}", resource=resource, after=after
        )
        for way, at in times.items()
        if at is not None and window.holds(utc(at))
    ]
