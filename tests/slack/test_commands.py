"""`/runbook`: what each verb does, and what bad input is told."""

import pytest

from runbook_bot.slack.commands import VERBS
from runbook_bot.slack.investigate import id_of
from tests.slack.conftest import Office
from tests.slack.story import CHANNEL, ID, Story


async def test_investigate_opens_one_journal_and_wakes_the_queue(office: Office) -> None:
    done = await office.command("investigate checkout is slow &amp; <https://pd.example/PD-1|PD-1>")

    assert done["ok"]
    await office.slack.wait_for(lambda: office.queue.ids, 60)
    (id,) = office.journals.ids()
    case = office.journals.open(id).refresh()
    assert office.queue.ids == [id]
    assert id.startswith("inv-")
    assert len(id) == 14
    assert case.request.text == "checkout is slow & https://pd.example/PD-1"
    assert (case.request.requester, case.request.team, case.request.channel) == ("U0ROSA", "T0ACME", CHANNEL)
    assert case.request.thread is None
    assert case.reasoner == "catalogue"
    assert await office.inbox.pending() == []


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP!"])
async def test_nothing_or_help_lists_every_verb_to_whoever_asked(office: Office, text: str) -> None:
    await office.command(text)

    told = await office.hears("What I can do")
    assert told["ephemeral_to"] == "U0ROSA"
    for verb in VERBS.values():
        assert verb.usage in told["text"]
    for absent in ("deploy", "scale", "skill"):
        assert f"`/runbook {absent}" not in str(told["blocks"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("investigate", "Say what hurts"),
        ("investigate \x00\x07 …", "Say what hurts"),
        ("investigat checkout", "Did you mean `investigate`?"),
        ("sttaus", "Did you mean `status`?"),
        ("xyzzy", "say what hurts: `/runbook investigate xyzzy`"),
        ("checkout is slow again", "put `investigate` in front"),
        ("deploy checkout-api", "not something this installation does yet"),
        ("ask", "Ask me something"),
        ("ask ???", "Ask me something"),
        ("ask why was H2 pruned", "not investigated anything in this channel"),
        ("ask to be or not to be", "I do not know how to answer that"),
        ("ask status of nowhere-api", "no service or resource called “nowhere-api”"),
        ("status", "No investigation is open"),
        ("stop", "No investigation is open in this channel"),
        ("why H2", "not investigated anything in this channel"),
        ("summary inv-ffffffffff", "I know no investigation"),
        ("approvals", "Nothing waits for approval"),
        ("feedback", "Tell me whether it helped"),
        ("knowledge", "Search the runbooks"),
        ("knowledge search nothing at all", "Nothing in the runbooks fits"),
        ("knowledge search checkout", "1 passage found: Checkout"),
        ("<!channel> <@U0BEA|bea> `x`", "I do not know"),
    ],
)
async def test_what_cannot_be_done_is_told_in_one_private_line(office: Office, text: str, told: str) -> None:
    await office.command(text)

    found = await office.hears(told)
    assert found["ephemeral_to"] == "U0ROSA"
    assert "<!channel>" not in str(found)
    assert office.journals.ids() == []


async def test_ten_thousand_characters_are_kept_whole_and_more_than_that_says_where_it_is_cut(office: Office) -> None:
    await office.command("investigate " + "a" * 10_000)
    await office.slack.wait_for(lambda: office.queue.ids, 60)

    assert len(office.journals.open(office.queue.ids[0]).refresh().request.text) == 10_000

    await office.command("investigate " + "b" * 13_000)
    await office.hears("longer than I keep")
    assert len(office.journals.open(office.queue.ids[1]).refresh().request.text) == 12_000


async def test_stop_ends_the_newest_open_one_of_this_channel(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged())

    await office.command("stop", user="U0AMIR")

    await office.hears("Stopping")
    stop = journal.refresh().stop_asked
    assert stop is not None
    assert stop.by == "U0AMIR"
    assert office.queue.ids == [ID]


async def test_why_shows_both_sides_privately(office: Office) -> None:
    await office.shown(Story().opened().triaged().supposed().tested())

    await office.command("why h2")
    told = await office.hears("0 findings for it and 1 against it")
    assert "Against it" in str(told["blocks"])
    assert told["ephemeral_to"] == "U0ROSA"

    await office.command("why H9")
    await office.hears("There is no H9 in “Checkout answers 5xx”. There are: H1, H2.")


async def test_status_and_approvals_show_only_channels_one_is_in(office: Office) -> None:
    channel = office.slack.channel(CHANNEL)
    await office.shown(Story().opened().triaged().supposed().tested().concluded().offered())
    other = office.journals.create("inv-aaaaaaaaaa", next(iter(Story("quiet trouble").opened().bodies)))
    assert other is not None
    channel.members.remove("U0BEN")
    channel.members.remove("U0AMIR")
    general = office.slack.channel("C0GENERAL")
    assert "U0BEN" in general.members

    await office.command("approvals", user="U0BEN", channel="C0GENERAL")
    await office.hears("Nothing waits for approval", "C0GENERAL")
    await office.command("approvals", user="U0BEA", channel="C0GENERAL")
    await office.hears("1 change waits for approval", "C0GENERAL")
    await office.command("status", user="U0BEA", channel="C0GENERAL")
    assert "quiet trouble" in str(await office.hears("1 investigation open", "C0GENERAL"))


async def test_feedback_is_kept_once(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged().supposed().tested().concluded())

    await office.command("feedback bad it was the database")
    await office.hears("Thank you")

    (rated,) = journal.refresh().ratings
    assert (rated.by, rated.helpful, rated.note) == ("U0ROSA", False, "it was the database")


def test_the_same_delivery_always_opens_the_same_investigation() -> None:
    assert id_of("command:1.2.3") == id_of("command:1.2.3") != id_of("command:1.2.4")


SECRETS = ("hunter2-hunter2", "AKIAIOSFODNN7EXAMPLE", "xoxb-123456789012-abcdefgh")


async def test_a_secret_that_somebody_pasted_is_kept_nowhere(office: Office) -> None:
    pasted = f"checkout is slow, password={SECRETS[0]} {SECRETS[1]} {SECRETS[2]}"
    await office.command(f"investigate {pasted}")
    await office.slack.wait_for(lambda: office.queue.ids, 60)
    journal = office.journals.open(office.queue.ids[0])
    await office.board.settle(journal)
    await office.command(f"feedback good {pasted}")
    await office.hears("It is kept")

    kept = "".join(entry.line() for entry in journal.entries()) + str(await office.inbox.pending())
    shown = str([call.args for call in office.slack.calls])
    assert "checkout is slow" in kept
    assert "checkout is slow" in shown
    for secret in SECRETS:
        assert secret not in kept
        assert secret not in shown


async def test_why_names_what_it_speaks_of(office: Office) -> None:
    journal = await office.shown(Story().opened().triaged())
    await office.command("why H1")
    await office.hears(f"“Checkout answers 5xx” (`{ID}`) has no hypotheses so far")

    story = Story().opened().triaged()
    told = len(story.entries)
    journal.append(*list(story.supposed().bodies)[told:])
    await office.command("why H7")
    await office.hears("There is no H7 in “Checkout answers 5xx”. There are: H1, H2.")
    await office.command("why H2")
    await office.hears("H2 of “Checkout answers 5xx”, not tested yet")


async def test_with_nothing_open_status_says_how_the_latest_ended(office: Office) -> None:
    await office.shown(Story().opened().triaged().supposed().tested().concluded())

    await office.command("status")

    told = await office.hears("The latest one in this channel: Checkout answers 5xx: root cause found")
    assert told["ephemeral_to"] == "U0ROSA"
