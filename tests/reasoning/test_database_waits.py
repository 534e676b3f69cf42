"""What most sessions of a database wait for tells a lock from a slow statement."""

from datetime import timedelta

import pytest

from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.reasoning.modes import modes, telling
from tests.investigation import troubles
from tests.reasoning.test_judging import AT, DATABASE, judged, prediction

LOCKS, SLOW = FailureMode.lock_contention, FailureMode.slow_queries


def phrases(failure: FailureMode) -> tuple[str, ...]:
    return tuple(word for each in modes()[failure].predicts if each.about == "events" for word in each.words)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("most sessions wait for locks", LOCKS),
        ("most sessions wait for reads and writes", SLOW),
        ("most sessions compute", SLOW),
    ],
)
async def test_each_phrase_belongs_to_one_failure(said: str, failure: FailureMode) -> None:
    text = f"Performance Insights: active sessions rose from 1 to 9.8 on 2 processors; {said} (82% of them)"
    town = troubles.bad_deployment()
    town.events[DATABASE.name] = [LogLine(at=AT - timedelta(minutes=1), text=text)]
    assert telling(text)
    for each in (LOCKS, SLOW):
        made = prediction("events", "present", resource=DATABASE, words=phrases(each))
        seen = (await judged(town, made)).direction is Direction.supports
        assert seen == (each is failure), each
