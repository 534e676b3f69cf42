"""The approval card, what became of it, and the answer to a click that did not count.

Everything on a card is rendered from the proposal's own parameters; no model's prose is on it.
"""

import json

from runbook_bot.approval.checks import PREAPPROVED
from runbook_bot.domain.approval import Call, Decision, Risk
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.journal import Ruled
from runbook_bot.domain.noun import Json
from runbook_bot.slack import words
from runbook_bot.slack.blocks import actions, button, context, header, preformatted, section
from runbook_bot.slack.escaping import clock, group, moment, mrkdwn, user
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.place import named, place

TEXT = 400


def approval_card(case: Investigation, remedy: Remedy) -> Message:
    proposal = remedy.proposal
    key = f"approval:{proposal.id}"
    channel, thread = place(case, key)
    preparation = proposal.preparation
    word, emoji = words.remedy(remedy)
    blocks = [
        header(preparation.title),
        section(f"*{word}* {emoji} · {words.RISK[preparation.risk]}"),
        section(_what(remedy)),
        context("The exact call:"),
        preformatted(preparation.shown, 1500),
        section(_consequences(remedy)),
    ]
    if preparation.pre_state:
        blocks += [context("Before the change, as it was read:"), preformatted(_json(preparation.pre_state), 800)]
    blocks.append(context(*_who(remedy), _alone(case, remedy)))
    if remedy.state == "open":
        may = entitled(remedy)
        if may:
            blocks.append(section(words.MAY_APPROVE.format(who=may)))
        blocks.append(_buttons(remedy))
    else:
        blocks.append(section(_decided(remedy)))
    return Message(
        key=key,
        channel=channel,
        thread=thread,
        text=_text(remedy),
        blocks=tuple(blocks),
        metadata={
            "event_type": "runbook_approval",
            "event_payload": {
                "proposal": proposal.id,
                "investigation": case.id,
                "state": remedy.state,
                "risk": preparation.risk.value,
            },
        },
        final=True,
    )


def _what(remedy: Remedy) -> str:
    preparation = remedy.proposal.preparation
    target = preparation.target
    name = "/".join(part for part in (target.cluster, target.namespace, target.name) if part)
    where = " · ".join(part for part in (preparation.account, preparation.region) if part)
    lines = [f"*Target* `{mrkdwn(name, 200).replace('`', '')}` ({mrkdwn(target.type.replace('_', ' '), 40)})"]
    if where:
        lines.append(f"*Account and region* {mrkdwn(where, 120)}")
    if preparation.summary:
        lines.append(f"*What changes* {mrkdwn(preparation.summary, TEXT)}")
    if remedy.proposal.undoes:
        lines.append(f"*Rolls back* `{mrkdwn(remedy.proposal.undoes, 80)}`")
    return "\n".join(lines)


def _consequences(remedy: Remedy) -> str:
    proposal = remedy.proposal
    preparation = proposal.preparation
    back = _call(preparation.rollback) if preparation.rollback else "not possible by itself"
    lines = [
        f"*Impact* {mrkdwn(preparation.impact, TEXT) or 'not known'}",
        f"*Rollback* {back}",
    ]
    if proposal.hypothesis or proposal.evidence:
        because = ", ".join(part for part in (proposal.hypothesis or "", *proposal.evidence[:12]) if part)
        lines.append(f"*Because of* {mrkdwn(because, 200)}")
    if proposal.runbook:
        lines.append(f"*Runbook* {mrkdwn(proposal.runbook, 160)}")
    if proposal.verification:
        check = proposal.verification
        signal = words.signal(check.signal)
        lines.append(f"*Checked afterwards* {signal} of {mrkdwn(check.resource.name, 100)}, back to its baseline")
    return "\n".join(lines)


def _call(call: Call) -> str:
    return f"`{mrkdwn(call.operation, 80)}` {mrkdwn(_json(call.parameters), 300)}"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))


def _who(remedy: Remedy) -> list[str]:
    proposal = remedy.proposal
    asked = f"asked for by {user(proposal.requester)}" if proposal.requester else ""
    needed = words.count(proposal.needed, "approval") + " needed"
    if remedy.approvers and remedy.state == "open":
        needed += f", {len(remedy.approvers)} given by {_people(remedy.approvers)}"
    expires = f"valid until {moment(proposal.expires_at)}" if remedy.state == "open" else ""
    return [asked, f"proposed by {mrkdwn(proposal.proposed_by, 60)}", needed, expires, f"`{proposal.id}`"]


MOST_NAMED = 5


def entitled(remedy: Remedy) -> str:
    """Who may approve, as it was configured; "" where the proposal does not say."""
    who, proposal = remedy.proposal.entitled, remedy.proposal
    if who is None:
        return ""
    if who.anybody:
        return words.MAY_ANYBODY
    named = [*(group(each) for each in who.usergroups), *(user(each) for each in who.users)]
    if not named:
        return words.MAY_NOBODY.format(risk=proposal.preparation.risk.value)
    shown = named[:MOST_NAMED]
    if len(named) > MOST_NAMED:
        shown.append(words.MAY_MORE.format(number=len(named) - MOST_NAMED))
    but = words.MAY_NOT_ASKER.format(asker=user(proposal.requester)) if proposal.requester else ""
    return " or ".join(shown) + ("" if who.requester else but)


def _alone(case: Investigation, remedy: Remedy) -> str:
    """Whoever approved the change may have it undone without anybody else, for a while."""
    original = case.remedies.get(remedy.proposal.undoes or "")
    if remedy.state != "open" or original is None or original.executed_at is None or not original.approvers:
        return ""
    until = clock(original.executed_at + PREAPPROVED)
    return words.ALONE.format(people=_people(original.approvers), until=until)


def _people(ids: tuple[str, ...]) -> str:
    return ", ".join(user(each) for each in ids)


def _buttons(remedy: Remedy) -> Json:
    title = remedy.proposal.preparation.title
    dots = "…" if remedy.proposal.preparation.risk is Risk.critical else ""
    return actions(
        button(f"Approve{dots}", "approve", remedy.proposal.id, style="primary", spoken=f"Approve: {title}"),
        button("Reject…", "reject", remedy.proposal.id, style="danger", spoken=f"Reject: {title}"),
    )


def _closing(remedy: Remedy) -> Decision | None:
    """The click that closed it."""
    closing = remedy.ruling
    return next((d for d in remedy.decisions if closing and d.delivery == closing.delivery), None)


def _decided(remedy: Remedy) -> str:
    """Who, when, why, and the state; no buttons any more."""
    closing, decision = remedy.ruling, _closing(remedy)
    when = f" {moment(decision.at)}" if decision else ""
    if closing is None:
        return words.remedy(remedy)[0]
    if closing.outcome == "rejected":
        why = f": “{mrkdwn(decision.reason, TEXT)}”" if decision and decision.reason else ""
        return f"Rejected by {user(decision.user) if decision else 'somebody'}{when}{why}"
    if closing.outcome == "void":
        why = f": {mrkdwn(closing.denial.why, TEXT)}" if closing.denial else ""
        return f"No longer valid{why}"
    by = _people(closing.approvers or remedy.approvers)
    return f"Approved by {by or 'an approver'}{when}\n*{words.remedy(remedy)[0]}*{_outcome(remedy)}"


def _outcome(remedy: Remedy) -> str:
    return f" · {mrkdwn(remedy.outcome.message, TEXT)}" if remedy.outcome and remedy.outcome.message else ""


def _text(remedy: Remedy) -> str:
    proposal = remedy.proposal
    title = mrkdwn(proposal.preparation.title, 200).rstrip(".")
    target = mrkdwn(proposal.preparation.target.name, 100)
    word = words.remedy(remedy)[0].lower()
    said = f"Proposed change: {title}, on {target}, {words.RISK[proposal.preparation.risk]}; it {_verb(remedy, word)}."
    if remedy.state == "open":
        may = entitled(remedy)
        who = f" {words.MAY_APPROVE.format(who=may)}." if may else ""
        return f"{said} It needs {words.count(proposal.needed, 'approval')} by {clock(proposal.expires_at)}.{who}"
    return said


def _verb(remedy: Remedy, word: str) -> str:
    return word if remedy.state in ("open", "failed") else f"is {word}"


def denied(remedy: Remedy, ruled: Ruled) -> bool:
    """Somebody pressed and has to be told why it did not count.

    Rejection and expiry are told by the card itself, and so is a second press by who approved it: it names them.
    """
    denial = ruled.denial
    if denial is None or denial.user == "" or ruled.outcome not in ("denied", "void"):
        return False
    return not (denial.code == "decided" and denial.user in remedy.approvers)


def denial_note(case: Investigation, remedy: Remedy, ruled: Ruled) -> Message:
    """Only the person who pressed sees it."""
    assert ruled.denial is not None
    key = f"denial:{ruled.delivery}"
    channel, thread = place(case, key)
    title = mrkdwn(remedy.proposal.preparation.title, 120).rstrip(".")
    text = f"Your click on “{title}” did not count: {mrkdwn(ruled.denial.why, 600).rstrip('.')}."
    return Message(
        key=key,
        channel=channel,
        thread=thread,
        text=text,
        blocks=(section(f":lock: {text}"),),
        to=ruled.denial.user,
        final=True,
    )


def verification_note(case: Investigation, remedy: Remedy) -> Message:
    """What came of the change; edited from the first look at the symptom to the last."""
    key = f"verified:{remedy.proposal.id}"
    channel, thread = place(case, key)
    emoji, text = _recovery(remedy)
    problem = case.unprepared(remedy)
    if problem is not None:
        why = mrkdwn(problem.text, TEXT).rstrip(".")
        text = f"{text} {words.ROLLBACK_FAILED.format(by=_asked_back(remedy), why=why)}"
    blocks = [section(f"{emoji} {text}")]
    if _can_go_back(case, remedy):
        title = remedy.proposal.preparation.title
        blocks.append(actions(button("Roll back…", "rollback", remedy.proposal.id, spoken=f"Roll back: {title}")))
    elif case.going_back(remedy):
        blocks.append(context(words.ROLLBACK_ASKED.format(by=_asked_back(remedy))))
    return Message(
        key=key,
        channel=channel,
        thread=thread,
        text=text,
        blocks=tuple(blocks),
        metadata=named(case, key, state=remedy.state),
        final=True,
    )


def _asked_back(remedy: Remedy) -> str:
    return user(remedy.rollback.by) if remedy.rollback else "somebody"


def _recovery(remedy: Remedy) -> tuple[str, str]:
    title = mrkdwn(remedy.proposal.preparation.title, 160).rstrip(".")
    outcome, check = remedy.outcome, remedy.proposal.verification
    assert outcome is not None
    when = f" at {clock(remedy.executed_at)}" if remedy.executed_at else ""
    if outcome.took_effect is False:
        return ":warning:", f"The change “{title}” did not take effect: {mrkdwn(outcome.message, TEXT).rstrip('.')}."
    made = "was made" if outcome.took_effect else "may have been made"
    if remedy.verified is None:
        signal = words.signal(check.signal) if check else "the symptom"
        last = f" {mrkdwn(remedy.checks[-1].text, TEXT).rstrip('.')}." if remedy.checks else ""
        return ":mag:", f"The change “{title}” {made}{when}; watching {signal}.{last}"
    said = mrkdwn(remedy.verified.text, TEXT).rstrip(".")
    if remedy.verified.recovered is None:
        return ":grey_question:", f"The change “{title}” {made}{when}, and whether it helped cannot be told: {said}."
    if not remedy.verified.recovered:
        return ":warning:", f"The change “{title}” {made}{when} and has not helped in time: {said}."
    return ":white_check_mark:", f"The change “{title}” helped: {said}."


def _can_go_back(case: Investigation, remedy: Remedy) -> bool:
    possible = remedy.proposal.preparation.rollback is not None and remedy.proposal.undoes is None
    took = remedy.outcome is not None and remedy.outcome.took_effect is not False
    return possible and took and not case.going_back(remedy)
