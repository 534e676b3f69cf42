"""One hypothesis as one reply in the thread."""

from runbook_bot.domain.evidence import Direction, Evidence
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import Json
from runbook_bot.slack import words
from runbook_bot.slack.blocks import actions, button, context, section
from runbook_bot.slack.escaping import link, mrkdwn, user
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.cause import capital
from runbook_bot.slack.views.place import place
from runbook_bot.slack.workspace import Workspace

STATEMENT = 500
SUMMARY = 180
REASON = 240


def hypothesis_reply(case: Investigation, hypothesis: Hypothesis, workspace: Workspace) -> Message:
    key = f"hypothesis:{hypothesis.id}"
    channel, thread = place(case, key)
    pruned = hypothesis.state is HypothesisState.pruned
    return Message(
        key=key,
        channel=channel,
        thread=thread,
        text=_text(case, hypothesis),
        blocks=(_gone(case, hypothesis),) if pruned else tuple(_alive(case, hypothesis, workspace)),
        metadata={
            "event_type": "runbook_hypothesis",
            "event_payload": {
                "investigation": case.id,
                "id": hypothesis.id,
                "parent": hypothesis.parent or "",
                "state": hypothesis.state.value,
                "confidence": round(hypothesis.confidence, 4),
            },
        },
    )


def _text(case: Investigation, hypothesis: Hypothesis) -> str:
    word, _ = words.HYPOTHESIS[hypothesis.state]
    statement = mrkdwn(hypothesis.statement, STATEMENT).rstrip(".")
    said = f"Hypothesis {hypothesis.id}, {word.lower()}: {statement}."
    if hypothesis.state is HypothesisState.pruned:
        return f"{said} {_killer(case, hypothesis)}"
    return f"{said} It is {_sure(case, hypothesis)}."


def _sure(case: Investigation, hypothesis: Hypothesis) -> str:
    """The confidence in words, once anything at all is known."""
    known = hypothesis.confidence > 0 or case.evidence_for(hypothesis.id)
    return words.confidence(hypothesis.confidence) if known else words.UNTESTED


def _gone(case: Investigation, hypothesis: Hypothesis) -> Json:
    word, emoji = words.HYPOTHESIS[hypothesis.state]
    statement = mrkdwn(hypothesis.statement, STATEMENT)
    return section(f"*{hypothesis.id}* · {word} {emoji} ~{statement.replace('~', '-')}~\n{_killer(case, hypothesis)}")


def _killer(case: Investigation, hypothesis: Hypothesis) -> str:
    """What killed it, as a sentence."""
    by = next((s.by for s in reversed(case.settled) if s.hypothesis == hypothesis.id and s.by), "")
    against = strongest(case, hypothesis.id, Direction.refutes)
    why = hypothesis.reason or (against[0].summary if against else "nothing speaks for it")
    return f"What ruled it out: {mrkdwn(why, REASON).rstrip('.')}{f', said by {user(by)}' if by else ''}."


def _alive(case: Investigation, hypothesis: Hypothesis, workspace: Workspace) -> list[Json]:
    word, emoji = words.HYPOTHESIS[hypothesis.state]
    of = f" · a cause of {_parent(case, hypothesis.parent, workspace)}" if hypothesis.parent else ""
    sure = _sure(case, hypothesis)
    if sure != words.UNTESTED:
        sure = f"{words.bar(hypothesis.confidence)} {sure}"
    who = user(hypothesis.proposed_by) if hypothesis.proposed_by[:1] in ("U", "W") else ""
    blocks = [
        section(f"*{hypothesis.id}* · {word} {emoji}{of}\n*{mrkdwn(capital(hypothesis.statement), STATEMENT)}*"),
        context(sure, mrkdwn(words.mode(hypothesis.failure_mode), 60), f"put forward by {who}" if who else ""),
    ]
    pieces = evidence_lines(case, hypothesis.id)
    if pieces:
        blocks.append(section("\n".join(pieces)))
    told = {e.summary for e in strongest(case, hypothesis.id, Direction.supports)}
    if hypothesis.reason and hypothesis.state is HypothesisState.supported and hypothesis.reason not in told:
        blocks.append(context(f"Carried by: {mrkdwn(hypothesis.reason, REASON)}"))
    blocks.append(context(would_refute(hypothesis)))
    if case.status == "open":
        blocks.append(steering(case.id, hypothesis.id))
    return blocks


def would_refute(hypothesis: Hypothesis) -> str:
    refuting = "; ".join(prediction.text for prediction in hypothesis.predictions if prediction.refuting)
    return words.REFUTED_IF.format(what=mrkdwn(refuting, REASON)) if refuting else words.REFUTED_BY_NOTHING


def _parent(case: Investigation, parent: str, workspace: Workspace) -> str:
    posted = case.posted.get(f"hypothesis:{parent}")
    url = workspace.message(posted.channel, posted.ts, posted.thread) if posted else None
    return link(url, parent)


def strongest(case: Investigation, hypothesis: str, direction: Direction, top: int = 2) -> list[Evidence]:
    found = [e for e in case.evidence_for(hypothesis) if e.direction is direction]
    return sorted(found, key=lambda e: abs(e.weight), reverse=True)[:top]


def evidence_lines(case: Investigation, hypothesis: str, top: int = 2) -> list[str]:
    """The strongest pieces each way, and how many could not be read."""
    lines = [
        f"{sign} {evidence_line(each)}"
        for direction, sign in ((Direction.supports, "*For*"), (Direction.refutes, "*Against*"))
        for each in strongest(case, hypothesis, direction, top)
    ]
    unread = [e for e in case.evidence_for(hypothesis) if e.direction is Direction.unknown]
    if unread:
        lines.append(f"_{words.count(len(unread), 'check')} could not be made: {mrkdwn(unread[0].summary, 160)}_")
    return lines


def evidence_line(each: Evidence) -> str:
    """`5xx rose 71-fold at 12:03 (strong, E3)`; the id links to the vendor's console where there is a link."""
    return f"{mrkdwn(each.summary, SUMMARY)} ({each.strength.value}, {link(each.console, each.id)})"


def steering(investigation: str, hypothesis: str) -> Json:
    value = f"{investigation}|{hypothesis}"
    return actions(
        button("Dig deeper", "hypothesis_dig", value, spoken=f"Dig deeper into {hypothesis}"),
        button("Rule out", "hypothesis_rule_out", value, spoken=f"Rule out {hypothesis}"),
        button("I know this", "hypothesis_known", value, spoken=f"I know that it is {hypothesis}"),
    )
