"""One pressed element as an action, read from what the server stored, and Slack's own checks of a form."""

from runbook_bot.playground.slack.api.method import Arguments, Desk
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.refusal import CannotAct
from runbook_bot.playground.slack.views import inputs, merge_values, value_key

_PICKS_OPTION = frozenset({"static_select", "overflow", "radio_buttons"})
_PICKS_OPTIONS = frozenset({"checkboxes", "multi_static_select"})
_PICKS_ID = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_NEVER = object()

REQUIRED = "Please complete this required field."


def build_action(desk: Desk, block: Json, element: Json, args: Arguments) -> Json:
    """The entry of `actions` for this element. Its value comes from the stored element, never from the page."""
    kind = element["type"]
    action: Json = {
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "type": kind,
        "action_ts": desk.state.next_ts(),
    }
    if kind in {"button", "icon_button"}:
        kept = ("text", "value", "style", "url")
        return {**action, **{key: element[key] for key in kept if key in element}}
    if kind == "feedback_buttons":
        return {**action, **_opinion(element, args)}
    if "placeholder" in element:
        action["placeholder"] = element["placeholder"]
    if kind in _PICKS_OPTION:
        return {**action, "selected_option": _option(element, args.raw.get("selected_option", args.raw.get("value")))}
    if kind in _PICKS_OPTIONS:
        chosen = args.raw.get("selected_options", args.raw.get("value")) or []
        return {**action, "selected_options": [_option(element, one) for one in chosen]}
    if kind in _PICKS_ID:
        key = _PICKS_ID[kind]
        value = args.raw.get(key, args.raw.get("value"))
        if kind == "users_select" and value not in desk.state.people:
            raise CannotAct(f"there is no user {value!r}")
        return {**action, key: value}
    return {**action, "value": args.text("value")}


def values_with(blocks: list[Json], typed: Json, action: Json) -> Json:
    """`state.values` at the moment of an action: what was typed before, and what was just picked."""
    values = merge_values({"blocks": blocks}, typed)
    picked = values.get(action["block_id"], {}).get(action["action_id"])
    if picked is not None:
        picked.update({key: action[key] for key in picked if key in action})
    return values


def _opinion(element: Json, args: Arguments) -> Json:
    for name in ("positive_button", "negative_button"):
        if element[name]["value"] == args.text("value"):
            return {"text": element[name]["text"], "value": element[name]["value"]}
    raise CannotAct(f"{args.text('value')!r} is neither of the two buttons")


def _option(element: Json, chosen: object) -> Json:
    """The stored option with the chosen value, given as the value or as the whole option."""
    value = chosen.get("value", _NEVER) if isinstance(chosen, dict) else chosen
    groups = [group["options"] for group in element.get("option_groups", [])]
    for options in [element.get("options", []), *groups]:
        for option in options:
            if option["value"] == value:
                return dict(option)
    raise CannotAct(f"{value!r} is not among the options of {element['action_id']}")


def check_typed(view: Json) -> Json:
    """What Slack's client itself refuses to submit: block id to sentence."""
    errors: Json = {}
    for block, element in inputs(view):
        if block["type"] != "input":
            continue
        value = view["state"]["values"][block["block_id"]][element["action_id"]][value_key(element)]
        if value in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = REQUIRED
        elif isinstance(value, str):
            shortest, longest = element.get("min_length", 0), element.get("max_length", 3000)
            if len(value) < shortest:
                errors[block["block_id"]] = f"Please enter at least {shortest} characters."
            elif len(value) > longest:
                errors[block["block_id"]] = f"Please enter no more than {longest} characters."
    return errors
