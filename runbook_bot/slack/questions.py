"""The verbs that ask about investigations, stop them, rate them, or search the runbooks."""

import asyncio
import difflib
import re

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Rated, StopAsked
from runbook_bot.domain.redaction import redact
from runbook_bot.slack import words
from runbook_bot.slack.answers import Answer, plain
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.escaping import line, mrkdwn
from runbook_bot.slack.sight import visible, waiting
from runbook_bot.slack.spoken import hypothesis
from runbook_bot.slack.verbs import Ask, split
from runbook_bot.slack.views import answers as told

_ID = re.compile(r"\binv-[A-Za-z0-9_-]{1,100}\b")
_GOOD = frozenset({"good", "helpful", "yes", "right", "+1", ":+1:", ":thumbsup:", "👍"})
_BAD = frozenset({"bad", "unhelpful", "no", "wrong", "-1", ":-1:", ":thumbsdown:", "👎"})


async def case_of(desk: Desk, ask: Ask) -> Investigation | str:
    """The investigation that is meant: named by id, that of the thread, or the newest of the channel; else why not."""
    named = _ID.search(ask.words)
    if named:
        case = await desk.cases.one(named[0])
        seen = await visible(desk, ask.delivery.user, ask.delivery.channel, [case] if case else [])
        return seen[0] if seen else words.UNKNOWN_INVESTIGATION.format(id=mrkdwn(named[0], 80))
    return ask.case or await desk.cases.in_channel(ask.delivery.channel) or words.NONE_HERE


async def status(desk: Desk, ask: Ask) -> Answer:
    if ask.words.strip(".,:;!? ") and not _ID.search(ask.words):
        return await _service(desk, ask)
    if ask.case is not None:
        return Answer(*told.summary(ask.case), private=False)
    running = await desk.cases.unfinished(lambda case: case.status == "open")
    seen = await visible(desk, ask.delivery.user, ask.delivery.channel, running)
    latest = None if seen else await desk.cases.in_channel(ask.delivery.channel)
    return Answer(*told.status(seen, latest, desk.workspace))


async def _service(desk: Desk, ask: Ask) -> Answer:
    """One service in the service graph; where there is none of that name, the nearest."""
    name = ask.words.strip(".,:;!?`\"' ")
    graph = await desk.asker.known()
    service = graph.service(name)
    if service is None:
        known = {each.name.casefold(): each.name for each in graph}
        near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.5)
        said = words.SERVICE_NEAR if near else words.SERVICE_UNKNOWN
        close = line(" or ".join(known[each] for each in near), 200)
        return plain(said.format(name=mrkdwn(name, 80).replace("`", ""), near=mrkdwn(close, 200)))
    shown = await asyncio.to_thread(told.service, graph, service, desk.clock.now())
    return Answer(*shown, private=ask.case is None)


async def summary(desk: Desk, ask: Ask) -> Answer:
    case = await case_of(desk, ask)
    return plain(case) if isinstance(case, str) else Answer(*told.summary(case), private=ask.case is None)


async def why(desk: Desk, ask: Ask) -> Answer:
    case = await case_of(desk, ask)
    if isinstance(case, str):
        return plain(case)
    wanted = hypothesis(_ID.sub(" ", ask.words))
    found = case.hypotheses.get(wanted) or (case.leader if not wanted else None)
    if found is None:
        return plain(_which(case, wanted))
    return Answer(*told.why(case, found), private=ask.case is None)


def _which(case: Investigation, wanted: str) -> str:
    title, known = mrkdwn(case.title, 120), line(", ".join(case.hypotheses), 300)
    if not known:
        return words.NO_HYPOTHESES.format(title=title, id=case.id)
    if not wanted:
        return words.WHICH_HYPOTHESIS.format(title=title, known=known, first=next(iter(case.hypotheses)))
    return words.UNKNOWN_HYPOTHESIS.format(id=wanted, title=title, known=known)


async def stop(desk: Desk, ask: Ask) -> Answer:
    case: Investigation | str | None
    if _ID.search(ask.words) or ask.case is not None:
        case = await case_of(desk, ask)
    else:
        here = ask.delivery.channel
        running = await desk.cases.unfinished(lambda c: c.status == "open" and c.request.channel == here, top=1)
        case = running[0] if running else words.NONE_OPEN_HERE
    if isinstance(case, str):
        return plain(case)
    return plain(await ask_to_stop(desk, case, ask.delivery.user, ask.delivery.key))


async def ask_to_stop(desk: Desk, case: Investigation, user: str, delivery: str) -> str:
    """The line to answer with; the thread itself says who stopped it."""
    title = mrkdwn(case.title, 120)
    if case.status != "open":
        return words.ALREADY_OVER.format(title=title, id=case.id)
    if case.stop_asked is None:
        await desk.record(case.id, StopAsked(by=user, delivery=delivery))
    return words.STOPPING.format(title=title, id=case.id)


async def approvals(desk: Desk, ask: Ask) -> Answer:
    found = await desk.cases.unfinished(lambda case: bool(waiting([case])))
    seen = await visible(desk, ask.delivery.user, ask.delivery.channel, found)
    return Answer(*told.approvals(waiting(seen), desk.workspace))


async def feedback(desk: Desk, ask: Ask) -> Answer:
    judged, note = split(_ID.sub(" ", ask.words)) if ask.words else ("", "")
    if judged not in _GOOD | _BAD:
        return plain(words.FEEDBACK_HOW)
    case = await case_of(desk, ask)
    if isinstance(case, str):
        return plain(case)
    key = ask.delivery.key
    if all(rated.delivery != key for rated in case.ratings):
        rated = Rated(by=ask.delivery.user, helpful=judged in _GOOD, note=redact(note)[:2000], delivery=key)
        await desk.record(case.id, rated)
    return plain(words.FEEDBACK_THANKS.format(id=case.id))


async def knowledge(desk: Desk, ask: Ask) -> Answer:
    verb, text = split(ask.words) if ask.words else ("", "")
    if verb != "search" or not text:
        return plain(words.KNOWLEDGE_HOW)
    if desk.knowledge is None:
        return plain(words.NO_KNOWLEDGE)
    return Answer(*told.passages(text, await desk.knowledge.search(text[:1000], top=5)))
