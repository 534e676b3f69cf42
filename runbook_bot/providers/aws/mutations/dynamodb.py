"""Changes of a DynamoDB table: how much it may be read and written."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Place


class SetCapacity(AwsMutation):
    """Provision other read and write capacity for a DynamoDB table."""

    operation: ClassVar[str] = "dynamodb.update_capacity"
    service: ClassVar[str] = "dynamodb"
    action: ClassVar[str] = "UpdateTable"
    any_target: ClassVar[str] = "table/*"

    table: str = Field(min_length=3, max_length=255, description="Name of the table")
    read_units: int = Field(ge=1, le=40_000, description="Read capacity units")
    write_units: int = Field(ge=1, le=40_000, description="Write capacity units")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.dynamodb_table, name=self.table)

    @property
    def request(self) -> dict[str, Any]:
        wanted = {"ReadCapacityUnits": self.read_units, "WriteCapacityUnits": self.write_units}
        return {"TableName": self.table, "ProvisionedThroughput": wanted}

    @property
    def resource_path(self) -> str:
        return f"table/{self.table}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"read_units": self.read_units, "write_units": self.write_units}

    async def state(self, place: Place) -> Json:
        table = (await place.call("dynamodb", "DescribeTable", TableName=self.table)).get("Table") or {}
        capacity = table.get("ProvisionedThroughput") or {}
        mode = (table.get("BillingModeSummary") or {}).get("BillingMode") or "PROVISIONED"
        return {
            "mode": str(mode),
            "status": str(table.get("TableStatus", "")),
            "read_units": int(capacity.get("ReadCapacityUnits") or 0),
            "write_units": int(capacity.get("WriteCapacityUnits") or 0),
            "decreases_today": int(capacity.get("NumberOfDecreasesToday") or 0),
            "account": account_of(table.get("TableArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["mode"] == "PAY_PER_REQUEST":
            raise Unfit(f"{self.table} is paid per request; there is no capacity to provision")
        if state["status"] != "ACTIVE":
            raise Unfit(f"{self.table} is {state['status']}, and only an active table can be changed")
        reads, writes = state["read_units"], state["write_units"]
        assert isinstance(reads, int)
        assert isinstance(writes, int)
        if (reads, writes) == (self.read_units, self.write_units):
            raise Unfit(f"{self.table} has {reads} read and {writes} write units already")
        lowered = self.read_units < reads or self.write_units < writes
        warning = f"; it was lowered {state['decreases_today']} times today, and AWS limits that" if lowered else ""
        return Plan(
            title=f"Give {self.table} {self.read_units} read and {self.write_units} write units",
            summary=f"read units {reads} → {self.read_units}, write units {writes} → {self.write_units}",
            impact=f"{'requests beyond the new capacity are throttled' if lowered else 'more is paid by the hour'}; "
            f"the table stays in use meanwhile. Autoscaling, where it is on, may set it again{warning}",
            risk=Risk.high if lowered else Risk.medium,
            back=SetCapacity(table=self.table, read_units=max(1, reads), write_units=max(1, writes)),
            account=str(state["account"]),
        )


MUTATIONS = (SetCapacity,)
