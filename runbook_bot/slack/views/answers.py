"""Answers to questions about investigations, made from the journal alone."""

from collections.abc import Sequence
from datetime import datetime

from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.hypothesis import Hypothesis
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Service, ServiceGraph
from runbook_bot.investigation.picture import blast_radius, dated, tree
from runbook_bot.slack import words
from runbook_bot.slack.blocks import context, divider, preformatted, section
from runbook_bot.slack.escaping import line, link, moment, mrkdwn, tidy
from runbook_bot.slack.views.approval import entitled
from runbook_bot.slack.views.head import counts, in_short, leading, state
from runbook_bot.slack.views.hypothesis import evidence_line, would_refute
from runbook_bot.slack.views.place import root
from runbook_bot.slack.workspace import Workspace

Told = tuple[str, tuple[Json, ...]]
"""The text that tells it all, and the blocks."""
PIECES = 6


def why(case: Investigation, hypothesis: Hypothesis) -> Told:
    word, emoji = words.HYPOTHESIS[hypothesis.state]
    statement = mrkdwn(hypothesis.statement, 500).rstrip(".")
    sure = words.confidence(hypothesis.confidence)
    blocks = [section(f"*{hypothesis.id}* · {word} {emoji} · {sure}\n{statement}")]
    blocks += [
        section(f"*{title}*\n" + "\n".join(f"• {each}" for each in _pieces(case, hypothesis.id, direction)))
        for direction, title in _SIDES
        if _pieces(case, hypothesis.id, direction)
    ]
    if hypothesis.reason:
        blocks.append(section(f"*Why it stands so*\n{mrkdwn(hypothesis.reason, 400)}"))
    blocks.append(context(would_refute(hypothesis), f"of “{mrkdwn(case.title, 120)}”", f"`{case.id}`"))
    found = case.evidence_for(hypothesis.id)
    speaks = sum(e.direction is Direction.supports for e in found)
    against = sum(e.direction is Direction.refutes for e in found)
    text = (
        f"{hypothesis.id} of “{mrkdwn(case.title, 120)}”, {word.lower()}: {statement}. It is {sure}; "
        f"{words.count(speaks, 'finding')} for it and {against} against it."
    )
    return text, tuple(blocks)


_SIDES = (
    (Direction.supports, "For it"),
    (Direction.refutes, "Against it"),
    (Direction.neutral, "Neither way"),
    (Direction.unknown, "Could not be read"),
)


def _pieces(case: Investigation, hypothesis: str, direction: Direction) -> list[str]:
    found = [e for e in case.evidence_for(hypothesis) if e.direction is direction]
    found.sort(key=lambda e: abs(e.weight), reverse=True)
    return [evidence_line(each) for each in found[:PIECES]]


def summary(case: Investigation) -> Told:
    word, emoji = state(case)
    blocks = [section(f"*{mrkdwn(case.title, 200)}*\n{word} {emoji} · {counts(case)} · `{case.id}`")]
    verdict = case.verdict
    if verdict and verdict.root_cause:
        cause = verdict.root_cause
        chain = "".join(f"\n{n}. {mrkdwn(each, 200)}" for n, each in enumerate(cause.causal_chain[:6], start=1))
        blocks.append(section(f"{mrkdwn(cause.statement, 400)} ({words.confidence(cause.confidence)}){chain}"))
    ranked = sorted(case.hypotheses.values(), key=lambda h: h.confidence, reverse=True)
    if ranked:
        blocks.append(section("\n".join(_row(each) for each in ranked[:8])))
    blocks += [section(_waiting(case, remedy)) for remedy in list(case.remedies.values())[:3]]
    return in_short(case), tuple(blocks)


def _row(hypothesis: Hypothesis) -> str:
    word, emoji = words.HYPOTHESIS[hypothesis.state]
    sure = words.confidence(hypothesis.confidence)
    return f"{emoji} *{hypothesis.id}* {word.lower()}, {sure}: {mrkdwn(hypothesis.statement, 160)}"


def _waiting(case: Investigation, remedy: Remedy) -> str:
    word, emoji = words.remedy(remedy)
    return f"{emoji} *{mrkdwn(remedy.proposal.preparation.title, 160)}* {word.lower()} (`{remedy.proposal.id}`)"


def _entry(case: Investigation, workspace: Workspace) -> str:
    at = root(case)
    where = link(workspace.message(*at), "thread") if at else "thread to come"
    return f"*{mrkdwn(case.title, 120)}* · {state(case)[0].lower()} · {counts(case)} · {where} · `{case.id}`"


def status(cases: Sequence[Investigation], latest: Investigation | None, workspace: Workspace) -> Told:
    """What is open; where nothing is, how the latest one ended."""
    if not cases and latest is not None:
        said = words.LATEST_HERE.format(state=in_short(latest))
        blocks = section(words.NONE_OPEN), section(_entry(latest, workspace)), section(said)
        return f"{words.NONE_OPEN} {said}", blocks
    if not cases:
        return words.NONE_OPEN, (section(words.NONE_OPEN),)
    text = f"{words.count(len(cases), 'investigation')} open: " + " ".join(in_short(each) for each in cases[:3])
    return text, tuple(section(f"{_entry(each, workspace)}\n{leading(each)}") for each in cases[:15])


def service(graph: ServiceGraph, one: Service, now: datetime) -> Told:
    """What a service needs and who needs it as a tree that fits a phone, who is hit where it fails, how old that is."""
    hit = blast_radius(graph, [one.name]) or words.SERVICE_ALONE
    owner = words.SERVICE_OWNER.format(owner=mrkdwn(one.owner, 80)) if one.owner else words.SERVICE_NOBODYS
    calls = mrkdwn(", ".join(one.depends_on) or words.SERVICE_NOTHING, 300)
    head = f"*{mrkdwn(one.name, 120)}* {owner}"
    text = f"{head}. {words.SERVICE_NEEDS.format(names=calls)} {mrkdwn(hit, 500)}."
    blocks = (
        section(head),
        preformatted("\n".join(tree(graph, one)), 2800),
        section(mrkdwn(hit, 600)),
        context(mrkdwn(dated(graph, now), 200)),
    )
    return text, blocks


def approvals(waiting: Sequence[tuple[Investigation, Remedy]], workspace: Workspace) -> Told:
    if not waiting:
        return words.NOTHING_WAITS, (section(words.NOTHING_WAITS),)
    titles = "; ".join(mrkdwn(remedy.proposal.preparation.title, 120) for _, remedy in waiting[:5])
    text = f"{words.count(len(waiting), 'change waits', 'changes wait')} for approval: {titles}."
    return text, tuple(section(approval_row(case, remedy, workspace)) for case, remedy in waiting[:15])


def approval_row(case: Investigation, remedy: Remedy, workspace: Workspace) -> str:
    proposal = remedy.proposal
    posted = case.posted.get(f"approval:{proposal.id}")
    may = entitled(remedy)
    who = f"\n{words.MAY_APPROVE.format(who=may)}" if may else ""
    card = link(workspace.message(posted.channel, posted.ts, posted.thread) if posted else None, "card")
    return (
        f"*{mrkdwn(proposal.preparation.title, 160)}* · {words.RISK[proposal.preparation.risk]} · "
        f"valid until {moment(proposal.expires_at)} · {card} · `{proposal.id}`{who}"
    )


def passages(text: str, found: Sequence[Passage]) -> Told:
    if not found:
        nothing = words.KNOWLEDGE_NOTHING.format(text=mrkdwn(text, 200))
        return nothing, (section(nothing),)
    blocks: list[Json] = []
    for each in found[:5]:
        where = " › ".join(part for part in (each.title, each.heading) if part)
        blocks += [
            section(f"*{mrkdwn(where, 200)}* ({each.kind.replace('_', ' ')})"),
            preformatted(tidy(each.text).strip(), 700),
            context(f"`{mrkdwn(each.document, 200)}`, line {each.line}"),
            divider(),
        ]
    titles = ", ".join(line(each.title, 80) for each in found[:5])
    return f"{words.count(len(found), 'passage')} found: {mrkdwn(titles, 500)}.", tuple(blocks[:-1])
