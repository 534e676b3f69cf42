"""Who may do what: a person who has left does nothing, and a guest sees only channels of their own."""

from runbook_bot.playground.slack.api.method import Arguments, Desk
from runbook_bot.playground.slack.state import Channel


class CannotAct(Exception):
    """A deed that Slack's own client would not let this person do; one clear line."""


def person_who_acts(desk: Desk, args: Arguments) -> str:
    """The id of the person, who must be a member of the workspace and no bot."""
    person = desk.state.people.get(args.text("user"))
    if person is None:
        raise CannotAct(f"there is no user {args.text('user')!r} in this workspace")
    if person.deleted:
        raise CannotAct(f"{person.real_name} has left this workspace")
    if person.is_bot:
        raise CannotAct(f"{person.real_name} is the bot; it acts through the Web API")
    return person.id


def place(desk: Desk, args: Arguments, user: str, *, to_write: bool = False) -> Channel:
    """The channel of a deed. Anyone but a guest can look into a public channel; writing needs membership."""
    name = args.text("channel")
    state = desk.state
    channel = state.open_im(user) if name == state.workspace.bot else state.channel_named(name)
    if channel is None:
        raise CannotAct(f"there is no channel {name!r}")
    person = state.people[user]
    guest = person.is_restricted or person.is_ultra_restricted or bool(person.team)
    looks_in = not to_write and channel.kind == "channel" and not guest
    if user not in channel.members and not looks_in:
        raise CannotAct(f"{person.real_name} is not in {channel.name or 'this conversation'}")
    return channel
