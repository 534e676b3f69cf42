"""What nobody has read is not said: a sentence with an invented number, name or time is struck."""

from dataclasses import replace

import pytest

from runbook_bot.domain.hypothesis import Hypothesis
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.investigation.claims import grounds, sound
from runbook_bot.investigation.conclusion import conclude
from tests.investigation import troubles
from tests.investigation.running import Running


@pytest.fixture
async def case() -> Investigation:
    return await Running(troubles.bad_deployment()).investigate("storefront is failing")


@pytest.mark.parametrize(
    "sentence",
    [
        "Orders fails.",
        "orders:42 went out at 14:36 UTC.",
        "The image went from 2.4.0 to 2.4.1.",
        "H1 was refuted by E2.",
        "At 14:36, dana sent orders:42.",
        "The roll-out to orders-db was long-running.",
        "The target group orders-tg answers.",
    ],
)
async def test_what_was_read_may_be_said(case: Investigation, sentence: str) -> None:
    assert sound([sentence], grounds(case)) == ([sentence], 0)


def test_a_number_may_be_said_without_the_unit_that_clung_to_it() -> None:
    case = Investigation(id="inv-1", request=Request(text="checkout takes 731ms since 9:15, 12,500 carts"))
    said = ["It takes 731 ms.", "It began at 9:15.", "12500 carts wait."]
    assert sound([*said, "It takes 732 ms."], grounds(case)) == (said, 1)


@pytest.mark.parametrize(
    "sentence",
    [
        "About 97731 requests failed.",
        "It began at 13:59 UTC.",
        "The image went to 2.4.2.",
        "orders:43 went out.",
        "H77 was refuted.",
        "Task task-9f9f9 died.",
        "Errors are up by 8123%.",
        "The database payments-db is full.",
        "A look at prod/checkout shows it.",
    ],
)
async def test_what_was_invented_is_struck(case: Investigation, sentence: str) -> None:
    assert sound(["Orders fails.", sentence], grounds(case)) == (["Orders fails."], 1)


async def test_a_hypothesis_with_an_invented_number_loses_its_sentence_and_not_its_verdict(case: Investigation) -> None:
    assert case.verdict is not None
    leading = case.verdict.ranked[0].hypothesis
    assert leading is not None
    boasting: Hypothesis = case.hypotheses[leading].model_copy(update={"statement": "99871 users of orders are lost"})
    told = conclude(replace(case, hypotheses={**case.hypotheses, leading: boasting}), case.verdict.at)
    assert told.root_cause is not None
    assert told.struck >= 1
    assert not any("99871" in step for step in told.root_cause.causal_chain)
    assert told.root_cause.statement == "Bad deployment: orders"
