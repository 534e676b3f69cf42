"""The catalogue is whole: every mode can be refuted where it strikes, names only what there is, knows no scenario."""

import re
from pathlib import Path

import pytest
import yaml

from runbook_bot.domain.hypothesis import Expectation
from runbook_bot.domain.vocabulary import FailureMode, ResourceType
from runbook_bot.reasoning.modes import Mode, Template, modes, telling

ROOT = Path(__file__).parents[2] / "runbook_bot"
SOURCE = (ROOT / "reasoning" / "failure_modes.yaml").read_text("utf-8")
ALL = sorted(modes().items())
REFUTING = 0.2
each_mode = pytest.mark.parametrize(("failure", "mode"), ALL, ids=[str(name) for name, _ in ALL])


def applicable(mode: Mode, type: ResourceType | None) -> list[Template]:
    return [t for t in mode.predicts if not t.types or type in t.types]


def test_there_are_enough_of_them() -> None:
    assert len(modes()) >= 9
    assert {FailureMode.none, FailureMode.dependency_failure, FailureMode.dependency_latency} <= modes().keys()


@each_mode
def test_wherever_it_strikes_something_could_refute_it(failure: FailureMode, mode: Mode) -> None:
    for type in mode.strikes or (None,):
        assert any(t.unseen <= REFUTING for t in applicable(mode, type)), f"{failure} of a {type}"


@each_mode
def test_seeing_speaks_for_it_and_not_seeing_against(failure: FailureMode, mode: Mode) -> None:
    for t in mode.predicts:
        assert t.seen > 1 > t.unseen, t.text


@each_mode
def test_what_it_names_is_there(failure: FailureMode, mode: Mode) -> None:
    assert set(mode.caused_by) <= modes().keys()
    assert set(mode.yields_to) <= modes().keys()
    assert failure not in mode.caused_by
    for t in mode.predicts:
        assert set(t.types) <= set(mode.strikes), f"{t.text}: never asked of these types"


@each_mode
def test_it_is_suggested_by_something_that_says_what(failure: FailureMode, mode: Mode) -> None:
    for line in mode.suggested_by:
        assert bool(line.moved) + bool(line.changed) + bool(line.dependency) == 1
        assert line.times > 0


@each_mode
def test_a_prediction_has_what_its_reader_needs_and_nothing_that_it_does_not_read(
    failure: FailureMode, mode: Mode
) -> None:
    for t in mode.predicts:
        assert bool(t.words) <= (t.about in ("logs", "events")), t.text
        assert bool(t.kinds) == (t.about in ("changes", "mechanism")), t.text
        assert bool(t.fact) == (t.about == "state"), t.text
        assert bool(t.signal) == (t.about in ("metric", "state")), t.text
        assert not t.signals or t.about == "vitals", t.text
        assert t.limit is None or t.expect is Expectation.at_limit, t.text
        assert t.ratio is None or t.about == "metric", t.text
        if t.about == "events":
            assert bool(t.words) == (t.expect is Expectation.present), t.text  # none: whatever the catalogue knows
        allowed = {
            "logs": {Expectation.present, Expectation.absent},
            "events": {Expectation.present, Expectation.absent},
            "changes": {Expectation.present, Expectation.absent},
            "metric": {Expectation.rises, Expectation.falls, Expectation.steady, Expectation.at_limit},
            "state": {Expectation.at_limit},
        }.get(t.about)
        assert allowed is None or t.expect in allowed, t.text


@each_mode
def test_its_words_are_phrases_of_their_own(failure: FailureMode, mode: Mode) -> None:
    for t in mode.predicts:
        lowered = [word.casefold() for word in t.words]
        assert len(set(lowered)) == len(lowered), t.text
        assert all(word.strip() == word and len(word) >= 3 for word in lowered), t.text


@each_mode
def test_its_sentences_are_complete(failure: FailureMode, mode: Mode) -> None:
    names = {"service": "checkout", "dependency": "pricing"}
    for text in (mode.statement, *(t.text for t in mode.predicts), *(w for t in mode.predicts for w in t.words)):
        said = text.format(**names)
        assert said
        assert "{" not in said
    texts = [(t.text, t.types) for t in mode.predicts]
    assert len(set(texts)) == len(texts), "evidence is told apart by the sentence of its prediction"


def test_it_knows_no_scenario() -> None:
    names: set[str] = set()
    for file in (ROOT / "playground" / "scenarios").glob("*.yaml"):
        scenario = yaml.safe_load(file.read_text("utf-8"))
        names |= {service["name"] for service in scenario["services"]}
        names |= {r["name"] for service in scenario["services"] for r in service.get("resources", ())}
    assert len(names) > 10
    found = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", SOURCE, re.IGNORECASE)]
    assert found == []


@pytest.mark.parametrize(
    ("report", "tells"),
    [
        ("Multi-AZ instance failover started", True),
        ("task stopped: OutOfMemoryError: container killed", True),
        ("(service checkout) has reached a steady state.", False),
        ("Automated backup finished", False),
    ],
)
def test_a_vendors_report_of_trouble_is_told_from_business_as_usual(report: str, tells: bool) -> None:
    assert telling(report) is tells
