"""Tasks of a service: each roll-out ends with as many as are wanted, whatever came in between."""

import pytest

from runbook_bot.playground.cloud.containers import ROLL, Fleet


def fleet(desired: int) -> Fleet:
    made = Fleet(cluster="shop", name="checkout-api", region="us-east-1", created=0.0, desired=desired)
    made.roll("checkout-api:1", 0.0)
    return made


def runs(of: Fleet, at: float) -> list[str]:
    return [task.definition for task in of.running(at)]


def test_old_and_new_tasks_run_side_by_side_for_a_moment() -> None:
    shop = fleet(2)
    shop.roll("checkout-api:2", 100.0)
    assert runs(shop, 100.0 + ROLL / 2) == ["checkout-api:1"] * 2 + ["checkout-api:2"] * 2
    assert runs(shop, 100.0 + ROLL) == ["checkout-api:2"] * 2


def test_a_roll_out_that_interrupts_another_leaves_nothing_of_it() -> None:
    shop = fleet(2)
    shop.roll("checkout-api:2", 100.0)
    shop.scale(3, 100.1)
    shop.roll("checkout-api:3", 100.2)
    assert runs(shop, 110.0) == ["checkout-api:3"] * 3


@pytest.mark.parametrize("desired", [1, 5])
def test_scaling_counts_the_tasks_that_are_still_to_come(desired: int) -> None:
    shop = fleet(3)
    shop.lose(50.0, "gone", None, 137)
    shop.scale(desired, 51.0)
    assert len(runs(shop, 120.0)) == desired
