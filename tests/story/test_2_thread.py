"""Two: one head message in the channel, one reply a hypothesis, all edited in place, and nothing else outside."""

import pytest

from tests.story.scene import CHANNEL, HEAD, HYPOTHESIS, Case, Scene, kind, payload

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_head_message_tells_programs_how_it_stands(shop: Scene, case: Case) -> None:
    expected = shop.box.scenario.expected
    said = payload(case.head)
    assert set(said) == {"id", "status", "root_cause", "confidence"}
    assert said["id"] == case.id
    assert said["status"] == "concluded"
    assert said["root_cause"] == expected.failure_mode.value
    assert 0.5 < said["confidence"] <= 1


async def test_every_hypothesis_is_one_reply_with_its_state(case: Case) -> None:
    for id, message in case.hypotheses.items():
        said = payload(message)
        assert set(said) == {"investigation", "id", "parent", "state", "confidence"}
        assert said["investigation"] == case.id
        assert said["state"] in {"supported", "pruned", "inconclusive"}
        assert said["parent"] == id.rpartition(".")[0]
        assert message["thread_ts"] == case.ts
    assert list(case.hypotheses) == list(case.journal.hypotheses)


async def test_what_is_found_out_changes_messages_instead_of_adding_some(shop: Scene, case: Case) -> None:
    calls = shop.box.slack.calls
    mine = [call for call in calls.to("chat.postMessage") if case.id in str(call.args.get("metadata"))]
    assert len([c for c in mine if HEAD in str(c.args["metadata"])]) == 1
    assert len([c for c in mine if HYPOTHESIS in str(c.args["metadata"])]) == len(case.hypotheses)
    edited = {str(call.args["ts"]) for call in calls.to("chat.update")}
    assert case.ts in edited
    undecided = {str(c.answer["ts"]) for c in mine if payload(c.args).get("state") in {"open", "testing"}}
    assert {m["ts"] for m in case.hypotheses.values()} & undecided <= edited  # the others had their result by then


async def test_outside_of_the_thread_stand_the_head_and_the_verdict_only(shop: Scene, case: Case) -> None:
    mine = [m for m in shop.messages() if case.id in str(m.get("metadata"))]
    outside = [m for m in mine if m.get("thread_ts", m["ts"]) == m["ts"] or m.get("subtype") == "thread_broadcast"]
    assert [kind(m) for m in outside] == [HEAD, "runbook_message"]
    assert outside[1] == case.verdict
    assert not shop.box.slack.messages("general")


async def test_slack_never_had_to_refuse_anything(shop: Scene, case: Case) -> None:
    refused = [(call.method, call.answer) for call in shop.box.slack.calls.refused()]
    assert refused == []
    assert case.head["ts"] in {m["ts"] for m in shop.box.slack.messages(CHANNEL)}
