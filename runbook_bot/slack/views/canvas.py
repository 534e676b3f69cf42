"""The summary of an investigation as canvas markdown: tables of at most 300 cells, no mentions, times in UTC."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.investigation.picture import blast_radius, dated, tree
from runbook_bot.slack import words
from runbook_bot.slack.escaping import canvas as safe
from runbook_bot.slack.escaping import tidy
from runbook_bot.slack.views.chart import in_numbers
from runbook_bot.slack.views.head import counts, state

ROWS = 40
"""Of a table of six columns, so that it stays under 300 cells."""


def canvas_title(case: Investigation) -> str:
    return f"Incident {safe(case.title, 120)} ({case.id})"


def canvas_markdown(case: Investigation) -> str:
    parts = [
        ("Summary", _summary(case)),
        ("Impact", _impact(case)),
        ("Services", _services(case)),
        ("Timeline (UTC)", _timeline(case)),
        ("Hypotheses", _hypotheses(case)),
        ("Evidence", _evidence(case)),
        ("Actions and approvals", _actions(case)),
        ("Follow-ups", _follow_ups(case)),
    ]
    return "\n\n".join(f"## {title}\n\n{body}" for title, body in parts if body) + "\n"


def _summary(case: Investigation) -> str:
    lines = [f"**{state(case)[0]}** · {counts(case)} · `{case.id}`"]
    verdict = case.verdict
    if case.failure:
        lines.append(safe(case.failure, 600))
    if verdict and verdict.root_cause:
        cause = verdict.root_cause
        lines.append(f"**Root cause:** {safe(cause.statement, 600)} ({words.confidence(cause.confidence)})")
        lines.append(f"**Failure mode:** {words.mode(cause.failure_mode)} · **Service:** {safe(cause.service, 80)}")
        lines += [f"{number}. {safe(each, 300)}" for number, each in enumerate(cause.causal_chain, start=1)]
    elif verdict:
        lines.append("The evidence does not single out one cause.")
    if verdict and verdict.next_step:
        lines.append(f"**Next step:** {safe(verdict.next_step, 600)}")
    return "\n\n".join(lines)


def _impact(case: Investigation) -> str:
    lines = [f"- {safe(in_numbers(case.symptom), 300)}"] if case.symptom else []
    if case.incident and case.incident.services:
        lines.append(f"- Services: {safe(', '.join(case.incident.services), 300)}")
    if case.graph and case.incident:
        hit = blast_radius(case.graph, case.incident.services)
        if hit:
            lines.append(f"- Blast radius: {safe(hit, 600)}")
        owners = {n: s.owner for n in case.incident.services if (s := case.graph.service(n)) is not None and s.owner}
        if owners:
            lines.append(f"- Owned by: {safe(', '.join(f'{owner} ({name})' for name, owner in owners.items()), 300)}")
    return "\n".join(lines)


def _services(case: Investigation) -> str:
    """What the service that hurts needs and who needs it, as a tree in a block of code, where nothing is parsed."""
    names = case.incident.services if case.incident else ()
    service = next((s for name in names if case.graph and (s := case.graph.service(name))), None)
    if case.graph is None or service is None:
        return ""
    drawn = tidy("\n".join(tree(case.graph, service))).replace("`", "'")
    return f"```\n{drawn}\n```\n\n{safe(dated(case.graph), 200)}"


def _timeline(case: Investigation) -> str:
    events: list[tuple[datetime, str]] = []
    if case.symptom and case.symptom.onset:
        events.append((case.symptom.onset, f"onset: {safe(in_numbers(case.symptom), 200)}"))
    if case.changes:
        events += [(change.at, f"change: {safe(change.summary, 200)}") for change in case.changes.changes]
    if case.opened_at:
        events.append((case.opened_at, "investigation opened"))
    if case.concluded_at:
        events.append((case.concluded_at, "verdict"))
    for remedy in case.remedies.values():
        title = safe(remedy.proposal.preparation.title, 160)
        events.append((remedy.proposal.created_at, f"proposed: {title}"))
        events += [(at, f"{what}: {title}") for at, what in _decisions(remedy)]
        if remedy.executed_at:
            events.append((remedy.executed_at, f"carried out: {title}"))
    events.sort(key=lambda event: event[0])
    return "\n".join(f"- {at:%Y-%m-%d %H:%M:%S} {what}" for at, what in events[-60:])


def _decisions(remedy: Remedy) -> Iterator[tuple[datetime, str]]:
    """The presses that counted; every other one is in the audit."""
    pressed = {decision.delivery: decision for decision in remedy.decisions}
    for ruled in remedy.rulings:
        decision = pressed.get(ruled.delivery)
        if ruled.outcome == "awaiting" and decision:
            yield decision.at, f"approved by {len(ruled.approvers)} of {remedy.proposal.needed}"
        elif ruled.outcome == "rejected" and decision:
            yield decision.at, f"rejected, “{safe(decision.reason, 200)}”"
        elif ruled.outcome == "approved" and decision:
            yield decision.at, "approved"
        elif ruled.outcome == "void" and ruled.denial:
            yield ruled.denial.at, "no longer valid"


def _hypotheses(case: Investigation) -> str:
    rows = (
        (h.id, h.statement, words.HYPOTHESIS[h.state][0], words.confidence(h.confidence), h.reason)
        for h in case.hypotheses.values()
    )
    return _table(("Id", "Hypothesis", "State", "Confidence", "Why"), rows)


def _evidence(case: Investigation) -> str:
    ranked = sorted(case.evidence.values(), key=lambda e: abs(e.weight), reverse=True)
    rows = ((e.id, e.hypothesis, words.DIRECTION[e.direction], e.strength.value, e.summary, e.source) for e in ranked)
    return _table(("Id", "About", "Speaks", "Strength", "What was seen", "Source"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(safe(cell, 240) or "–" for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    shown = lines[:ROWS]
    rest = f"\n\nand {len(lines) - ROWS} more in the journal" if len(lines) > ROWS else ""
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *shown]) + rest


def _actions(case: Investigation) -> str:
    return "\n".join(f"- {_action(remedy)}" for remedy in case.remedies.values())


def _action(remedy: Remedy) -> str:
    preparation = remedy.proposal.preparation
    said = f"**{safe(preparation.title, 200)}** ({words.RISK[preparation.risk]}): {words.remedy(remedy)[0]}"
    if preparation.summary:
        said += f". {safe(preparation.summary, 240)}"
    if remedy.verified:
        said += f". {safe(remedy.verified.text, 300)}"
    return said


def _follow_ups(case: Investigation) -> str:
    verdict = case.verdict
    items = [f"Check: {safe(each, 240)}" for each in verdict.unknowns] if verdict else []
    items += [safe(each, 240) for found in case.steps for each in found.steps]
    return "\n".join(f"- [ ] {each}" for each in items[:30])


def plain_summary(case: Investigation) -> str:
    """For the file that stands in where the plan has no canvases."""
    return f"# {canvas_title(case)}\n\n{canvas_markdown(case)}"
