"""Changes of a cache: let a replica take over."""

from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Place


class FailOverShard(AwsMutation):
    """Let a replica of one shard of a replication group become its primary."""

    operation: ClassVar[str] = "elasticache.failover"
    service: ClassVar[str] = "elasticache"
    action: ClassVar[str] = "TestFailover"
    any_target: ClassVar[str] = "replicationgroup:*"

    group: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,39}$", description="Replication group id")
    shard: str = Field(default="0001", pattern=r"^\d{4}$", description="Node group id")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.elasticache_cluster, name=self.group)

    @property
    def request(self) -> dict[str, Any]:
        return {"ReplicationGroupId": self.group, "NodeGroupId": self.shard}

    @property
    def resource_path(self) -> str:
        return f"replicationgroup:{self.group}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("status", "primary")

    async def state(self, place: Place) -> Json:
        told = await place.call("elasticache", "DescribeReplicationGroups", ReplicationGroupId=self.group)
        groups = told.get("ReplicationGroups") or []
        if not groups:
            text = f"there is no replication group {self.group}"
            raise CallFailed("missing", text, action="elasticache:DescribeReplicationGroups")
        shards = groups[0].get("NodeGroups") or []
        members = next((s.get("NodeGroupMembers") or [] for s in shards if s.get("NodeGroupId") == self.shard), [])
        primary = [str(m.get("CacheClusterId")) for m in members if m.get("CurrentRole") == "primary"]
        replicas: list[JsonValue] = [str(m.get("CacheClusterId")) for m in members if m.get("CurrentRole") != "primary"]
        return {
            "status": str(groups[0].get("Status", "")),
            "automatic": str(groups[0].get("AutomaticFailover", "")),
            "primary": "".join(primary[:1]),
            "replicas": replicas,
            "account": account_of(groups[0].get("ARN")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        replicas = state["replicas"]
        if state["automatic"] != "enabled":
            raise Unfit(f"automatic failover of {self.group} is {state['automatic'] or 'off'}, and this needs it")
        if not isinstance(replicas, list) or not replicas:
            raise Unfit(f"shard {self.shard} of {self.group} has no replica")
        if state["status"] != "available":
            raise Unfit(f"{self.group} is {state['status']}")
        return Plan(
            title=f"Fail shard {self.shard} of {self.group} over",
            summary=f"primary {state['primary']} → one of {', '.join(str(each) for each in replicas[:4])}",
            impact=f"writes to shard {self.shard} fail until a replica has taken over, usually a minute or two; "
            "what was not replicated yet is lost, and every connection to the primary is dropped",
            risk=Risk.critical,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        """While it lasts the roles are as before, so that only another primary is an answer."""
        state = await self.state(place)
        before = proposal.preparation.pre_state.get("primary")
        return True if state["primary"] and state["primary"] != before else None


MUTATIONS = (FailOverShard,)
