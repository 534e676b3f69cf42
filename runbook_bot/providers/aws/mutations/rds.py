"""Changes of a database."""

from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, account_of
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_events, read_instance


class RebootInstance(AwsMutation):
    """Reboot a DB instance: every connection is dropped, and it is down meanwhile."""

    operation: ClassVar[str] = "rds.reboot_db_instance"
    service: ClassVar[str] = "rds"
    action: ClassVar[str] = "RebootDBInstance"
    any_target: ClassVar[str] = "db:*"

    instance: str = Field(min_length=1, description="DBInstanceIdentifier")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.rds_instance, name=self.instance)

    @property
    def request(self) -> dict[str, Any]:
        return {"DBInstanceIdentifier": self.instance}

    @property
    def resource_path(self) -> str:
        return f"db:{self.instance}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("status", "class")

    async def state(self, place: Place) -> Json:
        return instance_state(await read_instance(place, self.instance))

    async def plan(self, place: Place, state: Json) -> Plan:
        instance = await read_instance(place, self.instance)
        kept = "the standby in the other zone is not used" if instance.get("MultiAZ") else "there is no standby"
        return Plan(
            title=f"Reboot the database {self.instance}",
            summary=f"{instance.get('Engine', '')} on {instance.get('DBInstanceClass', '')}, rebooted as it is",
            impact=f"{self.instance} is down while it reboots, usually one to several minutes; "
            f"every connection is dropped and running transactions are rolled back; {kept}",
            risk=Risk.critical,
            back=None,
            account=account_of(instance.get("DBInstanceArn")),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        """A reboot leaves no other trace than its state while it lasts and an event afterwards."""
        instance = await read_instance(place, self.instance)
        if instance.get("DBInstanceStatus") == "rebooting":
            return True
        since = TimeWindow(start=proposal.created_at, end=proposal.created_at + timedelta(days=1))
        events = await read_events(place, self.target, since)
        restarted = any("restarted" in str(each.get("Message", "")).lower() for each in events)
        return True if restarted else None


def instance_state(instance: Answer) -> Json:
    return {
        "status": str(instance.get("DBInstanceStatus", "")),
        "class": str(instance.get("DBInstanceClass", "")),
        "multi_az": bool(instance.get("MultiAZ")),
    }


MUTATIONS = (RebootInstance,)
