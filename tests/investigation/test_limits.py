"""At any limit the best answer so far is given, and says that it was cut short; nothing is thrown away."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from runbook_bot.domain.journal import Body, LimitReached, Queried, RoundBegan, StopAsked
from runbook_bot.investigation.limits import AgentSettings
from tests.investigation import troubles
from tests.investigation.running import HandClock, Running
from tests.investigation.town import NOW


async def test_so_many_rounds() -> None:
    running = Running(troubles.bad_deployment(), AgentSettings(max_iterations=1))
    journal = running.opened("storefront is failing")
    case = await running.go_on(journal)
    assert sum(isinstance(entry.body, RoundBegan) for entry in journal.entries) == 1
    assert case.verdict is not None
    assert case.verdict.cut_short == "1 rounds were tested"
    assert case.limits[0].limit == case.verdict.cut_short
    assert case.evidence


async def test_so_many_queries() -> None:
    whole = await Running(troubles.bad_deployment()).investigate("storefront is failing")
    case = await Running(troubles.bad_deployment(), AgentSettings(max_queries=5)).investigate("storefront is failing")
    assert case.verdict is not None
    assert "queries were asked" in case.verdict.cut_short
    assert len(case.asked) <= len(whole.asked)
    assert len(case.hypotheses) >= 3, "there is a best answer so far"


async def test_so_many_hypotheses() -> None:
    case = await Running(troubles.bad_deployment(), AgentSettings(max_hypotheses=4)).investigate(
        "storefront is failing"
    )
    assert len(case.hypotheses) == 4
    assert case.verdict is not None


async def test_so_deep() -> None:
    case = await Running(troubles.bad_deployment(), AgentSettings(max_hypothesis_depth=1)).investigate(
        "storefront is failing"
    )
    assert {h.depth for h in case.hypotheses.values()} == {1}
    assert case.verdict is not None


async def test_so_long() -> None:
    clock = HandClock(tick=timedelta(seconds=1))
    running = Running(troubles.bad_deployment(), AgentSettings(max_seconds=5), clock=clock)
    case = await running.investigate("storefront is failing")
    assert case.verdict is not None
    assert case.verdict.cut_short == "5 seconds have passed"
    assert len(case.hypotheses) >= 3, "there is a best answer so far"


async def test_the_time_in_which_nobody_worked_does_not_count() -> None:
    running = Running(troubles.bad_deployment(), AgentSettings(max_seconds=60))
    journal = await running.triaged("storefront is failing")
    running.clock.time = NOW + timedelta(hours=5)
    case = await running.go_on(journal)
    assert case.verdict is not None
    assert case.verdict.cut_short == ""
    assert case.status == "concluded"


@pytest.mark.parametrize("during", ["queried", "proposed", "judged"])
async def test_stopped_by_a_person(during: str) -> None:
    running = Running(troubles.bad_deployment())
    journal = running.opened("storefront is failing")
    stopped: list[int] = []

    def stop(body: Body) -> None:
        if body.kind == during and not stopped:
            stopped.append(len(journal.entries))
            journal.append(StopAsked(by="U1"))

    case = await running.go_on(journal, watch=stop)
    assert stopped
    assert case.status == "stopped"
    assert case.verdict is not None
    assert case.verdict.cut_short == "stopped by a person"
    assert not any(isinstance(entry.body, LimitReached) for entry in journal.entries)
    later = await Running(troubles.bad_deployment()).investigate("storefront is failing")
    rounds = [entry for entry in journal.entries if isinstance(entry.body, RoundBegan)]
    assert len(rounds) <= 1
    asked = sum(isinstance(entry.body, Queried) for entry in journal.entries)
    assert asked <= len(later.asked)
    assert asked < len(later.asked) or during != "queried", "nothing more is read for somebody who pressed Stop"


@pytest.mark.parametrize(
    "wrong",
    [{"max_iterations": 0}, {"max_hypothesis_depth": 5}, {"max_hypotheses": 2}, {"max_seconds": 0}, {"max_rounds": 3}],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        AgentSettings.model_validate(wrong)
