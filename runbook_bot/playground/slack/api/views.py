"""Modals and App Home: views.open, push, update, publish, with single-use trigger_ids and hashes."""

import time

from runbook_bot.playground.slack.api.method import TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.blockkit import validate_view
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import check_files
from runbook_bot.playground.slack.state import Trigger
from runbook_bot.playground.slack.views import MOST_MODALS, complete_view, open_modal, replace_view


def read_view(desk: Desk, view: object, kind: str) -> Json:
    """A view that keeps Slack's rules, or a refusal that lists what is wrong."""
    faults = validate_view(view)
    if isinstance(view, dict) and not faults:
        if view["type"] != kind:
            faults = [f"must be {kind} [json-pointer:/view/type]"]
        else:
            faults = check_files(desk, view["blocks"], "/view/blocks")
            taken = view.get("external_id") and any(
                v["external_id"] == view["external_id"] for _, v in desk.state.views()
            )
            if taken:
                raise Refused("duplicate_external_id")
    if faults or not isinstance(view, dict):
        raise Refused.because("invalid_arguments", faults)
    return view


def _spend(desk: Desk, args: Arguments) -> Trigger:
    trigger = desk.state.triggers.get(args.need("trigger_id", "invalid_arguments"))
    if trigger is None:
        raise Refused("invalid_trigger_id")
    if trigger.used:
        raise Refused("exchanged_trigger_id")
    if time.monotonic() > trigger.expires:
        raise Refused("expired_trigger_id")
    return trigger


def _open(desk: Desk, args: Arguments) -> Json:
    trigger = _spend(desk, args)
    view = complete_view(desk.state, read_view(desk, args.value("view"), "modal"))
    trigger.used = True
    return {"view": open_modal(desk.state, trigger.user, view, on_top=False)}


def _push(desk: Desk, args: Arguments) -> Json:
    trigger = _spend(desk, args)
    given = read_view(desk, args.value("view"), "modal")
    if len(desk.state.modals.get(trigger.user, [])) >= MOST_MODALS:
        raise Refused("push_limit_reached")
    view = complete_view(desk.state, given)
    trigger.used = True
    return {"view": open_modal(desk.state, trigger.user, view, on_top=True)}


def _update(desk: Desk, args: Arguments) -> Json:
    view_id, external = args.text("view_id"), args.text("external_id")
    found = next(
        (
            (user, view)
            for user, view in desk.state.views()
            if (view_id and view["id"] == view_id) or (external and view["external_id"] == external)
        ),
        None,
    )
    if found is None:
        raise Refused("not_found")
    user, previous = found
    if args.has("hash") and args.text("hash") != previous["hash"]:
        raise Refused("hash_conflict")
    given = args.value("view")
    if isinstance(given, dict) and given.get("external_id") == previous["external_id"]:
        given = {key: one for key, one in given.items() if key != "external_id"}
    view = complete_view(desk.state, read_view(desk, given, previous["type"]), previous)
    view["external_id"] = view["external_id"] or previous["external_id"]
    replace_view(desk.state, user, view)
    return {"view": view}


def _publish(desk: Desk, args: Arguments) -> Json:
    user = args.need("user_id")
    if user not in desk.state.people or desk.state.people[user].deleted:
        raise Refused("not_enabled" if user in desk.state.people else "invalid_user_id")
    previous = desk.state.homes.get(user)
    if args.has("hash") and args.text("hash") and (previous is None or args.text("hash") != previous["hash"]):
        raise Refused("hash_conflict")
    view = complete_view(desk.state, read_view(desk, args.value("view"), "home"), previous)
    replace_view(desk.state, user, view)
    return {"view": view}


METHODS = {
    "views.open": Method(_open, TIER_4),
    "views.push": Method(_push, TIER_4),
    "views.update": Method(_update, TIER_4),
    "views.publish": Method(_publish, TIER_4),
}
