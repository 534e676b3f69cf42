"""The manifest against the code: every scope, event, command and shortcut is used, and everything used is there."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from runbook_bot.slack.views.home import home
from runbook_bot.slack.views.modals import approve_form, reject_form
from runbook_bot.slack.views.thread import wanted
from tests.slack.conftest import MANIFEST, Office
from tests.slack.story import ACME, chapters

SCHEMA = MANIFEST.parent.parent / "shared" / "data" / "slack-manifest" / "manifest.schema.2.0.0.json"
CODE = MANIFEST.parent / "runbook_bot" / "slack"

SCOPES: dict[str, tuple[str, ...]] = {
    "assistant_threads_setStatus": ("chat:write",),
    "auth_test": (),
    "apps_connections_open": (),
    "chat_postMessage": ("chat:write",),
    "chat_postEphemeral": ("chat:write",),
    "chat_update": ("chat:write",),
    "canvases_create": ("canvases:write",),
    "canvases_edit": ("canvases:write",),
    "canvases_access_set": ("canvases:write",),
    "conversations_history": ("channels:history", "groups:history", "im:history"),
    "conversations_replies": ("channels:history", "groups:history", "im:history"),
    "conversations_info": ("channels:read", "groups:read", "im:read"),
    "conversations_members": ("channels:read", "groups:read", "im:read"),
    "conversations_open": ("im:write",),
    "files_upload_v2": ("files:write",),
    "usergroups_users_list": ("usergroups:read",),
    "users_info": ("users:read",),
    "views_open": (),
    "views_publish": (),
}
"""The scopes of each Web API method that the code calls."""
EVENT_SCOPES = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "message.im": ("im:history",),
    "subteam_members_changed": ("usergroups:read",),
    "subteam_updated": ("usergroups:read",),
}
_ROOMS = "auth|apps|assistant|bookmarks|chat|canvases|conversations|files|pins|reactions|usergroups|users|views"
_METHOD = re.compile(rf"\.((?:{_ROOMS})_[a-zA-Z_0-9]+)")


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return found


def _called() -> set[str]:
    return {name for file in CODE.rglob("*.py") for name in _METHOD.findall(file.read_text())}


def test_the_manifest_is_one_that_slack_imports(manifest: dict[str, Any]) -> None:
    if not SCHEMA.exists():
        pytest.skip(f"Slack's manifest schema is not at {SCHEMA}")
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))
    display = manifest["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert 175 <= len(display["long_description"]) <= 4000


def test_every_method_that_is_called_has_its_scopes_and_every_scope_is_needed(manifest: dict[str, Any]) -> None:
    assert _called() == set(SCOPES)
    needed = {scope for scopes in (*SCOPES.values(), *EVENT_SCOPES.values()) for scope in scopes} | {"commands"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def _events(manifest: dict[str, Any]) -> set[str]:
    return set(manifest["settings"]["event_subscriptions"]["bot_events"])


async def test_every_subscription_command_and_shortcut_has_a_listener(office: Office, manifest: dict[str, Any]) -> None:
    assert _events(manifest) == set(EVENT_SCOPES)
    event = {"user": "U0ROSA", "channel": "C1", "ts": "1.1"}
    bodies: list[dict[str, Any]] = [
        {"type": "event_callback", "event": {"type": name.split(".")[0], **event}} for name in _events(manifest)
    ]
    bodies += [{"command": one["command"], "trigger_id": "t"} for one in manifest["features"]["slash_commands"]]
    bodies += [
        {"type": "message_action", "callback_id": one["callback_id"], "trigger_id": "t"}
        for one in manifest["features"]["shortcuts"]
    ]
    for body in bodies:
        assert await _listeners_of(office, body) == 1, body


async def test_every_button_and_form_that_is_rendered_has_a_listener(office: Office) -> None:
    rendered = set()
    forms = set()
    for case in chapters("5xx").values():
        for message in wanted(case, ACME):
            rendered |= set(_actions(list(message.blocks)))
        rendered |= set(_actions(home([case], [], [case], ACME)))
        for remedy in case.remedies.values():
            both = (approve_form(remedy.proposal), reject_form(remedy.proposal))
            forms |= {str(form["callback_id"]) for form in both}
    contract = {"approve", "reject", "hypothesis_dig", "hypothesis_rule_out", "hypothesis_known", "investigation_stop"}

    assert rendered >= contract | {"rollback"}
    for action in rendered | {"open_canvas"}:
        body = {"type": "block_actions", "actions": [{"action_id": action, "block_id": "b", "type": "button"}]}
        assert await _listeners_of(office, body) == 1, action
    for form in forms:
        assert (
            await _listeners_of(office, {"type": "view_submission", "view": {"type": "modal", "callback_id": form}})
            == 1
        ), form


def _actions(value: object) -> list[str]:
    if isinstance(value, list):
        return [each for one in value for each in _actions(one)]
    if isinstance(value, dict):
        own = [str(value["action_id"])] if "action_id" in value else []
        return own + [each for one in value.values() for each in _actions(one)]
    return []


async def _listeners_of(office: Office, body: dict[str, Any]) -> int:
    """How many of the app's listeners would take this body."""
    app = await office.desk.listeners()
    request = AsyncBoltRequest(mode="socket_mode", body={"team_id": "T0ACME", **body})
    app._init_context(request)
    answer = BoltResponse(status=200)
    return sum([bool(await each.async_matches(req=request, resp=answer)) for each in app._async_listeners])
