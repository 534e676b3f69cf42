"""What arrives: recorded before it is acknowledged, handled once, refused politely, taken up again after a restart."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runbook_bot.errors import RunbookError, SettingsError
from runbook_bot.playground.slack import LoopbackSlack
from runbook_bot.slack.config import SlackSettings
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.delivery import read
from runbook_bot.slack.investigate import id_of
from tests.slack.conftest import Office, open_office
from tests.slack.story import CHANNEL, Story


def _command(trigger: str = "1.2.abc", **changes: str) -> dict[str, object]:
    body = {
        "command": "/runbook",
        "text": "investigate checkout is slow",
        "trigger_id": trigger,
        "team_id": "T0ACME",
        "user_id": "U0ROSA",
        "channel_id": CHANNEL,
        **changes,
    }
    return dict(body)


async def test_a_delivery_that_comes_to_two_connections_is_handled_once(slack: LoopbackSlack, tmp_path: Path) -> None:
    slack.socket.deliver_to_all = True
    async with open_office(slack, tmp_path) as one, open_office(slack, tmp_path) as two:
        await one.desk.start()
        await two.desk.start()

        await one.command("investigate checkout is slow")
        await one.mention("investigate the database is slow")
        await slack.wait_for(lambda: len(one.queue.ids) + len(two.queue.ids) >= 2, 60)
        await asyncio.sleep(0.2)

        assert len(one.queue.ids) + len(two.queue.ids) == 2
        assert len(one.journals.ids()) == 2


async def test_an_event_that_is_delivered_again_is_acknowledged_and_dropped(office: Office) -> None:
    ts = await office.mention("investigate checkout is slow")
    await office.slack.wait_for(lambda: office.queue.ids, 60)
    (first,) = [d for d in office.slack.socket.deliveries if d.kind == "events_api"]

    again = await office.slack.socket.deliver("events_api", first.payload, answers=False, attempt=1, reason="timeout")

    assert again.acked
    await asyncio.sleep(0.1)
    assert office.queue.ids == [id_of(f"message:{CHANNEL}:{ts}")]


async def test_what_was_left_unfinished_is_taken_up_at_the_next_start(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with open_office(slack, tmp_path) as office:
        body = _command()
        await office.inbox.accept("command:1.2.abc", json.dumps(body))

        await office.desk.start()

        await slack.wait_for(lambda: office.queue.ids, 60)
        assert office.journals.ids() == [id_of("command:1.2.abc")]
        await office.desk.stop()
        assert await office.inbox.pending() == []


async def test_a_form_that_cannot_open_any_more_is_told(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with open_office(slack, tmp_path) as office:
        journal = await office.shown(Story().opened().triaged().supposed().tested().concluded().offered())
        card = journal.refresh().posted[f"approval:{journal.id}.P1"]
        body = {
            "type": "block_actions",
            "team": {"id": "T0ACME"},
            "user": {"id": "U0AMIR", "team_id": "T0ACME"},
            "channel": {"id": CHANNEL},
            "container": {"message_ts": card.ts, "thread_ts": card.thread},
            "trigger_id": "expired",
            "actions": [{"action_id": "reject", "value": f"{journal.id}.P1", "action_ts": "1.1", "type": "button"}],
        }
        await office.inbox.accept("action:x", json.dumps(body))

        await office.desk.start()

        told = await office.hears("Slack could not open the form in time")
        assert told["ephemeral_to"] == "U0AMIR"
        assert journal.refresh().remedies[f"{journal.id}.P1"].decisions == ()


class _Full:
    """An inbox that cannot record."""

    async def accept(self, key: str, delivery: str) -> bool:
        raise RunbookError(f"no space left for {key} ({len(delivery)} bytes)")

    async def done(self, key: str) -> None:
        raise AssertionError(key)

    async def pending(self) -> list[tuple[str, str]]:
        return []


async def test_what_cannot_be_recorded_is_not_acknowledged(slack: LoopbackSlack, tmp_path: Path) -> None:
    slack.socket.ack_limit = 0.5
    async with open_office(slack, tmp_path, inbox=_Full()) as office:
        await office.desk.start()

        done = await office.command("investigate checkout is slow")

        assert not done["ok"]
        assert office.journals.ids() == []


@pytest.mark.parametrize(
    ("user", "channel", "told"),
    [("U0GIL", CHANNEL, "Guests cannot use me here"), ("U0ROSA", "C0SHARED", "shared with another company")],
)
async def test_guests_and_shared_channels_are_refused_after_the_acknowledgement(
    office: Office, user: str, channel: str, told: str
) -> None:
    assert (await office.command("investigate checkout is slow", user, channel))["ok"]

    assert (await office.hears(told, channel))["ephemeral_to"] == user
    assert office.journals.ids() == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (_command(team_id="T0OTHER"), "I only work in the workspace I was installed in"),
        (
            {
                "type": "event_callback",
                "team_id": "T0ACME",
                "event_id": "Ev1",
                "is_ext_shared_channel": True,
                "event": {
                    "type": "app_mention",
                    "user": "U0ROSA",
                    "text": "<@U0RUNBOOK> investigate x",
                    "channel": CHANNEL,
                    "ts": "1.1",
                },
            },
            "shared with another company",
        ),
        (
            {
                "type": "event_callback",
                "team_id": "T0ACME",
                "event_id": "Ev2",
                "event": {
                    "type": "app_mention",
                    "user": "U0ROSA",
                    "user_team": "T0OTHER",
                    "text": "<@U0RUNBOOK> investigate x",
                    "channel": CHANNEL,
                    "ts": "1.2",
                },
            },
            "you belong to another one",
        ),
    ],
)
async def test_other_teams_are_acknowledged_and_turned_away(office: Office, body: dict[str, object], told: str) -> None:
    kind = "slash_commands" if "command" in body else "events_api"

    outcome = await office.slack.socket.deliver(kind, body, answers=False)

    assert outcome.acked
    await office.hears(told)
    assert office.journals.ids() == []
    assert await office.inbox.pending() == []


async def test_where_slack_does_not_say_who_somebody_is_nothing_is_done(office: Office) -> None:
    office.slack.faults.fail("users.info", "internal_error", times=5)

    await office.command("investigate checkout is slow")

    await office.hears("Slack did not tell me who may use me")
    assert office.journals.ids() == []


async def test_the_acknowledgement_does_not_wait_for_slacks_web_api(office: Office) -> None:
    office.slack.faults.delay("*", 1.0)

    await office.command("investigate checkout is slow")

    assert office.slack.socket.deliveries[-1].seconds < 0.5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SlackSettings(app_token=SecretStr("xapp-1")), "SLACK_BOT_TOKEN"),
        (SlackSettings(bot_token=SecretStr("xapp-1"), app_token=SecretStr("xapp-1")), "SLACK_BOT_TOKEN .* xapp"),
        (SlackSettings(bot_token=SecretStr("xoxb-1"), app_token=SecretStr("xoxb-secret")), "SLACK_APP_TOKEN .* xoxb"),
    ],
)
async def test_a_missing_token_or_one_of_the_wrong_kind_is_named(settings: SlackSettings, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        Connection(settings)

    assert "secret" not in str(error.value)


async def test_tokens_that_slack_does_not_know_are_named(slack: LoopbackSlack) -> None:
    wrong = Connection(
        SlackSettings(bot_token=SecretStr("xoxb-wrong"), app_token=SecretStr("xapp-wrong")), api_url=slack.api_url
    )
    try:
        with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN: invalid_auth"):
            await wrong.workspace()
        with pytest.raises(SettingsError, match="SLACK_APP_TOKEN: invalid_auth"):
            await wrong.socket_url()
    finally:
        await wrong.close()


def test_each_kind_of_delivery_has_its_own_key() -> None:
    click = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "container": {"message_ts": "5.5"},
        "actions": [{"action_id": "approve", "action_ts": "9.9", "value": "p"}],
    }
    form = {"type": "view_submission", "user": {"id": "U1"}, "view": {"id": "V1", "hash": "h", "state": {"values": {}}}}
    mention = {"event": {"type": "app_mention", "channel": "C1", "ts": "1.1", "user": "U1", "text": "x"}}
    direct = {
        "event": {"type": "message", "channel_type": "im", "channel": "C1", "ts": "1.1", "user": "U1", "text": "x"}
    }
    bodies: list[Any] = [click, form, mention, direct, _command()]
    keys = [found.key for each in bodies if (found := read(each))]

    assert keys[0] == "action:5.5:approve:U1:9.9"
    assert keys[1].startswith("view:V1:h:")
    assert keys[2] == keys[3] == "message:C1:1.1"
    assert keys[4] == "command:1.2.abc"
    assert read({"event": {"type": "message", "channel_type": "im", "bot_id": "B1", "user": "U1"}}) is None
    assert read({"type": "view_closed"}) is None
