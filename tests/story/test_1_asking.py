"""One: what is asked is recorded once, then acknowledged, whatever Slack delivers how often."""

import pytest

from tests.story.scene import CHANNEL, ROSA, Case, Scene

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_command_is_acknowledged_in_time_even_while_slack_answers_slowly(shop: Scene) -> None:
    known = {m["ts"] for m in shop.heads()}
    faults, socket = shop.box.slack.faults, shop.box.slack.socket
    limit, socket.ack_limit = socket.ack_limit, 8.0
    faults.delay("*", socket.ack_limit + 1)  # whoever calls Slack before the acknowledgement is late
    try:
        await shop.act(ROSA, "command", text=f"investigate {shop.alarm}")
    finally:
        faults.latency.clear()
        socket.ack_limit = limit
    found = await shop.newest(known)
    assert found.journal.request.text == shop.alarm
    assert found.journal.request.requester == ROSA


async def test_a_mention_that_is_delivered_again_and_again_is_one_investigation(shop: Scene) -> None:
    known = {m["ts"] for m in shop.heads()}
    socket = shop.box.slack.socket
    limit, delays = socket.ack_limit, socket.retry_delays
    socket.ack_limit, socket.retry_delays = 0.0, (0.0, 0.0, 0.0)  # no answer is fast enough: Slack tries four times
    try:
        await shop.act(ROSA, "message", text="<@U0RUNBOOK> investigate checkout answers 500")

        def mentions() -> list[int]:
            of_this = [d for d in socket.deliveries if d.payload.get("event", {}).get("type") == "app_mention"]
            return [d.attempt for d in of_this]

        await shop.wait_for(lambda: 3 in mentions(), "the fourth delivery")
    finally:
        socket.ack_limit, socket.retry_delays = limit, delays
    found = await shop.finished(await shop.newest(known))
    assert len([m for m in shop.heads() if m["ts"] not in known]) == 1
    assert found.journal.request.channel == CHANNEL


async def test_nothing_to_look_into_is_said_only_to_whoever_asked(shop: Scene, case: Case) -> None:
    heads = len(shop.heads())
    await shop.act(ROSA, "command", text="investigate ???")
    told = await shop.wait_for(
        lambda: next((m for m in shop.messages() if "Say what hurts" in str(m.get("text"))), None), "an answer"
    )
    assert told["ephemeral_to"] == ROSA
    assert len(shop.heads()) == heads
