"""The Web API through Slack's own client: messages, threads, refusals, limits, files and canvases."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.playground.slack import LoopbackSlack

ROOM = "C0INCIDENTS"
ONE_PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
Body = dict[str, Any]


async def refused(call: Any) -> Body:
    """The answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    answer = caught.value.response.data
    assert isinstance(answer, dict)
    return answer


async def test_a_thread_keeps_its_counts_metadata_and_broadcast(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "runbook_investigation", "event_payload": {"id": "inv-1"}}
    head = await client.chat_postMessage(channel=ROOM, text="head", metadata=metadata)
    await client.chat_postMessage(channel=ROOM, text="H1", thread_ts=head["ts"])
    await client.chat_postMessage(channel=ROOM, text="verdict", thread_ts=head["ts"], reply_broadcast=True)
    await client.chat_postEphemeral(channel=ROOM, user="U0ROSA", text="psst")
    history = (await client.conversations_history(channel=ROOM)).data
    assert isinstance(history, dict)
    assert [one["text"] for one in history["messages"]] == ["verdict", "head"]
    assert "metadata" not in history["messages"][1]
    assert history["messages"][1]["reply_count"] == 2
    replies = (await client.conversations_replies(channel=ROOM, ts=head["ts"], include_all_metadata=True)).data
    assert isinstance(replies, dict)
    assert [one["text"] for one in replies["messages"]] == ["head", "H1", "verdict"]
    assert replies["messages"][0]["metadata"] == metadata
    assert replies["messages"][2]["subtype"] == "thread_broadcast"
    link = await client.chat_getPermalink(channel=ROOM, message_ts=head["ts"])
    assert link["permalink"].endswith(f"/archives/{ROOM}/p{head['ts'].replace('.', '')}")


async def test_an_update_keeps_what_it_does_not_name(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    blocks = [{"type": "divider"}]
    metadata = {"event_type": "kind", "event_payload": {"id": 1}}
    ts = (await client.chat_postMessage(channel=ROOM, text="a", blocks=blocks, metadata=metadata))["ts"]
    changed = await client.chat_update(channel=ROOM, ts=ts, text="b")
    assert changed["message"]["blocks"][0]["type"] == "divider"
    assert changed["message"]["metadata"] == metadata
    cleared = await client.chat_update(channel=ROOM, ts=ts, text="c", blocks=[])
    assert "blocks" not in cleared["message"]
    assert slack.messages(ROOM)[0]["edited"]["user"] == "U0RUNBOOK"
    await client.chat_delete(channel=ROOM, ts=ts)
    assert slack.messages(ROOM) == []


async def test_what_slack_refuses_is_refused_in_slacks_words(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    person = (await slack.act({"do": "message", "user": "U0BEN", "channel": ROOM, "text": "hello"}))["ts"]
    reply = (await client.chat_postMessage(channel=ROOM, text="x", thread_ts=person))["ts"]
    table: list[tuple[Callable[[], Any], str]] = [
        (lambda: client.chat_postMessage(channel="C0NOWHERE", text="x"), "channel_not_found"),
        (lambda: client.chat_postMessage(channel="C0GENERAL", text="x"), "not_in_channel"),
        (lambda: client.api_call("chat.postMessage", json={"channel": ROOM, "text": " "}), "no_text"),
        (lambda: client.chat_postMessage(channel=ROOM, text="x" * 40_001), "msg_too_long"),
        (lambda: client.chat_postMessage(channel=ROOM, text="x", thread_ts="1.000001"), "thread_not_found"),
        (lambda: client.chat_postMessage(channel=ROOM, text="x", thread_ts=reply), "cannot_reply_to_message"),
        (
            lambda: client.chat_postMessage(channel=ROOM, text="x", metadata={"event_type": "x"}),
            "invalid_metadata_format",
        ),
        (lambda: client.chat_update(channel=ROOM, ts="1.000001", text="x"), "message_not_found"),
        (lambda: client.chat_update(channel=ROOM, ts=person, text="x"), "cant_update_message"),
        (lambda: client.chat_delete(channel=ROOM, ts=person), "cant_delete_message"),
        (lambda: client.chat_postEphemeral(channel=ROOM, user="U0NOBODY", text="x"), "user_not_in_channel"),
        (lambda: client.users_info(user="U0NOBODY"), "user_not_found"),
        (lambda: client.usergroups_users_list(usergroup="S0NONE"), "no_such_subteam"),
        (lambda: client.views_open(trigger_id="1.2.3", view={}), "invalid_trigger_id"),
        (lambda: client.conversations_history(channel=ROOM, limit=5000), "invalid_limit"),
        (lambda: client.api_call("no.such.method"), "unknown_method"),
        (lambda: client.apps_connections_open(app_token=slack.bot_token), "not_allowed_token_type"),
        (lambda: AsyncWebClient(base_url=slack.api_url).auth_test(), "not_authed"),
        (lambda: AsyncWebClient(base_url=slack.api_url, token="xoxb-wrong").auth_test(), "invalid_auth"),
    ]
    for call, word in table:
        assert (await refused(call()))["error"] == word
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
    answer = await refused(client.chat_postMessage(channel=ROOM, text="x", blocks=[{"type": "divider"}, long]))
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]
    many = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}} for _ in range(4)]
    assert (await refused(client.chat_postMessage(channel=ROOM, text="x", blocks=many)))[
        "error"
    ] == "msg_blocks_too_long"
    assert slack.calls.refused()[-1].answer["error"] == "msg_blocks_too_long"


async def test_a_form_is_read_as_well_as_json(slack: LoopbackSlack) -> None:
    async with aiohttp.ClientSession() as session:
        form = {"token": slack.bot_token, "channel": ROOM, "text": "hi", "blocks": '[{"type": "divider"}]'}
        async with session.post(f"{slack.api_url}chat.postMessage", data=form) as answer:
            assert (await answer.json())["ok"] is True
        async with session.post(f"{slack.api_url}chat.postMessage", data={**form, "blocks": "[{"}) as answer:
            assert (await answer.json())["error"] == "invalid_blocks_format"
    assert slack.calls.to("chat.postMessage")[0].args["text"] == "hi"
    assert "token" not in slack.calls.to("chat.postMessage")[0].args


async def test_a_trigger_is_good_once_and_for_three_seconds(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Hi"}, "blocks": []}
    trigger = slack.state.new_trigger("U0ROSA")
    opened = await client.views_open(trigger_id=trigger, view=view)
    assert (await refused(client.views_open(trigger_id=trigger, view=view)))["error"] == "exchanged_trigger_id"
    late = slack.state.new_trigger("U0ROSA")
    slack.state.triggers[late].expires = time.monotonic() - 1
    assert (await refused(client.views_open(trigger_id=late, view=view)))["error"] == "expired_trigger_id"
    old = opened["view"]["hash"]
    await client.views_update(view_id=opened["view"]["id"], hash=old, view=view)
    conflict = await refused(client.views_update(view_id=opened["view"]["id"], hash=old, view=view))
    assert conflict["error"] == "hash_conflict"
    long = {**view, "title": {"type": "plain_text", "text": "x" * 25}}
    bad = await refused(client.views_update(view_id=opened["view"]["id"], view=long))
    assert bad["error"] == "invalid_arguments"
    assert "[json-pointer:/view/title/text]" in bad["response_metadata"]["messages"][0]
    for _ in range(2):
        await client.views_push(trigger_id=slack.state.new_trigger("U0ROSA"), view=view)
    fourth = client.views_push(trigger_id=slack.state.new_trigger("U0ROSA"), view=view)
    assert (await refused(fourth))["error"] == "push_limit_reached"


async def test_the_clients_retry_handler_honours_429(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    slack.faults.limit_next("chat.postMessage", retry_after=1)
    started = time.monotonic()
    assert (await client.chat_postMessage(channel=ROOM, text="x"))["ok"]
    assert time.monotonic() - started >= 1
    assert [call.status for call in slack.calls.to("chat.postMessage")] == [429, 200]


async def test_rates_are_counted_by_method_and_channel(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    slack.faults.limits["users.info"] = 2
    for _ in range(2):
        await client.users_info(user="U0ROSA")
    with pytest.raises(SlackApiError) as caught:
        await client.users_info(user="U0ROSA")
    assert caught.value.response.status_code == 429
    assert 55 <= int(caught.value.response.headers["Retry-After"]) <= 60
    for _ in range(slack.faults.post_burst):
        await client.chat_postMessage(channel=ROOM, text="x")
    answer = await refused(client.chat_postMessage(channel=ROOM, text="one too many"))
    assert answer["error"] == "ratelimited"
    slack.faults.rates = False
    await client.chat_postMessage(channel=ROOM, text="unlimited")


async def test_a_lost_answer_leaves_the_message_behind(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    client.retry_handlers.clear()
    slack.faults.lose_answers("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=ROOM, text="once")
    assert [one["text"] for one in slack.messages(ROOM)] == ["once"]
    assert slack.calls.to("chat.postMessage")[0].answered is False
    slack.faults.fail("chat.postMessage", "internal_error")
    assert (await refused(client.chat_postMessage(channel=ROOM, text="x")))["error"] == "internal_error"
    slack.faults.delay("chat.postMessage", 0.2)
    started = time.monotonic()
    await client.chat_postMessage(channel=ROOM, text="slow")
    assert time.monotonic() - started >= 0.2


async def test_people_and_places_are_listed(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    guest = (await client.users_info(user="U0GIL"))["user"]
    assert guest["is_restricted"]
    assert (await client.users_info(user="U0DORA"))["user"]["deleted"]
    page = await client.users_list(limit=4)
    assert len(page["members"]) == 4
    rest = await client.users_list(limit=4, cursor=page["response_metadata"]["next_cursor"])
    assert len(rest["members"]) == 3
    assert rest["response_metadata"]["next_cursor"] == ""
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == ["U0AMIR", "U0BEA"]
    assert (await client.usergroups_users_list(usergroup="S0APPROVERS"))["users"] == ["U0AMIR", "U0BEA"]
    info = (await client.conversations_info(channel=ROOM))["channel"]
    assert info["is_member"]
    assert not info["is_ext_shared"]
    assert "U0RUNBOOK" in (await client.conversations_members(channel=ROOM))["members"]
    assert [one["name"] for one in (await client.conversations_list())["channels"]] == ["incidents", "general"]
    im = (await client.conversations_open(users="U0AMIR"))["channel"]["id"]
    assert (await client.chat_postMessage(channel="U0AMIR", text="for you"))["channel"] == im
    assert (await client.conversations_join(channel="C0GENERAL"))["channel"]["is_member"]
    assert (await client.auth_test())["bot_id"] == "B0RUNBOOK"
    assert (await client.team_info())["team"]["name"] == "Acme"
    assert (await client.bots_info(bot="B0RUNBOOK"))["bot"]["user_id"] == "U0RUNBOOK"


async def test_a_file_is_uploaded_shared_and_shown_in_a_block(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    head = await client.chat_postMessage(channel=ROOM, text="head")
    done = await client.files_upload_v2(
        content=ONE_PIXEL, filename="p99.png", title="p99", alt_txt="rises to 4 s", channel=ROOM, thread_ts=head["ts"]
    )
    file = done["file"]
    assert slack.messages(ROOM, head["ts"])[1]["files"][0]["alt_txt"] == "rises to 4 s"
    assert (await client.files_info(file=file["id"]))["file"]["mimetype"] == "image/png"
    async with aiohttp.ClientSession() as session, session.get(file["url_private"]) as answer:
        assert await answer.read() == ONE_PIXEL
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    image = {"type": "image", "alt_text": "p99", "slack_file": {"id": file["id"]}}
    assert (await client.chat_postMessage(channel=ROOM, text="chart", blocks=[image]))["ok"]
    unknown = {**image, "slack_file": {"id": "F0NONE"}}
    answer_ = await refused(client.chat_postMessage(channel=ROOM, text="chart", blocks=[unknown]))
    assert answer_["errors"] == ["invalid slack file [json-pointer:/blocks/0/slack_file]"]


async def test_canvases_are_edited_one_section_at_a_time(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    page = {"type": "markdown", "markdown": "# Incident\n\n## Summary\n\nlooking\n\n## Timeline\n\n- 12:00 alarm"}
    canvas = (await client.conversations_canvases_create(channel_id=ROOM, document_content=page))["canvas_id"]
    second = client.conversations_canvases_create(channel_id=ROOM, document_content=page)
    assert (await refused(second))["error"] == "channel_canvas_already_exists"
    properties = (await client.conversations_info(channel=ROOM))["channel"]["properties"]
    assert properties["canvas"]["file_id"] == canvas

    async def lookup(**criteria: Any) -> list[str]:
        found = await client.canvases_sections_lookup(canvas_id=canvas, criteria=criteria)
        return [one["id"] for one in found["sections"]]

    headings = await lookup(section_types=["h2"])
    assert len(headings) == 2
    (looking,) = await lookup(contains_text="looking")
    change = {
        "operation": "replace",
        "section_id": looking,
        "document_content": {"type": "markdown", "markdown": "found"},
    }
    await client.canvases_edit(canvas_id=canvas, changes=[change])
    assert (await refused(client.canvases_edit(canvas_id=canvas, changes=[change])))["error"] == "canvas_editing_failed"
    assert (await refused(client.canvases_edit(canvas_id=canvas, changes=[])))["error"] == "invalid_arguments"
    content = (await client.canvases_getContent(canvas_id=canvas))["content"]
    assert content == "# Incident\n\n## Summary\n\nfound\n\n## Timeline\n\n- 12:00 alarm"
    rename = {"operation": "rename", "title_content": {"type": "markdown", "markdown": "Checkout"}}
    await client.canvases_edit(canvas_id=canvas, changes=[rename])
    assert slack.state.canvases[canvas].title == "Checkout"
    wide = "| a | b | c |\n" * 101
    bad = client.canvases_create(title="t", document_content={"type": "markdown", "markdown": wide})
    assert "303 cells" in (await refused(bad))["detail"]
    await client.canvases_access_set(canvas_id=canvas, access_level="read", channel_ids=[ROOM])
    await client.canvases_delete(canvas_id=canvas)
    assert (await refused(client.canvases_getContent(canvas_id=canvas)))["error"] == "canvas_not_found"


async def test_reactions_and_bookmarks(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=ROOM, text="x"))["ts"]
    await client.reactions_add(channel=ROOM, timestamp=ts, name="eyes")
    assert (await refused(client.reactions_add(channel=ROOM, timestamp=ts, name="eyes")))["error"] == "already_reacted"
    assert (await client.reactions_get(channel=ROOM, timestamp=ts))["message"]["reactions"][0]["name"] == "eyes"
    await client.reactions_remove(channel=ROOM, timestamp=ts, name="eyes")
    assert (await refused(client.reactions_remove(channel=ROOM, timestamp=ts, name="eyes")))["error"] == "no_reaction"
    mark = (await client.bookmarks_add(channel_id=ROOM, title="Canvas", type="link", link="https://example.com"))[
        "bookmark"
    ]
    await client.bookmarks_edit(bookmark_id=mark["id"], channel_id=ROOM, title="Summary")
    assert (await client.bookmarks_list(channel_id=ROOM))["bookmarks"][0]["title"] == "Summary"
    await client.bookmarks_remove(bookmark_id=mark["id"], channel_id=ROOM)
    assert (await client.bookmarks_list(channel_id=ROOM))["bookmarks"] == []


async def test_a_stream_grows_and_dies(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ts = (await slack.act({"do": "message", "user": "U0ROSA", "channel": ROOM, "text": "why?"}))["ts"]
    nobody = client.chat_startStream(channel=ROOM, thread_ts=ts)
    assert (await refused(nobody))["error"] == "missing_recipient_team_id"
    who: Body = {"recipient_team_id": "T0ACME", "recipient_user_id": "U0ROSA"}
    stream = await client.chat_startStream(channel=ROOM, thread_ts=ts, markdown_text="be", **who)
    await client.chat_appendStream(channel=ROOM, ts=stream["ts"], markdown_text="cause")
    task = {"type": "task_update", "id": "t1", "title": "Look", "status": "complete", "output": "4 s"}
    await client.chat_appendStream(channel=ROOM, ts=stream["ts"], chunks=[task])
    await client.chat_stopStream(channel=ROOM, ts=stream["ts"], blocks=[{"type": "divider"}])
    assert slack.messages(ROOM, ts)[1]["text"] == "because"
    assert [one["type"] for one in slack.messages(ROOM, ts)[1]["blocks"]] == ["markdown", "plan", "divider"]
    slack.faults.stream_life = 0.05
    short = await client.chat_startStream(channel=ROOM, thread_ts=ts, **who)
    await asyncio.sleep(0.06)
    late = client.chat_appendStream(channel=ROOM, ts=short["ts"], markdown_text="x")
    assert (await refused(late))["error"] == "message_not_in_streaming_state"


async def test_a_status_line_is_cleared_by_the_next_message(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=ROOM, text="head"))["ts"]
    await client.assistant_threads_setStatus(channel_id=ROOM, thread_ts=ts, status="is looking")
    assert slack.state.statuses == {(ROOM, ts): "is looking"}
    await client.chat_postMessage(channel=ROOM, text="H1", thread_ts=ts)
    assert slack.state.statuses == {}
    session = await client.agents_sessions_setStatus(channel_id=ROOM, thread_ts=ts, status="processing", title="Slow")
    assert session["agent_status"] == "processing"
    await client.agents_sessions_rename(channel_id=ROOM, thread_ts=ts, title="Slower")
    assert slack.state.sessions[ROOM, ts]["title"] == "Slower"
    assert (await slack.act({"do": "stop", "user": "U0ROSA", "channel": ROOM, "thread_ts": ts}))["ok"]


async def test_a_response_url_answers_five_times(slack: LoopbackSlack) -> None:
    key = slack.state.new_response_url(ROOM, "U0ROSA", None)
    url = f"{slack.page_url}response/{key}"
    async with aiohttp.ClientSession() as session:
        for number in range(5):
            body = {"text": f"answer {number}", "replace_original": number > 0}
            async with session.post(url, json=body) as answer:
                assert await answer.text() == "ok"
        async with session.post(url, json={"text": "once more"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "used_url")
    assert [(one["text"], one["ephemeral_to"]) for one in slack.messages(ROOM)] == [("answer 4", "U0ROSA")]


async def test_blocks_can_be_validated_without_a_token(slack: LoopbackSlack) -> None:
    client = AsyncWebClient(base_url=slack.api_url)
    assert (await client.blocks_validate(blocks=[{"type": "divider"}]))["ok"]
    answer = await refused(
        client.blocks_validate(blocks=[{"type": "section", "text": {"type": "invalid", "text": "x"}}])
    )
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [
        {"code": "failed_constraint", "message": "unsupported type: invalid", "pointer": "/0/text/type"}
    ]
    assert (await refused(client.blocks_validate(blocks=[], view={})))["error"] == "invalid_arguments"
