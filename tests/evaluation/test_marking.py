"""Which answers are right, and what counts as being wrong and sure of it."""

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.marking import mark
from runbook_bot.evaluation.worker import Outcome
from runbook_bot.evaluation.worlds.story import Accepted
from tests.evaluation.marks import answer, case, report


def test_the_failure_mode_and_the_service_have_to_be_right() -> None:
    right = mark(case(), Outcome(id="c", report=report(answer("bad_deployment", "api"))))
    assert right.right
    assert right.first_right
    assert (right.queries, right.seconds) == (7, 2.5)
    elsewhere = mark(
        case(), Outcome(id="c", report=report(answer("bad_deployment", "web"), answer("bad_deployment", "api")))
    )
    assert not elsewhere.right
    assert elsewhere.among_first
    assert elsewhere.wrong_and_sure
    assert not mark(case(), Outcome(id="c", report=report(answer("code_defect", "api")))).among_first


def test_another_answer_is_right_where_it_was_declared_to_be() -> None:
    other = Accepted(FailureMode.dependency_failure, "cache", "a reason")
    given = Outcome(id="c", report=report(answer("dependency_failure", "cache")))
    assert mark(case(accepted=(other,)), given).right
    assert not mark(case(), given).right


def test_an_abstention_is_neither_right_nor_wrong_and_sure_but_its_first_candidate_counts_as_a_forecast() -> None:
    found = mark(case(), Outcome(id="c", report=report(answer("bad_deployment", "api", 0.45), named=False)))
    assert not found.named
    assert not found.right
    assert not found.wrong_and_sure
    assert found.first_right
    assert found.confidence == 0.45


def test_of_what_cannot_be_known_saying_so_is_the_only_right_answer() -> None:
    bare = case(answerable=False)
    abstained = mark(bare, Outcome(id="c", report=report(answer("bad_deployment", "api", 0.3), named=False)))
    assert abstained.right
    guessed = mark(bare, Outcome(id="c", report=report(answer("bad_deployment", "api"))))
    assert not guessed.right
    assert guessed.wrong_and_sure
    assert not guessed.first_right


def test_no_fault_may_be_said_of_any_service() -> None:
    assert mark(case("none", None), Outcome(id="c", report=report(answer("none", "web")))).right


def test_a_failure_is_never_right() -> None:
    for each in (case(), case(answerable=False)):
        failed = mark(each, Outcome(id="c", problem="no verdict within 150 s"))
        assert not failed.right
        assert not failed.named
        assert failed.problem
