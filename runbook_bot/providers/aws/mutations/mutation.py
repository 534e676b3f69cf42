"""A change of AWS: typed parameters, and all that has to be known of it before, at and after its one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import JsonValue

from runbook_bot.domain.approval import Call, Preparation, Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Mutation
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.failure import CallFailed, iam_action
from runbook_bot.providers.aws.mutations.command import command
from runbook_bot.providers.aws.place import Place


class Unfit(ProviderError):
    """The change makes no sense in the world as it is; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What a change would be, in the words of its card."""

    title: str
    summary: str
    """What differs: `reserved concurrency 10 → 20`."""
    impact: str
    """In words and numbers: what is replaced, dropped or away, for how long, and what is left meanwhile."""
    risk: Risk
    back: "AwsMutation | None"
    """The way back, made from the state before; None where there is none."""
    account: str


class AwsMutation(Mutation):
    """A change as one call to AWS. Its fields are the parameters, in words of our own."""

    service: ClassVar[str]
    """In boto3's words, as `action`."""
    action: ClassVar[str]
    any_target: ClassVar[str]
    """The last part of the ARNs of all that it can be made to, e.g. `service/*`."""
    reads: ClassVar[tuple[str, ...]] = ()
    """`service:Call` of what it reads beyond what questions read, in boto3's words: they go into the policy."""
    everywhere: ClassVar[bool] = False
    """Whether its ARNs name neither region nor account."""
    dry_runs: ClassVar[bool] = False
    """Whether the API can be asked first whether it would make the change (`DryRun`)."""

    @property
    def target(self) -> Resource:
        raise NotImplementedError

    @property
    def request(self) -> dict[str, Any]:
        """The parameters of the call, in the API's own words."""
        raise NotImplementedError

    @property
    def resource_path(self) -> str:
        """The last part of the ARN that the permission is limited to."""
        raise NotImplementedError

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        """What `state` says once it was made, field by field; empty where no state tells."""
        return {}

    @property
    def watched(self) -> tuple[str, ...]:
        """The fields of `state` that must be as they were when it was approved."""
        return tuple(self.leaves)

    async def state(self, place: Place) -> Json:
        """The target as it is now. Raises `CallFailed`."""
        raise NotImplementedError

    async def plan(self, place: Place, state: Json) -> Plan:
        """Raises `Unfit` where a precondition does not hold, `CallFailed` where the world cannot be read."""
        raise NotImplementedError

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        """Whether the world shows it; None where that cannot be told. Raises `CallFailed`.

        Asked after a crash, a time-out, or an answer that cannot be read.
        """
        del proposal
        if not self.leaves:
            return None
        state = await self.state(place)
        return all(state.get(name) == value for name, value in self.leaves.items())

    @property
    def call(self) -> Call:
        return Call(operation=self.operation, parameters=self.model_dump(mode="json", exclude_none=True, by_alias=True))

    def shown(self, region: str) -> str:
        """The exact call as a person reads it, and could make it."""
        return command(self.service, self.action, self.request, region)

    def arn(self, partition: str, region: str, account: str) -> str:
        """What the permission is limited to. Services without region or account in their ARNs say so."""
        prefix = iam_action(self.service, self.action).partition(":")[0]
        return f"arn:{partition}:{prefix}:{region}:{account}:{self.resource_path}"

    def policy(self, partition: str, region: str, account: str) -> dict[str, Any]:
        """The smallest policy that allows this very change."""
        arn = self.arn(partition, region, account)
        allow = {"Effect": "Allow", "Action": iam_action(self.service, self.action), "Resource": arn}
        return {"Version": "2012-10-17", "Statement": [allow]}

    def drift(self, before: Json, now: Json) -> str:
        """What matters to this change and is not as it was; "" where nothing is."""
        changed = [name for name in self.watched if before.get(name) != now.get(name)]
        moved = ", ".join(f"{name} was {before.get(name)} and is {now.get(name)}" for name in changed)
        return f"{self.target.name}: {moved}" if moved else ""

    async def prepared(self, place: Place) -> Preparation:
        """What it would be, read from the world, before anybody is asked. Raises `Unfit` and `CallFailed`."""
        state = await self.state(place)
        plan = await self.plan(place, state)
        if not plan.account:
            text = f"AWS did not tell the account of {self.target.name}"
            raise CallFailed("failed", text, action=iam_action(self.service, self.action))
        return Preparation(
            title=plan.title,
            call=self.call,
            target=self.target,
            account=plan.account,
            region=place.region,
            pre_state=state,
            impact=plan.impact,
            risk=plan.risk,
            rollback=plan.back.call if plan.back is not None else None,
            shown=self.shown(place.region),
            summary=plan.summary,
        )


def account_of(arn: object) -> str:
    """The account in an ARN; empty where it holds none."""
    parts = str(arn or "").split(":")
    return parts[4] if len(parts) > 5 else ""
