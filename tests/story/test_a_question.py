"""A question: asked in the terminal or in Slack, answered from the same cloud, where it was asked."""

import json
from pathlib import Path

import pytest

from tests.story.program import Program
from tests.story.scene import AMIR, CHANNEL, ROSA, Message, Scene

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def asked(shop: Scene, folder: Path, *words: str) -> str:
    """What the terminal shows."""
    log = folder / "asked.txt"
    log.unlink(missing_ok=True)
    program = await Program.start(*words, environment=shop.box.environment(), log=log)
    assert await program.ended() == 0, program.said()
    return program.said()


async def test_what_runs_is_a_table_with_what_is_wrong_first(shop: Scene, tmp_path: Path) -> None:
    said = await asked(shop, tmp_path, "ask", "what's running in prod?")
    first, _, rest = said.partition("\n")
    assert "not well: " in first
    assert "checkout-api (alarm checkout-api-5xx" in first
    lines = [line for line in rest.splitlines() if "ECS service" in line]
    assert [line.split()[0] for line in lines if "checkout-api" in line] == ["checkout-api"]
    assert "payments" in rest
    assert "checkout-api:2.15.0" in rest
    assert "Asked:\n" in rest
    assert max(len(line) for line in rest.splitlines() if not line.strip().startswith("https://")) <= 240


async def test_what_changed_names_who_and_before_and_after(shop: Scene, tmp_path: Path) -> None:
    answer = json.loads(await asked(shop, tmp_path, "ask", "--json", "what changed in checkout in the last 2 hours"))
    assert answer["intent"] == "changes"
    assert "2.14.0 → " in answer["text"]
    assert "ci-deploy" in str(answer["tables"])
    assert answer["sources"][0]["source"] == "aws.changes"
    assert answer["sources"][0]["query"]["calls"]
    record = Path(answer["record"])
    assert record.parent.name == "questions"


async def test_a_typed_question_to_aws_is_asked_by_its_kind_or_in_words(shop: Scene, tmp_path: Path) -> None:
    words = await asked(shop, tmp_path, "aws", "stopped tasks of checkout-api", "--json")
    by_kind = await asked(shop, tmp_path, "aws", "ecs.stopped_tasks", "--cluster", "shop", "--name", "checkout-api",
                          "--json")  # fmt: skip
    first, second = json.loads(words), json.loads(by_kind)
    assert first["intent"] == second["intent"] == "operation"
    assert first["data"] == second["data"]
    assert first["data"]["rows"]


async def test_in_slack_a_command_is_answered_to_whoever_asked(shop: Scene) -> None:
    await shop.act(ROSA, "command", text="ask who owns orders-db?")
    told = await _told(shop, "orders-db belongs to data-platform")
    assert told["ephemeral_to"] == ROSA


async def test_a_mention_is_answered_in_its_thread_for_all(shop: Scene) -> None:
    done = await shop.act(AMIR, "message", text="<@U0RUNBOOK> show errors of checkout-api in the last hour?")
    told = await _told(shop, "Errors of checkout-api rose from")
    assert told["thread_ts"] == done["ts"]
    assert "ephemeral_to" not in told
    assert [m for m in shop.box.slack.messages(CHANNEL) if m["ts"] == done["ts"]]


async def _told(shop: Scene, text: str) -> Message:
    return await shop.wait_for(
        lambda: next((m for m in shop.messages() if text in str(m.get("text"))), None), f"the answer “{text}”"
    )
