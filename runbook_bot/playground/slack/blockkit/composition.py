"""The small objects that blocks are composed of: texts, options, confirmations, files."""

from runbook_bot.playground.slack.blockkit.rules import (
    Findings,
    Rule,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    list_of,
    one_of,
    shape,
    string,
)


def _plain(longest: int, shortest: int) -> Rule:
    return shape({"text": string(longest, shortest)}, {"emoji": boolean}, type="plain_text")


def _mrkdwn(longest: int, shortest: int) -> Rule:
    return shape({"text": string(longest, shortest)}, {"verbatim": boolean}, type="mrkdwn")


def plain_text(longest: int, shortest: int = 1) -> Rule:
    """A `plain_text` object and nothing else: labels, titles, buttons."""
    return by_type({"plain_text": _plain(longest, shortest)})


def any_text(longest: int, shortest: int = 1) -> Rule:
    """A `plain_text` or a `mrkdwn` object."""
    return by_type({"plain_text": _plain(longest, shortest), "mrkdwn": _mrkdwn(longest, shortest)})


CONFIRM = shape(
    {"title": plain_text(100), "text": any_text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)

SLACK_FILE = shape({}, {"id": string(255, 1), "url": string(3000, 1)}, [exactly_one("id", "url")])

IMAGE_SOURCE: dict[str, Rule] = {"image_url": string(3000, 1), "slack_file": SLACK_FILE}
"""An image comes from exactly one of these two; an `exactly_one` beside it says so."""

ONE_SOURCE = exactly_one("image_url", "slack_file")


def option(text: Rule, url: bool = False) -> Rule:
    """One choice of a select, an overflow, checkboxes or radio buttons."""
    further: dict[str, Rule] = {"description": any_text(75)}
    if url:
        further["url"] = string(3000)
    return shape({"text": text, "value": string(150)}, further)


PLAIN_OPTION = option(plain_text(75))
RICH_OPTION = option(any_text(75))
OVERFLOW_OPTION = option(plain_text(75), url=True)
OPTION_GROUP = shape({"label": plain_text(75), "options": list_of(PLAIN_OPTION, 100)})

ACTION_ID = string(255, 1)
BLOCK_ID = string(255)
USER_IDS = list_of(string(255, 1), 10)
DISPATCH = shape(
    {},
    {"trigger_actions_on": list_of(one_of("on_enter_pressed", "on_character_entered"))},
    [at_least_one("trigger_actions_on")],
)


def distinct_values(value: object, at: str, findings: Findings) -> None:
    """The options of one select carry different values."""
    if not isinstance(value, dict) or not isinstance(value.get("options"), list):
        return
    seen: set[object] = set()
    for index, one in enumerate(value["options"]):
        name = one.get("value") if isinstance(one, dict) else None
        if isinstance(name, str) and name in seen:
            findings.note(f"{at}/options/{index}/value", f"duplicate option value: {name}")
        if isinstance(name, str):
            seen.add(name)
