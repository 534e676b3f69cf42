"""Whatever a vendor says is kept without the secrets in it."""

from datetime import UTC, datetime

from runbook_bot.domain.observation import Alarm, Change, Fact, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.investigation.world import redacted

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SERVICE = Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout-api")
SECRET = "correct-horse-7"


def test_no_part_of_an_answer_keeps_a_secret() -> None:
    said = f"password={SECRET}"
    change = Change(
        at=NOON,
        kind="configuration",
        resource=SERVICE,
        summary=said,
        before={"environment.DB_PASSWORD": SECRET, "image": "checkout:1"},
        after={"environment.DB_PASSWORD": SECRET + "x", "image": "checkout:2"},
    )
    result = Result(
        status=Status.ok,
        source="aws",
        where="there",
        message=said,
        lines=(LogLine(at=NOON, text=said),),
        changes=(change,),
        facts=(Fact(name="db_password", value=SECRET), Fact(name="desired_count", value=6)),
        alarms=(Alarm(name="checkout-5xx", state="alarm", description=f"page with {said}"),),
    )

    clean = redacted(result)

    assert SECRET not in clean.model_dump_json()
    assert clean.changes[0].after["image"] == "checkout:2"
    assert [fact.value for fact in clean.facts] == ["[redacted value]", 6]
