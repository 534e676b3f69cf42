"""The head message: one look at where the investigation stands."""

from datetime import timedelta

from runbook_bot.domain.hypothesis import HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import Json
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.slack import words
from runbook_bot.slack.blocks import TaskStatus, actions, button, context, header, plan, section
from runbook_bot.slack.escaping import mrkdwn, user
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.cause import capital, in_a_sentence
from runbook_bot.slack.views.place import place
from runbook_bot.slack.workspace import Workspace

STATEMENT = 400
FINDING = 240


def head(case: Investigation, workspace: Workspace) -> Message:
    channel, thread = place(case, "head")
    word, emoji = state(case)
    blocks = [
        header(case.title),
        section(f"*{word}* {emoji}\n{_leading(case, mrkdwn(_statement(case), STATEMENT))}"),
        *_finding(case),
        plan(words.PROGRESS, phases(case)),
        context(f"asked by {user(case.request.requester)}", counts(case), f"`{case.id}`"),
    ]
    buttons = _buttons(case, workspace)
    if buttons:
        blocks.append(actions(*buttons))
    return Message(
        key="head",
        channel=channel,
        thread=thread,
        text=in_short(case),
        blocks=tuple(blocks),
        metadata=_metadata(case),
        final=case.status != "open",
    )


def state(case: Investigation) -> tuple[str, str]:
    """The word for the state, and its emoji."""
    cause = case.verdict.root_cause if case.verdict else None
    if case.status == "concluded" and cause and cause.failure_mode is FailureMode.none:
        return words.STATUS["quiet"]
    return words.STATUS[case.status]


def in_short(case: Investigation) -> str:
    """One to three full sentences with the state; plain text, escaped for mrkdwn."""
    word, _ = state(case)
    return f"{mrkdwn(case.title, 200)}: {word.lower()}. {leading(case)} {counts(case)}."


def leading(case: Investigation) -> str:
    """A full sentence on the cause, as far as it is known."""
    return _leading(case, mrkdwn(_statement(case), 300), bar=False)


def counts(case: Investigation) -> str:
    """`14 queries · 31 s`"""
    asked = words.count(len(case.asked), "query", "queries")
    if case.opened_at is None:
        return asked
    spent = (case.concluded_at or case.last_at or case.opened_at) - case.opened_at
    return f"{asked} · {_length(spent)}"


def _length(spent: timedelta) -> str:
    seconds = max(0, round(spent.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"


def _statement(case: Investigation) -> str:
    cause = case.verdict.root_cause if case.verdict else None
    if cause:
        return capital(in_a_sentence(case, cause)[0])
    return capital(case.leader.statement) if case.leader else ""


def _finding(case: Investigation) -> list[Json]:
    """What the root cause rests on, in small print below it."""
    cause = case.verdict.root_cause if case.verdict else None
    finding = in_a_sentence(case, cause)[1] if cause else ""
    return [context(mrkdwn(finding, FINDING))] if finding else []


def _leading(case: Investigation, statement: str, *, bar: bool = True) -> str:
    """A full sentence on the cause; `statement` is escaped already. A screen reader is spared the bar."""

    def told(confidence: float) -> str:
        """With the bar on a line of its own, so that a phone shows cause and confidence at a glance."""
        if not bar:
            return f"{statement}: {words.confidence(confidence)}."
        return f"*{statement}.*\n{words.bar(confidence)} {words.confidence(confidence)}"

    statement = statement.rstrip(".")
    if case.failure:
        return f"It could not be finished: {mrkdwn(case.failure, 300).rstrip('.')}."
    cause = case.verdict.root_cause if case.verdict else None
    if cause:
        return told(cause.confidence)
    if case.leader is None:
        return "Gathering what is known: what was reported, what changed, who depends on whom."
    if case.verdict and not case.evidence:
        return words.NOTHING_TESTED
    if case.verdict:
        best = f"The best guess is: {statement} ({words.confidence(case.leader.confidence)})."
        return f"The evidence does not single out one cause. {best}"
    if not case.evidence:
        return f"{words.count(len(case.hypotheses), 'hypothesis', 'hypotheses')} to test, none tested yet."
    return f"Leading so far: {told(case.leader.confidence)}"


def phases(case: Investigation) -> list[tuple[str, TaskStatus, str]]:
    """The way of an investigation as tasks of a plan."""
    over = case.status != "open"
    gathered = bool(case.hypotheses)
    settled = [h for h in case.hypotheses.values() if h.state in _SETTLED]
    tested = over and not case.failure and (case.status != "stopped" or len(settled) == len(case.hypotheses))
    tests = f"{len(settled)} of {len(case.hypotheses)} settled" if case.hypotheses else ""
    tasks: list[tuple[str, TaskStatus, str]] = [
        ("Gather the context", _status(gathered or over, True), _context_found(case)),
        ("Form hypotheses", _status(gathered, case.incident is not None, over), ", ".join(case.hypotheses)),
        ("Test them", _status(gathered and tested, gathered, over), tests),
        ("Conclude", _status(case.verdict is not None, False, over), state(case)[0] if over else ""),
    ]
    tasks += [_repair(number, case) for number in range(len(case.remedies))]
    return tasks


_SETTLED = (HypothesisState.supported, HypothesisState.pruned, HypothesisState.inconclusive)


def _status(done: bool, begun: bool, over: bool = False) -> TaskStatus:
    if done:
        return "complete"
    if over:
        return "error"
    return "in_progress" if begun else "pending"


def _context_found(case: Investigation) -> str:
    found = []
    if case.symptom and case.symptom.onset:
        found.append(f"{words.signal(case.symptom.signal)} since {case.symptom.onset:%H:%M} UTC")
    if case.changes:
        found.append(words.count(len(case.changes.changes), "change"))
    if case.scope:
        found.append(words.count(len(case.scope), "service"))
    if case.knowledge:
        found.append(words.count(len(case.knowledge.passages), "passage") + " from the runbooks")
    return " · ".join(found)


_REPAIR: dict[str, TaskStatus] = {
    "open": "pending",
    "approved": "in_progress",
    "running": "in_progress",
    "executed": "in_progress",
    "verified": "complete",
    "rejected": "complete",
    "void": "complete",
    "failed": "error",
}


def _repair(number: int, case: Investigation) -> tuple[str, TaskStatus, str]:
    remedy = list(case.remedies.values())[number]
    status = _REPAIR[remedy.state]
    if remedy.state == "executed" and remedy.verified is not None:
        status = "error"
    return remedy.proposal.preparation.title, status, words.remedy(remedy)[0]


def _buttons(case: Investigation, workspace: Workspace) -> list[Json]:
    buttons = []
    if case.status == "open" and case.stop_asked is None:
        buttons.append(button("Stop", "investigation_stop", case.id, style="danger", spoken=f"Stop {case.title}"))
    if case.canvas and not case.canvas.fallback:
        url = workspace.document(case.canvas.canvas)
        if url:
            buttons.append(button("Canvas", "open_canvas", case.id, url=url, spoken=f"Open the summary of {case.id}"))
    return buttons


def _metadata(case: Investigation) -> Json:
    cause = case.verdict.root_cause if case.verdict else None
    best = cause.confidence if cause else case.leader.confidence if case.leader else 0.0
    return {
        "event_type": "runbook_investigation",
        "event_payload": {
            "id": case.id,
            "status": case.status,
            "root_cause": cause.failure_mode.value if cause else "",
            "confidence": round(best, 4),
        },
    }
