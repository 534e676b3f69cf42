"""What the terminal shows of an investigation, and that nothing from outside can play tricks with it."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.cli.progress import Progress, line, spoken, summary
from runbook_bot.cli.terminal import plain, shortened
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.incident import Incident, Request, Source, Symptom
from runbook_bot.domain.investigation import fold
from runbook_bot.domain.journal import (
    Body,
    Concluded,
    IncidentFound,
    Judged,
    Opened,
    Proposed,
    Scored,
    Settled,
    SymptomFound,
    seal,
)
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Status
from runbook_bot.domain.verdict import Candidate, RootCause, Verdict
from runbook_bot.domain.vocabulary import FailureMode, ResourceType, Signal
from runbook_bot.domain.window import TimeWindow

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
WINDOW = TimeWindow(start=NOON - timedelta(hours=3), end=NOON, onset=NOON - timedelta(minutes=58))
WEB = Resource(type=ResourceType.ecs_service, cluster="prod", name="web")
EVIDENCE = Evidence(
    id="E1",
    hypothesis="H1",
    source="aws.ecs",
    query={},
    asked="sha256:0",
    observed_at=NOON,
    status=Status.ok,
    direction=Direction.supports,
    strength=Strength.strong,
    summary="web:42 was deployed 40 s before the onset",
    digest="sha256:1",
)
HYPOTHESIS = Hypothesis(
    id="H1", statement="web:42 is bad", failure_mode=FailureMode.bad_deployment, service="web", resource=WEB, prior=0.4
)
CAUSE = RootCause(
    statement="web:42 is bad",
    service="web",
    resource=WEB,
    failure_mode=FailureMode.bad_deployment,
    confidence=0.91,
    causal_chain=("web:42 was deployed", "errors rose"),
    evidence=("E1",),
)
RANKED = (
    Candidate(service="web", resource=WEB, failure_mode=FailureMode.bad_deployment, confidence=0.91),
    Candidate(failure_mode=None, confidence=0.05),
)
VERDICT = Verdict(status="concluded", root_cause=CAUSE, ranked=RANKED, ruled_out=("no leak",), at=NOON)
STORY: tuple[Body, ...] = (
    Opened(request=Request(text="web is slow"), reasoner="catalogue"),
    IncidentFound(incident=Incident(id="i", source=Source.manual, title="web is slow", window=WINDOW)),
    SymptomFound(
        symptom=Symptom(
            service="web", resource=WEB, signal=Signal.errors, moved="rises", onset=WINDOW.onset, baseline=2, level=140
        )
    ),
    Proposed(hypothesis=HYPOTHESIS),
    Judged(evidence=EVIDENCE),
    Scored(confidence={"H1": 0.91}, unexplained=0.05),
    Settled(hypothesis="H1", state=HypothesisState.supported, reason="carried by E1"),
    Concluded(verdict=VERDICT),
)


def test_each_entry_is_one_short_line() -> None:
    assert [line(body) for body in STORY] == [
        ("bold", "opened", "web is slow"),
        ("", "incident", "web is slow · 2026-03-04 09:00–12:00 UTC, onset 11:02:00"),
        ("", "symptom", "errors of web rose at 11:02:00 UTC (2 → 140)"),
        ("cyan", "H1", "proposed: web:42 is bad"),
        ("green", "H1", "supports (strong): web:42 was deployed 40 s before the onset"),
        None,
        ("bold green", "H1", "supported: carried by E1"),
        ("bold green", "verdict", "web:42 is bad (91% sure)"),
    ]


def test_the_summary_names_cause_evidence_and_what_was_ruled_out() -> None:
    entries = [seal(n, NOON, "", body) for n, body in enumerate(STORY, 1)]
    told = [(margin, text) for _, margin, text in summary(fold("inv-1", entries), "/j/inv-1.jsonl", 1.25)]
    assert told == [
        ("verdict", "web:42 is bad (91% sure)"),
        ("because", "web:42 was deployed"),
        ("", "errors rose"),
        ("E1", "web:42 was deployed 40 s before the onset [aws.ecs]"),
        ("ranking", " 91%  bad_deployment  ecs_service:prod/web"),
        ("", "  5%  none of these"),
        ("ruled out", "no leak"),
        ("journal", "/j/inv-1.jsonl"),
        ("", "queries 0 · evidence 1 · 1.2 s · catalogue"),
    ]


def test_an_inconclusive_verdict_says_what_would_help() -> None:
    verdict = Verdict(status="inconclusive", root_cause=None, ranked=(), next_step="read the slow query log.", at=NOON)
    assert line(Concluded(verdict=verdict)) == ("bold yellow", "verdict", "inconclusive: read the slow query log.")


def test_what_is_no_terminal_gets_plain_lines() -> None:
    stream = io.StringIO()
    opened = Opened(request=Request(text="a [bold]b[/] \x1b[31mc" + "d" * 300), reasoner="")
    Progress(stream).show(seal(1, NOON, "", opened))
    assert stream.getvalue().startswith("    opened  a [bold]b[/] cddd")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_window_over_midnight_names_both_days() -> None:
    window = TimeWindow(start=datetime(2026, 3, 3, 23, tzinfo=UTC), end=datetime(2026, 3, 4, 1, tzinfo=UTC))
    assert spoken(window) == "2026-03-03 23:00–2026-03-04 01:00 UTC"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x1b[31;1mred\x1b[0m", "ared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("one\r\ntwo\tthree", "one two three"),
        ("bell\x07 back\x08space \x9b2Jcsi", "bell backspace csi"),
        ("\u202eevil\u2066 \u200bzero", "evil zero"),
        ("ünïcödé 日本 👩\u200d🚀", "ünïcödé 日本 👩\u200d🚀"),
        ("lone \ud800 half", "lone half"),
    ],
)
def test_text_from_outside_only_reads(text: str, seen: str) -> None:
    assert plain(text) == seen


def test_long_text_is_cut_and_says_so() -> None:
    assert shortened("word " * 10, 12) == "word word w…"
