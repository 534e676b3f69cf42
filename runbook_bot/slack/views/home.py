"""App Home: what is open, what waits, what was found lately."""

from collections.abc import Sequence

from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.noun import Json
from runbook_bot.slack import words
from runbook_bot.slack.blocks import context, divider, header, section
from runbook_bot.slack.escaping import link, mrkdwn
from runbook_bot.slack.views.answers import approval_row
from runbook_bot.slack.views.head import counts, in_short, state
from runbook_bot.slack.views.place import root
from runbook_bot.slack.workspace import Workspace

ROWS = 8


def home(
    running: Sequence[Investigation],
    waiting: Sequence[tuple[Investigation, Remedy]],
    recent: Sequence[Investigation],
    workspace: Workspace,
) -> Json:
    """At most about 40 of the 100 blocks a Home may hold."""
    blocks = [header("Open investigations")]
    blocks += [_row(case, workspace) for case in running[:ROWS]] or [section(words.NONE_OPEN)]
    blocks += [divider(), header("Waiting for approval")]
    rows = [section(approval_row(case, remedy, workspace)) for case, remedy in waiting[:ROWS]]
    blocks += rows or [section(words.NOTHING_WAITS)]
    blocks += [divider(), header("Recent verdicts")]
    blocks += [_row(case, workspace) for case in recent[:ROWS]] or [section("Nothing has been investigated yet.")]
    blocks.append(context("Only what was asked in channels you are in. `/runbook help` lists what I can do."))
    return {"type": "home", "blocks": list(blocks)}


def _row(case: Investigation, workspace: Workspace) -> Json:
    at = root(case)
    thread = link(workspace.message(*at), "open the thread") if at else "its thread is being opened"
    word, emoji = state(case)
    return section(f"*{mrkdwn(case.title, 120)}* · {word} {emoji} · {counts(case)} · {thread}\n{in_short(case)}")
