"""Clicks, forms and mentions, over the real socket: recorded with facts from the envelope, never from the button."""

import asyncio
from typing import Any

from runbook_bot.domain.approval import Risk
from tests.slack.conftest import Office
from tests.slack.story import CHANNEL, ID, Story


def _offered(risk: Risk = Risk.high) -> Story:
    return Story().opened().triaged().supposed().tested().concluded().offered(risk)


async def test_approve_records_who_pressed_which_card(office: Office) -> None:
    journal = await office.shown(_offered())
    card = journal.refresh().posted[f"approval:{ID}.P1"]

    await office.click(card.ts, "approve", "U0AMIR")
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    (decision,) = journal.refresh().remedies[f"{ID}.P1"].decisions
    assert (decision.verdict, decision.user, decision.team) == ("approve", "U0AMIR", "T0ACME")
    assert (decision.channel, decision.message) == (CHANNEL, card.ts)
    assert decision.delivery.startswith(f"action:{card.ts}:approve:U0AMIR:")


async def test_reject_asks_why_and_records_the_reason(office: Office) -> None:
    journal = await office.shown(_offered())
    card = journal.refresh().posted[f"approval:{ID}.P1"]

    await office.click(card.ts, "reject", "U0BEA")
    modal = await _modal(office, "U0BEA")
    assert modal["private_metadata"] == f"{ID}.P1"
    blank = await _submit(office, modal, "reason", "   ")
    assert not blank["ok"] or "errors" in blank
    await _submit(office, modal, "reason", "the <database> is at fault")
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    (decision,) = journal.refresh().remedies[f"{ID}.P1"].decisions
    assert (decision.verdict, decision.reason, decision.user) == ("reject", "the <database> is at fault", "U0BEA")
    assert (decision.channel, decision.message) == (CHANNEL, card.ts)


async def test_a_critical_change_asks_for_the_name_of_the_resource(office: Office) -> None:
    journal = await office.shown(_offered(Risk.critical))
    card = journal.refresh().posted[f"approval:{ID}.P1"]

    await office.click(card.ts, "approve", "U0AMIR")
    modal = await _modal(office, "U0AMIR")
    assert journal.refresh().remedies[f"{ID}.P1"].decisions == ()
    await _submit(office, modal, "typed_name", "checkout-api")
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    (decision,) = journal.refresh().remedies[f"{ID}.P1"].decisions
    assert (decision.verdict, decision.typed_name) == ("approve", "checkout-api")


async def test_when_the_form_does_not_open_nothing_is_decided_and_it_is_said(office: Office) -> None:
    journal = await office.shown(_offered())
    office.slack.faults.fail("views.open", "expired_trigger_id")

    await office.click(journal.refresh().posted[f"approval:{ID}.P1"].ts, "reject", "U0BEA")

    told = await office.hears("Slack could not open the form in time")
    assert told["ephemeral_to"] == "U0BEA"
    assert journal.refresh().remedies[f"{ID}.P1"].decisions == ()


async def test_people_steer_a_hypothesis(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged().supposed())
    reply = journal.refresh().posted["hypothesis:H2"]

    for action in ("hypothesis_dig", "hypothesis_rule_out", "hypothesis_known"):
        await office.click(reply.ts, action, "U0BEN")
    await office.slack.wait_for(lambda: len(office.queue.ids) == 3, 60)

    steered = journal.refresh().steered
    assert sorted(each.action for each in steered) == ["dig", "known", "rule_out"]
    assert {(each.hypothesis, each.by) for each in steered} == {("H2", "U0BEN")}


async def test_a_roll_back_is_asked_for_and_runs_nothing(office: Office) -> None:
    story = _offered().pressed().ruled("approved").executed()
    journal = await office.shown(story)
    note = journal.refresh().posted[f"verified:{ID}.P1"]

    await office.click(note.ts, "rollback", "U0BEA")
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    assert journal.refresh().remedies[f"{ID}.P1"].rollback is not None


async def test_the_stop_button_asks_to_stop(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged())

    await office.click(journal.refresh().posted["head"].ts, "investigation_stop", "U0BEN")

    await office.hears("Stopping")
    assert journal.refresh().stop_asked is not None


async def test_mentions_in_an_investigations_thread_know_the_investigation(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged().supposed().tested())
    head = journal.refresh().posted["head"].ts

    await office.mention("why H2?", head)
    await _answered(office, head, "0 findings for it and 1 against it")
    await office.mention("so what is the matter with H1 here", head)
    await _answered(office, head, "1 finding for it and 0 against it")
    await office.mention("is it the weather?", head)
    await _answered(office, head, "I do not know how to answer that; this is where it stands")
    await office.mention("summary", head)
    await _answered(office, head, "Checkout answers 5xx: investigating")
    await office.mention("stop", head)
    await office.hears("Stopping")
    assert journal.refresh().stop_asked is not None


async def test_investigate_in_a_thread_starts_there_and_in_a_channel_makes_a_thread_of_its_own(office: Office) -> None:
    root = await office.slack.act({"do": "message", "user": "U0ROSA", "channel": CHANNEL, "text": "it is slow"})

    await office.mention("investigate checkout", str(root["ts"]))
    await office.mention("investigate orders")
    await office.slack.wait_for(lambda: len(office.queue.ids) == 2, 60)

    threads = {office.journals.open(id).refresh().request.thread for id in office.journals.ids()}
    assert threads == {root["ts"], None}


async def test_a_direct_message_is_a_way_in_as_well(office: Office) -> None:
    direct = (await office.slack.act({"do": "home", "user": "U0ROSA", "tab": "messages"}))["channel"]

    await office.slack.act({"do": "message", "user": "U0ROSA", "channel": direct, "text": "investigate checkout"})
    await office.slack.wait_for(lambda: office.queue.ids, 60)
    await office.slack.act({"do": "message", "user": "U0ROSA", "channel": direct, "text": "sttaus"})

    assert office.journals.open(office.queue.ids[0]).refresh().request.channel == direct
    await office.hears("Did you mean `status`?", direct)


async def test_an_alert_is_investigated_from_its_menu(office: Office) -> None:
    root = await office.slack.act({"do": "message", "user": "U0ROSA", "channel": CHANNEL, "text": "ALARM: 5xx"})

    done = await office.slack.act(
        {
            "do": "shortcut",
            "user": "U0ROSA",
            "callback_id": "investigate_alert",
            "channel": CHANNEL,
            "message_ts": root["ts"],
        }
    )
    assert done["ok"], done
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    request = office.journals.open(office.queue.ids[0]).refresh().request
    assert (request.text, request.thread) == ("ALARM: 5xx", root["ts"])


async def test_home_shows_what_is_open_and_what_waits_to_members_only(office: Office) -> None:
    await office.shown(_offered())
    office.slack.channel(CHANNEL).members.remove("U0BEN")

    await office.slack.act({"do": "home", "user": "U0AMIR"})
    await office.slack.act({"do": "home", "user": "U0BEN"})
    await office.slack.wait_for(lambda: {"U0AMIR", "U0BEN"} <= set(office.slack.state.homes), 60)

    assert "Go back to checkout-api:41" in str(office.slack.state.homes["U0AMIR"])
    assert "Go back to checkout-api:41" not in str(office.slack.state.homes["U0BEN"])


async def test_a_changed_group_is_asked_for_anew(office: Office) -> None:
    assert await office.directory.group("S0APPROVERS") == {"U0AMIR", "U0BEA"}
    assert await office.directory.group("S0APPROVERS") == {"U0AMIR", "U0BEA"}
    assert len(office.slack.calls.to("usergroups.users.list")) == 1

    await office.slack.act({"do": "group", "user": "U0BEA", "usergroup": "S0APPROVERS", "users": ["U0BEA"]})

    async with asyncio.timeout(60):
        while await office.directory.group("S0APPROVERS") != {"U0BEA"}:  # noqa: ASYNC110  # nobody tells when a listener is done
            await asyncio.sleep(0.01)


async def test_the_directory_knows_people_as_they_are(office: Office) -> None:
    rosa, gil = await office.directory.person("U0ROSA"), await office.directory.person("U0GIL")
    dora, eve = await office.directory.person("U0DORA"), await office.directory.person("U0EVE")

    assert rosa is not None
    assert (rosa.team, rosa.guest, rosa.bot, rosa.stranger) == ("T0ACME", False, False, False)
    assert gil is not None
    assert gil.guest
    assert dora is not None
    assert dora.deactivated
    assert eve is not None
    assert eve.bot
    assert await office.directory.person("U0NOBODY") is None
    assert await office.directory.in_channel("U0ROSA", CHANNEL)
    assert not await office.directory.in_channel("U0DORA", CHANNEL)


async def _modal(office: Office, user: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        return next((view for owner, view in office.slack.state.views() if owner == user), None)

    return await office.slack.wait_for(found, 60, "a modal") or {}


async def _submit(office: Office, modal: dict[str, Any], field: str, value: str) -> dict[str, Any]:
    values = {field: {field: {"type": "plain_text_input", "value": value}}}
    user = next(owner for owner, view in office.slack.state.views() if view["id"] == modal["id"])
    return await office.slack.act({"do": "submit", "user": user, "view_id": modal["id"], "values": values})


async def _answered(office: Office, thread: str, text: str) -> None:
    await office.slack.wait_for(
        lambda: any(text in str(m["text"]) for m in office.slack.messages(CHANNEL, thread)), 60, text
    )
