"""What is told while it goes on and at the end; of the unseen part no case."""

from runbook_bot.evaluation.scoring import scores
from runbook_bot.evaluation.telling import mistakes, progress, table
from tests.evaluation.marks import mark


def test_progress_says_what_came_of_a_seen_case_and_nothing_of_an_unseen_one() -> None:
    assert progress(3, 120, mark(id="seen-x")) == "[  3/120] right        seen-x  1.0 s"
    assert "inconclusive" in progress(1, 2, mark(named=False, right=False))
    assert "failed" in progress(1, 2, mark(problem="no verdict"))
    assert progress(4, 9, mark(part="unseen", id="secret", right=False)) == "[4/9] unseen"


def test_mistakes_of_the_seen_part_are_named_surest_first() -> None:
    told = mistakes(
        [
            mark(id="unsure", right=False, got="code_defect", confidence=0.5),
            mark(id="fine"),
            mark(id="sure", right=False, got="code_defect", confidence=0.9),
            mark(id="bare", named=False, right=False, got=None, got_service=None),
            mark(id="hidden", part="unseen", right=False),
        ]
    )
    assert [line.partition(":")[0] for line in told] == ["sure", "unsure", "bare"]
    assert told[0] == "sure: code_defect@api (0.90), wanted bad_deployment@api"
    assert told[2] == "bare: inconclusive, wanted bad_deployment@api"


def test_the_table_has_a_column_a_part() -> None:
    text = table({"seen": scores([mark()]), "unseen": scores([mark(right=False)])})
    head, first, *_ = text.splitlines()
    assert head.split() == ["seen", "unseen"]
    assert first.split(maxsplit=1)[0] == "top-1"
    assert "1.000 [1.000, 1.000]" in first
    assert "0.000 [0.000, 0.000]" in first
