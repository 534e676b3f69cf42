"""How it ended: the verdict, the note of a stop, the note of a failure."""

from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.investigation import REMEDIES, Investigation
from runbook_bot.domain.noun import Json
from runbook_bot.domain.verdict import RootCause, Verdict
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.slack import words
from runbook_bot.slack.blocks import context, header, section, steps
from runbook_bot.slack.escaping import line, link, mrkdwn, user
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.cause import capital, in_a_sentence
from runbook_bot.slack.views.chart import in_numbers, symptom_chart
from runbook_bot.slack.views.hypothesis import evidence_line
from runbook_bot.slack.views.place import named, place
from runbook_bot.slack.workspace import Workspace

ITEM = 160
ITEMS = 5
STEP = 240


def verdict_message(case: Investigation, workspace: Workspace) -> Message:
    assert case.verdict is not None
    channel, thread = place(case, "verdict")
    verdict = case.verdict
    cause = verdict.root_cause
    blocks = [header(_title(case, verdict)), section(_cause(case, cause) if cause else _undecided(case, verdict))]
    if cause and cause.causal_chain:
        links = [_shown_by(case, cause, each) for each in _links(cause)]
        chain = "\n".join(f"{n}. {each}" for n, each in enumerate(links[:8], start=1))
        blocks.append(section(f"*How it came about*\n{chain}"))
    chart = symptom_chart(case)
    if chart:
        blocks.append(chart)
    blocks += _evidence(case, cause)
    blocks += _listed("Ruled out", verdict.ruled_out) + _listed("Could not be checked", verdict.unknowns)
    if verdict.next_step and case.evidence:
        blocks.append(section(f"*Next step*\n{mrkdwn(verdict.next_step, 600)}"))
    blocks += _runbook(case) + _no_repair(case)
    blocks.append(context(*_small_print(case, workspace)))
    return Message(
        key="verdict",
        channel=channel,
        thread=thread,
        text=_text(case, verdict),
        blocks=tuple(blocks),
        metadata=named(case, "verdict"),
        broadcast=thread is not None,
        final=True,
    )


def _title(case: Investigation, verdict: Verdict) -> str:
    cause = verdict.root_cause
    if cause is None:
        return words.STATUS[case.status][0]
    if cause.failure_mode is FailureMode.none:
        return "No fault behind the alert"
    where = f" in {cause.service}" if cause.service else ""
    return line(f"Root cause: {words.mode(cause.failure_mode)}{where}", 150)


def _cause(case: Investigation, cause: RootCause) -> str:
    sentence, finding = in_a_sentence(case, cause)
    sure = f"{words.bar(cause.confidence)} {words.confidence(cause.confidence)}"
    because = f"\n{mrkdwn(finding, 400)}" if finding and finding not in cause.causal_chain else ""
    return f"*{mrkdwn(capital(sentence), 400)}.*\n{sure}{because}"


def _links(cause: RootCause) -> list[str]:
    """The chain without a link that only repeats part of an earlier one."""
    links: list[str] = []
    for each in cause.causal_chain:
        if not any(each in earlier for earlier in links):
            links.append(each)
    return links


def _undecided(case: Investigation, verdict: Verdict) -> str:
    if not case.evidence:
        return words.NOTHING_TESTED
    said = ["The evidence does not single out one cause. What is left, best first:"]
    for each in verdict.ranked[:3]:
        known = case.hypotheses.get(each.hypothesis or "")
        what = known.statement if known else words.mode(each.failure_mode)
        said.append(f"• {mrkdwn(what, ITEM)} ({words.confidence(each.confidence)})")
    return "\n".join(said)


def _evidence(case: Investigation, cause: RootCause | None) -> list[Json]:
    found = [each for each in _cited(case, cause) if not cause or each.summary not in cause.causal_chain][:ITEMS]
    if not found:
        return []
    return [section("*What else speaks for it*\n" + "\n".join(f"• {evidence_line(each)}" for each in found))]


def _cited(case: Investigation, cause: RootCause | None) -> list[Evidence]:
    return [case.evidence[id] for id in (cause.evidence if cause else ()) if id in case.evidence]


def _shown_by(case: Investigation, cause: RootCause, link_of_chain: str) -> str:
    """A link of the chain, with the finding that shows it where it is one."""
    finding = next((each for each in _cited(case, cause) if each.summary == link_of_chain), None)
    return evidence_line(finding) if finding else mrkdwn(link_of_chain, ITEM)


def _listed(title: str, items: tuple[str, ...]) -> list[Json]:
    if not items:
        return []
    shown = [f"• {mrkdwn(each, ITEM)}" for each in items[:ITEMS]]
    if len(items) > ITEMS:
        shown.append(f"• and {len(items) - ITEMS} more, in the summary")
    return [section(f"*{title}*\n" + "\n".join(shown))]


def _runbook(case: Investigation) -> list[Json]:
    if not case.steps:
        return []
    found = case.steps[0]
    title = section(f"*From the runbook “{mrkdwn(found.title, 120)}”* (`{mrkdwn(found.runbook, 120)}`)")
    return [title, steps([_plain(step) for step in found.steps])] if found.steps else [title]


def _plain(step: str) -> str:
    """Without Markdown's marks, which nothing reads where steps are shown."""
    return line(step.replace("**", "").replace("`", ""), STEP)


def _no_repair(case: Investigation) -> list[Json]:
    """Why nothing is proposed, where nothing is."""
    if case.remedies or case.verdict is None or case.verdict.root_cause is None:
        return []
    return [context(mrkdwn(note.text, 400)) for note in case.notes if note.answers == REMEDIES][:1]


def _small_print(case: Investigation, workspace: Workspace) -> list[str]:
    verdict = case.verdict
    assert verdict is not None
    said = [f"{words.count(len(case.asked), 'query', 'queries')} · {words.count(len(case.evidence), 'finding')}"]
    if verdict.cut_short:
        said.append(f"ended early: {mrkdwn(verdict.cut_short, 160)}")
    if verdict.struck:
        said.append(f"{words.count(verdict.struck, 'sentence')} removed: nothing found stood behind them")
    if case.reasoner:
        said.append(f"reasoned by {mrkdwn(case.reasoner, 40)}")
    if case.canvas and not case.canvas.fallback:
        said.append(link(workspace.document(case.canvas.canvas), "summary canvas"))
    return said


def _text(case: Investigation, verdict: Verdict) -> str:
    cause = verdict.root_cause
    measured = f" {mrkdwn(in_numbers(case.symptom), 200)}." if case.symptom else ""
    if cause is None and not case.evidence:
        return f"“{mrkdwn(case.title, 200)}” was stopped. {words.NOTHING_TESTED}{measured}"
    if cause is None:
        step = f" Next step: {mrkdwn(verdict.next_step, 300).rstrip('.')}." if verdict.next_step else ""
        return (
            f"Inconclusive: the evidence on “{mrkdwn(case.title, 200)}” does not single out one cause.{step}{measured}"
        )
    statement = mrkdwn(cause.statement, 400).rstrip(".")
    sure = f"This is {words.confidence(cause.confidence)}."
    if cause.failure_mode is FailureMode.none:
        return f"There is no fault behind “{mrkdwn(case.title, 200)}”: {statement}. {sure}{measured}"
    return f"Root cause of “{mrkdwn(case.title, 200)}”: {statement}. {sure}{measured}"


def stop_note(case: Investigation) -> Message:
    assert case.stop_asked is not None
    channel, thread = place(case, "stopped")
    by = user(case.stop_asked.by)
    text = f"{by} stopped this investigation. What is known so far stays here."
    return Message(
        key="stopped",
        channel=channel,
        thread=thread,
        text=text,
        blocks=(section(f":octagonal_sign: {text}"),),
        metadata=named(case, "stopped"),
        final=True,
    )


def failure_note(case: Investigation) -> Message:
    channel, thread = place(case, "failed")
    text = f"The investigation failed: {mrkdwn(case.failure, 600).rstrip('.')}. What was found until then stays here."
    return Message(
        key="failed",
        channel=channel,
        thread=thread,
        text=text,
        blocks=(section(f":warning: {text}"),),
        metadata=named(case, "failed"),
        final=True,
    )
