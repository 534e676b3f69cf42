"""Who may decide on a proposal: asked afresh at every press, and whatever cannot be told means no."""

from collections.abc import Callable

from runbook_bot.approval import words
from runbook_bot.approval.policy import Approvers, SafetySettings
from runbook_bot.approval.refusal import Refused
from runbook_bot.domain.approval import Proposal
from runbook_bot.domain.ports import Directory
from runbook_bot.errors import DeskError


class Voters:
    """The people of one workspace, under one policy."""

    def __init__(self, safety: SafetySettings, directory: Directory | None, team: Callable[[], str]) -> None:
        self._safety = safety
        self._directory = directory
        self._team = team

    async def may_approve(self, user: str, proposal: Proposal, channel: str, *, own: bool = False) -> None:
        """Raises `Refused` where `user` may not approve it. `own` lifts the rule against approving one's own."""
        await self._may_speak(user, proposal, channel)
        if not self._named_ones_needed(proposal):
            return
        if user == proposal.requester and not (own or self._safety.allow_self_approval):
            raise Refused("self_approval", words.SELF_APPROVAL)

    async def may_reject(self, user: str, proposal: Proposal, channel: str) -> None:
        """An approver may, and so may the person who asked: to withdraw is no risk."""
        if user == proposal.requester:
            await self._is_member(user, channel)
        else:
            await self._may_speak(user, proposal, channel)

    async def still_may(self, user: str, proposal: Proposal, channel: str) -> bool:
        """Whether an approval given earlier counts now. Raises `Refused` only where that cannot be told."""
        try:
            await self.may_approve(user, proposal, channel)
        except Refused as refused:
            if refused.code == "directory":
                raise
            return False
        return True

    def _named_ones_needed(self, proposal: Proposal) -> bool:
        return proposal.preparation.risk in self._safety.require_approval

    async def _may_speak(self, user: str, proposal: Proposal, channel: str) -> None:
        risk = proposal.preparation.risk
        named = self._safety.approvers_for(risk)
        if self._named_ones_needed(proposal) and named is None:
            raise Refused("no_approvers", words.NO_APPROVERS.format(risk=risk.value))
        await self._is_member(user, channel)
        if self._named_ones_needed(proposal) and named is not None and not await self._among(user, named):
            raise Refused("not_allowed", words.NOT_ALLOWED.format(risk=risk.value))

    async def _is_member(self, user: str, channel: str) -> None:
        if self._directory is None:
            raise Refused("directory", words.NO_DIRECTORY)
        try:
            person = await self._directory.person(user)
            inside = await self._directory.in_channel(user, channel)
        except (DeskError, TimeoutError) as error:
            raise Refused("directory", words.DIRECTORY.format(error=error)) from error
        team = self._team()
        if (
            person is None
            or person.id != user
            or not team
            or person.team != team
            or person.deactivated
            or person.bot
            or person.guest
            or person.stranger
        ):
            raise Refused("not_member", words.NOT_MEMBER)
        if not inside:
            raise Refused("not_in_channel", words.NOT_IN_CHANNEL)

    async def _among(self, user: str, named: Approvers) -> bool:
        if user in named.users:
            return True
        assert self._directory is not None
        try:
            for group in named.usergroups:
                if user in await self._directory.group(group):
                    return True
        except (DeskError, TimeoutError) as error:
            raise Refused("directory", words.DIRECTORY.format(error=error)) from error
        return False
