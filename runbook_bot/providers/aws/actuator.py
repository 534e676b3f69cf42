"""AWS as a place where changes are made: prepared from the world, sent once, with an approval in hand."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from runbook_bot.domain.approval import Approval, Outcome, Preparation, Proposal, SealBroken
from runbook_bot.domain.noun import Json
from runbook_bot.domain.ports import Clock
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.credentials import changing_client
from runbook_bot.providers.aws.failure import UNREADABLE, CallFailed, failure_of
from runbook_bot.providers.aws.mutations.mutation import AwsMutation
from runbook_bot.providers.aws.mutations.register import mutation_of, mutations
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.repairs import CHOICES

_RUN_SECONDS = 12.0
_UNSURE = ("timeout", "unreachable", "failed", "unsupported")


@dataclass(frozen=True)
class _Sent:
    """What AWS answered to a change."""

    request_id: str


class _Refused(Exception):
    """The change certainly did not happen; the message is for the outcome."""


def _sent(answer: Any) -> _Sent:
    return _Sent(str((answer.get("ResponseMetadata") or {}).get("RequestId", "")))


class AwsActuator:
    """Makes approved changes with the role for changes, or with ambient credentials where that is allowed."""

    def __init__(
        self,
        settings: AwsSettings,
        clock: Clock,
        *,
        allow_ambient_credentials: bool,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_change` is called when something was, or may have been, changed."""
        self._settings = settings
        self._clock = clock
        self._ambient = allow_ambient_credentials
        self._on_change = on_change
        self._places = Places(settings, remembers=False)

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(mutations())

    async def prepare(self, repair: Repair, resource: Resource) -> Preparation | None:
        choose = CHOICES.get((repair, resource.type))
        if choose is None:
            return None
        last: CallFailed | None = None
        for place in self._places.all:
            try:
                mutation = await choose(place, resource, self._clock.now())
                return await mutation.prepared(place) if mutation is not None else None
            except CallFailed as failure:
                last = failure if failure.kind != "missing" else last
        if last is not None:
            raise last
        return None

    async def prepare_rollback(self, proposal: Proposal) -> Preparation | None:
        back = proposal.preparation.rollback
        if back is None:
            return None
        return await mutation_of(back).prepared(self._place_of(proposal))

    async def drift(self, proposal: Proposal) -> str:
        """Raises `ProviderError` where the present state cannot be read; a target that is gone has drifted."""
        mutation = mutation_of(proposal.preparation.call)
        try:
            now = await mutation.state(self._place_of(proposal))
        except CallFailed as failure:
            if failure.kind == "missing":
                return f"{mutation.target.name} is gone: {failure}"
            raise
        return mutation.drift(proposal.preparation.pre_state, now)

    async def took_effect(self, proposal: Proposal) -> bool | None:
        try:
            place = self._place_of(proposal)
            return await mutation_of(proposal.preparation.call).took_effect(place, proposal)
        except ProviderError:
            return None  # what cannot be read cannot be told; the caller asks again or says so

    async def run(self, proposal: Proposal, approval: Approval) -> Outcome:
        if approval.proposal != proposal.id or approval.digest != proposal.digest:
            raise SealBroken(f"this approval is for another change than {proposal.id}")
        mutation = mutation_of(proposal.preparation.call)
        if mutation.target.key != proposal.preparation.target.key:
            raise ProviderError(f"the call of {proposal.id} is not about its target {proposal.preparation.target.key}")
        place = self._place_of(proposal)
        try:
            sent = await self._send(mutation, proposal)
        except _Refused as refused:
            return Outcome(took_effect=False, message=str(refused))
        except CallFailed as failure:
            self._on_change()
            return await self._after_failure(place, mutation, proposal, failure)
        self._on_change()
        return Outcome(
            took_effect=True,
            message=f"AWS accepted: {proposal.preparation.shown}",
            request_id=sent.request_id,
            post_state=await self._state_after(place, mutation),
        )

    async def _send(self, mutation: AwsMutation, proposal: Proposal) -> _Sent:
        """Raises `_Refused` where nothing was sent, `CallFailed` for what AWS answered or did not."""
        sts = ("sts", "AssumeRole" if self._settings.mutation_role_arn else "GetCallerIdentity")
        try:
            client = await asyncio.wait_for(asyncio.to_thread(self._client, mutation, proposal), _RUN_SECONDS)
        except TimeoutError:
            raise _Refused("no change was made: AWS gave no credentials in time") from None
        except (ClientError, BotoCoreError, *UNREADABLE) as error:
            raise _Refused(f"no change was made: {failure_of(error, *sts)}") from error
        except ProviderError as error:
            raise _Refused(str(error)) from error
        call = getattr(client, xform_name(mutation.action))
        made = await self._rehearsed(mutation, call) if mutation.dry_runs else None
        if made is not None:
            return made
        try:
            answer = await asyncio.wait_for(asyncio.to_thread(call, **mutation.request), _RUN_SECONDS)
        except TimeoutError:
            text = f"AWS did not answer {mutation.action} in time"
            raise CallFailed("timeout", text, action=f"{mutation.service}:{mutation.action}") from None
        except EndpointConnectionError as error:
            raise _Refused(f"no change was made: AWS cannot be reached for {mutation.action}") from error
        except (ClientError, BotoCoreError, *UNREADABLE) as error:
            raise failure_of(error, mutation.service, mutation.action) from error
        return _sent(answer)

    @staticmethod
    async def _rehearsed(mutation: AwsMutation, call: Callable[..., Any]) -> _Sent | None:
        """Asks AWS whether it would make the change. None where it would; raises `_Refused` where it would not.

        Who answers that it was done has taken the rehearsal for the play, and must not be sent the change again.
        """
        try:
            answer = await asyncio.wait_for(asyncio.to_thread(call, **mutation.request, DryRun=True), _RUN_SECONDS)
        except TimeoutError:
            raise _Refused(f"no change was made: AWS did not answer the dry run of {mutation.action} in time") from None
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "DryRunOperation":
                return None
            told = failure_of(error, mutation.service, mutation.action)
            raise _Refused(f"no change was made, the dry run failed: {told}") from error
        except (BotoCoreError, *UNREADABLE) as error:
            told = failure_of(error, mutation.service, mutation.action)
            raise _Refused(f"no change was made, the dry run failed: {told}") from error
        return _sent(answer)

    def _client(self, mutation: AwsMutation, proposal: Proposal) -> Any:
        return changing_client(self._settings, mutation, proposal, allow_ambient_credentials=self._ambient)

    async def _after_failure(
        self, place: Place, mutation: AwsMutation, proposal: Proposal, failure: CallFailed
    ) -> Outcome:
        """A refusal is certain; a silence is not, and the world may tell already."""
        if failure.kind not in _UNSURE:
            return Outcome(took_effect=False, message=str(failure))
        try:
            done = await mutation.took_effect(place, proposal)
        except CallFailed:
            done = None
        if done:
            post = await self._state_after(place, mutation)
            return Outcome(took_effect=True, message=f"{failure}; the change is there all the same", post_state=post)
        return Outcome(took_effect=None, message=f"{failure}; whether the change was made is not known yet")

    async def _state_after(self, place: Place, mutation: AwsMutation) -> Json:
        try:
            return await mutation.state(place)
        except CallFailed as failure:
            return {"not_read": str(failure)}

    def _place_of(self, proposal: Proposal) -> Place:
        """The place a proposal was prepared in. Raises `ProviderError` where it is not configured any more."""
        where = proposal.preparation
        for place in self._places.all:
            account = place.account.role_arn.split(":")[4:5] if place.account else [where.account]
            if place.region == where.region and account == [where.account]:
                return place
        raise ProviderError(f"account {where.account} in {where.region} is not configured in providers.aws")
