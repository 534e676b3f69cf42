"""How evidence is worded: a structured log line by its sentence, a change by its revision once."""

import pytest

from runbook_bot.reasoning.words import change, said
from tests.investigation.town import deploy, minutes_ago


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"ts": "2026-03-04T12:00:00Z", "level": "ERROR", "msg": "pool is empty"}', "pool is empty"),
        ('{"error": "", "message": "refused"}', "refused"),
        ('{"level": "ERROR", "code": 5}', '{"level": "ERROR", "code": 5}'),
        ('{"msg": "cut off', '{"msg": "cut off'),
        ("[1, 2]", "[1, 2]"),
        ("ERROR pool is empty", "ERROR pool is empty"),
    ],
)
def test_a_structured_line_is_quoted_by_its_sentence(line: str, sentence: str) -> None:
    assert said(line) == sentence


def test_a_revision_names_its_service_once() -> None:
    made = deploy("orders", minutes_ago(24)).model_copy(update={"summary": "orders orders:41 → orders:42: image 1 → 2"})
    assert change(made, minutes_ago(22)).startswith("orders:41 → orders:42: image 1 → 2 by dana at ")
