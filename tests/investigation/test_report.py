"""The document that other programs rely on, to the letter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Failed
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.investigation.report import report
from tests.investigation import troubles
from tests.investigation.repairing import Bench
from tests.investigation.running import ID, Running
from tests.investigation.town import Town

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
MODE = {"enum": [str(mode) for mode in FailureMode]}
TEXT = {"type": "string", "minLength": 1}
NAME = {"type": ["string", "null"]}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def strict(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def many(item: object, least: int = 0) -> dict[str, object]:
    return {"type": "array", "items": item, "minItems": least}


MUTATION = strict(operation=TEXT, parameters={"type": "object"}, risk={"enum": ["low", "medium", "high", "critical"]},
                  rollback={"type": "object"})  # fmt: skip
CONTRACT = strict(
    id={"type": "string", "pattern": "^inv-"},
    status={"enum": ["concluded", "inconclusive", "failed"]},
    incident=strict(
        title=TEXT,
        services=many(TEXT),
        window={"anyOf": [strict(start=TIME, onset={"anyOf": [TIME, {"type": "null"}]}, end=TIME), {"type": "null"}]},
    ),
    root_cause={
        "anyOf": [
            {"type": "null"},
            strict(statement=TEXT, service={"type": "string"}, resource=NAME, failure_mode=MODE, confidence=SHARE,
                   causal_chain=many(TEXT, 1), evidence=many({"type": "string", "pattern": r"^E\d+$"}, 1)),
        ]
    },
    ranked=many(strict(service={"type": "string"}, resource=NAME, failure_mode=MODE, confidence=SHARE)),
    hypotheses=many(
        strict(id={"type": "string", "pattern": r"^H\d+(\.\d+)*$"}, parent=NAME, statement=TEXT, failure_mode=MODE,
               service={"type": "string"}, resource=NAME, confidence=SHARE, evidence=many(TEXT),
               reason={"type": "string"}, state={"enum": ["open", "testing", "supported", "pruned", "inconclusive"]})
    ),
    evidence=many(
        strict(id=TEXT, hypothesis=TEXT, source=TEXT, query={"type": "object"},
               window={"anyOf": [strict(start=TIME, end=TIME), {"type": "null"}]},
               status={"enum": ["ok", "no_data", "denied", "error", "truncated"]},
               direction={"enum": ["supports", "refutes", "neutral", "unknown"]},
               strength={"enum": ["strong", "weak", "none"]}, summary=TEXT,
               digest={"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"})
    ),
    remediation=many({"anyOf": [strict(title=TEXT, runbook=NAME, mutation=MUTATION),
                                strict(title=TEXT, runbook=TEXT, steps=many(TEXT, 1), mutation={"type": "null"})]}),
    reasoner={"enum": ["catalogue", "claude"]},
    journal={"type": "string", "pattern": r"^/.*\.jsonl$"},
    stats=strict(seconds={"type": "number"}, queries={"type": "integer"}, model_calls={"type": "integer"},
                 tokens=strict(input={"type": "integer"}, cached={"type": "integer"}, output={"type": "integer"}),
                 cost_usd={"type": "number"}),
)  # fmt: skip


def document(case: Investigation) -> dict[str, Any]:
    made = report(case, "/srv/scratchpad/inv-0123456789.jsonl", 1.239)
    reread: dict[str, Any] = json.loads(json.dumps(made, allow_nan=False))
    return reread


@pytest.mark.parametrize(
    ("trouble", "complaint", "status"),
    [
        (troubles.bad_deployment, "storefront is failing", "concluded"),
        (troubles.connection_exhaustion, "orders is slow", "concluded"),
        (troubles.nothing, "search seems odd", "concluded"),
        (troubles.nothing, "nobody knows", None),
    ],
)
async def test_the_contract_is_kept(trouble: Callable[[], Town], complaint: str, status: str | None) -> None:
    case = await Running(trouble()).investigate(complaint)
    made = document(case)
    jsonschema.validate(made, CONTRACT)
    assert status is None or made["status"] == status
    assert "none" in [each["failure_mode"] for each in made["ranked"]]
    assert len(made["ranked"]) >= min(3, len(made["hypotheses"]))
    assert [e["confidence"] for e in made["ranked"]] == sorted((e["confidence"] for e in made["ranked"]), reverse=True)
    ids = {each["id"] for each in made["evidence"]}
    assert all(set(h["evidence"]) <= ids for h in made["hypotheses"])
    assert made["stats"] == {**made["stats"], "seconds": 1.24, "queries": len(case.asked)}
    if made["root_cause"]:
        assert set(made["root_cause"]["evidence"]) <= ids
        assert made["root_cause"]["failure_mode"] == made["ranked"][0]["failure_mode"]


async def test_a_repair_is_in_it_with_the_way_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Running(troubles.bad_deployment()))
    await bench.advance(ID)
    made = document(bench.case)
    jsonschema.validate(made, CONTRACT)
    (remedy,) = made["remediation"]
    assert remedy["mutation"]["operation"] == "ecs.update_service"
    assert remedy["mutation"]["rollback"]["operation"] == "ecs.update_service"


async def test_no_permission_at_all_is_still_a_document() -> None:
    town = troubles.bad_deployment()
    town.denied = frozenset({"read_metrics", "list_changes", "find_alarms", "search_logs", "list_events", "read_state"})
    made = document(await Running(town).investigate("storefront is failing"))
    jsonschema.validate(made, CONTRACT)
    assert (made["status"], made["root_cause"]) == ("inconclusive", None)
    assert {each["status"] for each in made["evidence"]} == {"denied"}


def test_a_failed_one_says_why() -> None:
    running = Running(troubles.nothing())
    journal = running.opened("x")
    journal.append(Failed(text="no hypothesis could be formed"))
    made = document(journal.refresh())
    assert made.pop("error") == "no hypothesis could be formed"
    jsonschema.validate(made, CONTRACT)
    assert made["status"] == "failed"
