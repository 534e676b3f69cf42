"""A person's word is evidence with a name on it: it is weighed, acted on once, and may change the verdict."""

from typing import Literal

from runbook_bot.domain.evidence import Direction, Evidence
from runbook_bot.domain.hypothesis import HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Steered
from runbook_bot.domain.vocabulary import FailureMode, Signal
from tests.investigation import troubles
from tests.investigation.running import Paper, Running

S = Signal


def word(action: Literal["dig", "rule_out", "known"], hypothesis: str, note: str = "") -> Steered:
    return Steered(hypothesis=hypothesis, action=action, by="U0DANA", note=note, delivery=f"{action}:{hypothesis}")


async def finished() -> tuple[Running, Paper, Investigation]:
    running = Running(troubles.bad_deployment())
    journal = running.opened("orders errors")
    return running, journal, await running.go_on(journal)


def leading(case: Investigation) -> str:
    assert case.verdict is not None
    found = case.verdict.ranked[0].hypothesis
    assert found is not None
    return found


def witnessed(case: Investigation) -> list[Evidence]:
    return [each for each in case.evidence.values() if each.source == "person"]


async def test_ruling_out_the_leader_takes_the_verdict_back() -> None:
    running, journal, before = await finished()
    leader = leading(before)
    journal.append(word("rule_out", leader, "it was rolled back an hour ago"))
    case = await running.go_on(journal)
    assert case.verdict is not None
    assert before.verdict is not None
    assert case.verdict.root_cause is None or case.verdict.root_cause.failure_mode is not FailureMode.bad_deployment
    assert leading(case) != leader or case.verdict.ranked[0].confidence < before.verdict.ranked[0].confidence
    ruled_out = case.hypotheses[leader]
    assert ruled_out.state is HypothesisState.pruned
    assert ruled_out.reason == "ruled out by <@U0DANA>: it was rolled back an hour ago"
    (said,) = witnessed(case)
    assert (said.direction, said.hypothesis, said.query["by"]) == (Direction.refutes, leader, "U0DANA")


async def test_ruling_out_another_makes_the_leader_no_weaker() -> None:
    running, journal, before = await finished()
    other = next(h.id for h in before.hypotheses.values() if h.failure_mode is FailureMode.none)
    journal.append(word("rule_out", other))
    case = await running.go_on(journal)
    assert case.verdict is not None
    assert before.verdict is not None
    assert leading(case) == leading(before)
    assert case.verdict.ranked[0].confidence >= before.verdict.ranked[0].confidence


async def test_what_somebody_recognises_gains_and_is_attributed() -> None:
    running, journal, before = await finished()
    leader = leading(before)
    journal.append(word("known", leader))
    case = await running.go_on(journal)
    assert case.hypotheses[leader].state is HypothesisState.supported
    assert case.hypotheses[leader].confidence > before.hypotheses[leader].confidence
    (said,) = witnessed(case)
    assert (said.direction, said.group) == (Direction.supports, "person:U0DANA")


async def test_a_word_does_not_outweigh_what_was_measured() -> None:
    running, journal, before = await finished()
    refuted = next(h for h in before.hypotheses.values() if h.state is HypothesisState.pruned)
    journal.append(word("known", refuted.id))
    case = await running.go_on(journal)
    assert case.hypotheses[refuted.id].state is HypothesisState.pruned
    assert leading(case) == leading(before)


async def test_the_same_person_saying_it_twice_counts_once() -> None:
    running, journal, before = await finished()
    leader = leading(before)
    journal.append(word("known", leader))
    once = await running.go_on(journal)
    journal.append(word("known", leader).model_copy(update={"delivery": "again"}))
    twice = await running.go_on(journal)
    assert twice.hypotheses[leader].confidence == once.hypotheses[leader].confidence


async def test_digging_deeper_tests_what_lies_behind() -> None:
    running = Running(troubles.connection_exhaustion())
    journal = running.opened("orders is slow")
    before = await running.go_on(journal)
    cause = next(h for h in before.hypotheses.values() if h.failure_mode is FailureMode.dependency_latency)
    asked = {h.id for h in before.children(cause.id)}
    journal.append(word("dig", cause.id))
    case = await running.go_on(journal)
    new = [h for h in case.children(cause.id) if h.id not in asked]
    assert new
    assert all(h.state not in (HypothesisState.open, HypothesisState.testing) for h in new)
    assert case.verdict is not None
    assert not case.unsteered


async def test_digging_where_nothing_lies_behind_says_so_and_ends() -> None:
    running, journal, before = await finished()
    none = next(h.id for h in before.hypotheses.values() if h.failure_mode is FailureMode.none)
    journal.append(word("dig", none))
    case = await running.go_on(journal)
    assert not case.unsteered
    assert case.notes[-1].text == f"{none}: asked to dig deeper by <@U0DANA>"


async def test_a_word_about_nothing_is_answered() -> None:
    running, journal, before = await finished()
    journal.append(word("rule_out", "H99"))
    case = await running.go_on(journal)
    assert case.notes[-1].text == "H99 is no hypothesis of this investigation"
    assert leading(case) == leading(before)
    assert not case.unsteered


async def test_a_word_during_the_tests_is_heard() -> None:
    running = Running(troubles.bad_deployment())
    journal = running.opened("orders errors")
    spoken: list[str] = []

    def speak(body: object) -> None:
        case = journal.refresh()
        if getattr(body, "kind", "") == "judged" and not spoken:
            spoken.append("once")
            cause = next(h.id for h in case.hypotheses.values() if h.failure_mode is FailureMode.bad_deployment)
            journal.append(word("rule_out", cause))

    case = await running.go_on(journal, watch=speak)
    assert spoken
    assert case.verdict is not None
    assert case.verdict.root_cause is None or case.verdict.root_cause.failure_mode is not FailureMode.bad_deployment


def idea(text: str, delivery: str = "d1") -> Steered:
    return Steered(action="suggest", by="U0DANA", note=text, delivery=delivery)


async def test_what_a_person_suspects_is_tested_also_after_the_verdict() -> None:
    running, journal, before = await finished()
    assert all(h.failure_mode is not FailureMode.lock_contention for h in before.hypotheses.values())
    journal.append(idea("I think it is lock contention in orders-db"))
    case = await running.go_on(journal)
    (theirs,) = [h for h in case.hypotheses.values() if h.proposed_by == "U0DANA"]
    assert (theirs.failure_mode, theirs.service) == (FailureMode.lock_contention, "orders-db")
    assert theirs.state is HypothesisState.pruned, "it was looked at like any other, and nothing speaks for it"
    assert [e.summary for e in witnessed(case)] == [
        "suspected by <@U0DANA>: I think it is lock contention in orders-db"
    ]
    assert leading(case) == leading(before)
    assert next(note.text for note in case.notes if note.answers == "d1").startswith(f"{theirs.id}: suspected by")
    assert not case.unsteered


async def test_a_good_idea_that_nobody_had_wins() -> None:
    town = troubles.throttling()
    town.effects.pop(("cart-tg", S.latency))
    running = Running(town)
    journal = running.opened("cart errors")
    before = await running.go_on(journal)
    journal.append(idea("the table is throttled, isn't it"))
    case = await running.go_on(journal)
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.failure_mode is FailureMode.throttling
    assert len(case.hypotheses) >= len(before.hypotheses)


async def test_an_idea_that_is_there_already_is_a_word_for_it() -> None:
    running, journal, before = await finished()
    leader = leading(before)
    journal.append(idea("the last deploy of orders broke it"))
    case = await running.go_on(journal)
    assert set(case.hypotheses) == set(before.hypotheses)
    assert case.hypotheses[leader].confidence > before.hypotheses[leader].confidence
    (said,) = witnessed(case)
    assert said.hypothesis == leader


async def test_an_idea_that_fits_nothing_is_answered() -> None:
    running, journal, before = await finished()
    journal.append(idea("mercury is in retrograde"))
    case = await running.go_on(journal)
    assert set(case.hypotheses) == set(before.hypotheses)
    assert any("nothing that is known here fits" in note.text for note in case.notes)
    assert not case.unsteered


async def test_an_idea_before_anything_was_tested_is_among_the_first() -> None:
    running = Running(troubles.memory_exhaustion())
    journal = running.opened("cart")
    journal.append(idea("it is the cache of sessions, or dns"))
    case = await running.go_on(journal)
    assert any(h.proposed_by == "U0DANA" for h in case.hypotheses.values())
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    assert case.verdict.root_cause.failure_mode is FailureMode.memory_exhaustion
