"""Reactions: reactions.add, remove, get."""

from runbook_bot.playground.slack.api.method import TIER_2, TIER_3, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel, State


def react(state: State, channel: Channel, message: Json, name: str, user: str) -> bool:
    """Add a person's reaction; False when it was there already."""
    reactions: list[Json] = message.setdefault("reactions", [])
    found = next((one for one in reactions if one["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if user in found["users"]:
        return False
    found["users"].append(user)
    found["count"] = len(found["users"])
    state.publish_message(channel, message)
    return True


def unreact(state: State, channel: Channel, message: Json, name: str, user: str) -> bool:
    """Take a person's reaction away; False when there was none."""
    reactions: list[Json] = message.get("reactions", [])
    found = next((one for one in reactions if one["name"] == name and user in one["users"]), None)
    if found is None:
        return False
    found["users"].remove(user)
    found["count"] = len(found["users"])
    message["reactions"] = [one for one in reactions if one["users"]]
    state.publish_message(channel, message)
    return True


def _message(desk: Desk, args: Arguments) -> tuple[Channel, Json]:
    channel = desk.joined(args)
    message = channel.messages.get(args.need("timestamp", "no_item_specified"))
    if message is None or "ephemeral_to" in message:
        raise Refused("message_not_found")
    return channel, message


def _add(desk: Desk, args: Arguments) -> Json:
    channel, message = _message(desk, args)
    name = args.need("name", "invalid_name").strip(":")
    if not react(desk.state, channel, message, name, desk.state.workspace.bot):
        raise Refused("already_reacted")
    return {}


def _remove(desk: Desk, args: Arguments) -> Json:
    channel, message = _message(desk, args)
    name = args.need("name", "invalid_name").strip(":")
    if not unreact(desk.state, channel, message, name, desk.state.workspace.bot):
        raise Refused("no_reaction")
    return {}


def _get(desk: Desk, args: Arguments) -> Json:
    channel, message = _message(desk, args)
    return {"type": "message", "channel": channel.id, "message": message}


METHODS = {
    "reactions.add": Method(_add, TIER_3, ("reactions:write",)),
    "reactions.remove": Method(_remove, TIER_2, ("reactions:write",)),
    "reactions.get": Method(_get, TIER_3, ("reactions:read",)),
}
