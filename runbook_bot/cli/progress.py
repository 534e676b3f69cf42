"""An investigation as it goes on, one short line an entry, and its result as a page of text."""

from typing import TextIO

from rich.console import Console
from rich.text import Text

from runbook_bot.cli.terminal import plain, shortened
from runbook_bot.domain import journal as j
from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.hypothesis import HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Entry
from runbook_bot.domain.verdict import Verdict
from runbook_bot.domain.window import TimeWindow

Line = tuple[str, str, str]
"""A colour, a word for the margin, and the text."""

COLOURS = {Direction.supports: "green", Direction.refutes: "red", Direction.neutral: "", Direction.unknown: "yellow"}
MOVED = {"rises": "rose", "falls": "fell", "steady": "stayed steady"}
STATES = {
    HypothesisState.supported: "bold green",
    HypothesisState.pruned: "red",
    HypothesisState.inconclusive: "yellow",
}


def line(body: Body) -> Line | None:  # noqa: PLR0912  # one arm a kind: a table in the form of a match
    """What a person is told about one entry; None for what only machines read."""
    match body:
        case j.Opened():
            return "bold", "opened", body.request.text
        case j.IncidentFound():
            return "", "incident", f"{body.incident.title} · {spoken(body.incident.window)}"
        case j.SymptomFound(symptom=None):
            return "yellow", "symptom", body.message or "nothing measurable was found"
        case j.SymptomFound(symptom=s) if s is not None:
            onset = f" at {s.onset:%H:%M:%S} UTC" if s.onset else ""
            what = f"{s.signal} of {s.service or s.resource.key} {MOVED[s.moved]}{onset}"
            return "", "symptom", f"{what} ({s.baseline:.4g} → {s.level:.4g})"
        case j.GraphFound():
            return "", "scope", ", ".join(body.scope) or body.message or "no services are known"
        case j.ChangesFound():
            told = "; ".join(f"{each.at:%H:%M} {each.summary}" for each in body.changes[:3])
            more = f"; and {len(body.changes) - 3} more" if len(body.changes) > 3 else ""
            return "", "changes", (told + more) or body.message or "none in the window"
        case j.KnowledgeFound():
            titles = ", ".join(dict.fromkeys(each.title for each in body.passages))
            return "", "knowledge", titles or body.message or "nothing that fits"
        case j.Proposed():
            return "cyan", body.hypothesis.id, f"proposed: {body.hypothesis.statement}"
        case j.Queried() if not body.result.known:
            return "yellow", "unknown", f"{body.result.source}: {body.result.message or body.result.where}"
        case j.Judged():
            e = body.evidence
            return COLOURS[e.direction], e.hypothesis, f"{e.direction} ({e.strength}): {e.summary}"
        case j.Settled() if body.state in STATES:
            return STATES[body.state], body.hypothesis, f"{body.state}: {body.reason}"
        case j.Noted():
            return "yellow" if body.level == "warning" else "", "note", body.text
        case j.LimitReached():
            return "yellow", "limit", body.text
        case j.StopAsked():
            return "yellow", "stopped", "a stop was asked for"
        case j.Failed():
            return "bold red", "failed", body.text
        case j.Concluded():
            return _verdict(body.verdict)
        case j.ChangeProposed():
            p = body.proposal.preparation
            return "magenta", "proposal", f"{p.title} (risk {p.risk}; approve it in Slack)"
        case _:
            return None


def _verdict(verdict: Verdict) -> Line:
    if verdict.root_cause is None:
        return "bold yellow", "verdict", f"inconclusive: {verdict.next_step}".rstrip(": ")
    return "bold green", "verdict", f"{verdict.root_cause.statement} ({verdict.root_cause.confidence:.0%} sure)"


def spoken(window: TimeWindow) -> str:
    """`2026-01-31 10:00–13:00 UTC, onset 11:02`."""
    same_day = window.start.date() == window.end.date()
    end = f"{window.end:%H:%M}" if same_day else f"{window.end:%Y-%m-%d %H:%M}"
    onset = f", onset {window.onset:%H:%M:%S}" if window.onset else ""
    return f"{window.start:%Y-%m-%d %H:%M}–{end} UTC{onset}"


def summary(case: Investigation, journal: str, seconds: float) -> list[Line]:
    """The result, to be read from top to bottom."""
    lines: list[Line] = []
    verdict = case.verdict
    if verdict is not None:
        lines.append(_verdict(verdict))
        if verdict.cut_short:
            lines.append(("yellow", "", f"Ended early: {verdict.cut_short}"))
        if verdict.root_cause is not None:
            lines += [("", "because" if n == 0 else "", step) for n, step in enumerate(verdict.root_cause.causal_chain)]
            cited = [case.evidence[id] for id in verdict.root_cause.evidence if id in case.evidence]
            lines += [("", e.id, f"{e.summary} [{e.source}]") for e in cited]
        for n, each in enumerate(verdict.ranked[:5]):
            place = each.resource.key if each.resource else each.service
            what = each.failure_mode or "none of these"
            lines.append(("", "ranking" if n == 0 else "", f"{each.confidence:>4.0%}  {what}  {place}".rstrip()))
        lines += [("", "ruled out" if n == 0 else "", text) for n, text in enumerate(verdict.ruled_out)]
        lines += [("yellow", "unknown" if n == 0 else "", text) for n, text in enumerate(verdict.unknowns)]
    for steps in case.steps:
        lines.append(("", "runbook", f"{steps.title} ({steps.runbook})"))
        lines += [("", "", f"{n}. {step}") for n, step in enumerate(steps.steps, 1)]
    for remedy in case.remedies.values():
        preparation = remedy.proposal.preparation
        lines.append(("magenta", "proposal", f"{preparation.title} · risk {preparation.risk} · {preparation.impact}"))
    asked = f"queries {len(case.asked)} · evidence {len(case.evidence)} · {seconds:.1f} s · {case.reasoner}"
    return [*lines, ("dim", "journal", journal), ("dim", "", asked)]


class Progress:
    """Writes to a terminal in colour, and to anything else in plain lines."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())

    def show(self, entry: Entry) -> None:
        told = line(entry.body)
        if told is not None:
            self._write(told, longest=240)

    def summarise(self, case: Investigation, journal: str, seconds: float) -> None:
        self._console.print()
        for each in summary(case, journal, seconds):
            self._write(each, longest=2000)

    def _write(self, told: Line, longest: int) -> None:
        colour, margin, text = told
        row = Text(f"{plain(margin):>10}  ", style="dim")
        row.append(shortened(text, longest), style=colour)
        self._console.print(row)
