"""Views as Slack keeps them: what is filled in, the stack of modals a person has open, and what was typed so far."""

import secrets
import time

from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import number_blocks
from runbook_bot.playground.slack.state import State

MOST_MODALS = 3

_KEY: dict[str, str] = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
    "rich_text_input": "rich_text_value",
}
"""For each kind of input the key under which its value travels."""

_INITIAL = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
    "rich_text_value": "initial_value",
}


def new_hash() -> str:
    """A fresh `hash`, which changes with every change of the view."""
    return f"{time.time():.0f}.{secrets.token_hex(4)}"


def complete_view(state: State, view: Json, previous: Json | None = None) -> Json:
    """A view with all the fields Slack adds; an update keeps the id and what was typed in inputs that remain."""
    space = state.workspace
    blocks = number_blocks(view.get("blocks", []))
    answer: Json = {
        "id": previous["id"] if previous else state.new_id("V"),
        "team_id": space.team_id,
        "type": view["type"],
        "blocks": blocks,
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "state": {"values": {}},
        "hash": new_hash(),
        "title": view.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": view.get("clear_on_close", False),
        "notify_on_close": view.get("notify_on_close", False),
        "close": view.get("close"),
        "submit": view.get("submit"),
        "previous_view_id": previous["previous_view_id"] if previous else None,
        "root_view_id": "",
        "app_id": space.app_id,
        "external_id": view.get("external_id", ""),
        "app_installed_team_id": space.team_id,
        "bot_id": space.bot_id,
    }
    answer["root_view_id"] = previous["root_view_id"] if previous else answer["id"]
    typed = previous["state"]["values"] if previous else {}
    answer["state"]["values"] = merge_values(answer, typed)
    return answer


def inputs(view: Json) -> list[tuple[Json, Json]]:
    """Every (block, element) of a view that holds a value."""
    found: list[tuple[Json, Json]] = []
    for block in view["blocks"]:
        elements = [block.get("element"), block.get("accessory"), *(block.get("elements") or [])]
        found += [(block, one) for one in elements if isinstance(one, dict) and one.get("type") in _KEY]
    return found


def value_key(element: Json) -> str:
    """The key under which an element's value travels: `value`, `selected_option`, …"""
    return _KEY[element["type"]]


def merge_values(view: Json, typed: Json) -> Json:
    """`state.values` of a view: what was typed where it fits an input, its initial value elsewhere, else null."""
    values: Json = {}
    for block, element in inputs(view):
        key = value_key(element)
        empty: object = [] if key.endswith("s") else None
        given = typed.get(block["block_id"], {}).get(element["action_id"], {})
        value = given.get(key, element.get(_INITIAL[key], empty)) if isinstance(given, dict) else empty
        values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], key: value}
    return values


def open_modal(state: State, user: str, view: Json, *, on_top: bool) -> Json:
    """Show a modal, alone or on top of those that are open."""
    stack = state.modals.setdefault(user, [])
    if not on_top:
        for old in stack:
            state.bulletin.publish("modal_closed", {"user": user, "view_id": old["id"]})
        stack.clear()
    if stack:
        view["previous_view_id"] = stack[-1]["id"]
        view["root_view_id"] = stack[0]["id"]
    stack.append(view)
    state.bulletin.publish("modal", {"user": user, "view": view})
    return view


def replace_view(state: State, user: str, view: Json) -> None:
    """Put a changed view in the place of the one with its id."""
    if view["type"] == "home":
        state.homes[user] = view
        state.bulletin.publish("home", {"user": user, "view": view})
        return
    stack = state.modals[user]
    stack[:] = [view if one["id"] == view["id"] else one for one in stack]
    state.bulletin.publish("modal", {"user": user, "view": view})


def close_modal(state: State, user: str, view_id: str) -> None:
    """Take a modal away and show again what was below it."""
    stack = state.modals.get(user, [])
    stack[:] = [one for one in stack if one["id"] != view_id]
    state.bulletin.publish("modal_closed", {"user": user, "view_id": view_id})
    if stack:
        state.bulletin.publish("modal", {"user": user, "view": stack[-1]})
    else:
        state.modals.pop(user, None)


def close_all_modals(state: State, user: str) -> None:
    """Take every modal of a person away."""
    for view in state.modals.pop(user, []):
        state.bulletin.publish("modal_closed", {"user": user, "view_id": view["id"]})
