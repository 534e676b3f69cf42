"""Changes of a database."""

from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field, JsonValue, model_validator

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_events, read_instance


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


class FailOver(AwsMutation):
    """Let another member of an Aurora cluster, or of a Multi-AZ cluster, become the writer."""

    operation: ClassVar[str] = "rds.failover_db_cluster"
    service: ClassVar[str] = "rds"
    action: ClassVar[str] = "FailoverDBCluster"
    any_target: ClassVar[str] = "cluster:*"

    cluster: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$", description="DBClusterIdentifier")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.rds_cluster, name=self.cluster)

    @property
    def request(self) -> dict[str, Any]:
        return {"DBClusterIdentifier": self.cluster}

    @property
    def resource_path(self) -> str:
        return f"cluster:{self.cluster}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("status", "writer")

    async def state(self, place: Place) -> Json:
        told = await read_cluster(place, self.cluster)
        members = told.get("DBClusterMembers") or []
        writer = next((str(m.get("DBInstanceIdentifier")) for m in members if m.get("IsClusterWriter")), "")
        readers: list[JsonValue] = [str(m.get("DBInstanceIdentifier")) for m in members if not m.get("IsClusterWriter")]
        return {
            "status": str(told.get("Status", "")),
            "writer": writer,
            "readers": readers,
            "account": account_of(told.get("DBClusterArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        readers = state["readers"]
        if not isinstance(readers, list) or not readers:
            raise Unfit(f"{self.cluster} has no reader that could become its writer")
        if state["status"] != "available":
            raise Unfit(f"{self.cluster} is {state['status']}")
        return Plan(
            title=f"Fail {self.cluster} over to another writer",
            summary=f"writer {state['writer']} → one of {', '.join(str(each) for each in readers[:4])}",
            impact=f"writes to {self.cluster} fail for usually less than a minute and every connection to the writer "
            "is dropped; caches of the new writer are cold",
            risk=Risk.critical,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        state = await self.state(place)
        return state["writer"] != proposal.preparation.pre_state.get("writer") or None


class ModifyInstance(AwsMutation):
    """Give a DB instance another class or more storage, at once."""

    operation: ClassVar[str] = "rds.modify_db_instance"
    service: ClassVar[str] = "rds"
    action: ClassVar[str] = "ModifyDBInstance"
    any_target: ClassVar[str] = "db:*"

    instance: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$", description="DBInstanceIdentifier")
    instance_class: str | None = Field(default=None, pattern=r"^db\.[a-z0-9-]+\.[a-z0-9]+$", description="DB class")
    storage_gib: int | None = Field(default=None, ge=20, le=65_536, description="Allocated storage, GiB")

    @model_validator(mode="after")
    def _one_thing(self) -> "ModifyInstance":
        if (self.instance_class is None) == (self.storage_gib is None):
            raise ValueError("either instance_class or storage_gib")
        return self

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.rds_instance, name=self.instance)

    @property
    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = {"DBInstanceIdentifier": self.instance, "ApplyImmediately": True}
        if self.instance_class is not None:
            found["DBInstanceClass"] = self.instance_class
        if self.storage_gib is not None:
            found["AllocatedStorage"] = self.storage_gib
        return found

    @property
    def resource_path(self) -> str:
        return f"db:{self.instance}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("status", "class", "storage_gib")

    async def state(self, place: Place) -> Json:
        told = await read_instance(place, self.instance)
        pending = told.get("PendingModifiedValues") or {}
        return {
            **instance_state(told),
            "storage_gib": int(told.get("AllocatedStorage") or 0),
            "pending_class": str(pending.get("DBInstanceClass") or ""),
            "pending_storage_gib": int(pending.get("AllocatedStorage") or 0),
            "account": account_of(told.get("DBInstanceArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["status"] != "available":
            raise Unfit(f"{self.instance} is {state['status']}, and only an available one can be modified")
        if self.storage_gib is not None:
            return self._storage(state, int(str(state["storage_gib"])))
        now = str(state["class"])
        if now == self.instance_class:
            raise Unfit(f"{self.instance} is a {now} already")
        away = (
            "less than a minute, while it fails over" if state["multi_az"] else "several minutes: there is no standby"
        )
        return Plan(
            title=f"Make {self.instance} a {self.instance_class}",
            summary=f"class {now} → {self.instance_class}",
            impact=f"{self.instance} is away for usually {away}; every connection is dropped and caches are cold",
            risk=Risk.critical,
            back=ModifyInstance(instance=self.instance, instance_class=now),
            account=str(state["account"]),
        )

    def _storage(self, state: Json, now: int) -> Plan:
        wanted = self.storage_gib or 0
        if wanted < now * 1.1:
            raise Unfit(f"{self.instance} has {now} GiB; storage only grows, by at least a tenth")
        return Plan(
            title=f"Give {self.instance} {wanted} GiB of storage instead of {now}",
            summary=f"storage {now} → {wanted} GiB",
            impact=f"{self.instance} stays in use; writing may be slower for hours while the storage is optimised, "
            "no other change of storage is possible for six hours, and it cannot be made smaller again",
            risk=Risk.high,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        state = await self.state(place)
        if self.instance_class is not None:
            return self.instance_class in (state["class"], state["pending_class"])
        return self.storage_gib in (state["storage_gib"], state["pending_storage_gib"])


def instance_state(instance: Answer) -> Json:
    return {
        "status": str(instance.get("DBInstanceStatus", "")),
        "class": str(instance.get("DBInstanceClass", "")),
        "multi_az": bool(instance.get("MultiAZ")),
    }


MUTATIONS = (RebootInstance, FailOver, ModifyInstance)
