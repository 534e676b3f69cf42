"""The worlds: enough kinds, valid each of them, the same for the same seed, and nothing shared between the parts."""

from pathlib import Path

import pytest

import runbook_bot
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.case import Case
from runbook_bot.evaluation.worlds.dice import Dice, Part
from runbook_bot.evaluation.worlds.names import PARTNERS, TRADES
from runbook_bot.evaluation.worlds.story import FAMILIES
from runbook_bot.evaluation.worlds.suite import held_out, make, suite
from runbook_bot.evaluation.worlds.variants import VARIANTS, fitting
from runbook_bot.playground.cloud import Scenario

ALL = [(name, variant) for name, family in sorted(FAMILIES.items()) for variant in (*fitting(family), "scant")]


def scenario(case: Case) -> Scenario:
    return Scenario.model_validate({"name": case.id, **case.scenario})


def test_there_are_worlds_for_every_failure_mode() -> None:
    assert len(FAMILIES) >= 30
    assert {each.mode for each in FAMILIES.values()} == set(FailureMode)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("part", list(Part))
def test_every_world_can_be_built_in_every_variant(family: str, part: Part) -> None:
    for variant in [variant for name, variant in ALL if name == family]:
        case = make(FAMILIES[family], variant, part, f"any/{family}/{variant}")
        world = scenario(case)
        assert world.expected.failure_mode is case.mode
        assert case.service is None or case.service in {each.name for each in world.services}
        assert case.text.strip()
        assert all(each.because for each in case.accepted)


def test_the_same_seed_gives_the_same_worlds_and_another_one_others() -> None:
    first, again, other = suite(Part.seen), suite(Part.seen), suite(Part.seen, seed=3)
    assert first == again
    assert [each.scenario for each in first] != [each.scenario for each in other]
    assert [(each.family, each.variant) for each in first] == [(each.family, each.variant) for each in other]


def test_the_parts_share_neither_held_out_modes_nor_worlds_nor_names() -> None:
    seen, unseen = suite(Part.seen), suite(Part.unseen)
    assert not {each.mode for each in seen} & held_out()
    assert held_out() <= {each.mode for each in unseen}
    assert {each.mode for each in seen} < {each.mode for each in unseen}
    assert not {each.scenario["seed"] for each in seen} & {each.scenario["seed"] for each in unseen}
    assert not {each.scenario["cluster"] for each in seen} & {each.scenario["cluster"] for each in unseen}


def test_a_wording_is_in_one_part_only() -> None:
    pool = tuple("abcdef")
    seen, unseen = Dice("k", Part.seen), Dice("k", Part.unseen)
    assert not set(seen.half(pool)) & set(unseen.half(pool))
    assert set(seen.half(pool)) | set(unseen.half(pool)) == set(pool)
    with pytest.raises(ValueError, match="two parts"):
        seen.word(("alone",))


def test_every_variant_is_asked_in_both_parts() -> None:
    for part in Part:
        assert {each.variant for each in suite(part)} >= {*VARIANTS, "scant"}


def test_a_limit_draws_that_many_of_them_by_lot() -> None:
    few = suite(limit=7)
    assert len(few) == 7
    assert len({each.family for each in few}) > 3
    assert suite(limit=7) == few
    assert len(suite(limit=100_000)) == len(suite())


def test_a_past_incident_is_asked_about_at_its_time_and_all_that_happened_moves_with_it() -> None:
    family = FAMILIES["deploy-errors"]
    then = make(family, "past", Part.seen, "k")
    assert then.ago is not None
    world = scenario(then)
    assert world.fault is not None
    assert world.fault.lasts is not None
    assert world.fault.onset.total_seconds() < -4 * 3600
    assert all(change.at < world.fault.onset for change in world.changes)
    assert world.history.total_seconds() > 6 * 3600


def test_what_cannot_be_known_has_nothing_but_an_alarm() -> None:
    bare = make(FAMILIES["deploy-errors"], "scant", Part.seen, "k")
    world = scenario(bare)
    assert not bare.answerable
    assert not world.changes
    assert world.fault is not None
    assert not world.fault.logs
    assert bare.text == world.expected.alarm


def test_without_services_yaml_a_partner_may_be_named_by_its_caller() -> None:
    case = make(FAMILIES["partner-down"], "unmapped", Part.seen, "k")
    assert not case.mapped
    assert {each.service for each in case.accepted} - {case.service}


def test_the_engine_knows_no_world_by_name() -> None:
    names = {name for _, told in TRADES for name in told if "-" in name} | set(PARTNERS)
    rooms = (Path(runbook_bot.__file__).parent / room for room in ("domain", "analysis", "investigation", "reasoning"))
    files = [path for room in rooms for path in room.rglob("*") if path.suffix in (".py", ".yaml")]
    assert len(files) > 30
    assert [path.name for path in files if any(name in path.read_text(encoding="utf-8") for name in names)] == []


def test_no_company_is_told_of_twice() -> None:
    assert len({trade for trade, _ in TRADES}) == len(TRADES)
