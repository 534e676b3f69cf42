"""Public incidents: what their authors' answers mean here."""

import json
from pathlib import Path

import pytest

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.errors import UsageError
from runbook_bot.evaluation.public import incidents, truth_of


def told(folder: Path, **answer: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "ground_truth.json").write_text(json.dumps(answer), encoding="utf-8")
    return folder


def test_a_commit_has_to_be_named_by_the_evidence(tmp_path: Path) -> None:
    truth = truth_of(told(tmp_path / "a", root_cause_commit="0123456789abcdef", first_failing_service="api"))
    assert truth.fits({"failure_mode": "bad_deployment", "service": "api"})
    assert not truth.fits({"failure_mode": "bad_deployment", "service": "web"})
    evidence = [{"id": "E1", "summary": "commit 0123456789ab of api"}, {"id": "E2", "summary": "errors of api rose"}]
    assert truth.named({"root_cause": {"evidence": ["E1"]}, "evidence": evidence})
    assert not truth.named({"root_cause": {"evidence": ["E2"]}, "evidence": evidence})


def test_without_a_commit_it_is_load(tmp_path: Path) -> None:
    truth = truth_of(told(tmp_path / "a", root_cause_commit="none", first_failing_service="api"))
    assert FailureMode.traffic_surge in truth.modes
    assert truth.named({"root_cause": {"evidence": ["E1"]}, "evidence": [{"id": "E1", "summary": "requests rose"}]})


def test_an_answer_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: KeyError"):
        truth_of(told(tmp_path / "a"))


def test_incidents_are_found_by_their_answers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds neither"):
        list(incidents(tmp_path))
    folder = told(tmp_path / "rootcausebench" / "one")
    assert list(incidents(tmp_path)) == [("rootcausebench", folder)]
