"""Buttons, selects, modals and shortcuts: what a person presses and submits, and what the app's ack does to a view."""

from runbook_bot.playground.slack import payloads
from runbook_bot.playground.slack.api.method import Arguments, Desk, Refused
from runbook_bot.playground.slack.api.views import read_view
from runbook_bot.playground.slack.blockkit.totals import walk
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.pressed import build_action, check_typed, values_with
from runbook_bot.playground.slack.refusal import CannotAct, place
from runbook_bot.playground.slack.socket import Outcome
from runbook_bot.playground.slack.views import (
    MOST_MODALS,
    close_all_modals,
    close_modal,
    complete_view,
    merge_values,
    new_hash,
    open_modal,
    replace_view,
)

NOT_ANSWERED = "The app did not answer within three seconds. Try again."
NOT_CONNECTED = "The app is not connected. Try again later."


class Interactions:
    """The part of `POST /act` that becomes interactive envelopes."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def click(self, user: str, args: Arguments) -> Json:
        """Press a button or pick from a select, in a message or in a view."""
        if args.text("view_id"):
            view = self._view(user, args)
            block, element = _find(view["blocks"], args)
            action = build_action(self.desk, block, element, args)
            view["state"]["values"] = values_with(view["blocks"], view["state"]["values"], action)
            payload, channel_id = payloads.click_in_view(self.desk, user, view, action), ""
        else:
            channel = place(self.desk, args, user)
            message = channel.messages.get(args.text("message_ts"))
            if message is None or message.get("ephemeral_to", user) != user:
                raise CannotAct(f"there is no message {args.text('message_ts')} in this channel")
            attached = [block for one in message.get("attachments", []) for block in one.get("blocks", [])]
            blocks = [*message.get("blocks", []), *attached]
            block, element = _find(blocks, args)
            action = build_action(self.desk, block, element, args)
            payload = payloads.click_in_message(self.desk, user, channel, message, action)
            payload["state"]["values"] = values_with(blocks, {}, action)
            channel_id = channel.id
        self._need(await self.desk.socket.deliver("interactive", payload, answers=False), user, channel_id)
        return {}

    def _view(self, user: str, args: Arguments) -> Json:
        found = self.desk.state.find_view(args.text("view_id"))
        if found is None or found[0] != user:
            raise CannotAct(f"{self.desk.state.people[user].real_name} has no view {args.text('view_id')} open")
        return found[1]

    def _need(self, outcome: Outcome, user: str, channel: str) -> None:
        if not outcome.acked:
            text = NOT_ANSWERED if outcome.reason == "timeout" else NOT_CONNECTED
            self.desk.state.bulletin.publish("notice", {"user": user, "channel": channel, "text": text})
            raise CannotAct(text)

    async def submit(self, user: str, args: Arguments) -> Json:
        """Submit a modal. Slack's own checks come first; then the app's ack says what becomes of it."""
        view = self._view(user, args)
        typed = args.value("values") or {}
        view["state"]["values"] = merge_values(view, typed if isinstance(typed, dict) else {})
        if errors := check_typed(view):
            self._tell_errors(user, view, errors)
            return {"errors": errors}
        payload = payloads.view_submission(self.desk, user, view)
        outcome = await self.desk.socket.deliver("interactive", payload, answers=True)
        self._need(outcome, user, "")
        return self._answer(user, view, outcome.payload)

    def _answer(self, user: str, view: Json, answer: Json) -> Json:
        kind = answer.get("response_action")
        if kind is None:
            close_modal(self.desk.state, user, view["id"])
        elif kind == "errors":
            errors = answer.get("errors") or {}
            known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
            if not errors or set(errors) - known:
                raise CannotAct(f"the app answered with errors for unknown blocks: {sorted(set(errors) - known)}")
            self._tell_errors(user, view, errors)
            return {"errors": errors}
        elif kind == "clear":
            close_all_modals(self.desk.state, user)
        elif kind in {"update", "push"}:
            self._show(user, view, kind, answer.get("view"))
        else:
            raise CannotAct(f"the app answered with an unknown response_action {kind!r}")
        return {"response_action": kind} if kind else {}

    def _show(self, user: str, view: Json, kind: str, given: object) -> None:
        try:
            fresh = read_view(self.desk, given, "modal")
        except Refused as refusal:
            raise CannotAct(f"the app answered with a bad view: {refusal.more.get('errors')}") from refusal
        if kind == "update":
            replace_view(self.desk.state, user, complete_view(self.desk.state, fresh, view))
        elif len(self.desk.state.modals.get(user, [])) >= MOST_MODALS:
            raise CannotAct("the app pushed a fourth view; Slack shows three")
        else:
            open_modal(self.desk.state, user, complete_view(self.desk.state, fresh), on_top=True)

    def _tell_errors(self, user: str, view: Json, errors: Json) -> None:
        view["hash"] = new_hash()
        self.desk.state.bulletin.publish("modal_errors", {"user": user, "view_id": view["id"], "errors": errors})

    async def close(self, user: str, args: Arguments) -> Json:
        """Close a modal; the app is told if the view asked for it."""
        view = self._view(user, args)
        if view["type"] != "modal":
            raise CannotAct("the Home tab cannot be closed")
        if view["clear_on_close"]:
            close_all_modals(self.desk.state, user)
        else:
            close_modal(self.desk.state, user, view["id"])
        if view["notify_on_close"]:
            payload = payloads.view_closed(self.desk, user, view)
            self._need(await self.desk.socket.deliver("interactive", payload, answers=False), user, "")
        return {}

    async def shortcut(self, user: str, args: Arguments) -> Json:
        """Run a global shortcut, or one from a message's menu when a message is named."""
        callback_id = args.need("callback_id")
        on_message = bool(args.text("message_ts"))
        known = self.desk.state.workspace.shortcuts
        if known is not None and known.get(callback_id) != ("message" if on_message else "global"):
            raise CannotAct(f"the app has no such shortcut: {callback_id}")
        channel_id = ""
        if on_message:
            channel = place(self.desk, args, user)
            message = channel.messages.get(args.text("message_ts"))
            if message is None or "ephemeral_to" in message:
                raise CannotAct(f"there is no message {args.text('message_ts')} in this channel")
            payload, channel_id = payloads.message_shortcut(self.desk, user, callback_id, channel, message), channel.id
        else:
            payload = payloads.global_shortcut(self.desk, user, callback_id)
        self._need(await self.desk.socket.deliver("interactive", payload, answers=False), user, channel_id)
        return {}


def _find(blocks: list[Json], args: Arguments) -> tuple[Json, Json]:
    """The block and element that a click names; the block may be left out when the action is there once."""
    block_id, action_id = args.text("block_id"), args.text("action_id")
    for outer in blocks:
        for block, _ in walk(outer, ""):
            if "block_id" not in block or (block_id and block["block_id"] != block_id):
                continue
            for element, _ in walk(block, ""):
                if element.get("action_id") == action_id:
                    return block, element
    raise CannotAct(f"there is no element {action_id!r} in block {block_id!r}")
