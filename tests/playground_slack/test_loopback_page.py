"""What the page sees and does: the feed, the deeds over HTTP, exports, and who is kept out."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.errors import PlaygroundError, PortTaken
from runbook_bot.playground.slack import LoopbackSlack, Person, Room, Workspace

ROOM = "C0INCIDENTS"
MANIFEST = """
features:
  slash_commands: [{command: /runbook, usage_hint: "investigate | status"}]
  shortcuts: [{name: Investigate, type: message, callback_id: investigate_alert, description: x}]
oauth_config: {scopes: {bot: [chat:write, channels:read]}}
settings: {event_subscriptions: {bot_events: [app_mention]}}
"""


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    """The events of a Server-Sent Events answer."""
    name = ""
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_the_feed_starts_with_the_state_and_goes_on_with_what_changes(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel=ROOM, text="before")
    async with aiohttp.ClientSession() as session, session.get(f"{slack.page_url}feed") as answer:
        feed = events(answer)
        name, state = await anext(feed)
        assert name == "state"
        assert state["team"] == {"id": "T0ACME", "name": "Acme"}
        assert state["bot"] == {"user_id": "U0RUNBOOK", "bot_id": "B0RUNBOOK", "name": "runbook"}
        assert [one["text"] for one in state["messages"][ROOM]] == ["before"]
        assert state["connected"] is False
        assert state["command"]["name"] == "/runbook"
        body = {"do": "message", "user": "U0BEN", "channel": ROOM, "text": "a <@U0RUNBOOK> &lt;b&gt;"}
        async with session.post(f"{slack.page_url}act", json=body) as done:
            ts = (await done.json())["ts"]
        name, data = await anext(feed)
        assert (name, data["channel"], data["message"]["ts"]) == ("message", ROOM, ts)
        assert data["message"]["blocks"][0]["elements"][0]["elements"] == [
            {"type": "text", "text": "a "},
            {"type": "user", "user_id": "U0RUNBOOK"},
            {"type": "text", "text": " <b>"},
        ]
        async with session.post(f"{slack.page_url}act", json={**body, "do": "delete", "message_ts": ts}):
            assert await anext(feed) == ("gone", {"channel": ROOM, "ts": ts})
        await client.conversations_open(users="U0AMIR")
        assert (await anext(feed))[0] == "channel"


async def test_other_sites_are_kept_out(slack: LoopbackSlack) -> None:
    async with aiohttp.ClientSession() as session:
        body = {"do": "home", "user": "U0BEN"}
        async with session.post(
            f"{slack.page_url}act", json=body, headers={"Origin": "https://evil.example"}
        ) as answer:
            assert answer.status == 403
        async with session.get(f"{slack.page_url}feed", headers={"Host": f"evil.example:{slack.port}"}) as answer:
            assert answer.status == 403
        own = {"Origin": slack.page_url.rstrip("/")}
        async with session.post(f"{slack.page_url}act", json=body, headers=own) as answer:
            assert (await answer.json())["ok"] is True
        async with session.post(f"{slack.page_url}act", data="{") as answer:
            assert answer.status == 400


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"do": "dance", "user": "U0BEN"}, "unknown deed 'dance'"),
        ({"do": "home", "user": "U0NOBODY"}, "there is no user 'U0NOBODY'"),
        ({"do": "home", "user": "U0DORA"}, "Dora Weiss has left"),
        ({"do": "home", "user": "U0RUNBOOK"}, "is the bot"),
        ({"do": "message", "user": "U0BEN", "channel": "C0NONE", "text": "x"}, "there is no channel"),
        ({"do": "message", "user": "U0BEN", "channel": ROOM, "text": " "}, "needs some text"),
        (
            {"do": "message", "user": "U0BEN", "channel": ROOM, "text": "x", "thread_ts": "1.0"},
            "there is no message 1.0",
        ),
        ({"do": "command", "user": "U0BEN", "channel": ROOM, "command": "/other"}, "not a valid command"),
        (
            {"do": "click", "user": "U0BEN", "channel": ROOM, "message_ts": "1.0", "action_id": "a"},
            "there is no message",
        ),
        ({"do": "click", "user": "U0BEN", "view_id": "V1", "action_id": "a"}, "has no view V1 open"),
        ({"do": "close", "user": "U0BEN", "view_id": "V1"}, "has no view V1 open"),
        ({"do": "stop", "user": "U0BEN", "channel": ROOM, "thread_ts": "1.0"}, "nothing is being processed"),
        ({"do": "group", "user": "U0BEN", "usergroup": "S0NONE", "users": []}, "there is no user group"),
        ({"do": "shortcut", "user": "U0BEN"}, "invalid_arguments"),
    ],
)
async def test_a_deed_that_cannot_be_done_is_refused_in_one_line(
    slack: LoopbackSlack, body: dict[str, Any], line: str
) -> None:
    answer = await slack.act(body)
    assert answer["ok"] is False
    assert line in answer["error"]
    assert "\n" not in answer["error"]


async def test_a_guest_cannot_press_a_button_in_a_channel_of_others(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    slack.channel("incidents").members.remove("U0GIL")
    button = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}}
    block = {"type": "actions", "block_id": "b", "elements": [button]}
    ts = (await client.chat_postMessage(channel=ROOM, text="?", blocks=[block]))["ts"]
    click = {"do": "click", "channel": ROOM, "message_ts": ts, "block_id": "b", "action_id": "approve"}
    assert "Gil Ortega is not in incidents" in (await slack.act({**click, "user": "U0GIL"}))["error"]


async def test_someone_from_another_company_is_known_as_such() -> None:
    demo = Workspace.demo()
    eve = Person("U0EVE", "eve", "Eve Partner", team="T0PARTNER")
    room = Room("C0SHARED", "with-partner", ("U0ROSA", "U0EVE", "U0RUNBOOK"), shared=True)
    async with LoopbackSlack(replace(demo, people=(*demo.people, eve), rooms=(*demo.rooms, room))) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        user = (await client.users_info(user="U0EVE"))["user"]
        assert (user["is_stranger"], user["team_id"]) == (True, "T0PARTNER")
        assert (await client.conversations_info(channel="C0SHARED"))["channel"]["is_ext_shared"] is True
        await slack.act({"do": "message", "user": "U0EVE", "channel": "C0SHARED", "text": "hi"})
        slack.emit({"type": "channel_shared", "connected_team_id": "T0PARTNER", "channel": "C0SHARED"}, "C0SHARED")
        await slack.wait_for(lambda: len(slack.socket.deliveries) == 2, 60)
        body = slack.socket.deliveries[0].payload
        assert (body["is_ext_shared_channel"], body["event"]["user_team"]) == (True, "T0PARTNER")
        assert slack.socket.deliveries[1].payload["event"]["type"] == "channel_shared"


async def test_an_eleventh_connection_is_turned_away_and_a_ticket_is_good_once(slack: LoopbackSlack) -> None:
    client = AsyncWebClient(token=slack.app_token, base_url=slack.api_url)
    async with aiohttp.ClientSession() as session, AsyncExitStack() as open_sockets:
        url = ""
        for number in range(1, 11):
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            socket = await open_sockets.enter_async_context(session.ws_connect(url))
            assert (await socket.receive_json())["num_connections"] == number
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        eleventh = await open_sockets.enter_async_context(session.ws_connect(url))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"


async def test_a_thread_is_readable_as_text(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Checkout is slow"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "asked by <@U0ROSA> &amp; <!subteam^S0APPROVERS>"}},
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Approve"}}],
        },
    ]
    head = await client.chat_postMessage(channel=ROOM, text="head", blocks=blocks)
    await client.chat_postMessage(
        channel=ROOM, text="see <https://example.com|the console>", thread_ts=head["ts"], reply_broadcast=True
    )
    text = slack.thread_text(ROOM, head["ts"])
    assert "  # Checkout is slow\n" in text
    assert "  asked by @Rosa Lind & @sre-approvers\n" in text
    assert "  [ Approve ]\n" in text
    assert "Runbook (also in the channel)\n" in text
    assert "      see the console (https://example.com)\n" in text
    async with aiohttp.ClientSession() as session, session.get(f"{slack.page_url}export/{ROOM}.txt") as answer:
        exported = await answer.text()
    assert exported.startswith("#incidents\n")
    assert text in exported


async def test_the_manifest_says_what_the_app_may_do_and_hear(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text(MANIFEST, encoding="utf-8")
    async with LoopbackSlack(Workspace.demo(path)) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        assert (await client.conversations_info(channel=ROOM))["ok"]
        assert (await client.auth_test()).headers["X-OAuth-Scopes"] == "channels:read,chat:write"
        for call, scope in (
            (client.conversations_history(channel=ROOM), "channels:history"),
            (client.reactions_add(channel=ROOM, timestamp="1.0", name="eyes"), "reactions:write"),
        ):
            with pytest.raises(SlackApiError) as caught:
                await call
            assert caught.value.response["error"] == "missing_scope"
            assert caught.value.response["needed"] == scope
        await slack.act({"do": "message", "user": "U0BEN", "channel": ROOM, "text": "<@U0RUNBOOK> hi"})
        await slack.wait_for(lambda: slack.socket.deliveries, 60)
        assert [one.payload["event"]["type"] for one in slack.socket.deliveries] == ["app_mention"]
        answer = await slack.act({"do": "shortcut", "user": "U0BEN", "callback_id": "unknown"})
        assert answer["error"] == "the app has no such shortcut: unknown"


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text("features: [", encoding="utf-8")
    with pytest.raises(PlaygroundError, match=r"manifest\.yml: ParserError: .* line 1, column 12"):
        Workspace.demo(path)


async def test_a_port_in_use_is_one_clear_line(slack: LoopbackSlack) -> None:
    with pytest.raises(PortTaken, match=f"cannot listen on port {slack.port}"):
        await LoopbackSlack().start(slack.port)


async def test_it_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runbook_bot.playground.slack", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    urls = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    client = AsyncWebClient(token=urls["bot_token"], base_url=urls["api_url"])
    await client.chat_postMessage(channel=ROOM, text="hello")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{urls['page_url']}calls?method=chat.postMessage") as answer:
            assert (await answer.json())[0]["args"] == {"channel": ROOM, "text": "hello"}
        async with session.get(f"{urls['page_url']}export/{ROOM}.txt") as answer:
            assert "hello" in await answer.text()
    os.kill(process.pid, signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0
