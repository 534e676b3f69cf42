"""What is taken up again at the start: what a crash left undone or unsaid, and no archive."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook_bot.bootstrap import MOST_RESUMED, unfinished
from runbook_bot.domain.journal import Noted, Posted, RollbackAsked, Steered
from runbook_bot.domain.ports import SystemClock
from runbook_bot.slack.views.thread import wanted
from runbook_bot.slack.workspace import Workspace
from runbook_bot.state.journals import FileJournals
from tests.slack.story import CHANNEL, ID, Story

NOW = datetime.now(UTC)


def told(folder: Path, story: Story, *, all_shown: bool = True) -> FileJournals:
    journals = FileJournals(folder, SystemClock())
    first, *rest = story.bodies
    journal = journals.create(ID, first)
    assert journal is not None
    journal.append(*rest)
    while all_shown:
        messages = wanted(journal.refresh(), Workspace(team="", bot_user=""))
        missing = [m for m in messages if m.key not in journal.refresh().posted]
        if not missing:
            break
        journal.append(*(Posted(key=m.key, channel=CHANNEL, ts="1764000000.000100", thread=None) for m in missing))
    return journals


def over() -> Story:
    return Story().opened().triaged().supposed().tested().concluded().tell(Noted(text="done", answers="remedies"))


def offered() -> Story:
    return over().offered().pressed().ruled("approved")


UNDONE = {
    "interrupted": Story().opened().triaged(),
    "concluded, no repair looked for": Story().opened().triaged().supposed().tested().concluded(),
    "waits for approval": over().offered(),
    "approved and not run": offered(),
    "made and not verified": offered().executed(),
    "a person's word that is not in the verdict yet": over().tell(
        Steered(hypothesis="H1", action="rule_out", by="U0AMIR", delivery="d1"),
        Noted(text="ruled out", answers="d1"),
    ),
    "a roll-back was asked for": offered()
    .executed()
    .verified()
    .tell(RollbackAsked(proposal=f"{ID}.P1", by="U0AMIR", delivery="d1")),
}
DONE = {
    "concluded": over(),
    "failed": Story().opened().failed(),
    "rejected": over().offered().pressed("reject").ruled("rejected"),
    "verified": offered().executed().verified(),
    "did not help": offered().executed().verified(False),
    "cannot be told": offered().executed().verified(None),
}


@pytest.mark.parametrize("story", UNDONE.values(), ids=UNDONE)
def test_what_is_undone_is_taken_up(story: Story, tmp_path: Path) -> None:
    assert unfinished(told(tmp_path, story), NOW) == [ID]


@pytest.mark.parametrize("story", DONE.values(), ids=DONE)
def test_what_is_over_and_shown_is_left_alone(story: Story, tmp_path: Path) -> None:
    assert unfinished(told(tmp_path, story), NOW) == []


@pytest.mark.parametrize("story", DONE.values(), ids=DONE)
def test_what_is_over_and_was_not_shown_is_taken_up(story: Story, tmp_path: Path) -> None:
    assert unfinished(told(tmp_path, story, all_shown=False), NOW) == [ID]


def test_the_archive_is_not_read(tmp_path: Path) -> None:
    journals = told(tmp_path, Story().opened())
    old = (NOW - timedelta(days=8)).timestamp()
    os.utime(tmp_path / f"{ID}.jsonl", (old, old))

    assert unfinished(journals, NOW) == []


def test_of_very_many_the_newest_are_looked_at(tmp_path: Path) -> None:
    journals = FileJournals(tmp_path, SystemClock())
    (opened,) = Story().opened().bodies
    for number in range(MOST_RESUMED + 5):
        id = f"inv-{number:04d}"
        assert journals.create(id, opened)
        at = NOW.timestamp() - 10_000 + number
        os.utime(tmp_path / f"{id}.jsonl", (at, at))

    found = unfinished(journals, NOW)

    assert len(found) == MOST_RESUMED
    assert found[0] == f"inv-{MOST_RESUMED + 4:04d}"
    assert "inv-0004" not in found
