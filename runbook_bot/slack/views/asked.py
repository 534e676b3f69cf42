"""The answer to a question: what was found, quoted as it is, then what was not seen and where it comes from."""

from collections.abc import Sequence

from runbook_bot.domain.noun import Json
from runbook_bot.investigation.ask.answer import Answer, Quote, Source, Table
from runbook_bot.investigation.ask.layout import aligned
from runbook_bot.slack import words
from runbook_bot.slack.blocks import MESSAGE_BUDGET, context, preformatted, section
from runbook_bot.slack.escaping import link, mrkdwn, tidy
from runbook_bot.slack.views.answers import Told

WIDTH = 96
TABLE = 2900
"""Characters of a table; Slack takes 3,000."""
MOST_SOURCES = 6
ROOM = MESSAGE_BUDGET - 3500
"""Characters of blocks for tables and quotes; the rest is for what is said beside them."""


def asked(answer: Answer) -> Told:
    """Nothing in it comes alive: names, rows and lines came from outside."""
    text = mrkdwn(answer.text, 1500)
    blocks: list[Json] = [section(text)]
    pieces = [piece for table in answer.tables for piece in _table(table)] + [_quote(each) for each in answer.quotes]
    left = ROOM
    for piece in pieces:
        left -= len(str(piece))
        if left < 0:
            blocks.append(context(words.ASK_CUT))
            break
        blocks.append(piece)
    beside = [mrkdwn(each, 300) for each in answer.notes[:4]]
    beside += [words.ASK_UNSEEN.format(what=mrkdwn(each, 300)) for each in answer.unseen[:4]]
    if beside:
        blocks.append(context(*beside))
    if answer.sources:
        blocks.append(context(words.ASK_SOURCES.format(sources="; ".join(_sources(answer.sources)))))
    return text, tuple(blocks)


def _table(table: Table) -> list[Json]:
    """In columns, as text in which nothing is parsed; lines that have no room are counted."""
    lines = aligned(table, WIDTH)
    kept: list[str] = []
    for line in lines:
        if sum(len(each) + 1 for each in kept) + len(line) > TABLE - 40:
            kept.append(f"… {len(lines) - len(kept)} more lines")
            break
        kept.append(line)
    return [preformatted("\n".join(kept), TABLE)]


def _quote(quote: Quote) -> Json:
    return preformatted(f"{tidy(quote.text).strip()}\n— {' '.join(tidy(quote.where).split())}", 900)


def _sources(sources: Sequence[Source]) -> list[str]:
    """Of each source the first question, with its link, and how many others."""
    groups: dict[str, list[Source]] = {}
    for each in sources:
        if all(each.where != other.where for other in groups.setdefault(each.source, [])):
            groups[each.source].append(each)
    return [_asked_of(asked) for asked in list(groups.values())[:MOST_SOURCES]]


def _asked_of(asked: Sequence[Source]) -> str:
    more = f", and {len(asked) - 1} more" if len(asked) > 1 else ""
    at = f" ({link(asked[0].console, words.ASK_CONSOLE)})" if asked[0].console else ""
    return f"{mrkdwn(asked[0].where, 140)}{at}{more}"
