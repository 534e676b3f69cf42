"""Changes of weighted records: another share of who is sent where."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300


class SetWeight(AwsMutation):
    """Give one weighted record of a hosted zone another weight; all else of it stays as it is."""

    operation: ClassVar[str] = "route53.set_weight"
    service: ClassVar[str] = "route53"
    action: ClassVar[str] = "ChangeResourceRecordSets"
    any_target: ClassVar[str] = "hostedzone/*"
    everywhere: ClassVar[bool] = True

    zone: str = Field(pattern=r"^[A-Z0-9]{6,32}$", description="Hosted zone id")
    name: str = Field(pattern=r"^[A-Za-z0-9_.*-]{1,255}$", description="Name of the record")
    type: Literal["A", "AAAA", "CNAME"] = Field(description="Type of the record")
    identifier: str = Field(min_length=1, max_length=128, description="Set identifier")
    weight: int = Field(ge=0, le=255, description="Weight")
    record: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the record holds besides, as it was read; filled in here"
    )

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.metric, namespace="AWS/Route53", kind="record", name=self._spoken)

    @property
    def _spoken(self) -> str:
        return f"{self.name.rstrip('.')} {self.type} {self.identifier}"

    @property
    def request(self) -> dict[str, Any]:
        record = {
            "Name": self.name,
            "Type": self.type,
            "SetIdentifier": self.identifier,
            "Weight": self.weight,
            **self.record,
        }
        return {
            "HostedZoneId": self.zone,
            "ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
        }

    @property
    def resource_path(self) -> str:
        return f"hostedzone/{self.zone}"

    def arn(self, partition: str, region: str, account: str) -> str:
        return f"arn:{partition}:route53:::hostedzone/{self.zone}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"weight": self.weight}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("weight", "record")

    async def _records(self, place: Place) -> list[Answer]:
        told = await place.gather(
            "route53", "ListResourceRecordSets", "ResourceRecordSets", _MOST,
            HostedZoneId=self.zone, StartRecordName=self.name, StartRecordType=self.type,
        )  # fmt: skip
        wanted = (self.name.rstrip("."), self.type)
        return [each for each in told if (str(each.get("Name", "")).rstrip("."), each.get("Type")) == wanted]

    async def state(self, place: Place) -> Json:
        records = await self._records(place)
        mine = next((each for each in records if each.get("SetIdentifier") == self.identifier), None)
        if mine is None:
            raise CallFailed("missing", f"there is no record {self._spoken}", action="route53:ListResourceRecordSets")
        if "Weight" not in mine:
            raise Unfit(f"{self._spoken} is not a weighted record")
        kept = {k: v for k, v in mine.items() if k not in ("Name", "Type", "SetIdentifier", "Weight")}
        total = sum(int(each.get("Weight") or 0) for each in records)
        return {"weight": int(mine["Weight"]), "record": kept, "total": total}

    async def plan(self, place: Place, state: Json) -> Plan:
        now, total = int(str(state["weight"])), int(str(state["total"]))
        if now == self.weight:
            raise Unfit(f"{self._spoken} has the weight {now} already")
        if self.record != state["record"]:
            raise Unfit(f"{self._spoken} holds something else than was read of it")
        after = total - now + self.weight
        if after == 0:
            raise Unfit(f"no record of {self.name} would have a weight, and all would be answered alike")
        back = self.model_copy(update={"weight": now})
        ttl = state["record"].get("TTL") if isinstance(state["record"], dict) else None
        return Plan(
            title=f"Give {self._spoken} the weight {self.weight} instead of {now}",
            summary=f"{round(100 * now / (total or 1))} % → {round(100 * self.weight / after)} % of the answers",
            impact=f"resolvers follow within {ttl} s" if ttl else "resolvers follow within a minute or so",
            risk=Risk.high,
            back=back,
            account=(await place.identity()).account,
        )


MUTATIONS = (SetWeight,)
