"""Nine: the canvas keeps the summary; the thread answers questions; and who has seen enough stops it."""

import pytest

from tests.story.scene import AMIR, ROSA, Case, Scene, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_canvas_says_what_the_journal_says(shop: Scene, case: Case) -> None:
    kept = case.journal.canvas
    assert kept is not None
    assert not kept.fallback
    canvas = shop.box.slack.state.canvases[kept.canvas]
    assert case.journal.verdict is not None
    cause = case.journal.verdict.root_cause
    assert cause is not None
    await shop.wait_for(lambda: "Root cause" in canvas.markdown, "the cause in the canvas")
    for id in case.journal.hypotheses:
        assert id in canvas.markdown
    assert "checkout-api" in canvas.markdown


async def test_a_question_in_the_thread_is_answered_in_the_thread(shop: Scene, case: Case) -> None:
    known = {m["ts"] for m in case.replies()}
    await shop.act(ROSA, "message", text="<@U0RUNBOOK> why H2", thread_ts=case.ts)

    def answer() -> str:
        new = [m for m in case.replies() if m["ts"] not in known and m.get("bot_id")]
        return words(new[0]) if new else ""

    said = await shop.wait_for(answer, "an answer")
    assert "H2" in said
    assert str(case.journal.hypotheses["H2"].statement)[:30] in said


async def test_whoever_has_seen_enough_stops_it_and_what_is_known_stays(shop: Scene) -> None:
    shop.box.cloud.knobs.latency["*"] = 0.5
    try:
        running = await shop.asks(shop.alarm)
        await shop.act(AMIR, "command", text=f"stop {running.id}")
        await shop.wait_for(lambda: running.status == "stopped", "the stop", 120)
    finally:
        shop.box.cloud.knobs.latency.clear()
    note = await shop.wait_for(lambda: running.note("stopped"), "the note of the stop")
    assert AMIR in note["text"]
    assert not running.cards
