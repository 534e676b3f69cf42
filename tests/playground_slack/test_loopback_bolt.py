"""A real Bolt app over a real WebSocket: commands, clicks, modals, events, acks missed and kept."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.playground.slack import LoopbackSlack

Body = dict[str, Any]
Connect = Callable[[AsyncApp], AbstractAsyncContextManager[AsyncSocketModeHandler]]

FORM: Body = {
    "type": "modal",
    "callback_id": "reject",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "text", "min_length": 3, "max_length": 20},
        }
    ],
}


async def test_a_command_is_acknowledged_and_answered(slack: LoopbackSlack, app: AsyncApp, connect: Connect) -> None:
    seen: list[Body] = []

    @app.command("/runbook")
    async def on_command(ack: AsyncAck, command: Body, respond: AsyncRespond) -> None:
        seen.append(command)
        await ack("on it")
        await respond("done", response_type="in_channel")

    async with connect(app):
        answer = await slack.act(
            {"do": "command", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "investigate checkout is slow"}
        )
        assert answer["ok"]
        await slack.wait_for(lambda: len(slack.messages("#incidents")) == 2, 60)
    shown = {one["text"]: one.get("ephemeral_to") for one in slack.messages("#incidents")}
    assert shown == {"on it": "U0ROSA", "done": None}
    assert "enterprise_id" not in seen[0]
    assert seen[0]["text"] == "investigate checkout is slow"
    assert seen[0]["channel_name"] == "incidents"
    assert seen[0]["user_name"] == "rosa"
    assert seen[0]["team_domain"] == "acme"
    assert seen[0]["trigger_id"]


async def test_a_missed_ack_is_shown_to_the_person_and_not_retried(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect
) -> None:
    calls = 0
    slack.socket.ack_limit = 0.5

    @app.command("/runbook")
    async def on_command() -> None:
        nonlocal calls
        calls += 1

    async with connect(app):
        with slack.bulletin.reader() as news:
            answer = await slack.act({"do": "command", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "x"})
            event, data = news.get_nowait()
        await asyncio.sleep(0.3)
    assert answer == {"ok": False, "error": '/runbook failed with the error "operation_timeout"'}
    assert (event, data["user"], data["text"]) == ("notice", "U0ROSA", answer["error"])
    assert calls == 1


async def test_without_a_connection_a_command_fails_at_once(slack: LoopbackSlack) -> None:
    answer = await slack.act({"do": "command", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "x"})
    assert answer["error"] == '/runbook failed with the error "dispatch_failed"'


async def test_an_unacknowledged_event_comes_again_with_the_same_id(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect
) -> None:
    bodies: list[Body] = []
    slack.socket.ack_limit = 0.5

    @app.middleware
    async def refuse_twice(body: Body, req: Any, next: Any) -> None:
        if body.get("event", {}).get("type") == "app_mention":
            bodies.append({**body, "headers": req.headers})
            if len(bodies) == 2:
                slack.socket.ack_limit = 30.0  # the third time it is in no hurry
            if len(bodies) < 3:
                raise RuntimeError("the database is down")
        await next()

    @app.event("app_mention")
    async def on_mention() -> None:
        pass

    @app.event("message")
    async def on_message() -> None:
        pass

    async with connect(app):
        await slack.act({"do": "message", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "<@U0RUNBOOK> why?"})
        await slack.wait_for(lambda: len(bodies) == 3, 60, "three deliveries")
        await asyncio.sleep(0.3)
    assert len(bodies) == 3
    assert len({body["event_id"] for body in bodies}) == 1
    assert bodies[0]["event"]["text"] == "<@U0RUNBOOK> why?"
    assert bodies[2]["headers"]["x-slack-retry-num"] == ["2"]
    assert bodies[2]["headers"]["x-slack-retry-reason"] == ["timeout"]
    assert bodies[0]["authorizations"][0]["user_id"] == "U0RUNBOOK"


async def test_a_mention_arrives_twice_and_a_direct_message_once(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect
) -> None:
    kinds: list[tuple[str, str | None]] = []

    @app.event("app_mention")
    async def on_mention(event: Body) -> None:
        kinds.append((event["type"], event.get("channel_type")))

    @app.event("message")
    async def on_message(event: Body) -> None:
        kinds.append((event["type"], event["channel_type"]))

    async with connect(app):
        await slack.act({"do": "message", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "<@U0RUNBOOK> hi"})
        await slack.act({"do": "message", "user": "U0ROSA", "channel": "U0RUNBOOK", "text": "<@U0RUNBOOK> psst"})
        await slack.act({"do": "message", "user": "U0ROSA", "channel": "C0GENERAL", "text": "<@U0RUNBOOK> not here"})
        await slack.wait_for(lambda: len(kinds) >= 3, 60, "three events")
        await asyncio.sleep(0.1)
    assert sorted(kinds, key=str) == [("app_mention", None), ("message", "channel"), ("message", "im")]


async def test_a_button_click_is_delivered_with_the_stored_value(
    slack: LoopbackSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    seen: list[Body] = []

    @app.action("approve")
    async def on_approve(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        await ack()
        seen.append(body)
        await respond("Approved.", replace_original=True)

    button = {
        "type": "button",
        "action_id": "approve",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": "P1",
    }
    block = {"type": "actions", "block_id": "decide", "elements": [button]}
    async with connect(app):
        posted = await client.chat_postMessage(channel="C0INCIDENTS", text="Roll back?", blocks=[block])
        click = {"do": "click", "channel": "C0INCIDENTS", "message_ts": posted["ts"], "block_id": "decide"}
        answer = await slack.act({**click, "user": "U0AMIR", "action_id": "approve", "value": "forged"})
        assert answer == {"ok": True}
        await slack.wait_for(lambda: slack.messages("incidents")[0]["text"] == "Approved.", 60)
        refused = await slack.act({**click, "user": "U0AMIR", "action_id": "nothing"})
    body = seen[0]
    assert body["actions"][0]["value"] == "P1"
    assert body["actions"][0]["action_ts"]
    assert body["container"]["message_ts"] == posted["ts"] == body["message"]["ts"]
    assert body["user"]["id"] == "U0AMIR"
    assert "blocks" not in slack.messages("incidents")[0]
    assert refused == {"ok": False, "error": "there is no element 'nothing' in block 'decide'"}


async def test_a_pick_from_a_select_carries_the_stored_option_and_the_state(
    slack: LoopbackSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    seen: list[Body] = []

    @app.action("service")
    async def on_pick(ack: AsyncAck, body: Body) -> None:
        await ack()
        seen.append(body)

    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("checkout", "pricing")]
    pick = {"type": "static_select", "action_id": "service", "options": options}
    block = {"type": "actions", "block_id": "choose", "elements": [pick]}
    async with connect(app):
        ts = (await client.chat_postMessage(channel="C0INCIDENTS", text="Which?", blocks=[block]))["ts"]
        click = {"do": "click", "user": "U0ROSA", "channel": "C0INCIDENTS", "message_ts": ts, "action_id": "service"}
        assert (await slack.act({**click, "selected_option": {"value": "pricing"}}))["ok"]
        refused = await slack.act({**click, "value": "forged"})
    assert seen[0]["actions"][0]["selected_option"] == options[1]
    assert seen[0]["state"]["values"]["choose"]["service"]["selected_option"] == options[1]
    assert refused["error"] == "'forged' is not among the options of service"


async def test_a_modal_is_opened_refused_corrected_and_closed(
    slack: LoopbackSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    reasons: list[str] = []

    @app.command("/runbook")
    async def on_command(ack: AsyncAck, command: Body) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=FORM)

    @app.view("reject")
    async def on_submit(ack: AsyncAck, view: Body) -> None:
        reason = view["state"]["values"]["reason"]["text"]["value"]
        if reason == "because":
            await ack(response_action="errors", errors={"reason": "That is no reason."})
            return
        await ack()
        reasons.append(reason)

    async with connect(app):
        await slack.act({"do": "command", "user": "U0AMIR", "channel": "C0INCIDENTS", "text": ""})
        view = (await slack.wait_for(lambda: slack.state.modals.get("U0AMIR"), 60, "a modal"))[0]

        async def submit(text: str | None) -> Body:
            values = {"reason": {"text": {"type": "plain_text_input", "value": text}}}
            return await slack.act({"do": "submit", "user": "U0AMIR", "view_id": view["id"], "values": values})

        assert (await submit(None))["errors"] == {"reason": "Please complete this required field."}
        assert (await submit("no"))["errors"] == {"reason": "Please enter at least 3 characters."}
        assert (await submit("because"))["errors"] == {"reason": "That is no reason."}
        assert slack.state.modals["U0AMIR"]
        stranger = await slack.act({"do": "submit", "user": "U0BEA", "view_id": view["id"], "values": {}})
        assert not stranger["ok"]
        assert await submit("wrong cluster") == {"ok": True}
    assert reasons == ["wrong cluster"]
    assert "U0AMIR" not in slack.state.modals


async def test_a_submission_can_push_update_and_clear(
    slack: LoopbackSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    plain = {key: one for key, one in FORM.items() if key not in {"blocks", "submit"}}
    words = {"type": "section", "text": {"type": "plain_text", "text": "Sure?"}}
    second = {**plain, "callback_id": "second", "blocks": [words], "submit": FORM["submit"]}

    @app.shortcut("start_investigation")
    async def on_shortcut(ack: AsyncAck, shortcut: Body) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=FORM)

    @app.view("reject")
    async def on_first(ack: AsyncAck) -> None:
        await ack(response_action="push", view=second)

    @app.view("second")
    async def on_second(ack: AsyncAck, view: Body) -> None:
        if view["title"]["text"] == "Reject":
            changed = {**second, "title": {"type": "plain_text", "text": "Really"}}
            await ack(response_action="update", view=changed)
        else:
            await ack(response_action="clear")

    async with connect(app):
        await slack.act({"do": "shortcut", "user": "U0AMIR", "callback_id": "start_investigation"})
        first = (await slack.wait_for(lambda: slack.state.modals.get("U0AMIR"), 60))[0]
        values = {"reason": {"text": {"type": "plain_text_input", "value": "a reason"}}}
        await slack.act({"do": "submit", "user": "U0AMIR", "view_id": first["id"], "values": values})
        pushed = slack.state.modals["U0AMIR"][1]
        assert pushed["root_view_id"] == pushed["previous_view_id"] == first["id"]
        await slack.act({"do": "submit", "user": "U0AMIR", "view_id": pushed["id"], "values": {}})
        assert slack.state.modals["U0AMIR"][1]["title"]["text"] == "Really"
        await slack.act({"do": "submit", "user": "U0AMIR", "view_id": pushed["id"], "values": {}})
    assert "U0AMIR" not in slack.state.modals


async def test_the_home_tab_is_opened_and_published(
    slack: LoopbackSlack, app: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    view = {"type": "home", "blocks": [{"type": "divider"}]}

    @app.event("app_home_opened")
    async def on_home(event: Body) -> None:
        await client.views_publish(user_id=event["user"], view=view)

    async with connect(app):
        await slack.act({"do": "home", "user": "U0BEN"})
        home = await slack.wait_for(lambda: slack.state.homes.get("U0BEN"), 60)
        again = await client.views_publish(user_id="U0BEN", view=view, hash=home["hash"])
        assert again["view"]["id"] == home["id"]
        assert again["view"]["hash"] != home["hash"]


async def test_a_reaction_and_a_message_shortcut_name_the_message(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect
) -> None:
    seen: list[Body] = []

    @app.event("reaction_added")
    async def on_reaction(event: Body) -> None:
        seen.append(event)

    @app.event("reaction_removed")
    async def on_removal() -> None:
        pass

    @app.event("message")
    async def on_message() -> None:
        pass

    @app.shortcut("investigate_alert")
    async def on_shortcut(ack: AsyncAck, shortcut: Body) -> None:
        await ack()
        seen.append(shortcut)

    async with connect(app):
        ts = (await slack.act({"do": "message", "user": "U0BEN", "channel": "C0INCIDENTS", "text": "slow"}))["ts"]
        target = {"user": "U0ROSA", "channel": "C0INCIDENTS", "message_ts": ts}
        await slack.act({"do": "reaction", **target, "name": "eyes"})
        await slack.wait_for(lambda: seen, 60)
        assert slack.messages("incidents")[0]["reactions"] == [{"name": "eyes", "users": ["U0ROSA"], "count": 1}]
        assert (await slack.act({"do": "reaction", **target, "name": "eyes"}))["ok"]
        assert slack.messages("incidents")[0]["reactions"] == []
        await slack.act({"do": "shortcut", **target, "callback_id": "investigate_alert"})
        await slack.wait_for(lambda: len(seen) == 2, 60)
    assert seen[0]["item"] == {"type": "message", "channel": "C0INCIDENTS", "ts": ts}
    assert seen[1]["type"] == "message_action"
    assert seen[1]["message"]["text"] == "slow"


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_disconnect_frame_is_survived(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect, reason: str
) -> None:
    @app.command("/runbook")
    async def on_command(ack: AsyncAck) -> None:
        await ack()

    async with connect(app):
        before = slack.socket.connections[0]
        await slack.disconnect(reason)
        await slack.wait_for(lambda: slack.connected and before not in slack.socket.connections, 60, "a reconnect")
        answer = await slack.act({"do": "command", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": ""})
    assert answer == {"ok": True}


async def test_events_sent_while_the_line_was_cut_arrive_as_retries(
    slack: LoopbackSlack, app: AsyncApp, connect: Connect
) -> None:
    seen: list[Body] = []
    slack.socket.retry_delays = (0.0, 5.0, 5.0)

    @app.event("message")
    async def on_message(event: Body) -> None:
        seen.append(event)

    async with connect(app):
        before = slack.socket.connections[0]
        slack.cut()
        await slack.wait_for(lambda: before not in slack.socket.connections, 60, "the cut")
        await slack.act({"do": "message", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": "anyone?"})
        await slack.wait_for(lambda: seen, 60, "the event")
        await slack.wait_for(lambda: slack.socket.deliveries[-1].outcome.acked, 60)
    assert [one.attempt for one in slack.socket.deliveries] == [0, 1]
    assert slack.socket.deliveries[0].outcome.reason == "connection_failed"


async def test_each_payload_goes_to_one_connection_unless_told_to_all(
    slack: LoopbackSlack, client: AsyncWebClient, connect: Connect
) -> None:
    seen: list[str] = []

    def replica(name: str) -> AsyncApp:
        app = AsyncApp(client=client)

        @app.command("/runbook")
        async def on_command(ack: AsyncAck) -> None:
            seen.append(name)
            await ack()

        return app

    command = {"do": "command", "user": "U0ROSA", "channel": "C0INCIDENTS", "text": ""}
    async with connect(replica("one")), connect(replica("two")):
        await slack.wait_for(lambda: len(slack.socket.connections) == 2, 60)
        for _ in range(4):
            await slack.act(command)
        assert sorted(seen) == ["one", "one", "two", "two"]
        slack.socket.deliver_to_all = True
        seen.clear()
        await slack.act(command)
        await slack.wait_for(lambda: len(seen) == 2, 60)
    assert sorted(seen) == ["one", "two"]
