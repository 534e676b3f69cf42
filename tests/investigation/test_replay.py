"""A journal is enough: without the world it leads to the identical verdict, people's words and limits included."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from runbook_bot.domain.journal import Body, Concluded, Queried, Steered, StopAsked
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.replay import Replay, replayed
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from tests.investigation import troubles
from tests.investigation.running import ID, HandClock, Paper, Running
from tests.investigation.town import Town

TROUBLES = [
    (troubles.bad_deployment, "storefront is failing"),
    (troubles.configuration_change, "orders errors"),
    (troubles.connection_exhaustion, "orders is slow"),
    (troubles.concurrency_limit, "invoices"),
    (troubles.memory_exhaustion, "cart"),
    (troubles.throttling, "cart is failing"),
    (troubles.traffic_surge, "storefront is slow"),
    (troubles.nothing, "search seems odd"),
]


async def again(journal: Paper, limits: AgentSettings | None = None) -> Replay:
    return await replayed(ID, journal.entries, CatalogueReasoner(), limits or AgentSettings())


@pytest.mark.parametrize(("trouble", "complaint"), TROUBLES)
async def test_it_replays_to_the_identical_verdict(trouble: Callable[[], Town], complaint: str) -> None:
    running = Running(trouble())
    journal = running.opened(complaint)
    case = await running.go_on(journal)
    found = await again(journal)
    assert found.differences == ()
    assert found.missing == ()
    assert found.again.verdict == case.verdict
    assert found.again.evidence == case.evidence


async def test_people_s_words_come_where_they_were_said() -> None:
    running = Running(troubles.connection_exhaustion())
    journal = running.opened("orders is slow")
    await running.go_on(journal)
    for action in ("dig", "rule_out", "known", "suggest"):
        said = {"hypothesis": "H1", "action": action, "by": "U1", "delivery": action, "note": "locks in orders-db"}
        journal.append(Steered.model_validate(said))
        await running.go_on(journal)
    assert sum(isinstance(entry.body, Concluded) for entry in journal.entries) == 5
    found = await again(journal)
    assert found.identical
    assert found.again.hypotheses == journal.refresh().hypotheses


async def test_a_word_during_the_tests_and_a_stop_too() -> None:
    running = Running(troubles.bad_deployment())
    journal = running.opened("storefront is failing")

    def speak(body: Body) -> None:
        if len(journal.entries) == 40:
            journal.append(Steered(hypothesis="H2", action="rule_out", by="U1", delivery="d"))
        if len(journal.entries) == 60:
            journal.append(StopAsked(by="U1"))

    await running.go_on(journal, watch=speak)
    found = await again(journal)
    assert found.recorded.status == "stopped"
    assert found.identical


async def test_a_limit_comes_where_it_came() -> None:
    clock = HandClock(tick=timedelta(seconds=1))
    running = Running(troubles.bad_deployment(), AgentSettings(max_seconds=5), clock=clock)
    journal = running.opened("storefront is failing")
    case = await running.go_on(journal)
    found = await again(journal)
    assert found.identical
    assert found.again.verdict is not None
    assert case.verdict is not None
    assert found.again.verdict.cut_short == case.verdict.cut_short == "5 seconds have passed"


async def test_a_limit_survives_a_crash() -> None:
    """Whoever takes over after the limit was written down concludes, and does not begin to count anew."""
    running = Running(troubles.bad_deployment(), AgentSettings(max_iterations=1))
    journal = running.opened("storefront is failing")
    whole = await running.go_on(journal)
    cut = next(n for n, entry in enumerate(journal.entries) if entry.body.kind == "limit_reached") + 1
    resumed = Running(troubles.bad_deployment())
    paper = Paper(resumed.clock)
    paper.append(*(entry.body for entry in journal.entries[:cut]))
    case = await resumed.go_on(paper)
    assert case.verdict is not None
    assert whole.verdict is not None
    assert case.verdict.cut_short == "1 rounds were tested"
    assert case.verdict.ranked == whole.verdict.ranked
    assert len(case.limits) == 1


async def test_where_the_answers_were_altered_the_replay_parts_from_the_journal() -> None:
    running = Running(troubles.bad_deployment())
    journal = running.opened("storefront is failing")
    await running.go_on(journal)
    for n, entry in enumerate(journal.entries):
        if isinstance(entry.body, Queried) and entry.body.query_kind == "list_changes":
            quiet = entry.body.result.model_copy(update={"changes": ()})
            body = entry.body.model_copy(update={"result": quiet})
            journal.entries[n] = entry.model_copy(update={"body": body})
    found = await again(journal)
    assert not found.identical
    assert found.differences[0].startswith(("status", "root_cause", "ranked"))
    cause = found.again.verdict.root_cause if found.again.verdict else None
    assert cause is None or cause.failure_mode is not FailureMode.bad_deployment


async def test_what_was_never_begun_replays_to_itself() -> None:
    journal = Running(troubles.nothing()).opened("search seems odd")
    found = await again(journal)
    assert found.identical
    assert found.again.verdict is None
