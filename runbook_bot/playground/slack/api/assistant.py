"""Agent surfaces: assistant.threads.* and agents.sessions.*."""

import asyncio

from runbook_bot.playground.slack.api.method import SPECIAL, TIER_3, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import clear_status
from runbook_bot.playground.slack.state import Channel

STATUS_LIFE = 120.0
MOST_PROMPTS = 4
MOST_LOADING_MESSAGES = 10
LONGEST_TITLE = 200


def _thread(desk: Desk, args: Arguments) -> tuple[Channel, str]:
    channel = desk.joined(args, "channel_id")
    thread_ts = args.need("thread_ts", "invalid_thread_ts")
    if thread_ts not in channel.messages:
        raise Refused("invalid_thread_ts")
    return channel, thread_ts


def _set_status(desk: Desk, args: Arguments) -> Json:
    channel, thread_ts = _thread(desk, args)
    if len(args.value("loading_messages") or []) > MOST_LOADING_MESSAGES:
        raise Refused.because("invalid_arguments", ["no more than 10 items allowed [json-pointer:/loading_messages]"])
    status = args.text("status")
    if not status:
        clear_status(desk.state, channel.id, thread_ts)
        return {}
    desk.state.statuses[channel.id, thread_ts] = status
    desk.state.bulletin.publish("status", {"channel": channel.id, "thread_ts": thread_ts, "status": status})
    desk.socket.in_background(_fade(desk, channel, thread_ts, status))
    return {}


async def _fade(desk: Desk, channel: Channel, thread_ts: str, status: str) -> None:
    await asyncio.sleep(STATUS_LIFE)
    if desk.state.statuses.get((channel.id, thread_ts)) == status:
        clear_status(desk.state, channel.id, thread_ts)


def _set_title(desk: Desk, args: Arguments) -> Json:
    channel, thread_ts = _thread(desk, args)
    desk.state.sessions.setdefault((channel.id, thread_ts), {})["title"] = args.need("title")
    return {}


def _set_prompts(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args, "channel_id")
    prompts = args.value("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= MOST_PROMPTS:
        raise Refused.because("invalid_arguments", ["between 1 and 4 items allowed [json-pointer:/prompts]"])
    if not all(isinstance(one, dict) and one.get("title") and one.get("message") for one in prompts):
        raise Refused.because("invalid_arguments", ["title and message are required [json-pointer:/prompts]"])
    session = desk.state.sessions.setdefault((channel.id, args.text("thread_ts")), {})
    session["prompts"] = prompts
    return {}


def _set_session(desk: Desk, args: Arguments) -> Json:
    channel, thread_ts = _thread(desk, args)
    status = args.need("status")
    if status not in {"processing", "active", "suspended", "closed"}:
        raise Refused.because("invalid_arguments", ["must be a valid enum value [json-pointer:/status]"])
    session = desk.state.sessions.setdefault((channel.id, thread_ts), {})
    if "title" not in session:
        session["title"] = _title(args)
        initiator = args.text("initiator_user_id")
        if initiator and initiator not in channel.members:
            raise Refused("user_not_in_channel")
    session["status"] = status
    answer: Json = {"status": status, "agent_status": status, "title": session["title"]}
    events = desk.state.workspace.events
    if status == "processing" and events is not None and "agent_session_stopped" not in events:
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


def _title(args: Arguments) -> str:
    title = args.text("title")
    if len(title) > LONGEST_TITLE:
        raise Refused.because("invalid_arguments", ["must be less than 201 characters [json-pointer:/title]"])
    return title


def _rename(desk: Desk, args: Arguments) -> Json:
    channel, thread_ts = _thread(desk, args)
    session = desk.state.sessions.get((channel.id, thread_ts))
    if session is None:
        raise Refused("session_not_found")
    args.need("title")
    session["title"] = _title(args)
    return {"title": session["title"]}


METHODS = {
    "assistant.threads.setStatus": Method(_set_status, SPECIAL, ("chat:write", "assistant:write")),
    "assistant.threads.setTitle": Method(_set_title, TIER_3, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(_set_prompts, TIER_3, ("assistant:write",)),
    "agents.sessions.setStatus": Method(_set_session, TIER_3, ("chat:write",)),
    "agents.sessions.rename": Method(_rename, TIER_3, ("chat:write",)),
}
