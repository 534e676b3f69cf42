"""Four: three to five hypotheses, "nothing is wrong" among them, each with a question that could refute it."""

import pytest

from runbook_bot.domain.vocabulary import FailureMode
from tests.story.scene import Case, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_three_to_five_and_no_fault_is_one_of_them(case: Case) -> None:
    first = case.journal.children(None)
    assert 3 <= len(first) <= 5
    assert FailureMode.none in {each.failure_mode for each in first}


async def test_each_says_what_would_refute_it_and_that_was_asked(case: Case) -> None:
    for each in case.journal.hypotheses.values():
        refuting = [prediction for prediction in each.predictions if prediction.refuting]
        assert refuting, f"{each.id} cannot lose"
        asked = {e.expected for e in case.journal.evidence_for(each.id)}
        assert asked & {prediction.text for prediction in refuting}, f"{each.id} was never put to the test"


async def test_questions_are_few_scoped_and_never_asked_twice(case: Case) -> None:
    asked = case.journal.asked
    assert len({query.key for query in asked}) == len(asked)
    assert len(asked) <= 30
    for query in asked:
        assert query.result.where, "every answer says where was looked"


async def test_whoever_reads_a_reply_sees_what_speaks_for_it_and_against_it(case: Case) -> None:
    states = {h.id: h.state.value for h in case.journal.hypotheses.values()}
    leader = next(id for id, state in states.items() if state == "supported")
    assert "*For*" in words(case.hypotheses[leader])
    for id, state in states.items():
        if state == "pruned":
            assert "What ruled it out" in words(case.hypotheses[id])
