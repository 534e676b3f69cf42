"""Channels and what was said in them: conversations.*."""

from runbook_bot.playground.slack.api.method import TIER_2, TIER_3, TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.api.paging import page
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel

_PREFIX = {"channel": "channels", "group": "groups", "im": "im"}


def _visible(desk: Desk, args: Arguments, right: str) -> Channel:
    """The channel, when the app holds the scope for this kind of channel."""
    channel = desk.channel(args)
    desk.require(f"{_PREFIX[channel.kind]}:{right}")
    return channel


def channel_object(desk: Desk, channel: Channel) -> Json:
    """A channel as conversations.info answers."""
    bot = desk.state.workspace.bot
    shared: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": channel.is_im,
        "is_org_shared": False,
        "context_team_id": desk.state.workspace.team_id,
        "updated": channel.created * 1000,
    }
    if channel.is_im:
        return {**shared, "user": channel.user, "is_user_deleted": False, "priority": 0}
    properties: Json = {"tabs": []}
    if channel.canvas_id:
        properties["canvas"] = {"file_id": channel.canvas_id, "is_empty": False, "quip_thread_id": channel.canvas_id}
        properties["tabs"] = [
            {"id": "channel_canvas", "type": "channel_canvas", "data": {"file_id": channel.canvas_id}}
        ]
    return {
        **shared,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_mpim": False,
        "is_private": channel.private,
        "is_general": channel.name == "general",
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_pending_ext_shared": False,
        "connected_team_ids": ["T0PARTNER"] if channel.shared else [],
        "is_member": bot in channel.members,
        "creator": channel.members[0] if channel.members else "",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "properties": properties,
    }


def _info(desk: Desk, args: Arguments) -> Json:
    channel = _visible(desk, args, "read")
    answer = channel_object(desk, channel)
    if args.flag("include_num_members"):
        answer["num_members"] = len(channel.members)
    return {"channel": answer}


def _select(messages: list[Json], args: Arguments) -> list[Json]:
    oldest, latest = args.text("oldest", "0"), args.text("latest") or "9999999999.999999"
    edge = args.flag("inclusive")
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    return [one for one in messages if low < float(one["ts"]) < high or (edge and float(one["ts"]) in {low, high})]


def _shown(message: Json, args: Arguments) -> Json:
    if args.flag("include_all_metadata"):
        return message
    return {key: one for key, one in message.items() if key != "metadata"}


def _history(desk: Desk, args: Arguments) -> Json:
    channel = _visible(desk, args, "history")
    if desk.state.workspace.bot not in channel.members:
        raise Refused("not_in_channel")
    top = [
        one
        for one in channel.messages.values()
        if "ephemeral_to" not in one
        and (one.get("thread_ts", one["ts"]) == one["ts"] or one.get("subtype") == "thread_broadcast")
    ]
    chosen, following = page(list(reversed(_select(top, args))), args, 100)
    more = bool(following["response_metadata"]["next_cursor"])
    return {"messages": [_shown(one, args) for one in chosen], "has_more": more, "pin_count": 0, **following}


def _replies(desk: Desk, args: Arguments) -> Json:
    channel = _visible(desk, args, "history")
    if desk.state.workspace.bot not in channel.members:
        raise Refused("not_in_channel")
    ts = args.need("ts", "thread_not_found")
    message = channel.messages.get(ts)
    if message is None or "ephemeral_to" in message:
        raise Refused("thread_not_found")
    parent_ts = message.get("thread_ts", ts)
    parent, *replies = channel.thread(parent_ts) or [message]
    chosen, following = page([parent, *_select(replies, args)], args, 1000)
    more = bool(following["response_metadata"]["next_cursor"])
    return {"messages": [_shown(one, args) for one in chosen], "has_more": more, **following}


def _members(desk: Desk, args: Arguments) -> Json:
    channel = _visible(desk, args, "read")
    chosen, following = page(channel.members, args, 100)
    return {"members": chosen, **following}


def _list(desk: Desk, args: Arguments) -> Json:
    kinds = {"public_channel": "channel", "private_channel": "group", "im": "im"}
    asked = {kinds.get(word, "") for word in args.words("types") or ["public_channel"]}
    bot = desk.state.workspace.bot
    found = [
        one
        for one in desk.state.channels.values()
        if one.kind in asked and (one.kind == "channel" or bot in one.members)
    ]
    chosen, following = page(found, args, 100)
    return {"channels": [channel_object(desk, one) for one in chosen], **following}


def _open(desk: Desk, args: Arguments) -> Json:
    if args.has("channel"):
        channel = desk.channel(args)
    else:
        users = args.words("users")
        if len(users) != 1:
            raise Refused("users_list_not_supplied" if not users else "too_many_users")
        if users[0] not in desk.state.people:
            raise Refused("user_not_found")
        if desk.state.people[users[0]].deleted:
            raise Refused("user_disabled")
        channel = desk.state.open_im(users[0])
    full = args.flag("return_im")
    return {"channel": channel_object(desk, channel) if full else {"id": channel.id}}


def _join(desk: Desk, args: Arguments) -> Json:
    channel = desk.channel(args)
    bot = desk.state.workspace.bot
    if channel.is_im or channel.private:
        raise Refused("method_not_supported_for_channel_type")
    if bot in channel.members:
        return {"channel": channel_object(desk, channel), "warning": "already_in_channel"}
    channel.members.append(bot)
    desk.state.bulletin.publish("channel", desk.state.public_channel(channel))
    return {"channel": channel_object(desk, channel)}


_ANY_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_ANY_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

METHODS = {
    "conversations.info": Method(_info, TIER_3, _ANY_READ),
    "conversations.history": Method(_history, TIER_3, _ANY_HISTORY),
    "conversations.replies": Method(_replies, TIER_3, _ANY_HISTORY),
    "conversations.members": Method(_members, TIER_4, _ANY_READ),
    "conversations.list": Method(_list, TIER_2, _ANY_READ),
    "conversations.open": Method(_open, TIER_3, ("im:write", "mpim:write")),
    "conversations.join": Method(_join, TIER_3, ("channels:join",)),
}
