"""Block elements: what a person presses, picks or types into, each with Slack's limits."""

from runbook_bot.playground.slack.blockkit.composition import (
    ACTION_ID,
    CONFIRM,
    DISPATCH,
    IMAGE_SOURCE,
    ONE_SOURCE,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    PLAIN_OPTION,
    RICH_OPTION,
    USER_IDS,
    any_text,
    distinct_values,
    plain_text,
)
from runbook_bot.playground.slack.blockkit.rich_text import RICH_TEXT
from runbook_bot.playground.slack.blockkit.rules import (
    Rule,
    boolean,
    exactly_one,
    integer,
    list_of,
    one_of,
    shape,
    string,
)

_ACTION: dict[str, Rule] = {"action_id": ACTION_ID, "confirm": CONFIRM}
_INPUT: dict[str, Rule] = {"action_id": ACTION_ID, "focus_on_load": boolean}
_PLACEHOLDER: dict[str, Rule] = {"placeholder": plain_text(150)}
_TYPING: dict[str, Rule] = {**_INPUT, **_PLACEHOLDER, "initial_value": string(3000), "dispatch_action_config": DISPATCH}
_MANY: dict[str, Rule] = {"max_selected_items": integer(1)}
_FILTER: dict[str, Rule] = {
    "filter": shape(
        {},
        {
            "include": list_of(one_of("im", "mpim", "private", "public")),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
    "default_to_current_conversation": boolean,
}
_PRESSED: dict[str, Rule] = {
    "action_id": ACTION_ID,
    "value": string(2000),
    "accessibility_label": string(75),
    "visible_to_user_ids": USER_IDS,
    "confirm": CONFIRM,
}
_IDS = list_of(string(255, 1))
_OPINION = shape({"text": plain_text(75), "value": string(2000)}, {"accessibility_label": string(75)})


def _picker(kind: str, further: dict[str, Rule]) -> Rule:
    return shape({}, {**_ACTION, **_INPUT, **_PLACEHOLDER, **further}, type=kind)


def _static(kind: str, further: dict[str, Rule]) -> Rule:
    choices: dict[str, Rule] = {"options": list_of(PLAIN_OPTION, 100), "option_groups": list_of(OPTION_GROUP, 100)}
    return shape(
        {},
        {**_ACTION, **_INPUT, **_PLACEHOLDER, **choices, **further},
        [exactly_one("options", "option_groups"), distinct_values],
        type=kind,
    )


def _boxes(kind: str, further: dict[str, Rule]) -> Rule:
    return shape({"options": list_of(RICH_OPTION, 10)}, {**_ACTION, **_INPUT, **further}, [distinct_values], type=kind)


IMAGE = shape({"alt_text": string(2000)}, IMAGE_SOURCE, [ONE_SOURCE], type="image")

BUTTON = shape(
    {"text": plain_text(75)},
    {**_PRESSED, "url": string(3000), "style": one_of("primary", "danger"), "agent_prompt": string(4000)},
    type="button",
)

_SINGLE: dict[str, Rule] = {
    "static_select": _static("static_select", {"initial_option": PLAIN_OPTION}),
    "external_select": _picker("external_select", {"initial_option": PLAIN_OPTION, "min_query_length": integer(0)}),
    "users_select": _picker("users_select", {"initial_user": string(255)}),
    "conversations_select": _picker(
        "conversations_select", {"initial_conversation": string(255), "response_url_enabled": boolean, **_FILTER}
    ),
    "channels_select": _picker("channels_select", {"initial_channel": string(255), "response_url_enabled": boolean}),
}

_MULTIPLE: dict[str, Rule] = {
    "multi_static_select": _static("multi_static_select", {"initial_options": list_of(PLAIN_OPTION, 100), **_MANY}),
    "multi_external_select": _picker(
        "multi_external_select",
        {"initial_options": list_of(PLAIN_OPTION, 100), "min_query_length": integer(0), **_MANY},
    ),
    "multi_users_select": _picker("multi_users_select", {"initial_users": _IDS, **_MANY}),
    "multi_conversations_select": _picker(
        "multi_conversations_select", {"initial_conversations": _IDS, **_FILTER, **_MANY}
    ),
    "multi_channels_select": _picker("multi_channels_select", {"initial_channels": _IDS, **_MANY}),
}

_CHOICES: dict[str, Rule] = {
    "checkboxes": _boxes("checkboxes", {"initial_options": list_of(RICH_OPTION, 10)}),
    "radio_buttons": _boxes("radio_buttons", {"initial_option": RICH_OPTION}),
    "datepicker": _picker("datepicker", {"initial_date": string(10)}),
    "timepicker": _picker("timepicker", {"initial_time": string(5), "timezone": string(100)}),
    "datetimepicker": _picker("datetimepicker", {"initial_date_time": integer(0, 9999999999)}),
}

_TYPED: dict[str, Rule] = {
    "plain_text_input": shape(
        {},
        {**_TYPING, "multiline": boolean, "min_length": integer(0, 3000), "max_length": integer(1, 3000)},
        type="plain_text_input",
    ),
    "email_text_input": shape({}, _TYPING, type="email_text_input"),
    "url_text_input": shape({}, _TYPING, type="url_text_input"),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        {**_TYPING, "min_value": string(50), "max_value": string(50)},
        type="number_input",
    ),
    "rich_text_input": shape(
        {},
        {**_INPUT, **_PLACEHOLDER, "initial_value": RICH_TEXT, "dispatch_action_config": DISPATCH},
        type="rich_text_input",
    ),
    "file_input": shape(
        {},
        {"action_id": ACTION_ID, "filetypes": list_of(string(50, 1)), "max_files": integer(1, 10)},
        type="file_input",
    ),
}

_MENUS: dict[str, Rule] = {
    "button": BUTTON,
    "overflow": shape({"options": list_of(OVERFLOW_OPTION, 5)}, _ACTION, [distinct_values], type="overflow"),
    "workflow_button": shape(
        {"text": plain_text(75), "workflow": lambda *_: None},
        {"action_id": ACTION_ID, "style": one_of("primary", "danger"), "accessibility_label": string(75)},
        type="workflow_button",
    ),
}

ACCESSORIES: dict[str, Rule] = {**_MENUS, **_SINGLE, **_MULTIPLE, **_CHOICES, "image": IMAGE}
"""What may stand at the right of a section."""

ACTION_ELEMENTS: dict[str, Rule] = {**_MENUS, **_SINGLE, **_CHOICES}
"""What may stand in an actions block."""

INPUT_ELEMENTS: dict[str, Rule] = {**_TYPED, **_SINGLE, **_MULTIPLE, **_CHOICES}
"""What may stand in an input block."""

CONTEXT_ELEMENTS: dict[str, Rule] = {
    "image": IMAGE,
    "plain_text": any_text(3000),
    "mrkdwn": any_text(3000),
}

FEEDBACK_ELEMENTS: dict[str, Rule] = {
    "feedback_buttons": shape(
        {"positive_button": _OPINION, "negative_button": _OPINION}, {"action_id": ACTION_ID}, type="feedback_buttons"
    ),
    "icon_button": shape({"icon": one_of("trash"), "text": plain_text(75)}, _PRESSED, type="icon_button"),
}
"""What may stand in a context_actions block."""

URL_SOURCE = shape({"url": string(3000, 1), "text": string(2000, 1)}, {"icon_url": string(3000)}, type="url")

INTERACTIVE = frozenset(ACTION_ELEMENTS) | frozenset(_MULTIPLE) | frozenset(_TYPED) | frozenset(FEEDBACK_ELEMENTS)
"""Element types that carry an action_id."""
